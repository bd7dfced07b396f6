"""What is compared with the server does the same job: it says the same lines for the same calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from astcti_server.calls.notification import Notification
from astcti_server.replay import Replay
from schemas.configuration.xml_form import load_xml
from schemas.event_xml import encode
from tests.bench.peers.cti_calls import PeerCalls
from tests.bench.workload.call_centre import CallCentre
from tests.bench.workload.event_script import END, EventScript
from tests.bench.workload.modern_calls import ModernCalls
from tests.bench.workload.old_calls import OldCalls


@pytest.mark.parametrize("script", [ModernCalls(), OldCalls()], ids=lambda script: type(script).__name__)
def test_the_peers_calls_say_what_the_server_says(script: EventScript, tmp_path: Path) -> None:
    call_centre = CallCentre(script.technology, seats=20)
    path = tmp_path / "call_centre.xml"
    path.write_text(call_centre.configuration())
    configuration = load_xml(path)
    traffic = call_centre.traffic(script, calls=60, concurrent=8)

    said: list[tuple[str, bytes]] = []
    calls = PeerCalls(configuration, lambda extension, line: said.append((extension, line)))
    for block in traffic.data.decode().split(END.decode())[:-1]:
        fields = dict(line.partition(": ")[::2] for line in block.split("\r\n"))
        handler = calls.handlers.get(fields["Event"])
        if handler is not None:
            handler(fields)

    told: list[Notification] = []
    Replay(configuration, told.append).feed(script.banner + traffic.data)
    assert said == [(notification.extension, encode(notification.event)) for notification in told]
    assert len(said) > 300
