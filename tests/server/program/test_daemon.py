"""The whole server while it runs: a new configuration, a PBX that goes and comes back, a thread that dies."""

from __future__ import annotations

import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from subprocess import PIPE, run

import pytest

from astcti_server.demo.pbx import DemoPbx
from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service, Trigger
from schemas.configuration.xml_form import dump_xml
from tests.fake.line_client import md5
from tests.fake.patience import PATIENCE, until
from tests.fake.ports import free_port
from tests.fake.running_server import RunningServer
from tests.fake.wire_cutter import WireCutter

PHONES = {"mario": "PJSIP/201", "luisa": "PJSIP/202"}
MACS = {"mario": "00:00:00:00:02:01", "luisa": "00:00:00:00:02:02"}
TRIGGER = Trigger("browser", url="https://crm.example/?id={CALLDATA}")
DEMO = Service(
    "Demo",
    "astctidemo",
    "inbound",
    is_queue=True,
    queue_name="astcti",
    variables=("calldata",),
    triggers=(TRIGGER,),
    operators=tuple(Binding(name, 1) for name in PHONES),
)
OUTSIDE = Service("Outside line", "outbound", "outbound", operators=(Binding("mario"),))
PASSWORD = f"md5:{md5('secret')}"
MARIO, LUISA = (Operator(name, name.title(), PASSWORD, seat=MACS[name]) for name in PHONES)
CONFIGURATION = Configuration(
    (DEMO, OUTSIDE), tuple(Seat(MACS[name], PHONES[name], PHONES[name]) for name in PHONES), (MARIO, LUISA)
)


@pytest.fixture
def server(tmp_path: Path, pbx: DemoPbx) -> Iterator[RunningServer]:
    with RunningServer(tmp_path, pbx.address[1], CONFIGURATION) as running:
        yield running
        assert running.stop() == 0
    assert "Traceback" not in running.log


def test_a_new_configuration_reaches_those_whom_it_concerns_and_nobody_else(server: RunningServer) -> None:
    with server.client("mario") as mario, server.client("luisa") as luisa:
        mario.expect("200 astcti")
        luisa.expect("200 astcti")

        not_marios = replace(DEMO, operators=(Binding("luisa", 1),))
        server.configure(replace(CONFIGURATION, services=(not_marios, OUTSIDE)))
        mario.expect_all("221 SERVICES", "210 astcti")
        mario.say("SERVICES")
        assert mario.expect("220 ") == "220 outbound outbound Outside line"

        changed = replace(MARIO, password="md5:" + 32 * "0")
        server.configure(replace(CONFIGURATION, operators=(changed, LUISA)))
        assert mario.expect("910 ").startswith("910 BYE CONFIG the password changed")
        luisa.settle()
        assert not [line for line in luisa.lines if line.startswith(("210", "221", "910"))]

        server.configure(replace(CONFIGURATION, operators=(MARIO, replace(LUISA, enabled=False))))
        assert luisa.expect("910 ").startswith("910 BYE DISABLED")


def test_a_running_call_keeps_the_service_that_it_matched(server: RunningServer, pbx: DemoPbx) -> None:
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        caller = pbx.do(lambda engine: engine.incoming_call(digits="12345"))
        mario.event("Newchannel")
        pbx.do(lambda engine: engine.answer(PHONES["mario"]))
        assert mario.event("Link").service == "Demo"
        renamed = replace(DEMO, name="Other", triggers=(replace(TRIGGER, on="hangup"),))
        server.configure(replace(CONFIGURATION, services=(renamed, OUTSIDE)))
        mario.expect("221 SERVICES")
        pbx.do(lambda engine: engine.hang_up(caller))
        hangup = mario.event("Hangup")
        assert (hangup.service, hangup.triggers) == ("Demo", ())


def test_changed_settings_of_the_log_and_of_events_apply_at_once(server: RunningServer, pbx: DemoPbx) -> None:
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        settings = server.config / "server.xml"
        changed = settings.read_text().replace("<server>", '<server events="all">')
        server.put("server.xml", changed.replace("</server>", '<logging level="debug"/></server>'))
        server.wait_for_log("server.xml: its new settings are in force now")
        mario.settle()
        server.wait_for_log("DEBUG [client-1] client-1: NOOP")
        pbx.do(lambda engine: engine.dial_from(PHONES["mario"], "999"))  # a call of no service
        assert mario.event("Newchannel").service == ""


def test_other_contexts_for_transfers_apply_at_once_and_are_told(server: RunningServer) -> None:
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        settings = server.config / "server.xml"
        listed = "<transfer><context>backoffice</context></transfer></server>"
        server.put("server.xml", settings.read_text().replace("</server>", listed))
        mario.expect("221 SERVICES")
        mario.say("TARGETS")
        assert [mario.expect("222 ") for _ in range(3)] == [
            "222 astctidemo Demo",
            "222 backoffice backoffice",
            "222 END",
        ]


def test_clients_stay_while_the_pbx_is_gone_and_are_told(tmp_path: Path, pbx: DemoPbx) -> None:
    with (
        WireCutter(pbx.address[1]) as wire,
        RunningServer(tmp_path, wire.port, CONFIGURATION) as server,
        server.client("mario") as mario,
    ):
        mario.expect("200 astcti")
        wire.cut()
        mario.expect("901 PBX DOWN")
        mario.say("ORIG 0551234 outbound 1")
        assert mario.expect("101 ") == "101 KO PBX down"
        mario.say("PAUSE IN Lunch")
        mario.expect("301 PAUSE PENDING")
        wire.mend()
        mario.expect("902 PBX UP")
        mario.expect("300 OK")
        members = pbx.do(lambda engine: engine.queues.by_name["astcti"].members)
        assert members[PHONES["mario"]].paused


def broken_server(folder: Path, pbx: DemoPbx, damage: str) -> str:
    """Run a server with something broken in it, which has to end it in order with 1; returns its log."""
    config = folder / "config"
    config.mkdir()
    (config / "configuration.xml").write_bytes(dump_xml(CONFIGURATION))
    (config / "server.xml").write_text(
        f'<server><ami port="{pbx.address[1]}" username="astcti" secret="astcti"/>'
        f'<listen port="{free_port()}"/></server>'
    )
    command = [
        sys.executable,
        "-c",
        f"from astcti_server.cli import program as cli\n{damage}\ncli.main()\n",
        "--config",
        str(config),
        "--state",
        str(folder / "state"),
        "--status",
        str(folder / "status.json"),
        "--pidfile",
        str(folder / "pid"),
    ]
    ended = run(command, stderr=PIPE, timeout=PATIENCE, check=False)
    log = ended.stderr.decode()
    assert ended.returncode == 1
    assert "Stopped" in log
    assert not (folder / "pid").exists()
    assert not (folder / "status.json").exists()
    return log


def test_a_thread_that_dies_stops_the_server_in_order_with_1(tmp_path: Path, pbx: DemoPbx) -> None:
    log = broken_server(
        tmp_path,
        pbx,
        (
            "from astcti_server.config import watcher\n"
            "watcher.ConfigWatcher._tell_of_start = lambda self: 1 / 0"
        ),
    )
    assert "ZeroDivisionError" in log
    assert "Thread config died: stopping, so that the init system starts afresh" in log
    assert log.rstrip().endswith("Stopped")


def test_a_thread_that_cannot_be_started_ends_the_server_in_order_too(tmp_path: Path, pbx: DemoPbx) -> None:
    log = broken_server(
        tmp_path,
        pbx,
        (
            "from astcti_server.ami import link\n"
            "def start(self): raise RuntimeError('no more threads')\n"
            "link.AmiLink.start = start"
        ),
    )
    assert "no more threads" in log


def test_many_variables_are_all_read_again_when_the_server_joins_a_running_call(
    tmp_path: Path, pbx: DemoPbx
) -> None:
    names = tuple(f"variable_with_a_long_name_{number:03}" for number in range(120))
    everybody = tuple(Binding(name) for name in PHONES)
    service = Service("Plain", "astctidemo", "inbound", variables=("calldata", *names), operators=everybody)
    pbx.do(lambda engine: engine.queues.add("astcti", PHONES["mario"], penalty=1))
    last = names[-1]
    pbx.do(lambda engine: engine.incoming_call(digits="12345", variables={last: "found"}))
    pbx.do(lambda engine: engine.answer(PHONES["mario"]))
    with RunningServer(tmp_path, pbx.address[1], replace(CONFIGURATION, services=(service,))) as server:
        server.wait_for_log("Channels in Asterisk")
        with server.client("mario") as mario:
            link = mario.event("Link")
            assert link.repeat
            assert dict(link.call.appdata) == {"calldata": "12345", last: "found"}
        assert server.stop() == 0


def test_thousands_of_reloads_are_not_in_the_way_of_the_stop(server: RunningServer) -> None:
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        for _ in range(3600):
            server.send_signal(signal.SIGHUP)
            server.send_signal(signal.SIGUSR1)
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 15
        assert mario.expect("910 ") == "910 BYE SHUTDOWN the server stops"


@pytest.mark.skipif(sys.platform != "linux", reason="counts in /proc how often a thread ran")
def test_a_reload_that_changes_nothing_rouses_no_client(server: RunningServer) -> None:
    tasks = Path(f"/proc/{server.status['pid']}/task")

    def ran(task: str) -> int:
        found = re.search(r"^voluntary_ctxt_switches:\s*(\d+)", (tasks / task / "status").read_text(), re.M)
        assert found is not None
        return int(found[1])

    with server.client("luisa") as luisa, ExitStack() as stack:
        luisa.expect("200 astcti")  # by now every thread of the server itself is there
        before = {task.name for task in tasks.iterdir()}
        mario = stack.enter_context(server.client("mario"))
        mario.expect("200 astcti")
        mario.settle()
        (handler,) = {task.name for task in tasks.iterdir()} - before

        def rests() -> bool:
            """Whether it did nothing while another client was answered ten times."""
            before = ran(handler)
            for _ in range(10):
                luisa.settle()
            return ran(handler) == before

        until(rests, "the handler's thread does not come to rest")
        times = ran(handler)
        server.configure(CONFIGURATION, "same.xml")
        server.wait_for_log("same.xml is in force now")
        server.send_signal(signal.SIGHUP)
        server.wait_for_log("looked at the configuration again: same.xml stays in force")
        server.configure(replace(CONFIGURATION, pause_reasons=("Lunch",)))
        server.wait_for_log("configuration.xml is in force now")
        assert ran(handler) == times
        for _ in range(100):
            mario.settle()
        assert ran(handler) > times
