"""Keeps who is logged in, in the queues of their services, in pause or not, whatever happens meanwhile.

AMI thread only: the daemon posts clients' arrivals there and hands on each member event. The only work done
outside of memory is `link.submit`, and the state is written by another thread.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from astcti_server.queues.announcements import Announce, Announcements
from astcti_server.queues.asterisk_text import is_same_reason
from astcti_server.queues.kept_wishes import SEEN_EVERY, KeptLeftQueues, KeptPauses
from astcti_server.queues.lookup import Memberships, SeatedOperators
from astcti_server.queues.member import Member, member_after
from astcti_server.queues.membership import Membership
from astcti_server.queues.overview import (
    MembershipOverview,
    OperatorStanding,
    QueuesOverview,
    members_overview,
    queues_overview,
)
from astcti_server.queues.owned_members import OwnedMembers
from astcti_server.queues.pause import PauseControl
from astcti_server.queues.pause_request import PauseState
from astcti_server.queues.ports import QueueLink, QueueStore, QueueTimer
from astcti_server.queues.removals import RemovalLog
from astcti_server.queues.seated_operator import DesiredMembership, SeatedOperator, desired_queues
from astcti_server.queues.status_reader import AllMembers, QueueStatusReader
from schemas.protocol import Refusal

if TYPE_CHECKING:
    from astcti_server.ami.vocabulary import QueueMember
    from astcti_server.clients.ports import PauseCallback, Presence, ReplyCallback
    from schemas.configuration.model import Configuration
    from schemas.server.settings import ServerSettings

logger = logging.getLogger(__name__)


class QueueReconciler:
    """Desired membership and pause against what Asterisk says. See the module for who may call."""

    def __init__(
        self,
        link: QueueLink,
        announce: Announce,
        store: QueueStore,
        configuration: Configuration,
        settings: ServerSettings,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`announce(session_id, line)` has to ignore sessions that are gone. `wall` is the wall clock.

        Reads the state file at once, so this may raise StateError. Nothing is sent before `link_up`.
        """
        self.link = link
        saved = store.load()
        self._kept_pauses = KeptPauses(saved.pauses, wall)
        self._kept_left = KeptLeftQueues(saved.left, wall)
        self.owned = OwnedMembers(link, store, saved.members, self._kept_pauses, self._kept_left)
        self.removal_log = RemovalLog(link)
        self.has_penalty = True
        self._operators = SeatedOperators()
        self._memberships = Memberships()
        self._announcements = Announcements(announce, self._kept_pauses.lasts)
        self._reader = QueueStatusReader(link, settings.queues.reconcile, self._compare_all)
        self._pauses = PauseControl(
            link, self._announcements, self._operators, self._memberships, self._pause_over, self._keep_pause
        )
        self._configuration = configuration
        self._settings = settings
        self._queues_named = configuration.queues
        """The queues that a service names or named in this run, by their keys."""
        self._leftovers_due: QueueTimer | None = None
        self._pauses_due: QueueTimer | None = None
        self._up = False
        self._status_read = False
        self._stopping = False
        self._keeping = False
        """Stopping, and every member stays: nothing begins any more."""
        self._stopped: Callable[[], None] | None = None
        self._leftovers = [
            self._enter(Membership(queue, interface, self, known=False, left_by=username))
            for (queue, interface), username in self.owned.members.items()
        ]

    # -- what the daemon tells ----------------------------------------------------------------------------

    def configure(self, configuration: Configuration, settings: ServerSettings) -> None:
        """Take up another configuration: queues are joined, left and re-weighted by the difference."""
        self._configuration = configuration
        self._settings = settings
        self._queues_named |= configuration.queues
        self._reader.every(settings.queues.reconcile)
        for operator in self._operators:
            self._desire(operator)

    def link_up(self) -> None:
        """After each login: read what there is, compare, repair.

        Dynamic members are gone after a restart of Asterisk (unless `persistentmembers` is on), and still
        there after a mere loss of the connection. Nothing tells which it was, so it is read.
        """
        self._up = True
        self.has_penalty = True  # it may be another version now
        if self._leftovers_due is None:
            grace = self._settings.queues.leftover_grace
            self._leftovers_due = self.link.later(grace, self._drop_leftovers)
        if self._pauses_due is None:
            self._look_after_pauses()
        self._pauses.link_up()
        self._reader.link_up()

    def fully_booted(self) -> None:
        """Asterisk has loaded its modules: now at the latest it can tell what is in its queues."""
        self._reader.fully_booted()

    def link_down(self) -> None:
        """Nothing is known until the link is back; pause requests wait for it."""
        self._up = self._status_read = False
        self._reader.stop()
        for membership in self._memberships:
            membership.link_down()
        self._pauses.link_down()
        self._check_stopped()

    def arrived(self, presence: Presence) -> None:
        """An operator has a seat. Takes over from an older session of this operator or of this seat."""
        rivals = self._operators.rivals(presence)
        if self._stopping or any(rival.presence.session_id > presence.session_id for rival in rivals):
            return  # sessions are served by threads of their own: what they post may come in another order
        pause, left = self._pause_to_begin_with(presence), self._kept_left.keys(presence.username)
        for rival in rivals:
            self._release(rival, Refusal.ANOTHER_SESSION.text())
            if rival.presence.username == presence.username:
                pause, left = rival.pause, frozenset(rival.left)
        operator = SeatedOperator(presence, self._pause_left(presence, pause), left)
        self._operators.add(operator)
        self._keep_pause(operator)
        self._saw(operator)
        self._announcements.pause(operator)
        self._desire(operator, arriving=True)
        own = self._configuration.queues_of(presence.username)
        for key in operator.left:
            self._announcements.left_before(operator, own[key].name)
        for rival in rivals:  # now that it is known which of their memberships go on
            self._step_all(rival.presence.queue_interface)

    def left(self, session_id: int, at_once: bool) -> None:
        """A session ended, for good or for less than the grace time. Ignored if a newer one took over."""
        operator = self._operators.of_session(session_id)
        if operator is None:
            return
        self._pauses.leave_unanswered(operator, Refusal.SESSION_OVER.text())
        self._saw(operator)
        grace = 0.0 if at_once else self._settings.clients.grace
        if grace > 0:
            operator.begin_grace(self.link.later(grace, lambda: self._leave(operator)))
            self._step_all(operator.presence.queue_interface)
        else:
            self._leave(operator)

    def logged_out(self, session_id: int) -> None:
        """The operator said QUIT, and so wants no pause any more; `left` follows."""
        operator = self._operators.of_session(session_id)
        if operator is not None:
            operator.log_out()
            self._pauses.give_up(operator, Refusal.SESSION_OVER.text())
            ended = [kept.end(operator.presence.username) for kept in (self._kept_pauses, self._kept_left)]
            if any(ended):
                self.owned.write_in_this_turn()

    def member_event(self, event: QueueMember) -> None:
        """A queue member changed, or is listed, in Asterisk."""
        membership = self._memberships.get(event.queue, event.interface)
        if membership is None or not self._up:
            return
        membership.observe(event.kind, member_after(membership.actual, event))
        if event.kind in {"added", "paused", "entry"} and event.paused is not None:
            self._pauses.see(membership, event.paused, event.reason)
        self.settled(membership)

    def pause(
        self, presence: Presence, wish: bool, reason: str, progress: PauseCallback, *, by_client: bool = True
    ) -> None:
        """A client asks for a pause or its end; see `PauseStep` for what it is told, and when.

        Not `by_client`: somebody else asks, and hears that; the client is told of the pause by 310.
        """
        operator = self._operators.of_session(presence.session_id)
        if operator is None:
            progress("failed", Refusal.NOT_AT_A_SEAT.text())
        else:
            self._pauses.ask(operator, PauseState(wish, reason), progress, by_client=by_client)

    def ask_queue(self, presence: Presence, key: str, inside: bool, done: ReplyCallback) -> None:
        """A client asks to be in a queue (by its key), or out of it. `done` hears at once if that is noted.

        That it is so is told by 200 or 210. It is wanted until the operator asks otherwise, logs out, or the
        configuration does not allow it any more.
        """
        operator = self._operators.of_session(presence.session_id)
        membership = self._memberships.get(key, presence.queue_interface)
        if operator is None:
            done(Refusal.NOT_AT_A_SEAT.text())
            return
        if not inside and membership is not None and membership.is_fixed:
            done(Refusal.FIXED_MEMBER.text())
            return
        if inside:
            operator.wants_queue(key)
        else:
            operator.leaves_queue(key)
        self._desire(operator)
        done("")

    def standings(self) -> Iterator[OperatorStanding]:
        """How each operator stands who is logged in or may come back."""
        for operator in self._operators:
            presence = operator.presence
            memberships = self._memberships.of(presence.queue_interface)
            wanted = [membership for membership in memberships if membership.desired is not None]
            inside = not wanted or any(membership.actual is not None for membership in wanted)
            yield OperatorStanding(presence.username, operator.pause.paused, inside)

    def overview(self) -> QueuesOverview:
        """What is wanted, and what Asterisk has."""
        return queues_overview(self._memberships, self._operators, self._kept_pauses.since)

    def members_of(self, key: str) -> Iterator[MembershipOverview | None]:
        """Each member of one queue (by its `queue_key`), wanted or actual; None for those of others.

        Events may be taken in between two of them.
        """
        return members_overview(self._memberships, key)

    def stop(self, done: Callable[[], None], *, keep_members: bool = False) -> None:
        """Leave all queues, or leave everything as it is (`on-stop`), then call `done`, once.

        `keep_members`: leave everything as it is, whatever `on-stop` says. What was under way ends before.
        """
        self._stopping = True
        self._keeping = keep_members or self._settings.queues.on_stop == "keep"
        self._reader.stop()
        for timer in (self._leftovers_due, self._pauses_due):
            if timer is not None:
                timer.cancel()
        for operator in self._operators:
            self._release(operator, Refusal.SERVER_STOPS.text())
        if not self._keeping:
            for membership in self._memberships:
                membership.leftover_over()
                membership.retry()
                membership.step()
        self._stopped = done
        self._check_stopped()

    # -- what memberships ask for (MembershipContext) -----------------------------------------------------

    def penalty_is_unknown(self) -> None:
        self.has_penalty = False

    def removable(self, membership: Membership) -> bool:
        return membership.key in self._queues_named

    def must_wait(self, membership: Membership) -> bool:
        # Who was about to join when the server began to stop is desired by nobody now, but has to stay, too.
        return self._keeping or self._pauses.under_way(membership.interface)

    def settled(self, membership: Membership) -> None:
        operator = self._operators.at(membership.interface)
        if operator is not None:
            if membership.actual is None and operator.request is not None:
                operator.request.no_member_of(membership.key)
            self._announcements.membership(operator, membership)
            self._pauses.proceed(operator)
        if membership.forgettable:
            self._memberships.remove(membership)
        self._check_stopped()

    # -- who is desired where -----------------------------------------------------------------------------

    def _desire(self, operator: SeatedOperator, arriving: bool = False) -> None:
        presence, pause_unmet = operator.presence, arriving and self._pauses.unmet(operator)
        own = self._configuration.queues_of(presence.username)
        operator.may_only_leave({key for key, queue in own.items() if queue.may_leave})
        self._keep_left(operator)
        queues = desired_queues(self._configuration, presence.username, operator.left)
        for queue in queues.values():
            membership = self._membership(queue.name, presence.queue_interface)
            desired = DesiredMembership(operator, queue.penalty)
            membership.desire(desired, queue.name, arriving=arriving, pause_unmet=pause_unmet)
        for membership in self._memberships.of(presence.queue_interface):
            if membership.key not in queues:
                membership.desire_nothing()
        self._step_all(presence.queue_interface)
        self._pauses.proceed(operator)

    def _release(self, operator: SeatedOperator, why: str) -> None:
        """It is over; its memberships may stay for whoever comes next, until somebody steps them."""
        if not operator.in_grace:
            self._saw(operator)
        operator.end_grace()
        self._pauses.leave_unanswered(operator, why)
        self._operators.remove(operator)
        for membership in self._memberships.of(operator.presence.queue_interface):
            membership.desire_nothing()

    def _leave(self, operator: SeatedOperator) -> None:
        self._release(operator, Refusal.SESSION_OVER.text())
        self._step_all(operator.presence.queue_interface)

    def _step_all(self, interface: str) -> None:
        for membership in self._memberships.of(interface):
            membership.step()
            self.settled(membership)

    def _membership(self, queue: str, interface: str) -> Membership:
        membership = self._memberships.get(queue, interface)
        return membership or self._enter(Membership(queue, interface, self, known=self._status_read))

    def _enter(self, membership: Membership) -> Membership:
        self._memberships.add(membership)
        return membership

    # -- what outlives its session ----------------------------------------------------------------

    def _pause_to_begin_with(self, presence: Presence) -> PauseState:
        kept = self._kept_pauses.of(presence.username)
        if kept is None:
            return PauseState(presence.begin_in_pause)
        logger.info("%s comes back in the pause of before: %s", presence.username, kept.reason or "no reason")
        return PauseState(True, kept.reason)

    def _keep_pause(self, operator: SeatedOperator) -> None:
        username, pause = operator.presence.username, operator.pause
        if operator.logged_out:
            return
        if pause.paused:
            changed = self._kept_pauses.begin(username, pause.reason)
        else:
            changed = self._kept_pauses.end(username)
        if changed:
            self.owned.write_in_this_turn()

    def _keep_left(self, operator: SeatedOperator) -> None:
        if not operator.logged_out and self._kept_left.keep(operator.presence.username, operator.left):
            self.owned.write_in_this_turn()

    def _saw(self, operator: SeatedOperator) -> None:
        seen = [kept.saw(operator.presence.username) for kept in (self._kept_pauses, self._kept_left)]
        if any(seen):
            self.owned.write_sometime()

    def _look_after_pauses(self) -> None:
        self._pauses_due = self.link.later(SEEN_EVERY, self._look_after_pauses)
        for operator in self._operators:
            if not operator.in_grace:
                self._saw(operator)
        forgotten = [kept.forget_old() for kept in (self._kept_pauses, self._kept_left)]
        if any(forgotten):
            self.owned.write_sometime()

    # -- leftovers of an earlier run ----------------------------------------------------------------------

    def _pause_left(self, presence: Presence, pause: PauseState) -> PauseState:
        """Who comes back after a crash finds the old pause; what is left elsewhere is given up."""
        for membership in self._leftovers:
            if not membership.leftover or membership.owner != presence.username:
                continue
            if membership.interface != presence.queue_interface:
                self._give_up_leftover(membership)
            elif membership.known and membership.actual is not None and membership.actual.paused:
                reason = membership.actual.reason
                if not (pause.paused and is_same_reason(pause.reason, reason)):
                    pause = PauseState(True, reason)
        return pause

    def _drop_leftovers(self) -> None:
        for membership in self._leftovers:
            if membership.leftover:
                self._give_up_leftover(membership)
        self._leftovers.clear()

    def _give_up_leftover(self, membership: Membership) -> None:
        membership.leftover_over()
        if not self.removable(membership):
            logger.warning(
                "an earlier run left %s in queue %s, which no service names any more:"
                " it stays a member until somebody removes it",
                membership.interface,
                membership.queue,
            )
        membership.step()
        self.settled(membership)

    # -- what Asterisk has --------------------------------------------------------------------------------

    def _compare_all(self, members: AllMembers) -> None:
        self._status_read = True
        for membership in self._memberships:
            membership.state_was_read()
            if not membership.busy:  # its own action says more, and later
                self._compare(membership, members.get((membership.key, membership.interface)))
        self._pauses.state_read()

    def _compare(self, membership: Membership, member: Member | None) -> None:
        membership.listed_as(member)
        membership.retry()
        if member is not None:
            self._pauses.see(membership, member.paused, member.reason)
        elif membership.desired is not None:
            # Told before it is added again, so that the client sees the gap: Asterisk was restarted, or
            # somebody removed the member.
            self._announcements.membership(membership.desired.operator, membership)
        else:
            membership.gone_unasked()
        membership.step()
        self.settled(membership)

    def _pause_over(self, operator: SeatedOperator, worked: bool) -> None:
        if not worked and self._up and not self._stopping:
            self._reader.read()  # perhaps it did happen, and only the word of it was lost
        self._step_all(operator.presence.queue_interface)

    def _check_stopped(self) -> None:
        if self._stopped is None or (self._up and self._memberships.busy):
            return
        done, self._stopped = self._stopped, None
        self.owned.write()
        done()
