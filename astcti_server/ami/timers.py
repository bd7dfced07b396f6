"""Timers of the AMI thread: work to do later, run by that thread's own loop."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable

AmiWork = Callable[[], None]


class AmiTimer:
    """Work that waits for its time. Only the thread that runs it may cancel it."""

    __slots__ = ("_timers", "_waiting", "at", "work")

    def __init__(self, at: float, work: AmiWork, timers: Timers) -> None:
        self.at = at
        self.work: AmiWork | None = work
        """None once it ran or was cancelled."""
        self._waiting = True
        """Whether it is still in the heap: a cancelled one is counted there."""
        self._timers = timers

    def taken_out(self) -> AmiWork:
        """It is due and out of the heap; returns what runs it."""
        self._waiting = False
        return self.run

    def run(self) -> None:
        """Do the work, unless an earlier one of the same turn cancelled it."""
        work, self.work = self.work, None
        if work is not None:
            work()

    def cancel(self) -> None:
        """Do not run it; does nothing if it ran already or was cancelled."""
        if self.work is not None:
            self.work = None
            if self._waiting:
                self._timers.cancelled()


class Timers:
    """A heap of timers. Cancelled ones are thrown out when they are due, or when they are the most."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, AmiTimer]] = []
        self._order = itertools.count()
        self._cancelled = 0

    def later(self, seconds: float, work: AmiWork) -> AmiTimer:
        """Have `work` run once, not before `seconds` have passed."""
        timer = AmiTimer(self._clock() + seconds, work, self)
        heapq.heappush(self._heap, (timer.at, next(self._order), timer))
        return timer

    def wait(self) -> float | None:
        """Seconds until the next timer is due; None if there is none."""
        while self._heap and self._heap[0][2].work is None:
            heapq.heappop(self._heap)
            self._cancelled -= 1
        return max(0.0, self._heap[0][0] - self._clock()) if self._heap else None

    def take_due(self) -> list[AmiWork]:
        """Remove the work that is due now and return it, the earliest first."""
        now = self._clock()
        due = []
        while self._heap and self._heap[0][0] <= now:
            timer = heapq.heappop(self._heap)[2]
            if timer.work is None:
                self._cancelled -= 1
                continue
            due.append(timer.taken_out())
        return due

    def cancelled(self) -> None:
        """A timer was cancelled: keep the heap from filling up with such."""
        # Nearly every timer is cancelled: one for each action, hardly any of which stays unanswered.
        self._cancelled += 1
        if self._cancelled > 64 and self._cancelled * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].work is not None]
            heapq.heapify(self._heap)
            self._cancelled = 0
