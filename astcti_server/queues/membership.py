"""One interface's place in one queue: what is wanted, what Asterisk says, and the one action in between.

AMI thread only. A `Place` never has two actions under way. It waits for the event that belongs to its
action; if that does not come (somebody's event filter may hide it) it reads the queue's state instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from astcti_server.ami import actions
from astcti_server.queues.member import Member, find_member
from astcti_server.queues.membership_action import Errand, Kind
from astcti_server.queues.refusals import NOT_ANSWERED, short_reason
from astcti_server.queues.seated_operator import Wanted, plain_text
from schemas.configuration.model import queue_key
from schemas.protocol import Refusal

if TYPE_CHECKING:
    from astcti_server.ami.actions import Action
    from astcti_server.ami.link import Outcome
    from astcti_server.queues.ports import Ward

EVENT_TIME = 5.0  # seconds that an event may come after its action's response


class Place:
    """See the module. `step` does the next thing that brings Asterisk to what is wanted."""

    def __init__(self, queue: str, interface: str, ward: Ward) -> None:
        self.key = queue_key(queue)
        """By which the place is found: Asterisk does not mind the case of a queue's name."""
        self.queue = queue
        """The name as the configuration spells it, for actions and people."""
        self.interface = interface
        self._ward = ward
        self.wanted: Wanted | None = None
        self.actual: Member | None = None
        self.known = False
        """Whether `actual` may be trusted: not while the link is down or the state was not read."""
        self.owner: str | None = None
        """The user name it is listed for in the state file; None if it is not ours."""
        self.leftover = False
        """Ours from an earlier run; left alone until its operator logs in again or the time is over."""
        self.enforce_pause = False
        """True until the operator's pause wish was made real once; afterwards Asterisk is right."""
        self.refusal = ""
        """Why the last action failed; nothing is tried again before `retry`."""
        self.unconfirmed = False
        """Asterisk said that it added this member, but did not show it yet: it is removed all the same."""
        self.rejoining = False
        """Removed only to be added again at once: the client is not told."""
        self._errand: Errand | None = None

    def __repr__(self) -> str:
        return f"<{self.interface} in {self.queue}>"

    @property
    def busy(self) -> bool:
        return self._errand is not None

    @property
    def joined(self) -> bool:
        """A member, as wanted, with nothing left to do."""
        return self.known and self.wanted is not None and self.actual is not None and not self.unsettled

    @property
    def unsettled(self) -> bool:
        """On the way in or out, or between the two."""
        return self.busy or self.rejoining

    def retry(self) -> None:
        """Forget that the last action failed."""
        self.refusal = ""

    def forget_link(self) -> None:
        """The link is down: nothing is under way and nothing is known any more."""
        self._end_errand()
        self.known = False
        self.rejoining = False

    def step(self) -> None:
        """Take the next action, if one is needed and possible."""
        if self.busy or self.refusal or not self.known or self._ward.held(self):
            return
        if self.wanted is None:
            self._step_out()
        elif self.actual is None:
            self._join()
        elif self.owner not in (None, self.wanted.username) and self.actual.membership == "dynamic":
            self._rejoin()  # another operator's name stands in the reports until it is added anew
        elif self.owner is None and self.actual.membership == "dynamic":
            self._ward.list_before(self, lambda: None)
            self.step()
        elif self._penalty_differs():
            self._weigh()
        elif self._pause_differs():
            self._pause()
        elif self.wanted.attendance.request is None:
            self.enforce_pause = False

    def take(self, member: Member | None) -> None:
        """Note how Asterisk lists this member now; None: not at all."""
        self.actual = member
        if member is not None:
            self.unconfirmed = False

    def observe(self, kind: str, member: Member | None) -> None:
        """Take over what an event or a list says about this member: None says that it is gone."""
        self.take(member)
        if kind == "removed":
            self.unconfirmed = False
        errand = self._errand
        if errand is None:
            return
        if (errand.kind, kind) in {("add", "added"), ("remove", "removed"), ("pause", "paused")}:
            errand.seen = True
            if errand.answered:
                self._finish()

    # -- the actions --------------------------------------------------------------------------------------

    def _step_out(self) -> None:
        if self.leftover:
            return
        if self.actual is None and self.unconfirmed and self.owner is not None:
            self._remove()
        elif self.actual is None:
            self._disown()
        elif self.owner is not None and self.actual.membership == "dynamic" and self._ward.removable(self):
            self._remove()
        elif self.actual.membership != "dynamic":
            self._disown()

    def _disown(self) -> None:
        if self.owner is not None:
            self._ward.unlist(self)

    def _join(self) -> None:
        errand = self._errand = Errand("add")
        self._ward.list_before(self, lambda: self._add(errand))

    def _add(self, errand: Errand) -> None:
        if self._errand is not errand:
            return
        wanted = self.wanted
        if wanted is None:
            self._finish()
            return
        presence, pause = wanted.attendance.presence, wanted.attendance.pause
        self._submit(
            errand,
            actions.queue_add(
                self.queue,
                self.interface,
                penalty=wanted.penalty,
                paused=pause.paused,
                reason=pause.reason,
                member_name=plain_text(presence.full_name),
                state_interface=presence.state_interface,
            ),
        )

    def _rejoin(self) -> None:
        self.rejoining = True
        self._remove()

    def _remove(self) -> None:
        errand = self._errand = Errand("remove")
        self._submit(errand, actions.queue_remove(self.queue, self.interface))

    def _penalty_differs(self) -> bool:
        assert self.wanted is not None and self.actual is not None
        return (
            self.actual.membership == "dynamic"
            and self.actual.penalty is not None
            and self.actual.penalty != self.wanted.penalty
        )

    def _pause_differs(self) -> bool:
        """A request of the client that is under way sees to the pause of all queues itself."""
        assert self.wanted is not None and self.actual is not None
        if not self.enforce_pause or self.wanted.attendance.request is not None:
            return False
        return self.actual.paused != self.wanted.attendance.pause.paused

    def _weigh(self) -> None:
        assert self.wanted is not None
        if not self._ward.penalty_known:
            self._rejoin()
            return
        errand = self._errand = Errand("weigh")
        self._submit(errand, actions.queue_penalty(self.queue, self.interface, self.wanted.penalty))

    def _pause(self) -> None:
        assert self.wanted is not None
        pause = self.wanted.attendance.pause
        errand = self._errand = Errand("pause")
        self._submit(
            errand,
            actions.queue_pause(self.interface, paused=pause.paused, reason=pause.reason, queue=self.queue),
        )

    def _read(self, after: Kind) -> None:
        errand = self._errand = Errand("read", after=after)
        self._submit(errand, actions.queue_status(self.queue))

    # -- what comes back ----------------------------------------------------------------------------------

    def _submit(self, errand: Errand, action: Action) -> None:
        try:
            self._ward.link.submit(action, lambda outcome: self._answer(errand, outcome))
        except ValueError as error:  # a name that cannot be written in an AMI line
            self._fail(str(error))

    def _answer(self, errand: Errand, outcome: Outcome) -> None:
        if self._errand is not errand or outcome.failure == "down":
            return
        if outcome.failure == "timeout":
            self._fail(NOT_ANSWERED)
        elif errand.kind == "read" and outcome.ok:
            self._take_reading(errand, find_member(outcome.events, self.queue, self.interface))
        elif outcome.ok:
            self._accept(errand)
        else:
            self._refused(errand, outcome.message)

    def _accept(self, errand: Errand) -> None:
        errand.answered = True
        if errand.kind in ("add", "remove"):
            self.unconfirmed = errand.kind == "add" and self.actual is None
        if errand.kind == "weigh":
            if self.actual is not None and self.wanted is not None:
                self.actual = self.actual._replace(penalty=self.wanted.penalty)
            self._finish()
        elif errand.seen:
            self._finish()
        else:
            errand.timer = self._ward.link.later(EVENT_TIME, lambda: self._event_missing(errand))

    def _event_missing(self, errand: Errand) -> None:
        if self._errand is errand:
            errand.timer = None
            self._read(errand.kind)

    def _take_reading(self, errand: Errand, member: Member | None) -> None:
        self.take(member)
        if errand.after == "add" and member is None and self.wanted is not None:
            self.refusal = Refusal.NOT_A_MEMBER.text()
        elif errand.after == "remove" and member is not None:
            self.refusal = Refusal.STILL_A_MEMBER.text()
        elif errand.after == "pause" and member is not None and self.wanted is not None:
            self.enforce_pause = member.paused != self.wanted.attendance.pause.paused
            self.refusal = Refusal.PAUSE_WITHOUT_EFFECT.text() if self.enforce_pause else ""
        self._finish()

    def _refused(self, errand: Errand, message: str) -> None:
        text = message.lower()
        if errand.kind == "add" and "already there" in text:
            self.enforce_pause = True
            self._read("add")
        elif errand.kind == "remove" and ("not there" in text or "no such queue" in text):
            self.actual, self.unconfirmed = None, False
            self._finish()
        elif errand.kind == "remove" and "not dynamic" in text and self.actual is not None:
            self.actual = self.actual._replace(membership="static")
            self._finish()
        elif errand.kind == "weigh" and "unknown command" in text:
            self._ward.penalty_known = False
            self._finish()
        else:
            if errand.kind == "add":
                self._disown()
            self._fail(short_reason(message))

    def _fail(self, reason: str) -> None:
        self.refusal = reason
        self._finish()

    def _finish(self) -> None:
        errand = self._errand
        self._end_errand()
        if self.actual is not None and errand is not None and errand.kind != "remove":
            self.rejoining = False
        self.step()
        self._ward.settled(self)

    def _end_errand(self) -> None:
        errand, self._errand = self._errand, None
        if errand is not None and errand.timer is not None:
            errand.timer.cancel()
