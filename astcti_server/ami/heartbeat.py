"""Finds out whether Asterisk is still there, also where a dead connection looks alive. AMI thread only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from astcti_server.ami.timers import Timer, Timers

MISSED_PINGS: Final = 2  # so many unanswered, and nothing else read: Asterisk is taken for gone


class Heartbeat:
    """Pings when it is quiet. Whatever is read shows that Asterisk lives."""

    def __init__(
        self,
        interval: float,
        timers: Timers,
        clock: Callable[[], float],
        ping: Callable[[], None],
        dead: Callable[[str], None],
    ) -> None:
        """`dead` is told the reason when nothing came any more. An interval of 0: never ask."""
        self._interval = interval
        self._timers = timers
        self._clock = clock
        self._ping = ping
        self._dead = dead
        self._timer: Timer | None = None
        self._heard = 0.0
        self._missed = 0

    def start(self) -> None:
        """Logged in: watch from now on."""
        self.heard()
        self._wait()

    def stop(self) -> None:
        """No connection to watch."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def heard(self) -> None:
        """Something was read."""
        self._heard = self._clock()
        self._missed = 0

    def _wait(self) -> None:
        if self._interval > 0:
            self._timer = self._timers.later(self._interval, self._look)

    def _look(self) -> None:
        quiet = self._clock() - self._heard
        if quiet < self._interval:
            self._wait()
        elif self._missed < MISSED_PINGS:
            self._missed += 1
            self._wait()
            self._ping()
        else:
            self._dead(f"nothing came from Asterisk for {quiet:.0f} s, {self._missed} pings unanswered")
