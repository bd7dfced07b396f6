"""Clocks and timers that stand still until a test moves them."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field


class FakeClock:
    """Call it for the time, in seconds."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def go_on(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


@dataclass(order=True)
class WheelTimer:
    due: float
    number: int
    work: Callable[[], None] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        self.cancelled = True


class TimerWheel:
    """`clock` and `later` for whatever takes them; `advance` runs what is due, in order."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now
        self._timers: list[WheelTimer] = []
        self._numbers = 0

    def clock(self) -> float:
        return self.now

    def later(self, seconds: float, work: Callable[[], None]) -> WheelTimer:
        self._numbers += 1
        timer = WheelTimer(self.now + seconds, self._numbers, work)
        heapq.heappush(self._timers, timer)
        return timer

    def advance(self, seconds: float = 0.0) -> None:
        until = self.now + seconds
        while self._timers and self._timers[0].due <= until:
            timer = heapq.heappop(self._timers)
            self.now = max(self.now, timer.due)
            if not timer.cancelled:
                timer.work()
        self.now = until

    @property
    def waiting(self) -> int:
        """How many timers are still to run."""
        return sum(not timer.cancelled for timer in self._timers)
