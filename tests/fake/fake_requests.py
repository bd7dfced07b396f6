"""The server's side of the clients, played by the test: it records, and answers when told to."""

from __future__ import annotations

import itertools
import queue
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from astcti_server.calls.notification import Notification
from astcti_server.clients.ports import NotCarriedOut, PauseCallback, Presence, ReplyCallback, ShownReport
from astcti_server.clients.registry import Registry
from astcti_server.clients.resume.seat_logs import MOST_CHARACTERS, SeatLogs
from astcti_server.explain.explanations import Explanation
from schemas.configuration.model import Configuration
from schemas.events import CallEvent
from schemas.protocol import Refusal
from schemas.server.settings import AmiSettings, ServerSettings
from tests.fake.patience import PATIENCE


@dataclass
class Request:
    """A command that arrived. `answer` is its callback: the test calls it, on its own thread."""

    name: str
    presence: Presence
    arguments: tuple[Any, ...]
    answer: Any


@dataclass
class FakeRequests:
    """Implements `astcti_server.clients.ports.ClientRequestsPort`. Set its attributes; read its queues."""

    in_force: Configuration = field(default_factory=Configuration)
    server_settings: ServerSettings = field(
        default_factory=lambda: ServerSettings(ami=AmiSettings("astcti", "secret"))
    )
    up: bool = True
    arrivals: queue.Queue[Presence] = field(default_factory=queue.Queue)
    departures: queue.Queue[tuple[int, bool]] = field(default_factory=queue.Queue)
    log_outs: queue.Queue[int] = field(default_factory=queue.Queue)
    shown_reports: queue.Queue[tuple[Presence, ShownReport, float]] = field(default_factory=queue.Queue)
    requests: queue.Queue[Request] = field(default_factory=queue.Queue)
    explanations: dict[str, Explanation] = field(default_factory=dict)
    """What WHY is answered, by uniqueid."""

    def configuration(self) -> Configuration:
        return self.in_force

    def settings(self) -> ServerSettings:
        return self.server_settings

    def pbx_up(self) -> bool:
        return self.up

    def arrived(self, presence: Presence) -> None:
        self.arrivals.put(presence)

    def logged_out(self, session_id: int) -> None:
        self.log_outs.put(session_id)

    def left(self, session_id: int, at_once: bool) -> None:
        self.departures.put((session_id, at_once))

    def shown(self, presence: Presence, report: ShownReport, at: float) -> None:
        self.shown_reports.put((presence, report, at))

    def originate(
        self, presence: Presence, exten: str, context: str, priority: int, done: ReplyCallback
    ) -> None:
        self.requests.put(Request("originate", presence, (exten, context, priority), done))

    def pause(self, presence: Presence, wish: bool, reason: str, progress: PauseCallback) -> None:
        self.requests.put(Request("pause", presence, (wish, reason), progress))

    def ask_queue(self, presence: Presence, key: str, inside: bool, done: ReplyCallback) -> None:
        self.requests.put(Request("ask_queue", presence, (key, inside), done))

    def colleagues(self, presence: Presence, done: Callable[[bytes], object]) -> None:
        self.requests.put(Request("colleagues", presence, (), done))

    def colleagues_no_more(self, presence: Presence) -> None:
        self.requests.put(Request("colleagues_no_more", presence, (), None))

    def cancel_call(self, presence: Presence, done: ReplyCallback) -> None:
        self.requests.put(Request("cancel_call", presence, (), done))

    def hangup(self, presence: Presence, uniqueid: str, done: ReplyCallback) -> None:
        self.requests.put(Request("hangup", presence, (uniqueid,), done))

    def answer(self, presence: Presence, uniqueid: str, done: ReplyCallback) -> None:
        self.requests.put(Request("answer", presence, (uniqueid,), done))

    def explain(self, presence: Presence, uniqueid: str) -> Explanation:
        if uniqueid not in self.explanations:
            raise NotCarriedOut(Refusal.CALL_NOT_KNOWN)
        return self.explanations[uniqueid]

    def transfer(
        self, presence: Presence, uniqueid: str, exten: str, context: str, done: ReplyCallback
    ) -> None:
        self.requests.put(Request("transfer", presence, (uniqueid, exten, context), done))

    def introduce(self, presence: Presence, told: Callable[[bytes], object]) -> None:
        self.requests.put(Request("introduce", presence, (), told))

    def consult(
        self, presence: Presence, uniqueid: str, exten: str, context: str, done: ReplyCallback
    ) -> None:
        self.requests.put(Request("consult", presence, (uniqueid, exten, context), done))

    def complete(self, presence: Presence, uniqueid: str, done: ReplyCallback) -> None:
        self.requests.put(Request("complete", presence, (uniqueid,), done))

    def cancel(self, presence: Presence, uniqueid: str, done: ReplyCallback) -> None:
        self.requests.put(Request("cancel", presence, (uniqueid,), done))

    # -- for the test ----------------------------------------------------------------------------------------

    def next_arrival(self) -> Presence:
        """Who sat down next."""
        return self.arrivals.get(timeout=PATIENCE)

    def arrival_of(self, username: str) -> Presence:
        """When this operator sat down, skipping others: each session tells it on a thread of its own."""
        while (presence := self.next_arrival()).username != username:
            pass
        return presence

    def next_departure(self) -> tuple[int, bool]:
        """The session that ended next, and whether for good."""
        return self.departures.get(timeout=PATIENCE)

    def next_request(self) -> Request:
        """The command that came next."""
        return self.requests.get(timeout=PATIENCE)


class FakeCalls:
    """Implements `astcti_server.clients.resume.tracked_calls.TrackedCalls`; remembers what it was told."""

    def __init__(self) -> None:
        self.over: set[str] = set()
        """Uniqueids of legs that ended."""
        self.undelivered: list[Notification] = []
        self.written_ones: list[Notification] = []
        self.resumed_ones: list[Notification] = []
        self.shown_ones: list[tuple[str, CallEvent, float | None]] = []
        self.failed_ones: list[tuple[str, CallEvent, str, str]] = []

    def is_over(self, extension: str, uniqueid: str) -> bool:
        return uniqueid in self.over

    def not_delivered(self, notification: Notification) -> None:
        self.undelivered.append(notification)

    def written(self, notification: Notification) -> None:
        self.written_ones.append(notification)

    def resumed(self, notification: Notification) -> None:
        self.resumed_ones.append(notification)

    def shown(self, extension: str, event: CallEvent, milliseconds: float | None) -> None:
        self.shown_ones.append((extension, event, milliseconds))

    def trigger_failed(self, extension: str, event: CallEvent, key: str, reason: str) -> None:
        self.failed_ones.append((extension, event, key, reason))


def seat_logs(
    registry: Registry,
    clock: Callable[[], float] = time.monotonic,
    shown_after: Callable[[float], None] | None = None,
    most_characters: int = MOST_CHARACTERS,
) -> SeatLogs:
    """The logs of a registry; their epochs count: `0000000000000001` is the first."""
    numbers = itertools.count(1)
    return SeatLogs(
        lambda: registry.seated_operators,
        clock,
        lambda: f"{next(numbers):016x}",
        shown_after,
        most_characters,
    )
