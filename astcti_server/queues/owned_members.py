"""Which members are ours: the list behind the state file, written as seldom as is safe. AMI thread only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from astcti_server.ami.link import Timer
    from astcti_server.queues.ports import Link, State
    from astcti_server.queues.state_file import MemberKey

TIDY_AFTER = 2.0  # seconds in which ends of membership are gathered into one writing


class Ledger:
    """A member is written down before it is added; that it is gone may be written down later."""

    def __init__(self, link: Link, state: State) -> None:
        """Reads the state file; raises StateError."""
        self._link = link
        self._state = state
        self._members = state.load()
        self._waiting: list[Callable[[], None]] = []
        self._under_way = 0
        """Writings handed over whose end was not told yet."""
        self._tidy: Timer | None = None

    @property
    def members(self) -> Mapping[MemberKey, str]:
        return self._members

    def add(self, key: MemberKey, username: str, go: Callable[[], None]) -> None:
        """Call `go` once the member is on the disk.

        All of one turn of the loop are written together: a thousand logins are not a thousand writings.
        """
        if self._members.get(key) == username and not self._waiting and not self._under_way:
            go()
            return
        self._members[key] = username
        self._waiting.append(go)
        if len(self._waiting) == 1:
            self._link.later(0.0, self.write)

    def drop(self, key: MemberKey) -> None:
        """The member is gone, or not ours."""
        if self._members.pop(key, None) is not None and self._tidy is None:
            self._tidy = self._link.later(TIDY_AFTER, self.write)

    def write(self) -> None:
        """Have the list written. Whoever waits goes on even if that fails: to take calls matters more."""
        if self._tidy is not None:
            self._tidy.cancel()
            self._tidy = None
        waiting, self._waiting = self._waiting, []
        self._under_way += 1
        self._state.save(dict(self._members), partial(self._link.post, partial(self._written, waiting)))

    def _written(self, waiting: list[Callable[[], None]]) -> None:
        self._under_way -= 1
        for go in waiting:
            go()
