"""Which members are ours, and the writing of the state file, as seldom as is safe. AMI thread only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from astcti_server.queues.kept_wishes import KeptLeftQueues, KeptPauses
from astcti_server.queues.ports import QueueLink, QueueStore, QueueTimer
from astcti_server.queues.state_file import SavedQueues

if TYPE_CHECKING:
    from astcti_server.queues.state_file import MemberKey

TIDY_AFTER = 2.0  # seconds in which ends of membership are gathered into one writing


class OwnedMembers:
    """A member is written down before it is added; that it is gone may be written down later.

    In this order a crash leaves at worst an entry without a member, which the next start finds out and
    forgets. A member without an entry would ring an empty seat for ever, for what is not listed is never
    removed.
    """

    def __init__(
        self,
        link: QueueLink,
        store: QueueStore,
        members: Mapping[MemberKey, str],
        pauses: KeptPauses,
        left: KeptLeftQueues,
    ) -> None:
        """`members` are those that the store had; `pauses` and `left` are written with them."""
        self._link = link
        self._store = store
        self._members = dict(members)
        self._pauses = pauses
        self._left = left
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
        self.write_in_this_turn(go)

    def drop(self, key: MemberKey) -> None:
        """The member is gone, or not ours."""
        if self._members.pop(key, None) is not None:
            self.write_sometime()

    def write_in_this_turn(self, done: Callable[[], None] = lambda: None) -> None:
        """Something has to be on the disk soon; `done` is called then."""
        self._waiting.append(done)
        if len(self._waiting) == 1:
            self._link.later(0.0, self.write)

    def write_sometime(self) -> None:
        """Something is to be written that would be found out, or be missed little, after a crash."""
        if self._tidy is None:
            self._tidy = self._link.later(TIDY_AFTER, self.write)

    def write(self) -> None:
        """Have all of it written. Whoever waits goes on even if that fails: to take calls matters more."""
        if self._tidy is not None:
            self._tidy.cancel()
            self._tidy = None
        waiting, self._waiting = self._waiting, []
        self._under_way += 1
        saved = SavedQueues(dict(self._members), self._pauses.all(), self._left.all())
        self._store.save(saved, partial(self._link.post, partial(self._written, waiting)))

    def _written(self, waiting: list[Callable[[], None]]) -> None:
        self._under_way -= 1
        for go in waiting:
            go()
