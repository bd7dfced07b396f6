"""The window against the real server and the demo PBX: from the log-in to the answered call and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from astcti_client.password import Password
from astcti_server.demo.pbx import DemoPbx
from astcti_server.demo.player import Tempo
from schemas.configuration.xml_form import load_xml
from tests.client.ui.conftest import MAC
from tests.client.ui.tools.window_test_bed import WindowTestBed
from tests.fake.running_server import RunningServer

CONFIGURATION = f"""<configuration>
  <services>
    <service name="Demo" context="astctidemo" type="inbound" is-queue="true" queue-name="astcti"
      enabled="true">
      <variable name="calldata"/>
      <trigger type="application" on="answer"><application>/usr/bin/touch</application>
        <parameters>%s</parameters></trigger>
      <operator username="mario" penalty="1"/>
    </service>
    <service name="Outside line" context="outbound" type="outbound" enabled="true">
      <operator username="mario"/>
    </service>
  </services>
  <seats><seat mac="{MAC}" extension="PJSIP/201" description="First row"/></seats>
  <operators><operator username="mario" full-name="Mario Rossi" begin-in-pause="false" enabled="true"
    password="md5:{Password.from_text("test").md5}" seat="{MAC}"/></operators>
  <pause-reasons><reason name="Lunch"/></pause-reasons>
</configuration>
"""


@pytest.fixture
def running_server(tmp_path: Path) -> Iterator[RunningServer]:
    file = tmp_path / "configuration.xml"
    file.write_text(CONFIGURATION % f"{tmp_path}/answered-{{CALLDATA}}", encoding="utf-8")
    calls = Tempo(interval=4.0, answer=2.0, talk=10.0, gives_up=0.0)
    with (
        DemoPbx(tempo=calls) as pbx,
        RunningServer(tmp_path / "server", pbx.address[1], load_xml(file)) as server,
    ):
        yield server


def test_a_day_at_the_seat(
    running_server: RunningServer, open_client: Callable[..., WindowTestBed], tmp_path: Path
) -> None:
    bed = open_client(port=running_server.port)
    app = bed.app
    app.start()
    bed.pump(lambda: app.model.up and app.model.full_name == "Mario Rossi", "not logged in")
    assert app.model.extension == "PJSIP/201"
    bed.pump(lambda: "astcti" in app.model.queues, "not in the queue")
    bed.pump(lambda: app.windows.notices.shown, "no notice of the first call")
    bed.pump(lambda: list(tmp_path.glob("answered-*")), "the trigger of the answer did not run")
    bed.pump(lambda: any(call.phase == "talking" for call in app.model.calls.values()), "no call is answered")
    (call,) = [call for call in app.model.calls.values() if call.phase == "talking"]
    assert dict(call.variables)["calldata"]
    bed.pump((tmp_path / f"answered-{dict(call.variables)['calldata']}").exists, "its trigger did not run")
    app.commands.hang_up(call.key)
    bed.pump(lambda: bed.history.find(kind="answered"), "the call was not hung up")
    app.commands.ask_pause("Lunch")
    assert app.model.pause.phase == "requested"
    bed.pump(lambda: app.model.pause.phase == "in", "the pause was not confirmed")
    assert app.commands.dial("055 123", "outbound") == ""
    bed.pump(lambda: bed.history.find(kind="dialled"), "the dialled call is not in the history")
    app.commands.ask_return()
    bed.pump(lambda: app.model.pause.phase == "out", "no way back from the pause")
