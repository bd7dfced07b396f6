"""The pauses that outlive a lost connection, a kill of the client, and one of the server. AMI thread only.

An operator in pause is not at the desk: whatever broke meanwhile, nothing may ring there. So a pause is kept
until its operator ends it or logs out (QUIT), at most `KEPT_FOR` after the server saw that operator last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

KEPT_FOR: Final = 12 * 3600.0
"""Seconds. Longer than any shift, and over before the next day's begins."""
SEEN_EVERY: Final = 3600.0
"""Seconds after which the state file says again that an operator is there: a crash says nothing."""


class KeptPause(NamedTuple):
    """The pause of one operator. Times are those of the wall clock: it goes on while no server runs."""

    reason: str
    """In the operator's own words, as far as Asterisk takes them."""
    since: float
    """When it began."""
    seen: float
    """When the operator was last logged in, as far as was written down."""


class KeptPauses:
    """By user name. Writes nothing itself; each method that changes something says whether it did."""

    def __init__(self, pauses: Mapping[str, KeptPause], wall: Callable[[], float]) -> None:
        """`pauses` are those of the state file, `wall` is the wall clock in seconds."""
        self._pauses = dict(pauses)
        self._wall = wall

    def all(self) -> dict[str, KeptPause]:
        """A copy, for the state file."""
        return dict(self._pauses)

    def of(self, username: str) -> KeptPause | None:
        """The pause in which this operator left; None if there is none, or its time is over."""
        kept = self._pauses.get(username)
        # A clock that was set back makes it last longer, never shorter.
        return kept if kept is not None and self._wall() - kept.seen <= KEPT_FOR else None

    def since(self, username: str) -> float | None:
        """When the pause of an operator began who is in it now, by the wall clock."""
        kept = self._pauses.get(username)
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
        self._pauses[username] = KeptPause(reason, now, now)
        return True

    def end(self, username: str) -> bool:
        """The operator came back, or logged out."""
        return self._pauses.pop(username, None) is not None

    def saw(self, username: str) -> bool:
        """The operator is logged in at this moment."""
        kept = self._pauses.get(username)
        if kept is None:
            return False
        self._pauses[username] = kept._replace(seen=self._wall())
        return True

    def forget_old(self) -> bool:
        """Let go of those whose time is over."""
        old = [username for username in self._pauses if self.of(username) is None]
        for username in old:
            del self._pauses[username]
        return bool(old)
