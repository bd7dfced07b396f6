"""Notices that the AMI thread hangs, and tells the init system that neither it nor the main thread does.

Main thread only, but for what the AMI thread itself is given to do. Standard library only.
"""

from __future__ import annotations

import logging
import os
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial
from typing import Final

from astcti_server.process.service_notify import notify

PASSED_WITHIN: Final = 15.0
"""Seconds in which the AMI thread has to come round. It takes it milliseconds as a rule."""
LOOK_UP_WITHIN: Final = 120.0
"""Seconds while it connects, for then it looks up Asterisk's name: a resolver whose servers are all gone
takes half a minute (resolv.conf(5): 5 s, twice, for each of three), and with search domains more."""

logger = logging.getLogger(__name__)


class AmiThreadWatch:
    """Asks the AMI thread to pass by, again and again: one question at a time, so that none pile up."""

    def __init__(
        self,
        post: Callable[[Callable[[], None]], object],
        connecting: Callable[[], bool],
        identifier: Callable[[], int | None],
        *,
        clock: Callable[[], float] = time.monotonic,
        passed_within: float = PASSED_WITHIN,
    ) -> None:
        """`post` has work done on the AMI thread, `identifier` tells that thread's; `clock` is in seconds."""
        self._post = post
        self._connecting = connecting
        self._identifier = identifier
        self._clock = clock
        self._passed_within = passed_within
        self._asked_at = 0.0
        self._asked = 0
        self._passed = 0
        """The number of the last question that the AMI thread came to; that thread writes it."""
        self.stuck = False

    def look(self) -> bool:
        """Whether the thread hangs, as far as is known now; asks anew if it has passed. Every few seconds."""
        now = self._clock()
        if self._passed == self._asked:
            self._asked += 1
            self._asked_at = now
            self._post(partial(self._pass, self._asked))
        silent = now - self._asked_at
        limit = LOOK_UP_WITHIN if self._connecting() else self._passed_within
        if (silent > limit) != self.stuck:
            self.stuck = not self.stuck
            self._tell(silent)
        return self.stuck

    def _pass(self, number: int) -> None:
        self._passed = number

    def _tell(self, silent: float) -> None:
        if self.stuck:
            where = _stack_of(self._identifier())
            logger.error(
                "Thread ami hangs since %.0f s, calls are not followed meanwhile; it is at %s", silent, where
            )
        else:
            logger.warning("Thread ami goes on")


def _stack_of(identifier: int | None) -> str:
    """Where a thread is in the code."""
    frame = sys._current_frames().get(identifier) if identifier is not None else None
    return "\n" + "".join(traceback.format_stack(frame)).rstrip() if frame is not None else "an unknown place"


class SystemdWatchdog:
    """Says `WATCHDOG=1` as often as the unit's WatchdogSec asks for (sd_watchdog_enabled(3))."""

    def __init__(self, environment: Callable[[str], str | None] = os.environ.get) -> None:
        """Nothing is ever said where the init system asks for nothing."""
        self.interval = _interval(environment)
        """Seconds after which the init system takes a silent process for hung; None if it does not watch."""

    def feed(self, alive: bool) -> None:
        """Say that all is well, if it is: to be called more often than `interval`."""
        if self.interval is not None and alive:
            notify("WATCHDOG=1")


def _interval(environment: Callable[[str], str | None]) -> float | None:
    try:
        microseconds = int(environment("WATCHDOG_USEC") or "0")
        process = int(environment("WATCHDOG_PID") or os.getpid())
    except ValueError:
        return None
    return microseconds / 1e6 if microseconds > 0 and process == os.getpid() else None
