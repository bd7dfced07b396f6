"""Who sits where, and the places in queues, each found without a search. AMI thread only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from astcti_server.queues.membership import Place
from astcti_server.queues.seated_operator import Attendance
from schemas.configuration.model import queue_key

if TYPE_CHECKING:
    from astcti_server.clients.ports import Presence


class Attendances:
    """At most one for an operator, and one for a seat's queue interface."""

    def __init__(self) -> None:
        self._by_session: dict[int, Attendance] = {}
        self._by_username: dict[str, Attendance] = {}
        self._by_interface: dict[str, Attendance] = {}

    def __iter__(self) -> Iterator[Attendance]:
        return iter(list(self._by_session.values()))

    def add(self, attendance: Attendance) -> None:
        """Enter one; those that `rivals` names must be out already."""
        presence = attendance.presence
        self._by_session[presence.session_id] = attendance
        self._by_username[presence.username] = attendance
        self._by_interface[presence.queue_interface] = attendance

    def remove(self, attendance: Attendance) -> None:
        presence = attendance.presence
        del self._by_session[presence.session_id]
        del self._by_username[presence.username]
        del self._by_interface[presence.queue_interface]

    def of_session(self, session_id: int) -> Attendance | None:
        return self._by_session.get(session_id)

    def at(self, interface: str) -> Attendance | None:
        return self._by_interface.get(interface)

    def rivals(self, presence: Presence) -> list[Attendance]:
        """Those with the same session, operator or seat."""
        found = (
            self._by_session.get(presence.session_id),
            self._by_username.get(presence.username),
            self._by_interface.get(presence.queue_interface),
        )
        return list({id(one): one for one in found if one is not None}.values())


class Places:
    """The places that are wanted, or that the state file lists."""

    def __init__(self) -> None:
        self._by_interface: dict[str, dict[str, Place]] = {}

    def __iter__(self) -> Iterator[Place]:
        return iter([place for places in self._by_interface.values() for place in places.values()])

    @property
    def busy(self) -> bool:
        """Whether an action is under way at any. Makes no copy: while the server stops it is asked often."""
        return any(place.busy for places in self._by_interface.values() for place in places.values())

    def add(self, place: Place) -> None:
        self._by_interface.setdefault(place.interface, {})[place.key] = place

    def remove(self, place: Place) -> None:
        """Forget it, if it is (still) known."""
        places = self._by_interface.get(place.interface, {})
        places.pop(place.key, None)
        if not places:
            self._by_interface.pop(place.interface, None)

    def get(self, queue: str, interface: str) -> Place | None:
        """The place of an interface in a queue, in whichever case the queue is written."""
        return self._by_interface.get(interface, {}).get(queue_key(queue))

    def of(self, interface: str) -> list[Place]:
        return list(self._by_interface.get(interface, {}).values())
