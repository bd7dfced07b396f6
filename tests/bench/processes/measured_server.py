"""A server with what a measurement needs around it: a feeder, clients, and a reader to compare with."""

from __future__ import annotations

import os
import pickle
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.bench.machine import python_of
from tests.bench.peers.broker_clients import BrokerClients
from tests.bench.peers.mqtt_server import BROKER
from tests.bench.peers.same_work_floor import PLAN, PLAN_FILE, READY
from tests.bench.processes.feeder import Feeder
from tests.bench.processes.returning_clients import ReturningClients, ReturnResult
from tests.bench.processes.seat_clients import CollectedLinks, LoginResult, SeatClients
from tests.bench.processes.server_process import (
    FLOOR_PROGRAM,
    MQTT_PROGRAM,
    SERVER_PROGRAM,
    ServerFailed,
    ServerProcess,
    ServerProgram,
)
from tests.bench.processes.worker import Worker
from tests.bench.processor_time import TICK, ProcessorMeter, Usage
from tests.bench.workload.call_centre import CallCentre
from tests.bench.workload.due_lines import due_lines
from tests.bench.workload.event_script import END, EventScript, PlannedCall
from tests.bench.workload.traffic import ExpectedLink, Traffic, expected_link, split_at_link

LOGIN_WITHIN = 60.0  # seconds
DELIVER_WITHIN = 60.0
QUIET = 0.2  # seconds without a line after the last Link: a doubled one would come in them
PAUSE = 0.003  # seconds between two notifications, so that each finds everybody idle


class DeliveryFailed(Exception):
    """Notifications were lost, doubled or wrong; the text says which."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A stream was sent and every Link arrived."""

    seconds: float
    """From the first byte to the last Link."""
    usage: Usage
    """From before the first byte until nothing came any more; the silence at the end is no time of it."""

    def processor_time(self, traffic: Traffic) -> float:
        """Microseconds of the server's processor time an event."""
        return self.usage.processes["server"].total / traffic.events * 1e6


class MeasuredServer:
    """Starts everything; a context manager that stops it all."""

    clients_class: type[SeatClients] = SeatClients

    def __init__(
        self,
        script: EventScript,
        call_centre: CallCentre,
        program: ServerProgram = SERVER_PROGRAM,
        *,
        outbox: int = 1_048_576,
        stalled: int = 0,
        clients: Callable[[], SeatClients] | None = None,
        settings: str = "",
    ) -> None:
        """The clients of the first `stalled` seats never read after their login.

        `clients` makes others than the usual ones, in their process; `settings` are elements of server.xml.
        """
        self.script, self.call_centre = script, call_centre
        self._stalled = stalled
        with ExitStack() as started:
            self._files = Path(started.enter_context(tempfile.TemporaryDirectory(prefix="astcti-bench-")))
            self.feeder, self.clients = (
                started.enter_context(Worker(*what))
                for what in ((Feeder, script.banner), (clients or self.clients_class,))
            )
            self.process = ServerProcess(
                call_centre, ami_port=self.feeder.call("port"), program=program, outbox=outbox, more=settings
            )
            started.callback(self.process.stop)
            if not self.feeder.call("wait_until_listed", 30.0):
                raise ServerFailed(f"the server did not log in:\n{self.process.log}")
            self.wait_until_serving()
            self._stop = started.pop_all()
        processes = {"server": self.process.pid, "feeder": self.feeder.pid, "clients": self.clients.pid}
        self.meter = ProcessorMeter(processes)
        for name, pid in processes.items():
            check_python(name, pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.close()

    def wait_until_serving(self) -> None:
        """Return when clients may come. Raises ServerFailed."""
        self.process.wait_until_serving()

    def log_in(self, within: float = LOGIN_WITHIN, *, but: int = 0) -> LoginResult:
        """All clients at once, each until it is in the queue. Raises DeliveryFailed if one cannot.

        The first `but` seats are left to others.
        """
        logged_in: LoginResult = self.clients.call(
            "log_in",
            self.process.port,
            self.call_centre.logins[but:],
            self.call_centre.queue.name,
            self._stalled,
            within,
            timeout=within + 60,
        )
        return self._all_in(logged_in)

    def _all_in(self, logged_in: LoginResult) -> LoginResult:
        if logged_in.missing:
            names = ", ".join(logged_in.missing[:10])
            raise DeliveryFailed(f"{len(logged_in.missing)} could not log in: {names}\n{self.process.log}")
        return logged_in

    def load(self, traffic: Traffic) -> None:
        """Hand the stream to the feeder."""
        path = self._files / "stream"
        path.write_bytes(traffic.data)
        self.feeder.call("load", path)
        path.unlink()

    def deliver(self, traffic: Traffic, *, quiet: float = QUIET) -> Delivery:
        """Send a stream as fast as the server takes it, and wait until nothing came for `quiet` seconds.

        Raises DeliveryFailed.
        """
        self.load(traffic)
        reading = self.call_centre.extensions[self._stalled :]
        self.clients.call(
            "expect", [link for link in traffic.expected if not self._stalled or link.extension in reading]
        )
        before = self.meter.read()
        self.clients.begin("collect", DELIVER_WITHIN, quiet)
        begun: int = self.feeder.call("send_stream")
        collected: CollectedLinks = self.clients.result()
        usage = before.until(self.meter.read())
        usage = replace(usage, seconds=max(usage.seconds - quiet, TICK))
        check_links(collected, self.process)
        return Delivery((collected.last - begun) / 1e9, usage)

    def read_bare(self, traffic: Traffic, reader: Worker) -> float:
        """Send the stream to a `BareReader` in its process; seconds."""
        self.load(traffic)
        port: int = reader.call("port")
        reader.begin("read", len(traffic.data))
        begun: int = self.feeder.call("send_stream_to", port)
        ended: int = reader.result()
        return (ended - begun) / 1e9

    def split(self, call: PlannedCall) -> tuple[bytes, bytes, bytes]:
        """A call's events: before the connecting one, that, and the rest."""
        return split_at_link(self.script, call)

    def notify(
        self, calls: list[PlannedCall], meanwhile: Callable[[], None] | None = None, *, pause: float = PAUSE
    ) -> list[float]:
        """One call after the other: microseconds from its connecting event's write to its line at the client.

        `meanwhile` is called once they have begun; `pause` is in seconds, before and after each connecting
        event. Raises DeliveryFailed.
        """
        expected = [expected_link(call) for call in calls]
        self.clients.call("expect", expected)
        self.clients.begin("collect", 30.0 + len(calls) * pause * 3, 0.1)
        self.feeder.begin("send_calls", [self.split(call) for call in calls], pause)
        if meanwhile is not None:
            meanwhile()
        begun: list[int] = self.feeder.result()
        collected = self.clients.result()
        check_links(collected, self.process)
        return delays(begun, expected, collected.arrivals)


class MeasuredFloor(MeasuredServer):
    """The server is the floor, which is told the lines of each stream beforehand."""

    def __init__(self, script: EventScript, call_centre: CallCentre) -> None:
        super().__init__(script, call_centre, FLOOR_PROGRAM)

    def load(self, traffic: Traffic) -> None:
        """Hand the stream to the feeder, and its lines to the floor."""
        super().load(traffic)
        lines = due_lines(self.script, self.call_centre, traffic)
        self.process.state_path(PLAN_FILE).write_bytes(pickle.dumps((traffic.events, lines)))
        self.feeder.call("send", PLAN + END)
        self.process.state_file(READY)
        self.process.state_path(READY).unlink()


class MeasuredOutage(MeasuredServer):
    """The server goes away, and its clients come back."""

    clients_class = ReturningClients

    def outage(self, seconds: float, within: float) -> ReturnResult:
        """Kill the server, start it again after so long, wait for everybody. Raises DeliveryFailed."""
        self.clients.begin("come_back", self.process.port, self.call_centre.queue.name, seconds + within)
        self.process.kill()
        time.sleep(seconds)  # that is what is measured
        self.process.start_again()
        return self._all_back(within)

    def restart(self, within: float) -> ReturnResult:
        """Restart the server in order, members kept, and wait for everybody. Raises DeliveryFailed."""
        self.feeder.call("keep_members")
        self.clients.begin("come_back", self.process.port, self.call_centre.queue.name, within)
        self.process.stop_keeping_members()
        self.process.start_again()
        back = self._all_back(within)
        if changes := self.feeder.call("changes"):
            raise DeliveryFailed(f"{changes} times somebody joined or left a queue\n{self.process.log}")
        return back

    def _all_back(self, within: float) -> ReturnResult:
        returned: ReturnResult = self.clients.result(timeout=2 * within)
        if returned.missing:
            names = ", ".join(returned.missing[:10])
            raise DeliveryFailed(f"{len(returned.missing)} did not come back: {names}\n{self.process.log}")
        return returned


class MeasuredBroker(MeasuredServer):
    """The server is the one that publishes to a message broker, and the clients are the broker's."""

    clients_class = BrokerClients

    def __init__(self, script: EventScript, call_centre: CallCentre) -> None:
        super().__init__(script, call_centre, MQTT_PROGRAM)

    def wait_until_serving(self) -> None:
        """Return when the broker runs."""
        self.process.state_file(BROKER)

    def log_in(self, within: float = LOGIN_WITHIN, *, but: int = 0) -> LoginResult:
        """Everybody subscribes; there is no queue to join. Raises DeliveryFailed if anybody cannot."""
        port, logins = self.process.state_file(BROKER), self.call_centre.logins[but:]
        return self._all_in(self.clients.call("subscribe", port, logins, within))


def check_python(name: str, pid: int) -> None:
    """Raise ServerFailed if a process that is measured does not run on the Python that the bench runs on."""
    own, found = python_of(os.getpid()), python_of(pid)
    if found != own:
        raise ServerFailed(
            f"the {name} runs on {found}, the bench on {own}: no figures of two Pythons in one run"
        )


def delays(begun: list[int], expected: list[ExpectedLink], arrivals: dict[str, int]) -> list[float]:
    """Microseconds from each beginning (ns) to the arrival of its Link."""
    ends = [arrivals[link.calldata] for link in expected]
    return [(end - begin) / 1000 for begin, end in zip(begun, ends, strict=True)]


def check_links(collected: CollectedLinks, process: ServerProcess) -> None:
    """Raise DeliveryFailed unless everything expected, and nothing else, arrived."""
    if not collected.missing and not collected.unexpected:
        return
    lines = [f"missing: {link.extension} calldata {link.calldata}" for link in collected.missing[:10]]
    lines += [f"unexpected: {what}" for what in collected.unexpected[:10]]
    counts = f"{len(collected.missing)} Links are missing, {len(collected.unexpected)} things are unexpected"
    raise DeliveryFailed("\n".join([counts, *lines, process.log]))
