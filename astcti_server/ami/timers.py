"""Timers of one thread: work to do later, run by that thread's own loop."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable

Work = Callable[[], None]


class Timer:
    """Work that waits for its time. Only the thread that runs it may cancel it."""

    __slots__ = ("_timers", "at", "waiting", "work")

    def __init__(self, at: float, work: Work, timers: Timers) -> None:
        self.at = at
        self.work: Work | None = work
        self.waiting = True
        """Whether it is still in the heap."""
        self._timers = timers

    def run(self) -> None:
        """Do the work, unless an earlier one of the same turn cancelled it."""
        work, self.work = self.work, None
        if work is not None:
            work()

    def cancel(self) -> None:
        """Do not run it; does nothing if it ran already or was cancelled."""
        if self.work is not None:
            self.work = None
            if self.waiting:
                self._timers.cancelled()


class Timers:
    """A heap of timers. Cancelled ones are thrown out when they are due, or when they are the most."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._cancelled = 0

    def later(self, seconds: float, work: Work) -> Timer:
        """Have `work` run once, not before `seconds` have passed."""
        timer = Timer(self._clock() + seconds, work, self)
        heapq.heappush(self._heap, (timer.at, next(self._order), timer))
        return timer

    def wait(self) -> float | None:
        """Seconds until the next timer is due; None if there is none."""
        while self._heap and self._heap[0][2].work is None:
            heapq.heappop(self._heap)
            self._cancelled -= 1
        return max(0.0, self._heap[0][0] - self._clock()) if self._heap else None

    def take_due(self) -> list[Work]:
        """Remove the work that is due now and return it, the earliest first."""
        now = self._clock()
        due = []
        while self._heap and self._heap[0][0] <= now:
            timer = heapq.heappop(self._heap)[2]
            if timer.work is None:
                self._cancelled -= 1
                continue
            timer.waiting = False
            due.append(timer.run)
        return due

    def cancelled(self) -> None:
        """A timer was cancelled: keep the heap from filling up with such."""
        self._cancelled += 1
        if self._cancelled > 64 and self._cancelled * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].work is not None]
            heapq.heapify(self._heap)
            self._cancelled = 0
