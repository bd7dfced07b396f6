"""Who sits where, and the memberships in queues, each found without a search. AMI thread only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from astcti_server.queues.membership import Membership
from astcti_server.queues.seated_operator import SeatedOperator
from schemas.configuration.model import queue_key

if TYPE_CHECKING:
    from astcti_server.clients.ports import Presence


class SeatedOperators:
    """At most one for an operator, and one for a seat's queue interface."""

    def __init__(self) -> None:
        self._by_session: dict[int, SeatedOperator] = {}
        self._by_username: dict[str, SeatedOperator] = {}
        self._by_interface: dict[str, SeatedOperator] = {}

    def __iter__(self) -> Iterator[SeatedOperator]:
        """A copy: while it is gone through, operators may come and go."""
        return iter(list(self._by_session.values()))

    def add(self, operator: SeatedOperator) -> None:
        """Enter one; those that `rivals` names must be out already."""
        presence = operator.presence
        self._by_session[presence.session_id] = operator
        self._by_username[presence.username] = operator
        self._by_interface[presence.queue_interface] = operator

    def remove(self, operator: SeatedOperator) -> None:
        """Take out one that is in."""
        presence = operator.presence
        del self._by_session[presence.session_id]
        del self._by_username[presence.username]
        del self._by_interface[presence.queue_interface]

    def of_session(self, session_id: int) -> SeatedOperator | None:
        """Who sits there by this session; None once it is over, or another took the seat over."""
        return self._by_session.get(session_id)

    def at(self, interface: str) -> SeatedOperator | None:
        """Who sits at the seat with this queue interface."""
        return self._by_interface.get(interface)

    def rivals(self, presence: Presence) -> list[SeatedOperator]:
        """Those with the same session, operator or seat."""
        found = (
            self._by_session.get(presence.session_id),
            self._by_username.get(presence.username),
            self._by_interface.get(presence.queue_interface),
        )
        return list({id(operator): operator for operator in found if operator is not None}.values())


class Memberships:
    """Those that are desired, or that the state file lists."""

    def __init__(self) -> None:
        self._by_interface: dict[str, dict[str, Membership]] = {}

    def __iter__(self) -> Iterator[Membership]:
        """A copy: what is done to one may end it, or another."""
        return iter([membership for queues in self._by_interface.values() for membership in queues.values()])

    @property
    def busy(self) -> bool:
        """Whether an action is under way at any. Makes no copy: while the server stops it is asked often."""
        return any(
            membership.busy for queues in self._by_interface.values() for membership in queues.values()
        )

    def add(self, membership: Membership) -> None:
        """Enter one; it replaces that of the same interface in the same queue."""
        self._by_interface.setdefault(membership.interface, {})[membership.key] = membership

    def remove(self, membership: Membership) -> None:
        """Forget it, if it is (still) known."""
        queues = self._by_interface.get(membership.interface, {})
        queues.pop(membership.key, None)
        if not queues:
            self._by_interface.pop(membership.interface, None)

    def get(self, queue: str, interface: str) -> Membership | None:
        """That of an interface in a queue, in whichever case the queue is written."""
        return self._by_interface.get(interface, {}).get(queue_key(queue))

    def of(self, interface: str) -> list[Membership]:
        """A copy of all those of an interface."""
        return list(self._by_interface.get(interface, {}).values())
