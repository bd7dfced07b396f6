"""How long to wait before the next attempt, and how to notice that this PC has slept. No I/O."""

from __future__ import annotations

import random
from collections.abc import Callable

FIRST_PAUSE = 1.0  # seconds; the shortest wait
LONGEST_PAUSE = 60.0  # seconds; a server that was away for an hour is found again within a minute
SLEEP_GAP = 10.0  # seconds that must be missing before we believe that the PC slept


class Backoff:
    """Growing pauses with chance in them, so that a thousand seats do not come back in the same moment."""

    def __init__(
        self,
        first: float = FIRST_PAUSE,
        longest: float = LONGEST_PAUSE,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._first = first
        self._longest = longest
        self._chance = chance
        self._step = 2 * first

    def reset(self) -> None:
        """Begin again with the shortest pause."""
        self._step = 2 * self._first

    def next_pause(self) -> float:
        """Seconds to wait now: between half of the present step and all of it; then the step doubles."""
        step = min(self._step, self._longest)
        self._step = min(2 * self._step, self._longest)
        return step * (0.5 + self._chance() / 2)


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
