"""Keeps every logged-in operator in the queues of his services, in pause or not, whatever happens meanwhile.

AMI thread only: the daemon posts clients' arrivals there and hands on each member event. The only work done
outside of memory is `link.submit`, and the state is written by another thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from astcti_server.queues.lookup import Attendances, Places
from astcti_server.queues.member import Member, member_after
from astcti_server.queues.membership import Place
from astcti_server.queues.notices import Announce, Notices
from astcti_server.queues.owned_members import Ledger
from astcti_server.queues.pause import Pausing
from astcti_server.queues.ports import Link, State
from astcti_server.queues.seated_operator import Attendance, PauseState, Wanted, wanted_queues
from astcti_server.queues.status_reader import StatusReader
from schemas.configuration.model import Configuration
from schemas.protocol import Refusal

if TYPE_CHECKING:
    from astcti_server.ami.link import Timer
    from astcti_server.ami.vocabulary import QueueMember
    from astcti_server.clients.ports import Presence, Progress
    from astcti_server.queues.state_file import MemberKey
    from schemas.server.settings import ServerSettings

logger = logging.getLogger(__name__)


class QueueKeeper:
    """Desired membership and pause against what Asterisk says. See the module for who may call."""

    def __init__(self, link: Link, announce: Announce, state: State) -> None:
        """`announce(session_id, line)` has to ignore sessions that are gone.

        Reads the state file at once, so this may raise StateError.
        """
        self.link = link
        self.penalty_known = True
        self._attendances = Attendances()
        self._places = Places()
        self._notices = Notices(announce)
        self._ledger = Ledger(link, state)
        self._reader = StatusReader(link, self._compare_all)
        self._pausing = Pausing(link, self._notices, self._attendances, self._places, self._pause_over)
        self._configuration = Configuration()
        self._settings: ServerSettings | None = None
        self._queues_named: frozenset[str] = frozenset()
        self._leftovers: set[Place] = set()
        self._leftovers_due: Timer | None = None
        self._up = False
        self._status_read = False
        self._stopping = False
        self._stopped: Callable[[], None] | None = None
        for (queue, interface), username in self._ledger.members.items():
            place = self._place(queue, interface)
            place.owner, place.leftover = username, True
            self._leftovers.add(place)

    # -- what the daemon tells ----------------------------------------------------------------------------

    def configure(self, configuration: Configuration, settings: ServerSettings) -> None:
        """Take up a configuration: queues are joined, left and re-weighted by the difference."""
        self._configuration = configuration
        self._settings = settings
        self._queues_named |= configuration.queues
        self._reader.every(settings.queues.reconcile)
        for attendance in self._attendances:
            self._want(attendance)

    def link_up(self) -> None:
        """After each login: read what there is, compare, repair."""
        self._up = True
        self.penalty_known = True
        if self._settings is not None and self._leftovers_due is None:
            grace = self._settings.queues.leftover_grace
            self._leftovers_due = self.link.later(grace, self._drop_leftovers)
        self._pausing.link_up()
        self._reader.read()

    def link_down(self) -> None:
        """Nothing is known until the link is back; pause requests wait for it."""
        self._up = self._status_read = False
        self._reader.stop()
        for place in self._places:
            place.forget_link()
        self._pausing.link_down()
        self._check_stopped()

    def arrived(self, presence: Presence) -> None:
        """An operator has a seat. Takes over from an older session of this operator or of this seat."""
        rivals = self._attendances.rivals(presence)
        if self._stopping or any(one.presence.session_id > presence.session_id for one in rivals):
            return
        pause = PauseState(presence.begin_in_pause)
        for rival in rivals:
            self._release(rival, Refusal.ANOTHER_SESSION.text())
            if rival.presence.username == presence.username:
                pause = rival.pause
        attendance = Attendance(presence, self._pause_left(presence, pause))
        self._attendances.add(attendance)
        self._notices.pause(attendance)
        self._want(attendance, fresh=True)
        for rival in rivals:
            self._step_all(rival.presence.queue_interface)

    def left(self, session_id: int, at_once: bool) -> None:
        """A session ended, for good or for less than the grace time. Ignored if a newer one took over."""
        attendance = self._attendances.of_session(session_id)
        if attendance is None:
            return
        self._pausing.give_up(attendance, Refusal.SESSION_OVER.text())
        if attendance.grace is not None:
            attendance.grace.cancel()
        grace = 0.0 if at_once or self._settings is None else self._settings.clients.grace
        if grace > 0:
            attendance.grace = self.link.later(grace, lambda: self._leave(attendance))
        else:
            self._leave(attendance)

    def member_event(self, event: QueueMember) -> None:
        """A queue member changed, or is listed, in Asterisk."""
        place = self._places.get(event.queue, event.interface)
        if place is None or not self._up:
            return
        place.observe(event.kind, member_after(place.actual, event))
        if event.kind in {"added", "paused", "entry"} and event.paused is not None:
            self._pausing.see(place, event.paused, event.reason)
        self.settled(place)

    def pause(self, presence: Presence, wish: bool, reason: str, progress: Progress) -> None:
        """A client asks for a pause or its end; see `desk.PauseStep` for what it is told, and when."""
        attendance = self._attendances.of_session(presence.session_id)
        if attendance is None:
            progress("failed", Refusal.NOT_AT_A_SEAT.text())
        else:
            self._pausing.ask(attendance, PauseState(wish, reason), progress)

    def stop(self, done: Callable[[], None]) -> None:
        """Leave all queues, or leave everything as it is (`on-stop`), then call `done`, once."""
        self._stopping = True
        self._reader.stop()
        if self._leftovers_due is not None:
            self._leftovers_due.cancel()
        for attendance in self._attendances:
            self._release(attendance, Refusal.SERVER_STOPS.text())
        if self._settings is not None and self._settings.queues.on_stop == "remove":
            for place in self._places:
                place.leftover = False
                place.retry()
                place.step()
        self._stopped = done
        self._check_stopped()

    # -- what places ask for (place.Ward) -----------------------------------------------------------------

    def list_before(self, place: Place, go: Callable[[], None]) -> None:
        if place.wanted is None:
            go()
            return
        place.owner = place.wanted.username
        self._ledger.add((place.key, place.interface), place.owner, go)

    def unlist(self, place: Place) -> None:
        place.owner, place.leftover = None, False
        self._ledger.drop((place.key, place.interface))

    def removable(self, place: Place) -> bool:
        return place.key in self._queues_named

    def held(self, place: Place) -> bool:
        return self._pausing.under_way(place.interface)

    def settled(self, place: Place) -> None:
        attendance = self._attendances.at(place.interface)
        if attendance is not None:
            if place.actual is None and attendance.request is not None:
                attendance.request.left(place.key)
            self._notices.place(attendance, place)
            self._pausing.proceed(attendance)
        if place.wanted is None and place.actual is None and place.owner is None and not place.busy:
            self._places.remove(place)
        self._check_stopped()

    # -- who is wanted where ------------------------------------------------------------------------------

    def _want(self, attendance: Attendance, fresh: bool = False) -> None:
        presence = attendance.presence
        queues = wanted_queues(self._configuration, presence.username)
        for queue in queues.values():
            place = self._place(queue.name, presence.queue_interface)
            place.queue = queue.name  # the state file, or an earlier configuration, may spell it otherwise
            if fresh:  # whoever keeps his place keeps its pause, but does begin in pause if that is ordered
                kept = place.owner == presence.username
                place.enforce_pause = not kept or (place.leftover and attendance.pause.paused)
            place.wanted = Wanted(attendance, queue.penalty)
            place.leftover = False
        for place in self._places.of(presence.queue_interface):
            if place.key not in queues:
                place.wanted = None
            place.retry()
        self._step_all(presence.queue_interface)
        self._pausing.proceed(attendance)

    def _release(self, attendance: Attendance, why: str) -> None:
        """The attendance is over; its places may stay for whoever comes next, until somebody steps them."""
        if attendance.grace is not None:
            attendance.grace.cancel()
        self._pausing.give_up(attendance, why)
        self._attendances.remove(attendance)
        for place in self._places.of(attendance.presence.queue_interface):
            place.wanted = None
            place.retry()

    def _leave(self, attendance: Attendance) -> None:
        self._release(attendance, Refusal.SESSION_OVER.text())
        self._step_all(attendance.presence.queue_interface)

    def _step_all(self, interface: str) -> None:
        for place in self._places.of(interface):
            place.step()
            self.settled(place)

    def _place(self, queue: str, interface: str) -> Place:
        place = self._places.get(queue, interface)
        if place is None:
            place = Place(queue, interface, self)
            place.known = self._status_read
            self._places.add(place)
        return place

    def _pause_left(self, presence: Presence, pause: PauseState) -> PauseState:
        """Who comes back after a crash of the server finds his pause; what he left elsewhere is given up."""
        for place in [one for one in self._leftovers if one.owner == presence.username and one.leftover]:
            if place.interface != presence.queue_interface:
                self._give_up_leftover(place)
            elif place.known and place.actual is not None and place.actual.paused:
                pause = PauseState(True, place.actual.reason)
        return pause

    def _drop_leftovers(self) -> None:
        for place in self._leftovers:
            if place.leftover:
                self._give_up_leftover(place)
        self._leftovers.clear()

    def _give_up_leftover(self, place: Place) -> None:
        place.leftover = False
        if not self.removable(place):
            logger.warning(
                "an earlier run left %s in queue %s, which no service names any more:"
                " it stays a member until somebody removes it",
                place.interface,
                place.queue,
            )
        place.step()
        self.settled(place)

    # -- what Asterisk has --------------------------------------------------------------------------------

    def _compare_all(self, members: Mapping[MemberKey, Member | None]) -> None:
        self._status_read = True
        for place in self._places:
            place.known = True
            if not place.busy:
                self._compare(place, members.get((place.key, place.interface)))
        self._pausing.state_read()

    def _compare(self, place: Place, member: Member | None) -> None:
        place.take(member)
        place.retry()
        if member is not None:
            self._pausing.see(place, member.paused, member.reason)
        elif place.wanted is not None:
            self._notices.place(place.wanted.attendance, place)
        elif place.owner is not None and not place.unconfirmed:
            self.unlist(place)
        place.step()
        self.settled(place)

    def _pause_over(self, attendance: Attendance, worked: bool) -> None:
        if not worked and self._up and not self._stopping:
            self._reader.read()  # perhaps it did happen, and only the word of it was lost
        self._step_all(attendance.presence.queue_interface)

    def _check_stopped(self) -> None:
        if self._stopped is None or (self._up and self._places.busy):
            return
        done, self._stopped = self._stopped, None
        self._ledger.write()
        done()
