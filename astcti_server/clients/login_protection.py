"""Against those who guess passwords, or try to find out which users exist. Any thread."""

from __future__ import annotations

import base64
import hashlib
import math
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Final, Generic, TypeVar

from astcti_server.clients import addresses
from astcti_server.clients.ports import NotCarriedOut
from schemas.configuration.model import Configuration
from schemas.protocol import Refusal

Key = TypeVar("Key", bound=Hashable)

FIRST_DELAY: Final = 0.5
"""Seconds after the first failure of a user at an address; doubled by each one more."""
LONGEST_DELAY: Final = 8.0
"""Seconds at most. They do not count as time taken to log in, so that the right password still gets in."""
FORGIVEN_EVERY: Final = 60.0
"""Seconds after which one failure of a user at an address is forgotten."""
MOST_COUNTED: Final = 10
"""Failures of a user at an address that are kept: all are forgotten after ten minutes."""
ADDRESS_ALLOWED: Final = 100
"""Failures of one address, with any names, before strangers there wait: an office behind one router has many
who mistype."""
ADDRESS_FORGIVEN_EVERY: Final = 5.0
"""Seconds after which one of them is forgotten: 17,000 wrong ones a day at most, for all names together."""
NAME_ALLOWED: Final = 30
"""Failures of one name, from anywhere, before strangers with this name wait."""
NAME_FORGIVEN_EVERY: Final = 20.0
"""Seconds after which one of them is forgotten."""
LOGINS_ALLOWED: Final = 60
"""Logins of a pair at once: queues are joined by each, and left at its end, which is work for Asterisk."""
LOGINS_FORGIVEN_EVERY: Final = 1.0
"""Seconds after which one of them is forgotten."""
STILL_COUNTED: Final = 20
"""Beyond what is allowed, what is kept in mind: who stops is forgiven soon."""
MOST_WAITING: Final = 4
"""Attempts with one name at one address that wait at a time; more are refused unseen. With the longest delay
these are two seconds for each guess, over however many connections."""
ADDRESS_WAITING: Final = 32
"""Attempts of strangers at one address that wait at a time."""
NAME_WAITING: Final = 16
"""Attempts of strangers with one name that wait at a time."""
REMEMBERED: Final = 10_000
"""Pairs, addresses and names each: what guessers can make us keep is bounded, the oldest are forgotten."""


_KEY: Final = os.urandom(32)
"""So that nobody can compute which password stands in for an unknown user."""


class LoginThrottle:
    """Makes guessing slow, without blocking anyone but the one who guesses. Any thread.

    Only failures of the same pair of address and user name make a known pair wait. A pair that never
    succeeded is a stranger: it also waits for what other strangers tried at its address with any name, and
    with its name from anywhere; both are allowed generously. So who logged in from there before never waits
    for anybody else. An IPv6 address stands for its /64.

    Who logs in over and over waits, too.

    An attempt is counted for its pair when it begins and taken back when it succeeds, so attempts made at
    the same time over many connections are slowed like those made one after the other.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._pairs: _AttemptCounts[tuple[str, str]] = _AttemptCounts(0, FORGIVEN_EVERY, MOST_COUNTED)
        self._addresses: _AttemptCounts[str] = _AttemptCounts(
            ADDRESS_ALLOWED, ADDRESS_FORGIVEN_EVERY, ADDRESS_ALLOWED + STILL_COUNTED
        )
        self._names: _AttemptCounts[str] = _AttemptCounts(
            NAME_ALLOWED, NAME_FORGIVEN_EVERY, NAME_ALLOWED + STILL_COUNTED
        )
        self._logins: _AttemptCounts[tuple[str, str]] = _AttemptCounts(
            LOGINS_ALLOWED, LOGINS_FORGIVEN_EVERY, LOGINS_ALLOWED + STILL_COUNTED
        )
        self._successful: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._waiting: OrderedDict[tuple[str, str], list[float]] = OrderedDict()

    def begin(self, address: str, username: str) -> float:
        """An attempt begins. Returns the seconds to wait before the password may be looked at.

        Raises NotCarriedOut if too many wait already.
        """
        network = addresses.network(address)
        pair = network, username
        now = self._clock()
        with self._lock:
            own = max(self._pairs.delay(pair, now), self._logins.delay(pair, now))
            waits = [(own, pair, MOST_WAITING)]
            if pair not in self._successful:
                waits.append((self._addresses.delay(network, now), (network, ""), ADDRESS_WAITING))
                waits.append((self._names.delay(username, now), ("", username), NAME_WAITING))
            delay = max(seconds for seconds, _, _ in waits)
            for seconds, key, most in waits:
                if seconds and self._count_waiting(key, now) >= most:
                    raise NotCarriedOut(Refusal.TOO_MANY_LOGINS, seconds=round(LONGEST_DELAY))
            for seconds, key, _ in waits:
                if seconds:
                    self._waiting.setdefault(key, []).append(now + delay)
                    _keep_newest(self._waiting, key)
            self._pairs.add(pair, now)
        return delay

    def failed(self, address: str, username: str) -> None:
        """The attempt had the wrong password, or an unknown user."""
        network = addresses.network(address)
        now = self._clock()
        with self._lock:
            if (network, username) not in self._successful:
                self._addresses.add(network, now)
                self._names.add(username, now)

    def succeeded(self, address: str, username: str) -> None:
        """The attempt had the right password: its pair starts anew, and is no stranger from now on."""
        pair = addresses.network(address), username
        with self._lock:
            self._pairs.forget(pair)
            self._logins.add(pair, self._clock())
            self._successful[pair] = None
            _keep_newest(self._successful, pair)

    def suspects(self, address: str, username: str) -> bool:
        """Whether wrong passwords came from there lately, and this user never logged in from there."""
        network = addresses.network(address)
        with self._lock:
            return (network, username) not in self._successful and self._addresses.any(network, self._clock())

    def _count_waiting(self, key: tuple[str, str], now: float) -> int:
        waiting = [until for until in self._waiting.pop(key, ()) if until > now]
        if waiting:
            self._waiting[key] = waiting
        return len(waiting)


class _AttemptCounts(Generic[Key]):
    """Attempts by key, forgotten one by one as time passes."""

    def __init__(self, allowed: int, forgiven_every: float, most: int) -> None:
        self._allowed = allowed
        self._forgiven_every = forgiven_every
        self._most = most
        self._counts: OrderedDict[Key, tuple[float, float]] = OrderedDict()  # how many, at which time

    def any(self, key: Key, now: float) -> bool:
        """Whether one is not forgotten yet."""
        return self._count(key, now) > 0

    def delay(self, key: Key, now: float) -> float:
        """Seconds to wait because of those beyond what is allowed."""
        beyond = math.ceil(self._count(key, now)) - self._allowed
        return min(FIRST_DELAY * 2.0 ** (beyond - 1), LONGEST_DELAY) if beyond > 0 else 0.0

    def add(self, key: Key, now: float) -> None:
        """One more."""
        self._counts[key] = min(self._count(key, now) + 1.0, self._most), now
        _keep_newest(self._counts, key)

    def forget(self, key: Key) -> None:
        """Begin anew."""
        self._counts.pop(key, None)

    def _count(self, key: Key, now: float) -> float:
        count, last = self._counts.get(key, (0.0, now))
        return max(0.0, count - (now - last) / self._forgiven_every)


def _keep_newest(table: OrderedDict[Key, Any], key: Key) -> None:
    table.move_to_end(key)
    if len(table) > REMEMBERED:
        table.popitem(last=False)


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
