"""How long to wait before the next attempt, and how to notice that this PC has slept. No I/O."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

FIRST_PAUSE = 0.3  # seconds; the shortest wait. A server that was only restarted is found again at once
LONGEST_PAUSE = 10.0  # seconds; a server that was away for an hour has all its seats back within 15 s
HURRY_TIME = 15.0  # seconds from the first failure on in which the pauses stay short
SLEEP_GAP = 10.0  # seconds that must be missing before we believe that the PC slept


class Backoff:
    """Pauses with chance in them, so that a thousand seats do not come back in the same moment.

    They are short for the time that a restart takes, then grow.
    """

    def __init__(
        self,
        first: float = FIRST_PAUSE,
        longest: float = LONGEST_PAUSE,
        hurry_time: float = HURRY_TIME,
        chance: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Pauses are `first` to twice as long for `hurry_time`, then up to `longest`; all in seconds."""
        self._first, self._longest, self._hurry_time = first, longest, hurry_time
        self._chance, self._clock = chance, clock
        self._began: float | None = None
        self._step = 2 * first

    def reset(self) -> None:
        """Begin again with short pauses: the next failure is the first of its kind."""
        self._began = None
        self._step = 2 * self._first

    def next_pause(self, *, turned_away: bool = False) -> float:
        """Seconds to wait now, from half of the present step to all of it.

        The step doubles from pause to pause once the time for haste is over. A server that is there and
        `turned_away` this client, because it is full for example, is not asked in haste at all.
        """
        now = self._clock()
        if self._began is None:
            self._began = now
        if turned_away or now - self._began >= self._hurry_time:
            self._step = 2 * self._step
        self._step = min(self._step, self._longest)
        return self._step * (0.5 + self._chance() / 2)


class SleepWatch:
    """Notices that the PC slept since it was last asked.

    While a PC sleeps some systems stop the monotonic clock: then the wall clock is ahead of it. The others
    let it run: then a wait took far longer than asked for. A wall clock set by hand looks the same, and
    asking the server once whether it is still there does no harm then.
    """

    def __init__(self, clock: Callable[[], float], wall: Callable[[], float]) -> None:
        self._clock = clock
        self._wall = wall
        self._last = (clock(), wall())

    def restart(self) -> None:
        """Begin anew: what happened until now does not count."""
        self._last = (self._clock(), self._wall())

    def slept(self, waited: float) -> bool:
        """Whether the PC slept since the last call of either method.

        `waited` is how many seconds we meant to wait since then.
        """
        now, wall = self._clock(), self._wall()
        passed, wall_passed = now - self._last[0], wall - self._last[1]
        self._last = (now, wall)
        return wall_passed - passed > SLEEP_GAP or passed - waited > SLEEP_GAP
