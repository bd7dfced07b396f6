"""Finds out whether Asterisk is still there, also where a dead connection looks alive. AMI thread only.

The manager interface has no heartbeat of its own, and a quiet PBX says nothing for hours. Every version
answers Ping: 1.4 with `Response: Pong`, later ones with `Response: Success`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from astcti_server.ami.loop import AmiLoop
from astcti_server.ami.timers import AmiTimer

MISSED_PINGS: Final = 2  # so many unanswered, and nothing else read: Asterisk is taken for gone
SILENCE: Final = 1.0
"""Seconds without a word after which the next words may be late ones: a network that stalls keeps them."""
TOGETHER: Final = 5.0
"""Seconds within which what a stalled network kept has been read."""
_NONE: Final = (0.0, -math.inf)


class Heartbeat:
    """Pings when it is quiet. Whatever is read shows that Asterisk lives."""

    def __init__(
        self, interval: float, loop: AmiLoop, ping: Callable[[], None], dead: Callable[[str], None]
    ) -> None:
        """`dead` is told the reason when nothing came any more. An interval of 0: never ask."""
        self._interval = interval
        self._loop = loop
        self._ping = ping
        self._dead = dead
        self._timer: AmiTimer | None = None
        self._heard = 0.0
        self._silence = _NONE
        """Beginning and end of the last silence."""
        self._missed = 0

    def start(self) -> None:
        """Logged in: watch from now on."""
        now = self._loop.clock()
        self._heard, self._silence, self._missed = now, _NONE, 0
        self._wait()

    def stop(self) -> None:
        """No connection to watch."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def heard(self) -> None:
        """Something was read."""
        now = self._loop.clock()
        if now - self._heard > SILENCE:
            self._silence = (self._heard, now)
        self._heard = now
        self._missed = 0

    def quiet(self, now: float) -> float:
        """Seconds for which nothing is known of the connection that was watched last.

        They begin with the last word. If that came at the end of a silence, they begin with the silence: who
        was cut off while the network stalled reads what was said before, however late, and nothing of after.
        """
        began, ended = self._silence
        return max(0.0, now - (began if now - ended < TOGETHER else self._heard))

    def _wait(self) -> None:
        if self._interval > 0:
            self._timer = self._loop.timers.later(self._interval, self._look)

    def _look(self) -> None:
        quiet = self._loop.clock() - self._heard
        if quiet < self._interval:
            self._wait()
        elif self._missed < MISSED_PINGS:
            self._missed += 1
            self._wait()
            self._ping()
        else:
            self._dead(f"nothing came from Asterisk for {quiet:.0f} s, {self._missed} pings unanswered")
