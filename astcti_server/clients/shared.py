"""What all clients' handlers share, handed to each by the listener."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from astcti_server.clients.login_throttle import LoginSlowdown
from astcti_server.clients.ports import Desk
from astcti_server.clients.registry import Registry
from schemas.passwords import PasswordChecker


@dataclass(frozen=True, slots=True)
class Reception:
    """Every part may be called from any thread. `clock` is monotonic, in seconds."""

    desk: Desk
    registry: Registry
    passwords: PasswordChecker
    slowdown: LoginSlowdown
    clock: Callable[[], float]

    @classmethod
    def of(cls, desk: Desk, registry: Registry, clock: Callable[[], float] = time.monotonic) -> Reception:
        """The usual one."""
        return cls(desk, registry, PasswordChecker(), LoginSlowdown(clock), clock)
