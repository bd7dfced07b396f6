"""Which members are ours: the list behind the state file, written as seldom as is safe. AMI thread only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from astcti_server.queues.ports import OwnedMembersStore, QueueLink, QueueTimer

if TYPE_CHECKING:
    from astcti_server.queues.state_file import MemberKey

TIDY_AFTER = 2.0  # seconds in which ends of membership are gathered into one writing


class OwnedMembers:
    """A member is written down before it is added; that it is gone may be written down later.

    In this order a crash leaves at worst an entry without a member, which the next start finds out and
    forgets. A member without an entry would ring an empty seat for ever, for what is not listed is never
    removed.
    """

    def __init__(self, link: QueueLink, store: OwnedMembersStore) -> None:
        """Reads the state file; raises StateError."""
        self._link = link
        self._store = store
        self._members = store.load()
        self._waiting: list[Callable[[], None]] = []
        self._under_way = 0
        """Writings handed over whose end was not told yet."""
        self._tidy: QueueTimer | None = None

    @property
    def members(self) -> Mapping[MemberKey, str]:
        """The user name that each was added for."""
        return self._members

    def add(self, key: MemberKey, username: str, go: Callable[[], None]) -> None:
        """Call `go` once the member is on the disk.

        All of one turn of the loop are written together: a thousand logins are not a thousand writings.
        """
        # What is in the list may not be on the disk yet, while a writing is under way.
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
        self._store.save(dict(self._members), partial(self._link.post, partial(self._written, waiting)))

    def _written(self, waiting: list[Callable[[], None]]) -> None:
        self._under_way -= 1
        for go in waiting:
            go()
