"""How much work an operator may make for Asterisk: so many commands at once, then so many a second.

It belongs to the operator and not to the connection, or whoever logs in anew had a new one. Any thread.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from astcti_server.clients.ports import NotCarriedOut
from schemas.protocol import Refusal
from schemas.server.settings import ClientSettings

REMEMBERED: Final = 10_000
"""Operators; those who gave no command for longest are forgotten, and may give all of them again."""


class CommandAllowance:
    """A token bucket for each operator: `command-burst` fit in, `command-rate` a second come in again."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # how many, at which time

    def take(self, username: str, limits: ClientSettings) -> None:
        """The operator gives a command. Raises NotCarriedOut if it is one too many."""
        now = self._clock()
        with self._lock:
            left, before = self._left.get(username, (math.inf, now))
            left = min(float(limits.command_burst), left + (now - before) * limits.command_rate)
            allowed = left >= 1.0
            self._left[username] = left - allowed, now
            self._left.move_to_end(username)
            if len(self._left) > REMEMBERED:
                self._left.popitem(last=False)
        if not allowed:
            seconds = math.ceil((1.0 - left) / limits.command_rate)
            raise NotCarriedOut(Refusal.TOO_MANY_COMMANDS, seconds=seconds)
