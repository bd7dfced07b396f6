"""One interface in one queue: what is desired, what Asterisk says, and the one action in between.

AMI thread only. A `Membership` never has two actions under way. It waits for the event that belongs to its
action; if that does not come (somebody's event filter may hide it) it reads the queue's state instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from astcti_server.ami import actions
from astcti_server.queues.asterisk_text import NOT_ANSWERED, kept, short_reason, stored_text
from astcti_server.queues.member import Member, find_member
from astcti_server.queues.owned_members import OwnedMembers
from astcti_server.queues.ports import QueueLink, QueueTimer
from astcti_server.queues.removals import RemovalLog, RemovalsByOthers
from astcti_server.queues.seated_operator import DesiredMembership
from schemas.configuration.model import queue_key
from schemas.protocol import Refusal

if TYPE_CHECKING:
    from astcti_server.ami.actions import AmiAction
    from astcti_server.ami.pending import ActionOutcome
    from astcti_server.queues.state_file import MemberKey

EVENT_TIME = 5.0  # seconds that an event may come after its action's response

ActionKind: TypeAlias = Literal["add", "remove", "penalty", "pause", "read"]


class MembershipContext(Protocol):
    """What a membership needs of everything around it."""

    link: QueueLink
    owned: OwnedMembers
    removal_log: RemovalLog
    has_penalty: bool
    """False once Asterisk said that it has no QueuePenalty (1.4)."""

    def penalty_is_unknown(self) -> None:
        """Asterisk said that it has no QueuePenalty."""

    def removable(self, membership: Membership) -> bool:
        """Whether the queue is (or was, in this run) one that a service names."""

    def must_wait(self, membership: Membership) -> bool:
        """Whether an action for all queues of the interface is under way, or none is to begin any more."""

    def settled(self, membership: Membership) -> None:
        """An action is over, or a change was seen: tell the client, go on with what waited for this."""


class MembershipAction:
    """The one action that is under way: which it is, and what came of it so far."""

    __slots__ = ("_timer", "after", "answered", "kind", "seen")

    def __init__(self, kind: ActionKind, after: ActionKind | None = None) -> None:
        self.kind = kind
        self.after = after
        """For a reading: the action whose event did not come."""
        self.answered = False
        """Asterisk accepted it."""
        self.seen = False
        """The event came that belongs to it."""
        self._timer: QueueTimer | None = None

    def was_answered(self) -> None:
        """Asterisk accepted it."""
        self.answered = True

    def saw_event(self, kind: str) -> bool:
        """Note an event about the member; True if the action is over with it."""
        if (self.kind, kind) not in {("add", "added"), ("remove", "removed"), ("pause", "paused")}:
            return False
        self.seen = True
        return self.answered

    def wait_for_event(self, timer: QueueTimer) -> None:
        """It was accepted; `timer` ends the time in which its event may come."""
        self._timer = timer

    def stop_waiting(self) -> None:
        """It is over: its time ends nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Membership:
    """`step` does the next thing that brings Asterisk to what is desired.

    Others read its state; its methods alone change it.

    Ours is only what the state file lists (`owner`), and only a dynamic member that is ours is ever removed.
    """

    def __init__(
        self,
        queue: str,
        interface: str,
        context: MembershipContext,
        *,
        known: bool,
        left_by: str | None = None,
    ) -> None:
        """`known`: Asterisk's members were read, and this was not among them.

        `left_by`: an earlier run of the server added it for this operator.
        """
        self.key = queue_key(queue)
        """By which the membership is found: app_queue compares the names of queues without case."""
        self.queue = queue
        """The name as the configuration spells it, for actions and people."""
        self.interface = interface
        self._context = context
        self.desired: DesiredMembership | None = None
        self.actual: Member | None = None
        self.known = known
        """Whether `actual` may be trusted: not while the link is down or the state was not read."""
        self.owner: str | None = left_by
        """The user name it is listed for in the state file; None if it is not ours."""
        self.leftover = left_by is not None
        """Ours from an earlier run; left alone until its operator logs in again or the time is over."""
        self.enforce_pause = False
        """True until the operator's pause wish was made real once; afterwards Asterisk is right."""
        self.refusal = ""
        """Why the last action failed; nothing is tried again before `retry`."""
        self._unconfirmed = False
        """Asterisk added it, or may have, but did not show it yet. So it is removed all the same."""
        self._rejoining = False
        """Removed only to be added again at once: the client is not told."""
        self._not_mended: str | None = None
        """A wrong state interface for which it was added again. That is tried once a connection."""
        self._action: MembershipAction | None = None
        self._removals = RemovalsByOthers(context.link)

    @property
    def busy(self) -> bool:
        """Whether an action is under way."""
        return self._action is not None

    @property
    def joined(self) -> bool:
        """A member, as desired, with nothing left to do."""
        return self.known and self.desired is not None and self.actual is not None and not self.unsettled

    @property
    def unsettled(self) -> bool:
        """On the way in or out, or between the two."""
        return self.busy or self._rejoining

    @property
    def is_fixed(self) -> bool:
        """A member by queues.conf or realtime: no action takes it out."""
        return self.actual is not None and self.actual.membership in ("static", "realtime")

    @property
    def forgettable(self) -> bool:
        """Nobody desires it, Asterisk does not have it, and the state file does not list it."""
        return self.desired is None and self.actual is None and self.owner is None and not self.busy

    # -- what is desired ----------------------------------------------------------------------------------

    def desire(
        self, desired: DesiredMembership, spelling: str, *, arriving: bool, pause_unmet: bool = False
    ) -> None:
        """The interface is to be a member. `arriving`: the operator sat down just now.

        `pause_unmet`: in a pause that Asterisk never heard of.

        `spelling` is the configuration's: the state file, or an earlier configuration, may have another
        one. Whoever keeps a membership keeps its pause, for Asterisk is right about that; but who comes
        back to what an earlier run left does begin in pause if that is ordered.
        """
        if arriving:
            self._removals.end_wait()  # who sits down joins at once
            kept = self.owner == desired.username
            self.enforce_pause = not kept or (self.leftover and desired.operator.pause.paused) or pause_unmet
        self.queue = spelling
        self.desired = desired
        self.leftover = False
        self.retry()

    def desire_nothing(self) -> None:
        """Nobody belongs there. It stays as it is until the next `step`: somebody else may take it over."""
        self.desired = None
        self._rejoining = False  # if it was, the removal under way is one for good, and told
        self._removals.end_wait()
        self.retry()

    def leftover_over(self) -> None:
        """Its operator did not come back in time: from here on it is one that nobody desires."""
        self.leftover = False

    def pause_to_make_real(self) -> None:
        """The request that would have seen to it is over, and the wish is not."""
        self.enforce_pause = True
        self.retry()

    def pause_made_real(self) -> None:
        """A request of the client saw to the pause of all queues."""
        self.enforce_pause = False

    def retry(self) -> None:
        """Forget that the last action failed."""
        self.refusal = ""

    # -- what Asterisk has --------------------------------------------------------------------------------

    def link_down(self) -> None:
        """Nothing is under way and nothing is known any more."""
        self._end_action()
        self._removals.end_wait()  # what there is when the link is back is compared at once
        self.known = False
        self._rejoining = False
        self._not_mended = None

    def state_was_read(self) -> None:
        """All members were read: `listed_as` follows, unless an action is under way that will say more."""
        self.known = True

    def listed_as(self, member: Member | None) -> None:
        """Note how Asterisk lists this member now; None: not at all."""
        self.actual = member
        if member is not None:
            self._unconfirmed = False
            self._removals.end_wait()

    def gone_unasked(self) -> None:
        """A list of all members does not have it, and nobody desires it: it needs no entry in the state file.

        But Asterisk may have added it after it made the list (`_unconfirmed`): then it is ours, and will
        be removed.
        """
        if not self._unconfirmed:
            self._disown()

    def observe(self, kind: str, member: Member | None) -> None:
        """Take over what an event or a list says about this member: None says that it is gone."""
        was_there = self.actual is not None
        self.listed_as(member)
        if kind == "removed":
            self._unconfirmed = False
            if was_there and (self._action is None or self._action.kind != "remove"):
                self._removed_unasked()
        if self._action is not None and self._action.saw_event(kind):
            self._finish()

    def _removed_unasked(self) -> None:
        """No removal of ours is under way. Who still belongs there is put back after a pause."""
        if self.desired is None:
            return
        if self._rejoining:  # the word of our own removal, after the time for its answer was over
            self.retry()
            self.step()
            return
        pause = self._removals.removed(self._put_back)
        who = f"{self.interface} ({self.desired.username})"
        self._context.removal_log.removed(self.key, self.queue, who, self._removals.times, pause)

    def _put_back(self) -> None:
        self.retry()
        self.step()
        self._context.settled(self)

    # -- the actions --------------------------------------------------------------------------------------

    def step(self) -> None:
        """Take the next action, if one is needed and possible."""
        if self.busy or self.refusal or not self.known or self._context.must_wait(self):
            return
        if self.desired is None:
            self._step_out()
        elif self.actual is None:
            if not self._removals.waiting:
                self._join()
        elif self.owner not in (None, self.desired.username) and self.actual.membership == "dynamic":
            # Reports and queue_log have the name that QueueAdd gave, and no action changes that.
            self._rejoin()
        elif self.owner is None and self.actual.membership == "dynamic":
            # It was there before us: added by hand or by another program, or kept by Asterisk's
            # `persistentmembers` after our state file was lost. It is taken over, so that the operator's
            # QUIT removes it.
            self._own()
            self.step()
        elif self._state_interface_differs():
            # No action changes it. Asterisk's database may have garbled it, or somebody added the phone by
            # hand: a Local member without one is `Not in use` while its phone talks, and rung again.
            self._not_mended = self.actual.state_interface
            self._rejoin()
        elif self._penalty_differs():
            self._set_penalty()
        elif self._pause_differs():
            self._pause()
        elif self.desired.operator.request is None:
            self.enforce_pause = False

    def _step_out(self) -> None:
        if self.leftover:
            return
        if self.actual is None and self._unconfirmed and self.owner is not None:
            self._remove()
        elif self.actual is None:
            self._disown()
        elif self.owner is not None and self.actual.membership == "dynamic" and self._context.removable(self):
            self._remove()
        elif self.actual.membership != "dynamic":
            self._disown()  # of queues.conf or realtime: Asterisk would answer `Member not dynamic`

    def _own(self, go: Callable[[], None] = lambda: None) -> None:
        """List it for the operator in the state file, then call `go`."""
        assert self.desired is not None
        self.owner = self.desired.username
        self._context.owned.add(self._member_key, self.owner, go)

    def _disown(self) -> None:
        """Asterisk has no such member any more, or it is not ours to remove."""
        if self.owner is not None:
            self.owner, self.leftover = None, False
            self._context.owned.drop(self._member_key)

    @property
    def _member_key(self) -> MemberKey:
        return self.key, self.interface

    def _join(self) -> None:
        action = self._begin("add")
        self._own(lambda: self._add(action))

    def _add(self, action: MembershipAction) -> None:
        """Name, penalty, pause and reason go in one action: nobody rings in between who is to be in pause."""
        if self._action is not action:  # the link was lost while the disk wrote
            return
        desired = self.desired
        if desired is None:
            self._finish()
            return
        presence, pause = desired.operator.presence, desired.operator.pause
        self._submit(
            action,
            actions.queue_add(
                self.queue,
                self.interface,
                penalty=desired.penalty,
                paused=pause.paused,
                reason=stored_text(pause.reason),
                member_name=stored_text(presence.full_name),
                # Without it a `Local/201@ctx` member is `Not in use` while its phone talks, and rung again.
                state_interface=presence.state_interface,
            ),
        )

    def _rejoin(self) -> None:
        self._rejoining = True
        self._remove()

    def _remove(self) -> None:
        self._submit(self._begin("remove"), actions.queue_remove(self.queue, self.interface))

    def _state_interface_differs(self) -> bool:
        assert self.desired is not None and self.actual is not None
        found = self.actual.state_interface
        if self.actual.membership != "dynamic" or found in (None, self._not_mended):
            return False
        # Added without one the interface itself is it (app_queue.c, create_queue_member).
        return found != kept(self.desired.operator.presence.state_interface or self.interface)

    def _penalty_differs(self) -> bool:
        assert self.desired is not None and self.actual is not None
        return (
            self.actual.membership == "dynamic"
            and self.actual.penalty is not None
            and self.actual.penalty != self.desired.penalty
        )

    def _pause_differs(self) -> bool:
        """A request of the client that is under way sees to the pause of all queues itself."""
        assert self.desired is not None and self.actual is not None
        if not self.enforce_pause or self.desired.operator.request is not None:
            return False
        return self.actual.paused != self.desired.operator.pause.paused

    def _set_penalty(self) -> None:
        assert self.desired is not None
        if not self._context.has_penalty:
            self._rejoin()
            return
        action = self._begin("penalty")
        self._submit(action, actions.queue_penalty(self.queue, self.interface, self.desired.penalty))

    def _pause(self) -> None:
        assert self.desired is not None
        pause = self.desired.operator.pause
        self._submit(
            self._begin("pause"),
            actions.queue_pause(
                self.interface, paused=pause.paused, reason=stored_text(pause.reason), queue=self.queue
            ),
        )

    def _read(self, after: ActionKind) -> None:
        self._submit(self._begin("read", after), actions.queue_status(self.queue))

    def _begin(self, kind: ActionKind, after: ActionKind | None = None) -> MembershipAction:
        action = self._action = MembershipAction(kind, after)
        return action

    def _submit(self, action: MembershipAction, ami_action: AmiAction) -> None:
        try:
            self._context.link.submit(ami_action, lambda outcome: self._answer(action, outcome))
        except ValueError as error:  # a name that cannot be written in an AMI line
            self._fail(str(error))

    # -- what comes back ----------------------------------------------------------------------------------

    def _answer(self, action: MembershipAction, outcome: ActionOutcome) -> None:
        if self._action is not action or outcome.failure == "down":
            return  # the loss of the link is told to everybody by `link_down`
        if outcome.failure == "timeout":
            self._unconfirmed |= action.kind == "add"  # a slow Asterisk may add it yet
            self._fail(NOT_ANSWERED)
        elif action.kind == "read" and outcome.ok:
            self._take_reading(action, find_member(outcome.events, self.queue, self.interface))
        elif outcome.ok:
            self._accept(action)
        else:
            self._refused(action, outcome.message)

    def _accept(self, action: MembershipAction) -> None:
        """The response says that it is done; who is told `200` also waits for the event that others see."""
        action.was_answered()
        if action.kind in ("add", "remove"):
            self._unconfirmed = action.kind == "add" and self.actual is None
        if action.kind == "penalty":
            # Its event is not awaited: QueueMemberPenalty is not sent by every version, and no client
            # hears of it.
            if self.actual is not None and self.desired is not None:
                self.actual = self.actual._replace(penalty=self.desired.penalty)
            self._finish()
        elif action.seen:
            self._finish()
        else:
            action.wait_for_event(self._context.link.later(EVENT_TIME, lambda: self._event_missing(action)))

    def _event_missing(self, action: MembershipAction) -> None:
        if self._action is action:
            self._read(action.kind)

    def _take_reading(self, action: MembershipAction, member: Member | None) -> None:
        self.listed_as(member)
        if action.after == "add" and member is None and self.desired is not None:
            self.refusal = Refusal.NOT_A_MEMBER.text()
        elif action.after == "remove" and member is not None:
            self.refusal = Refusal.STILL_A_MEMBER.text()
        elif action.after == "pause" and member is not None and self.desired is not None:
            self.enforce_pause = member.paused != self.desired.operator.pause.paused
            self.refusal = Refusal.PAUSE_WITHOUT_EFFECT.text() if self.enforce_pause else ""
        self._finish()

    def _refused(self, action: MembershipAction, message: str) -> None:
        """Some refusals say that it is so already. The words are app_queue's, the same from 1.4 to 22."""
        text = message.lower()
        if action.kind == "add" and "already there" in text:
            # Somebody else added it, perhaps with another penalty or pause: those are read, and repaired.
            self.enforce_pause = True
            self._read("add")
        elif action.kind == "remove" and ("not there" in text or "no such queue" in text):
            self.actual, self._unconfirmed = None, False
            self._finish()
        elif action.kind == "remove" and "not dynamic" in text and self.actual is not None:
            self.actual = self.actual._replace(membership="static")
            self._finish()
        elif action.kind == "penalty" and "unknown command" in text:
            self._context.penalty_is_unknown()
            self._finish()
        else:
            if action.kind == "add":
                self._disown()
            self._fail(short_reason(message))

    def _fail(self, reason: str) -> None:
        self.refusal = reason
        self._finish()

    def _finish(self) -> None:
        action = self._action
        self._end_action()
        if self.actual is not None and action is not None and action.kind != "remove":
            self._rejoining = False
        self.step()
        self._context.settled(self)

    def _end_action(self) -> None:
        action, self._action = self._action, None
        if action is not None:
            action.stop_waiting()
