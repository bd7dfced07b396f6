"""What happened to the whole server while calls went on: who came and left, the link, the configuration.

Told by several threads; whoever explains a call reads it. One leaf lock.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from math import inf
from typing import Final, NamedTuple

from schemas.configuration.model import Configuration
from schemas.explanation.codes import TrailStep

MOST_MARKS: Final = 20_000  # 5,000 seats that come back after a restart leave three each
CONFIGURATIONS_KEPT: Final = 3
"""With the one in force. A large one has megabytes; calls are seldom explained by more than two."""


class Mark(NamedTuple):
    """One thing that happened; the arguments are those of the step."""

    at: float
    step: TrailStep
    arguments: tuple[str, ...] = ()


class ServerMarks:
    """The latest marks and configurations. Any thread."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """`clock` tells seconds since 1970."""
        self._clock = clock
        self._lock = threading.Lock()
        self._marks: deque[Mark] = deque(maxlen=MOST_MARKS)
        self._configurations: deque[tuple[float, Configuration]] = deque(maxlen=CONFIGURATIONS_KEPT)

    def logged_in(self, operator: str, extension: str) -> None:
        """An operator is known, at a seat or (empty) at none yet."""
        self._add(TrailStep.LOGGED_IN, operator, extension)

    def logged_out(self, operator: str, extension: str, reason: str) -> None:
        """A session is over."""
        self._add(TrailStep.LOGGED_OUT, operator, extension, reason)

    def taken_over(self, operator: str, extension: str, other: str) -> None:
        """A session gave way to a newer one."""
        self._add(TrailStep.TAKEN_OVER, operator, extension, other)

    def link(self, *, up: bool) -> None:
        """The link to Asterisk came up or went down."""
        self._add(TrailStep.LINK_UP if up else TrailStep.LINK_DOWN)

    def configured(self, configuration: Configuration) -> None:
        """From now on calls are tracked by this configuration, another one than before."""
        with self._lock:
            at = self._clock() if self._configurations else 0.0
            self._configurations.append((at, configuration))
            if at:
                self._marks.append(Mark(at, TrailStep.CONFIGURED))

    def view(self, *, dialplan_heard: bool = True) -> MarksView:
        """Everything that is known now, frozen.

        `dialplan_heard`: whether Asterisk tells of the dialplan at all, as far as that is known.
        """
        with self._lock:
            return MarksView(tuple(self._marks), tuple(self._configurations), dialplan_heard, self._clock())

    def _add(self, step: TrailStep, *arguments: str) -> None:
        with self._lock:
            self._marks.append(Mark(self._clock(), step, arguments))


class MarksView(NamedTuple):
    """Marks of a moment, the oldest first, and configurations with the time since when each is used."""

    marks: tuple[Mark, ...] = ()
    configurations: tuple[tuple[float, Configuration], ...] = ()
    dialplan_heard: bool = True
    at: float = inf
    """The moment that this is a view of."""

    def between(self, begin: float, end: float) -> list[Mark]:
        """What happened from one moment to another."""
        return [mark for mark in self.marks if begin <= mark.at <= end]

    def seats_at(self, at: float) -> dict[str, str]:
        """Who was logged in at a moment: user names with their extensions, empty for one without a seat."""
        seats: dict[str, str] = {}
        for mark in self.marks:
            if mark.at > at:
                break
            if mark.step is TrailStep.LOGGED_IN:
                seats[mark.arguments[0]] = mark.arguments[1]
            elif mark.step in (TrailStep.LOGGED_OUT, TrailStep.TAKEN_OVER):
                seats.pop(mark.arguments[0], None)
        return seats

    def extension_of(self, operator: str) -> str:
        """Where an operator logged in last, or would; empty if that is not known, or it is no operator."""
        for mark in reversed(self.marks):
            if mark.step is TrailStep.LOGGED_IN and mark.arguments[0] == operator and mark.arguments[1]:
                return mark.arguments[1]
        configuration = self.configuration_at(inf)
        known = configuration.operator_by_username.get(operator)
        seat = configuration.seat_by_mac.get(known.seat) if known is not None else None
        return seat.extension if seat is not None else ""

    def link_losses(self) -> list[tuple[float, float]]:
        """When the link to Asterisk was lost and when it came back; infinite if it did not."""
        losses: list[tuple[float, float]] = []
        for mark in self.marks:
            if mark.step is TrailStep.LINK_DOWN:
                losses.append((mark.at, inf))
            elif mark.step is TrailStep.LINK_UP and losses and losses[-1][1] == inf:
                losses[-1] = (losses[-1][0], mark.at)
        return losses

    def configuration_at(self, at: float) -> Configuration:
        """The configuration by which calls were tracked at a moment; the oldest known for one before."""
        found = self.configurations[0][1] if self.configurations else Configuration()
        for since, configuration in self.configurations:
            if since <= at:
                found = configuration
        return found
