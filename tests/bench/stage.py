"""Feeder, server, clients and floor together: what most scenarios play on."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from tests.bench.clients import Clients, Collected, LoggedIn
from tests.bench.feeder import Feeder
from tests.bench.peers.floor import Floor
from tests.bench.peers.mqtt_server import BROKER
from tests.bench.peers.subscribers import Subscribers
from tests.bench.server import Server, ServerFailed
from tests.bench.worker import Worker
from tests.bench.workload.scripts import Script
from tests.bench.workload.site import Site
from tests.bench.workload.traffic import Expected, Traffic

LOGIN_WITHIN = 60.0  # seconds
DELIVER_WITHIN = 60.0
QUIET = 0.2  # so long nothing may come any more after the last Link


class DeliveryFailed(Exception):
    """Notifications were lost, doubled or wrong; the text says which."""


@dataclass(frozen=True, slots=True)
class Run:
    """One pouring: seconds from the first byte to the last Link, and each Link's arrival (ns)."""

    seconds: float
    arrivals: dict[str, int]


class Stage:
    """A context manager: everything runs inside it."""

    crowd: type[Clients] = Clients

    def __init__(
        self,
        script: Script,
        site: Site,
        *,
        outbox: int = 1_048_576,
        module: str = "astcti_server",
        deaf: int = 0,
    ) -> None:
        """`module` is the server; `deaf` seats never read after their login."""
        self.script, self.site = script, site
        self._outbox, self._module, self._deaf = outbox, module, deaf
        self._files = tempfile.TemporaryDirectory(prefix="astcti-bench-")

    def __enter__(self) -> Stage:
        self.feeder = Worker(Feeder, self.script.banner)
        self.clients = Worker(self.crowd)
        self.floor = Worker(Floor)
        self._floor_port: int = self.floor.call("port")
        self.server = Server(
            self.site, ami_port=self.feeder.call("port"), outbox=self._outbox, module=self._module
        )
        if not self.feeder.call("wait_until_listed", 30.0):
            log = self.server.log
            self.__exit__(None, None, None)
            raise ServerFailed(f"the server did not log in:\n{log}")
        self.wait_until_serving()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.stop()
        for worker in (self.feeder, self.clients, self.floor):
            worker.stop()
        self._files.cleanup()

    def wait_until_serving(self) -> None:
        """Return when clients may come. Raises ServerFailed."""
        self.server.wait_until_serving()

    def log_in(self, *, joining: bool = True) -> LoggedIn:
        """Everybody sits down. Raises DeliveryFailed if anybody cannot."""
        queue = self.site.place.queue if joining else ""
        logged_in: LoggedIn = self.clients.call(
            "log_in", self.server.port, self.site.logins, queue, self._deaf, LOGIN_WITHIN
        )
        return self._all_in(logged_in)

    def _all_in(self, logged_in: LoggedIn) -> LoggedIn:
        if logged_in.missing:
            names = ", ".join(logged_in.missing[:10])
            raise DeliveryFailed(f"{len(logged_in.missing)} could not log in: {names}\n{self.server.log}")
        return logged_in

    def load(self, traffic: Traffic) -> None:
        """Hand the stream to the feeder."""
        path = Path(self._files.name) / "stream"
        path.write_bytes(traffic.data)
        self.feeder.call("load", path)
        path.unlink()

    def pour(self, expected: tuple[Expected, ...]) -> Run:
        """The loaded stream, once. Raises DeliveryFailed."""
        heard = self.site.extensions[self._deaf :]
        audible = [link for link in expected if not self._deaf or link.extension in heard]
        self.clients.call("expect", audible)
        self.clients.begin("collect", DELIVER_WITHIN, QUIET)
        begun: int = self.feeder.call("pour")
        collected: Collected = self.clients.result()
        check(collected, self.server)
        return Run((collected.last - begun) / 1e9, collected.arrivals)

    def pour_into_floor(self, size: int) -> float:
        """The same stream into the floor; seconds."""
        self.floor.begin("read", size)
        begun: int = self.feeder.call("pour_floor", self._floor_port)
        ended: int = self.floor.result()
        return (ended - begun) / 1e9


class BrokerStage(Stage):
    """The server is the one that publishes to a message broker, and the clients are the broker's."""

    crowd = Subscribers

    def __init__(self, script: Script, site: Site) -> None:
        super().__init__(script, site, module="tests.bench.peers.mqtt_server")

    def wait_until_serving(self) -> None:
        """Return when the broker runs."""
        self._broker_port: int = self.server.state_file(BROKER)

    def log_in(self, *, joining: bool = True) -> LoggedIn:
        """Everybody subscribes; there is no queue to join. Raises DeliveryFailed if anybody cannot."""
        return self._all_in(self.clients.call("subscribe", self._broker_port, self.site.logins, LOGIN_WITHIN))


def check(collected: Collected, server: Server) -> None:
    """Raise DeliveryFailed unless everything expected, and nothing else, arrived."""
    if not collected.missing and not collected.unexpected:
        return
    lines = [f"missing: {one.extension} calldata {one.calldata}" for one in collected.missing[:10]]
    lines += [f"unexpected: {what}" for what in collected.unexpected[:10]]
    counts = f"{len(collected.missing)} Links are missing, {len(collected.unexpected)} things are unexpected"
    raise DeliveryFailed("\n".join([counts, *lines, server.log]))
