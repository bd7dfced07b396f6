"""The server's way of an event, in this process: without sockets, clients and threads."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, cast

from astcti_server.ami.dialect.translation import Dialect
from astcti_server.ami.wire.event_filter import EventFilter
from astcti_server.ami.wire.messages import AmiEvent
from astcti_server.ami.wire.parser import AmiParser
from astcti_server.calls.notification import Notification
from astcti_server.calls.tracker import Tracker
from astcti_server.clients.registry import Registry
from astcti_server.clients.resume.seat_logs import SeatLogs
from astcti_server.clients.router import Router
from astcti_server.explain.call_trails import CallTrails
from astcti_server.replay import bound_operators
from schemas.configuration.model import Configuration
from schemas.configuration.xml_form import load_xml
from tests.bench.workload.call_centre import CallCentre
from tests.bench.workload.event_script import EventScript

CHUNK: Final = 65536
SEATS: Final = 100
PARTS: Final = ("wire", "dialect", "tracker", "telling")


class _Swallowing:
    """A registry that has a session at every extension, and that session; lines go nowhere."""

    def __init__(self) -> None:
        self.lines = 0
        self.resume = None

    def at_extension(self, _extension: str) -> _Swallowing:
        return self

    def announce(self, _line: bytes) -> bool:
        self.lines += 1
        return True


class Pipeline:
    """From the parser to the line for a client, as in the server; the sessions swallow what they get."""

    def __init__(
        self, configuration: Configuration, script: EventScript, trails: CallTrails | None = None
    ) -> None:
        operators = bound_operators(configuration)
        self.told = _Swallowing()
        self.parser = AmiParser(EventFilter.for_configuration(configuration))
        self.dialect = Dialect()
        self.tracker = Tracker(lambda: operators, trails=trails)
        self.tracker.configure(configuration, all_calls=False)
        logs = SeatLogs(lambda: operators, time.monotonic)
        self.router = Router(cast("Registry", self.told), self.tracker, logs)
        self.parser.feed(script.banner)

    def run(self, chunk: bytes, parts: int = len(PARTS)) -> None:
        """Have one chunk go through so many of the parts, or through all."""
        messages = self.parser.feed(chunk)
        if parts < 2:
            return
        for message in messages:
            happened = self.dialect.translate(cast("AmiEvent", message))
            if parts < 3:
                continue
            for event in happened:
                notifications = self.tracker.handle(event)
                if notifications and parts > 3:
                    self.router.deliver(notifications)

    def time(self, event: AmiEvent) -> tuple[int, int, int]:
        """Have one event go through; returns the nanoseconds of the three parts behind the parser."""
        now = time.perf_counter_ns
        notifications: list[Notification] = []
        begun = now()
        happened = self.dialect.translate(event)
        translated = now()
        for telephone_event in happened:
            notifications += self.tracker.handle(telephone_event)
        handled = now()
        if notifications:
            self.router.deliver(notifications)
        return translated - begun, handled - translated, now() - handled


def configuration_of(call_centre: CallCentre) -> Configuration:
    """What the server would load of it."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / CallCentre.FILE
        path.write_text(call_centre.configuration())
        return load_xml(path)


def chunks_of(data: bytes) -> Iterator[bytes]:
    """As they would be read from a socket."""
    return (data[at : at + CHUNK] for at in range(0, len(data), CHUNK))
