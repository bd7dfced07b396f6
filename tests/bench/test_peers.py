"""What is compared with the server says the same lines for the same calls, on the same Python."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
from pathlib import Path

import pytest

from astcti_server.calls.notification import Notification
from astcti_server.replay import Replay
from schemas.configuration.xml_form import load_xml
from schemas.event_xml import encode
from tests.bench.machine import python_of
from tests.bench.peers.cti_calls import PeerCalls
from tests.bench.peers.same_work_floor import DueLine, read_and_send
from tests.bench.processes.measured_server import MeasuredFloor, MeasuredServer, check_python
from tests.bench.processes.server_process import (
    ASTERISK_AMI_PROGRAM,
    ASYNCIO_PROGRAM,
    PANORAMISK_PROGRAM,
    ServerFailed,
    ServerProgram,
)
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


def is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


without_panoramisk = pytest.mark.skipif(not is_installed("panoramisk"), reason="panoramisk is not installed")
without_asterisk_ami = pytest.mark.skipif(
    not is_installed("asterisk"), reason="asterisk-ami is not installed"
)


@pytest.mark.parametrize("script", [ModernCalls(), OldCalls()], ids=lambda script: type(script).__name__)
@pytest.mark.parametrize(
    "program",
    [
        pytest.param(PANORAMISK_PROGRAM, marks=without_panoramisk, id="panoramisk"),
        pytest.param(ASTERISK_AMI_PROGRAM, marks=without_asterisk_ami, id="asterisk-ami"),
        pytest.param(ASYNCIO_PROGRAM, id="asyncio"),
        pytest.param(None, id="floor"),
    ],
)
def test_a_peer_notifies_the_bench_s_own_clients(script: EventScript, program: ServerProgram | None) -> None:
    call_centre = CallCentre(script.technology, seats=20)
    server = MeasuredServer(script, call_centre, program) if program else MeasuredFloor(script, call_centre)
    with server as measured:
        measured.log_in()
        for first in (1, 31):
            traffic = call_centre.traffic(script, calls=30, concurrent=8, first=first)
            delivery = measured.deliver(traffic)  # which raises if a Link is missing, doubled or wrong

            assert delivery.processor_time(traffic) > 0


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_the_floor_sends_each_line_when_it_is_due(size: int) -> None:
    stream = b"".join(b"Event: %d" % number + END for number in range(10))
    lines = [DueLine(2, "a", b"one\n"), DueLine(2, "b", b"two\n"), DueLine(10, "a", b"three\n")]
    pairs = {name: socket.socketpair() for name in ("asterisk", "a", "b")}
    feeding, reading = pairs["asterisk"]
    for at in range(0, len(stream), size):
        feeding.send(stream[at : at + size])

    read_and_send(reading, {name: pairs[name][0] for name in ("a", "b")}, 10, lines)

    assert pairs["a"][1].recv(100) == b"one\nthree\n"
    assert pairs["b"][1].recv(100) == b"two\n"
    for pair in pairs.values():
        for end in pair:
            end.close()


def test_a_process_on_another_python_is_refused() -> None:
    check_python("bench", os.getpid())
    with subprocess.Popen(["sleep", "60"]) as other:
        try:
            with pytest.raises(
                ServerFailed, match=f"server runs on .*sleep.*, the bench on {python_of(os.getpid())}"
            ):
                check_python("server", other.pid)
        finally:
            other.kill()
