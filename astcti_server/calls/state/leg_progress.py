"""How far a seat's phone is in its call, and what its client was told. AMI thread only."""

from __future__ import annotations

from typing import Final, NamedTuple

from astcti_server.calls.state.call_ends import NO_CAUSE
from astcti_server.calls.state.pop_up import PopUp
from schemas.configuration.model import Service, Trigger, queue_key
from schemas.events import EventId

MOST_HELD_BACK: Final = 32  # events of one ringing leg whose service is not known yet; a normal ring has four


class RingTrigger(NamedTuple):
    """One trigger of the moment `ring`, at one seat, for who sits there.

    A service is the one of its context and queue, whatever it is called, and a trigger what it does: so both
    are known again after a configuration was loaded. Of several that do the same, `which` counts.
    """

    extension: str
    username: str
    context: str
    queue: str
    trigger: Trigger
    which: int

    @classmethod
    def of(cls, leg: LegProgress, service: Service, index: int) -> RingTrigger:
        """The trigger with this index, for the ring of this leg."""
        trigger = service.triggers[index]
        which = service.triggers[:index].count(trigger)
        return cls(leg.extension, leg.operator, service.context, queue_key(service.queue), trigger, which)


class LegProgress:
    """The ring of a seat's phone and its client's knowledge of it. Who else takes part, `Leg` knows."""

    __slots__ = (
        "answers_before",
        "asked",
        "awaits_caller",
        "called_cause",
        "called_status",
        "callerid_told",
        "dial_status",
        "extension",
        "held_back",
        "missed",
        "opened",
        "operator",
        "pop_ups",
        "ringing",
    )

    def __init__(self, extension: str) -> None:
        self.extension = extension
        self.operator = ""
        """The user name for whom the leg's service was found."""
        self.held_back: list[tuple[EventId, str]] = []
        """Events whose service is not known yet, each with the phone's state then."""
        self.callerid_told = False
        self.awaits_caller = False
        """It rings, and who rings it is still to be told."""
        self.ringing = False
        self.answers_before = 0
        """The caller's `answers` when this phone began to ring, and its own one."""
        self.dial_status = ""
        self.asked = False
        """Its client asked for this call, and its phone took part."""
        self.called_cause, self.called_status = NO_CAUSE, ""
        """How the last attempt ended to reach the number that it calls."""
        self.missed = False
        self.opened: set[tuple[str, str, int, str, str]] = set()
        """Triggers sent: service and context, index of the trigger, first id of the other party, operator."""
        self.pop_ups: dict[str, PopUp] = {}
        """The triggers of its answers, the last ones for each other party, by its first id."""

    # -- its ring ------------------------------------------------------------------------------------------

    def dial(self, *, ringing: bool) -> None:
        """It is dialled (again): how an attempt before this one ended does not count any more."""
        self.ringing = ringing
        self.dial_status = ""

    def ring(self) -> None:
        """It rings."""
        self.ringing = True

    def end_dial(self, status: str) -> None:
        """Asterisk says how the attempt ended. The first word counts: a queue says NOANSWER, then CANCEL."""
        if not self.dial_status:
            self.dial_status = status

    def ask(self) -> None:
        """Its client asked for this call."""
        self.asked = True

    def call_again(self) -> None:
        """It calls somebody (again): how an attempt before this one ended does not count any more."""
        self.called_cause, self.called_status = NO_CAUSE, ""

    def end_attempt(self, status: str) -> None:
        """Whom it called did not take the call, or did; the DialStatus."""
        self.called_status = status

    def end_called(self, cause: int) -> None:
        """Whom it called is gone, with this cause."""
        self.called_cause = cause

    def miss(self) -> None:
        """A queue gave up ringing it."""
        self.missed = True

    def own_answer(self) -> None:
        """The phone itself answered: that is no answer elsewhere."""
        self.answers_before += 1

    def tell_caller(self) -> None:
        """The client is told who rings, once per ring."""
        self.callerid_told, self.awaits_caller = True, False

    def await_caller(self) -> None:
        """It rings, and the event that says who rings it is on its way."""
        self.awaits_caller = True

    def begin_anew(self) -> None:
        """Another client sits there now, who was told nothing of this ring."""
        self.callerid_told = False

    # -- what its client is sent ---------------------------------------------------------------------------

    def hold_back(self, event: EventId, state: str) -> bool:
        """Keep an event until the service is known, with the state that the phone is in now.

        False if there are too many already: this one is thrown away.
        """
        if len(self.held_back) >= MOST_HELD_BACK:
            return False
        self.held_back.append((event, state))
        return True

    def take_held_back(self) -> list[tuple[EventId, str]]:
        """The events that were held back, in order; none is left."""
        held_back, self.held_back = self.held_back, []
        return held_back

    def open_once(self, service: Service, index: int, party: str) -> bool:
        """Whether this operator was not sent a trigger for this party before; from now on he was."""
        key = (service.name, service.context, index, party, self.operator)  # names may be given twice
        if key in self.opened:
            return False
        self.opened.add(key)
        return True

    def pop_up_sent(self, party: str, pop_up: PopUp) -> None:
        """These triggers were sent for its conversation with this party, by its first id."""
        self.pop_ups[party] = pop_up
