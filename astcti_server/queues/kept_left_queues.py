"""The queues that operators left by themselves, kept like their pauses (`kept_pauses`). AMI thread only.

Who is out of a queue gets no calls of it after a new login either, until he joins it again or logs out
(QUIT), at most `KEPT_FOR` after the server saw him last: his client may know nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from typing import NamedTuple

from astcti_server.queues.kept_pauses import KEPT_FOR

_NONE: frozenset[str] = frozenset()


class LeftQueues(NamedTuple):
    """What one operator is out of."""

    keys: frozenset[str]
    """The `queue_key` of each; never empty."""
    seen: float
    """When the operator was last logged in, as far as was written down, by the wall clock."""


class KeptLeftQueues:
    """By user name. Writes nothing itself; each method that changes something says whether it did."""

    def __init__(self, left: Mapping[str, LeftQueues], wall: Callable[[], float]) -> None:
        """`left` is that of the state file, `wall` is the wall clock in seconds."""
        self._left = dict(left)
        self._wall = wall

    def all(self) -> dict[str, LeftQueues]:
        """A copy, for the state file."""
        return dict(self._left)

    def of(self, username: str) -> frozenset[str]:
        """The keys of the queues that this operator left, unless that is too long ago."""
        kept = self._left.get(username)
        # A clock that was set back makes it last longer, never shorter.
        return kept.keys if kept is not None and self._wall() - kept.seen <= KEPT_FOR else _NONE

    def keep(self, username: str, keys: Set[str]) -> bool:
        """The operator, who is logged in, is out of these, and of no others."""
        if not keys:
            return self.end(username)
        if self.of(username) == keys:
            return False
        self._left[username] = LeftQueues(frozenset(keys), self._wall())
        return True

    def end(self, username: str) -> bool:
        """The operator logged out."""
        return self._left.pop(username, None) is not None

    def saw(self, username: str) -> bool:
        """The operator is logged in at this moment."""
        kept = self._left.get(username)
        if kept is None:
            return False
        self._left[username] = kept._replace(seen=self._wall())
        return True

    def forget_old(self) -> bool:
        """Let go of those whose time is over."""
        old = [username for username in self._left if not self.of(username)]
        for username in old:
            del self._left[username]
        return bool(old)
