"""What operators want of their queues, and outlives a lost connection, a kill of client and server.

Their pauses: an operator in pause is not at the desk, so whatever broke meanwhile, nothing may ring there.
And the queues that they left by themselves: who is out of one gets no calls of it after a new login either,
and the client may know nothing of it. Both are kept until their operator ends them or logs out (QUIT), at
most `KEPT_FOR` after the server saw that operator last. AMI thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from typing import Final, Generic, NamedTuple, TypeVar

KEPT_FOR: Final = 12 * 3600.0
"""Seconds. Longer than any shift, and over before the next day's begins."""
SEEN_EVERY: Final = 3600.0
"""Seconds after which the state file says again that an operator is there: a crash says nothing."""
_NONE: frozenset[str] = frozenset()


class KeptPause(NamedTuple):
    """The pause of one operator. Times are those of the wall clock: it goes on while no server runs."""

    reason: str
    """In the operator's own words, as far as Asterisk takes them."""
    since: float
    """When it began."""
    seen: float
    """When the operator was last logged in, as far as was written down."""


class LeftQueues(NamedTuple):
    """The queues that one operator is out of."""

    keys: frozenset[str]
    """The `queue_key` of each; never empty."""
    seen: float
    """When the operator was last logged in, as far as was written down, by the wall clock."""


Wish = TypeVar("Wish", KeptPause, LeftQueues)


class KeptWishes(Generic[Wish]):
    """By user name. Writes nothing itself; each method that changes something says whether it did."""

    def __init__(self, kept: Mapping[str, Wish], wall: Callable[[], float]) -> None:
        """`kept` are those of the state file, `wall` is the wall clock in seconds."""
        self._kept: dict[str, Wish] = dict(kept)
        self._wall = wall

    def all(self) -> dict[str, Wish]:
        """A copy, for the state file."""
        return dict(self._kept)

    def of(self, username: str) -> Wish | None:
        """What this operator wanted at last; None if that is nothing, or its time is over."""
        kept = self._kept.get(username)
        # A clock that was set back makes it last longer, never shorter.
        return kept if kept is not None and self._wall() - kept.seen <= KEPT_FOR else None

    def end(self, username: str) -> bool:
        """The operator wants it no more, or logged out."""
        return self._kept.pop(username, None) is not None

    def saw(self, username: str) -> bool:
        """The operator is logged in at this moment."""
        kept = self._kept.get(username)
        if kept is None:
            return False
        self._kept[username] = kept._replace(seen=self._wall())
        return True

    def forget_old(self) -> bool:
        """Let go of those whose time is over."""
        old = [username for username in self._kept if self.of(username) is None]
        for username in old:
            del self._kept[username]
        return bool(old)


class KeptPauses(KeptWishes[KeptPause]):
    """The pauses in which operators are, or left."""

    def since(self, username: str) -> float | None:
        """When the pause of an operator began who is in it now, by the wall clock."""
        kept = self._kept.get(username)
        return None if kept is None else kept.since

    def lasts(self, username: str) -> float:
        """The seconds since then; 0 if there is none, or the clock was set back."""
        since = self.since(username)
        return 0.0 if since is None else max(0.0, self._wall() - since)

    def begin(self, username: str, reason: str) -> bool:
        """The operator is in pause now. One that is told again lasts since before."""
        now, before = self._wall(), self.of(username)
        if before is not None and before.reason == reason:
            return False
        self._kept[username] = KeptPause(reason, now, now)
        return True


class KeptLeftQueues(KeptWishes[LeftQueues]):
    """The queues that operators left."""

    def keys(self, username: str) -> frozenset[str]:
        """Those of one operator, unless that is too long ago."""
        kept = self.of(username)
        return _NONE if kept is None else kept.keys

    def keep(self, username: str, keys: Set[str]) -> bool:
        """The operator, who is logged in, is out of these, and of no others."""
        if not keys:
            return self.end(username)
        if self.keys(username) == keys:
            return False
        self._kept[username] = LeftQueues(frozenset(keys), self._wall())
        return True
