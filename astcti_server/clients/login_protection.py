"""Against those who guess passwords, or try to find out which users exist. Any thread."""

from __future__ import annotations

import base64
import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from schemas.configuration.model import Configuration

FIRST_DELAY: Final = 0.5
"""Seconds after the first failure of a user at an address; doubled by each one more."""
LONGEST_DELAY: Final = 8.0
"""Seconds at most. They do not count as time taken to log in, so that the right password still gets in."""
ALLOWED: Final = 10
"""Failures of one address (with any user), or of one user (from anywhere), before they count for the rest."""
FORGOTTEN_AFTER: Final = 600.0
"""Seconds after the last failure."""
REMEMBERED: Final = 10_000
"""Addresses and users: what guessers can make us keep is bounded, the oldest are forgotten."""


_KEY: Final = os.urandom(32)
"""So that nobody can compute which password stands in for an unknown user."""


class LoginThrottle:
    """Makes guessing slow, without blocking anyone but the one who guesses.

    Counts failures for each pair of address and user, each address, and each user.
    An attempt is counted for its pair when it begins and taken back when it succeeds, so attempts made at
    the same time over many connections are slowed like those made one after the other.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()

    def begin(self, address: str, username: str) -> float:
        """An attempt begins. Returns the seconds to wait before the password may be looked at."""
        with self._lock:
            before = max(
                self._count((address, username)),
                self._count((address, "")) - ALLOWED,
                self._count(("", username)) - ALLOWED,
            )
            self._add((address, username))
        return min(FIRST_DELAY * 2 ** min(before - 1, 16), LONGEST_DELAY) if before > 0 else 0.0

    def failed(self, address: str, username: str) -> None:
        """The attempt had the wrong password, or an unknown user."""
        with self._lock:
            self._add((address, ""))
            self._add(("", username))

    def succeeded(self, address: str, username: str) -> None:
        """The attempt had the right password: its pair and its user start anew, its address does not."""
        with self._lock:
            self._failures.pop((address, username), None)
            self._failures.pop(("", username), None)

    def _count(self, key: tuple[str, str]) -> int:
        count, last = self._failures.get(key, (0, 0.0))
        return count if self._clock() - last < FORGOTTEN_AFTER else 0

    def _add(self, key: tuple[str, str]) -> None:
        self._failures[key] = (self._count(key) + 1, self._clock())
        self._failures.move_to_end(key)
        if len(self._failures) > REMEMBERED:
            self._failures.popitem(last=False)


def stand_in_password(configuration: Configuration, username: str) -> str:
    """A stored password that nobody has, for a user who does not exist.

    It is of the kind that some operator has, and always the same one's for one name: so refusing an unknown
    user takes as long as refusing a known one, and tells no more.
    """
    if not configuration.operators:
        return ""
    digest = hashlib.blake2b(username.encode("utf-8", "replace"), key=_KEY, digest_size=32).digest()
    number = int.from_bytes(digest[:8], "big") % len(configuration.operators)
    scheme, _, rest = configuration.operators[number].password.partition(":")
    if scheme != "scrypt":
        return f"md5:{digest[:16].hex()}"
    parameters, _, stored = rest.rpartition(":")
    length = len(base64.b64decode(stored))
    return f"scrypt:{parameters}:{base64.b64encode(hashlib.shake_256(digest).digest(length)).decode()}"
