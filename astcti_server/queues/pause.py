"""The pause of each operator: what a client asks for, and what Asterisk says unasked. AMI thread only.

Asterisk is right: what it says becomes the operator's state and is told to the client, unless the client's
own wish is still on its way there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from astcti_server.queues.pause_request import PauseRequest
from astcti_server.queues.seated_operator import Attendance, PauseState, plain_text
from schemas.protocol import Refusal

if TYPE_CHECKING:
    from astcti_server.clients.ports import Progress
    from astcti_server.queues.lookup import Attendances, Places
    from astcti_server.queues.membership import Place
    from astcti_server.queues.notices import Notices
    from astcti_server.queues.ports import Link


class Pausing:
    """One request of a client at a time; the last one counts."""

    def __init__(
        self,
        link: Link,
        notices: Notices,
        attendances: Attendances,
        places: Places,
        over: Callable[[Attendance, bool], None],
    ) -> None:
        """`over` is called after each request that was not given up, with whether it worked."""
        self._link = link
        self._notices = notices
        self._attendances = attendances
        self._places = places
        self._over = over
        self._up = False
        self._state_read = False

    def link_up(self) -> None:
        self._up = True
        for attendance in self._attendances:
            if attendance.request is not None:
                attendance.request.limit()

    def state_read(self) -> None:
        """What Asterisk has is known: requests that waited for this can go."""
        self._state_read = True
        for attendance in self._attendances:
            self.proceed(attendance)

    def link_down(self) -> None:
        self._up = self._state_read = False
        for attendance in self._attendances:
            if attendance.request is not None:
                attendance.request.defer()

    def ask(self, attendance: Attendance, wish: PauseState, progress: Progress) -> None:
        """A client's wish. Later joins carry it from now on."""
        self.give_up(attendance, Refusal.ANOTHER_REQUEST.text())
        before = attendance.pause
        attendance.pause = wish._replace(reason=plain_text(wish.reason) if wish.paused else "")
        request = attendance.request = PauseRequest(
            self._link,
            attendance.presence.queue_interface,
            attendance.pause,
            progress,
            lambda worked: self._ended(attendance, before, worked),
        )
        if self._up:
            request.limit()
        else:
            request.defer()
        self.proceed(attendance)

    def give_up(self, attendance: Attendance, why: str) -> None:
        """End a request that is under way, without success."""
        request, attendance.request = attendance.request, None
        if request is not None:
            request.refuse(why)

    def proceed(self, attendance: Attendance) -> None:
        """Start a waiting request, once nothing else is under way for the interface."""
        request = attendance.request
        if request is None or request.started or not self._state_read:
            return
        places = self._places.of(attendance.presence.queue_interface)
        if not any(place.busy for place in places):
            request.start([place.key for place in places if place.actual is not None])

    def under_way(self, interface: str) -> bool:
        """Whether a pause action for all queues of the interface was written and is not over."""
        attendance = self._attendances.at(interface)
        return attendance is not None and attendance.request is not None and attendance.request.started

    def see(self, place: Place, paused: bool, reason: str) -> None:
        """Asterisk says what a member's pause is."""
        if place.wanted is None:
            return
        attendance = place.wanted.attendance
        pause = attendance.pause
        if attendance.request is not None:
            attendance.request.saw(place.key, paused)
            return
        if place.enforce_pause:
            return
        if paused and (not pause.paused or not pause.reason.startswith(reason)):
            attendance.pause = PauseState(True, reason)
        elif not paused and pause.paused and not self._paused_anywhere(place.interface):
            attendance.pause = PauseState(False)
        self._notices.pause(attendance)

    def _paused_anywhere(self, interface: str) -> bool:
        return any(place.actual is not None and place.actual.paused for place in self._places.of(interface))

    def _ended(self, attendance: Attendance, before: PauseState, worked: bool) -> None:
        given_up, attendance.request = attendance.request is None, None
        if worked:
            attendance.told = attendance.pause
            for place in self._places.of(attendance.presence.queue_interface):
                place.enforce_pause = False
        else:
            attendance.pause = before
        if not given_up:
            self._over(attendance, worked)
