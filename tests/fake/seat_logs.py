"""What telling clients has on its other side: the logs of a registry, and calls that a test makes."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

from astcti_server.calls.notification import Notification
from astcti_server.clients.registry import Registry
from astcti_server.clients.resume.seat_logs import MOST_CHARACTERS, SeatLogs
from schemas.events import CallEvent


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
