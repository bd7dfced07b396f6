"""Keeps every call of the PBX as an object and says what the seats are to be told.

Telephone events in, notifications out; no I/O, and no clock but the one it is given. AMI thread only, except
that any thread may ask the call table how many calls there are. An event about an unknown channel makes the
channel: that is normal after attaching to a running PBX.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import Any, Literal

from astcti_server.ami import vocabulary as ami
from astcti_server.calls import dialling
from astcti_server.calls.gap import Gap
from astcti_server.calls.model import AsteriskCall, Leg, Party
from astcti_server.calls.notification import Notification
from astcti_server.calls.notifier import Notifier, OperatorsByPhone
from astcti_server.calls.originations import Originations
from astcti_server.calls.pairing import Pairing
from astcti_server.calls.ringing import Ringing
from astcti_server.calls.seat_legs import SeatLegs
from astcti_server.calls.seat_view import end_of_called, end_of_leg
from astcti_server.calls.table import CallTable, MissingCallError
from astcti_server.calls.trail_notes import facts_of, note_variable
from astcti_server.explain.call_trails import CallTrails
from astcti_server.explain.trail import PartyRecord, snapshot
from schemas.configuration.model import Configuration
from schemas.events import MOMENT_OF, CallEvent, Cause
from schemas.explanation.codes import TrailStep
from schemas.protocol import TriggerFailure

logger = logging.getLogger(__name__)

OUTGOING_LINE = "(Outgoing Line)"  # what AppDial and AppQueue say of a called phone: no step of a dialplan
NOWHERE = ("", "s")  # where Asterisk says that a phone is while it rings for an originated call
_ENTERED = TrailStep.ENTERED.value
_SEATED = TrailStep.SEATED.value
_NOT_DELIVERED = TrailStep.NOT_DELIVERED.value
_RESUMED = TrailStep.RESUMED.value
_SHOWN = TrailStep.SHOWN.value
_ON_SCREEN = TrailStep.ON_SCREEN.value
_TRIGGER_REFUSED = TrailStep.TRIGGER_REFUSED.value


class Tracker:
    """The state of all calls. `handle` takes one event and returns what to tell.

    `clock` tells seconds and only goes forward; asked when triggers of a ring or an answer are due.
    """

    def __init__(
        self,
        operators: OperatorsByPhone,
        clock: Callable[[], float] = time.monotonic,
        trails: CallTrails | None = None,
        had: Callable[[str, str, str], None] | None = None,
    ) -> None:
        """`had` is told when the pop-up of an answer is first known to have reached its operator: the seat's
        extension, and the first ids of its leg and of the other party. For who tells the same story again.
        """
        self.trails = trails if trails is not None else CallTrails()
        self._operators = operators
        self._clock = clock
        self._had = had
        self.table = CallTable()
        self.originations = Originations()
        self.triggers_failed = {failure.value: 0 for failure in TriggerFailure}
        """How many were not carried out, by reason. Any thread may read it."""
        self._notifier = Notifier(operators, clock)
        self._pairing = Pairing(self.table, self._notifier)
        self._ringing = Ringing(self.table, self._notifier, self._call, self.trails)
        self._legs = SeatLegs(self.trails)
        self._masquerades: dict[str, AsteriskCall] = {}
        self._rang: set[Party] = set()
        """Who rang when the link was lost, until the channels are read again."""
        self._inbound_contexts: frozenset[str] = frozenset()
        self._outbound_contexts: frozenset[str] = frozenset()
        self._methods: dict[type, Callable[[Any], None]] = {
            ami.Newchannel: self._newchannel,
            ami.Newstate: self._newstate,
            ami.Dial: self._ringing.dial,
            ami.DialEnd: self._ringing.dial_end,
            ami.Newexten: self._newexten,
            ami.VariableSet: self._variable_set,
            ami.VariablesUnset: self._variables_unset,
            ami.Link: self._link,
            ami.Unlink: self._unlink,
            ami.Rename: self._rename,
            ami.Hangup: self._hangup,
            ami.HangupRequest: self._hangup_request,
            ami.RingNoAnswer: self._ringing.no_answer,
            ami.OriginateResponse: self._originate_response,
            ami.QueueCaller: self._ringing.queue_caller,
            ami.QueueServed: self._ringing.queue_served,
            ami.AgentCalled: self._ringing.agent_called,
            ami.Pickup: self._ringing.pickup,
            ami.Parked: self._ringing.parked,
            ami.Unparked: self._ringing.unparked,
        }

    def configure(self, configuration: Configuration, *, all_calls: bool) -> None:
        """Use another configuration from now on. Running calls keep the service they matched."""
        self._notifier.configure(configuration, all_calls=all_calls)
        enabled = [service for service in configuration.services if service.enabled]
        self._inbound_contexts = frozenset(
            service.context for service in enabled if service.type == "inbound"
        )
        self._outbound_contexts = frozenset(
            service.context for service in enabled if service.type == "outbound"
        )
        self._legs.configure(configuration.seat_by_extension, self.table.all())

    def handle(self, event: ami.TelephoneEvent) -> list[Notification]:
        """Take in one event; returns the notifications that it causes, in order."""
        self._take_in(event)
        return self._notifier.take()

    def seated(self, extension: str, *, resumes: bool = False) -> list[Notification]:
        """Somebody sat down at a phone: what a client must know of the calls that the phone is in.

        `resumes`: the client says RESUME, knows which triggers it carried out, and says what it has shown.
        Then a Link with triggers is told in full, not as a repeat, where the operator may lack its pop-up:
        the two are still connected, it was due to this operator here, less than `KEPT_FOR` seconds ago, and
        neither `written` nor `shown` was told of it. Until somebody else sits down there, conversations that
        are found when the channels are read are told in full, too.
        """
        self._notifier.seated(extension, resumes=resumes)
        for leg in self._legs.of(extension):
            leg.trail.add(_SEATED, self._operators().get(extension, ""))
            together = [(other, pair) for other, pair in leg.party.pairs.items() if pair.connected]
            for other, pair in together:
                self._notifier.notify_seated(leg, other, pair)
            if not together and leg.ringing:
                self._notifier.notify(leg, "Newstate")
                leg.begin_anew()
                self._ringing.tell_caller(leg)
        return self._notifier.take()

    def running_trails(self) -> list[PartyRecord]:
        """What was decided so far of every party that has a trail and is there."""
        parties = [call.party for call in self.table.all()]
        return [snapshot(facts_of(party), party.trail) for party in parties if party.trail is not None]

    def trail_of(self, extension: str, uniqueid: str) -> list[PartyRecord]:
        """The trail of a seat's leg, and of whom it concerns, as far as they are there; the leg's first."""
        leg = self._legs.known_as(extension, uniqueid)
        if leg is None:
            return []
        own = leg.party
        concerned = dict.fromkeys([own, *own.path, *own.pairs, *([own.caller] if own.caller else [])])
        return [
            snapshot(facts_of(party), party.trail)
            for party in concerned
            if party.live and party.trail is not None
        ]

    def trails_with(self, uniqueids: Iterable[str]) -> list[PartyRecord]:
        """The trails of parties that are there, by their first ids; not of those a masquerade moved."""
        calls = [call for uniqueid in uniqueids if (call := self.table.find(uniqueid)) is not None]
        return [
            snapshot(facts_of(call.party), call.party.trail) for call in calls if call.party.trail is not None
        ]

    def not_delivered(self, notification: Notification) -> None:
        """A notification did not get to the client: its session is over, and nobody came back for it."""
        self._note_delivery(notification, _NOT_DELIVERED)

    # -- what became of it at the client -------------------------------------------------------------------

    def written(self, notification: Notification) -> None:
        """An event with triggers went to a client that never says what became of it."""
        self._reached(notification.extension, notification.event)

    def resumed(self, notification: Notification) -> None:
        """An event with triggers that was missed goes to its operator now: his client is back."""
        self._note_delivery(notification, _RESUMED)

    def shown(self, extension: str, event: CallEvent, milliseconds: float | None) -> None:
        """The client at a phone says that an event is on the screen and its triggers are carried out.

        `milliseconds`: from the arrival of the event's line to that; None if it does not say.
        """
        self._reached(extension, event)
        moment = MOMENT_OF.get(event.id, "")
        if milliseconds is None:
            self._note(extension, event, _ON_SCREEN, moment)
        else:
            self._note(extension, event, _SHOWN, f"{milliseconds:.0f}", moment)

    def trigger_failed(self, extension: str, event: CallEvent, key: str, reason: str) -> None:
        """The client at a phone says that it did not carry out the event's trigger with this key.

        `reason`: a `TriggerFailure`; any other word counts as the one that says no more.
        """
        self._reached(extension, event)
        if reason not in self.triggers_failed:
            reason = TriggerFailure.FAILED.value
        self.triggers_failed[reason] += 1
        self._note(extension, event, _TRIGGER_REFUSED, reason, MOMENT_OF.get(event.id, ""))

    def pop_up_had(self, extension: str, uniqueid: str, other: str) -> bool:
        """The pop-up of an answer reached its operator: the seat, its leg, the other party. True if news."""
        leg = self._legs.known_as(extension, uniqueid)
        pop_up = leg.pop_ups.get(other) if leg is not None else None
        return pop_up is not None and pop_up.reached()

    def is_over(self, extension: str, uniqueid: str) -> bool:
        """Whether no leg of the seat is known by this id, or not any more."""
        return self._legs.known_as(extension, uniqueid) is None

    def _reached(self, extension: str, event: CallEvent) -> None:
        """The pop-up of an answer reached its operator, as far as can be known."""
        if event.id != "Link" or event.call.connected is None:
            return
        pair = (extension, event.call.uniqueid, event.call.connected.uniqueid)
        if self.pop_up_had(*pair) and self._had is not None:
            self._had(*pair)

    def _note_delivery(self, notification: Notification, code: str) -> None:
        """Into the trail of its leg, with whose client it is about."""
        extension, event = notification
        leg = self._legs.known_as(extension, event.call.uniqueid)
        if leg is not None:
            leg.trail.add(code, leg.operator, event.id)
        elif facts := self.trails.facts_of_ended(extension, event.call.uniqueid):
            self.trails.add_to_ended(extension, event.call.uniqueid, code, facts.operator, event.id)

    def _note(self, extension: str, event: CallEvent, code: str, *arguments: str) -> None:
        """Into the leg's trail, also when the call is over: what is said of a hang-up always comes then."""
        leg = self._legs.known_as(extension, event.call.uniqueid)
        if leg is not None:
            leg.trail.add(code, *arguments)
        else:
            self.trails.add_to_ended(extension, event.call.uniqueid, code, *arguments)

    # -- who asks ------------------------------------------------------------------------------------------

    def seats_in_calls(self) -> tuple[int, int]:
        """How many seats' phones are in a call with somebody, and how many more ring."""
        return self._legs.count()

    def phones_in_use(self) -> dict[str, Literal["ringing", "talking"]]:
        """What each seat's phone does that is in a call or rings, by extension."""
        return self._legs.in_use()

    def leg_of(self, extension: str, uniqueid: str) -> Leg | None:
        """The seat's leg that its client knows by this id; None if that is not, or no longer, its own."""
        return self._legs.known_as(extension, uniqueid)

    def leg_asked_for(self, extension: str) -> Leg | None:
        """The seat's newest leg that its client asked for, unless somebody has answered."""
        legs = self._legs.of(extension)
        return next((leg for leg in reversed(legs) if leg.asked and not leg.linked), None)

    def link_lost(self) -> None:
        """From now on nothing is heard. What was originated for somebody here will not be answered."""
        self.originations.clear()
        self._rang |= self._ringing_for_an_answer()

    @property
    def awaits_channels(self) -> bool:
        """Whether `read_again` or `channels_unread` is still to come since `await_channels`."""
        return self._pairing.awaits_channels

    def await_channels(self) -> None:
        """Logged in again, and the list of channels is asked for.

        What is heard before it may concern calls whose variables, queue or caller were told while nothing
        was heard. So a conversation that begins is told by `read_again`, with what the list says of it.
        """
        self._pairing.await_channels()

    def channels_unread(self) -> list[Notification]:
        """The list of channels does not come, or not in time: tell what began without it."""
        self._pairing.channels_unread(self.table.all())
        return self._notifier.take()

    def read_again(
        self, events: Iterable[ami.TelephoneEvent], *, unheard: float | None = None, late_pop_up: float = 0.0
    ) -> list[Notification]:
        """Replace what is known by the PBX's own list of channels, after the connection came back.

        `events` say every channel that lives, its edges and variables. Calls that are not among them have
        ended meanwhile. A pair found connected gets a pop-up only if it is news (`Gap`): `unheard` are the
        seconds for which nothing was heard, and `late_pop_up` those that a call may be answered already
        where the client does not resume; without the first only who was known to ring counts, however late.
        """
        if unheard is None:
            self._notifier.begin()
        events = list(events)
        living = {event.uniqueid: event for event in events if isinstance(event, ami.Newchannel)}
        for call in self.table.all():
            if call.uniqueid not in living:
                self._end_unheard(call)
        # What came since the login, before the list, may say of one that rang that it is up now.
        rang, self._rang = self._rang | self._ringing_for_an_answer(), set()
        ages = {event.uniqueid: event.age for event in living.values() if event.age is not None}
        self.table.forget_links()
        gap = Gap(rang, ages, now=self._clock(), unheard=unheard, late_pop_up=late_pop_up)
        with self._pairing.reading_state(gap):
            for event in events:
                self._take_in(event)
            self._pairing.review(call for call in self.table.all() if not call.is_local)
        self._ringing.found_ringing(self.table.all())
        return self._notifier.take()

    def hung_up_unheard(self, uniqueid: str) -> list[Notification]:
        """Asterisk does not have this channel any more: end it as its hang-up would have."""
        call = self.table.find(uniqueid)
        if call is not None:
            self._end_unheard(call)
        return self._notifier.take()

    def _ringing_for_an_answer(self) -> set[Party]:
        return {call.party for call in self.table.all() if call.state == "Ringing" and not call.party.pairs}

    def _end_unheard(self, call: AsteriskCall) -> None:
        self._hangup(ami.Hangup(call.uniqueid, call.channel, 0, "Unknown"))

    def queues_read(self, waiting: Iterable[ami.QueueCaller]) -> list[Notification]:
        """Take in who waits in the queues, all of them, after `read_again`."""
        self._ringing.queues_read(waiting)
        return self._notifier.take()

    def _take_in(self, event: ami.TelephoneEvent) -> None:
        method = self._methods.get(type(event))
        if method is None:
            return
        try:
            method(event)
        except MissingCallError as missing:
            logger.debug("%s is gone already: %r", missing, event)

    # -- channels ------------------------------------------------------------------------------------------

    def _call(self, uniqueid: str, channel: str) -> AsteriskCall:
        call = self.table.find(uniqueid)
        if call is None:
            if self.table.is_gone(uniqueid):
                raise MissingCallError(uniqueid)
            call = self.table.add(uniqueid, channel)
            self._legs.make(call.party)
            if call.party.leg is not None:
                self.originations.phone_began(call.party)
        return call

    def _newchannel(self, event: ami.Newchannel) -> None:
        known = self.table.find(event.uniqueid) is not None
        call = self._call(event.uniqueid, event.channel)
        if call.channel != event.channel:
            self.table.rename(call, event.channel)
        party = call.party
        call.enter_state(event.state)
        party.identify(event.number, event.name, event.linkedid)
        if self._pairing.reading and not party.served and event.context not in ("", party.context):
            party.forget_queue()  # who waits stays in its context; else the list of queues will say so
        if call.is_local and (root := self.table.find(event.linkedid)) is not None:
            root.party.gain_local()
        if call.state == "Ring":
            party.begin_call()
        elif self._pairing.reading and call.state == "Up":
            # Nobody saw how it began: the call's first channel, or one that runs a dialplan, is the caller's.
            began = event.linkedid == event.uniqueid if event.linkedid else bool(event.context)
            if began:
                party.begin_call()
        if party.calling or call.is_local:
            party.enter(event.context, event.exten)
            if not known:
                self._note_entered(party, event.context)
            self._note_services(party, event.context)
        if party.leg is not None and not known:
            self._notifier.notify(party.leg, "Newchannel")

    def _newstate(self, event: ami.Newstate) -> None:
        if not event.state and self.table.find(event.uniqueid) is None:
            return
        call = self._call(event.uniqueid, event.channel)
        party = call.party
        changed = call.enter_state(event.state)
        if event.caller_shown and not party.calling and event.state != "Ring":
            # Up to 1.6 a ringing phone's caller ID is its caller's; from 1.8 on it is its own (UPGRADE.txt).
            party.see_connected(event.number, event.name)
            party.identify("", "", event.linkedid)
        else:
            party.identify(event.number, event.name, event.linkedid)
        party.see_connected(event.connected_number, event.connected_name)
        if event.state == "Ring":
            party.ring_out()
        if party.calling and event.context:
            self._enter(party, event.context, event.exten)
        if not self._pairing.reading:
            self._ringing.state_changed(call, changed=changed)

    # -- dialplan and queues -------------------------------------------------------------------------------

    def _newexten(self, event: ami.Newexten) -> None:
        call = self._call(event.uniqueid, event.channel)
        if event.appdata == OUTGOING_LINE:
            return
        party = call.party
        if not party.dialled and call.state not in ("Down", "Ringing"):
            party.begin_call()
        party.go_on()
        self._enter(party, event.context, event.exten, step=True)

    def _enter(self, party: Party, context: str, exten: str, *, step: bool = False) -> None:
        elsewhere = party.enter(context, exten)
        self._note_services(party, context, step=step)
        if elsewhere:
            self._note_entered(party, context)
            self._ringing.caller_went_on(party)

    def _note_entered(self, party: Party, context: str) -> None:
        """It came into another context; of who enters one of a service the trail begins here."""
        if context in self._inbound_contexts or context in self._outbound_contexts:
            if party.trail is None:
                party.begin_trail(self.trails.begin)
            if party.trail is not None:
                party.trail.add(_ENTERED, context, party.contexts.get(context, ""))

    def _note_services(self, party: Party, context: str, *, step: bool = False) -> None:
        if context in self._inbound_contexts:
            party.reach_service()
        if context in self._outbound_contexts:
            party.call_out(step=step)

    def _variable_set(self, event: ami.VariableSet) -> None:
        party = self._call(event.uniqueid, event.channel).party
        news = party.set_variable(event.name, event.value)
        if not news or self._pairing.reading:
            return
        note_variable(party, event.name, event.value)
        for end in _who_shows_data_of(party):
            leg = end.leg
            if leg is not None and self._declares(leg, event.name):
                self._notifier.notify(leg, "Newexten")

    def _variables_unset(self, event: ami.VariablesUnset) -> None:
        call = self.table.find(event.uniqueid)
        if call is None or not call.party.variables:  # of most channels nothing was known
            return
        for name, visible in event.variables:
            call.party.unset_variable(name, visible)

    def _declares(self, leg: Leg, name: str) -> bool:
        return leg.service is None or name in leg.service.variables

    # -- conversations -------------------------------------------------------------------------------------

    def _link(self, event: ami.Link) -> None:
        first = self._call(event.uniqueid1, event.channel1)
        second = self._call(event.uniqueid2, event.channel2)
        if not first.link(second):
            return
        if not self._pairing.reading:
            self._ringing.linked(first)
            self._ringing.linked(second)
            self._pairing.review(self._pairing.touched(first, second))

    def _unlink(self, event: ami.Unlink) -> None:
        first, second = self.table.find(event.uniqueid1), self.table.find(event.uniqueid2)
        if first is None or second is None or second not in first.links:
            return
        touched = self._pairing.touched(first, second)
        first.unlink(second)
        self._pairing.review(touched)

    def _rename(self, event: ami.Rename) -> None:
        call = self.table.find(event.uniqueid)
        if call is None:
            return
        touched = self._pairing.touched(call)
        self.table.rename(call, event.new)
        if event.new == f"{event.old}<MASQ>":
            self._masquerades[event.old] = call
        elif event.new in self._masquerades:
            clone = self._masquerades.pop(event.new)
            # As the third Rename will say: what is told meanwhile names who is there, not who was.
            self.table.rename(clone, f"{event.old}<ZOMBIE>")
            dialling.masquerade(self.table, clone, call)
        self._pairing.review(dict.fromkeys([*touched, *self._pairing.touched(call)]))

    def _hangup_request(self, event: ami.HangupRequest) -> None:
        call = self.table.find(event.uniqueid)
        if call is not None:
            call.party.ask_to_leave()

    def _hangup(self, event: ami.Hangup) -> None:
        call = self.table.find(event.uniqueid)
        if call is None:
            return
        party = call.party
        # Who heard somebody through a Local channel may hear him no longer; a phone's own pairs end here.
        touched = self._pairing.touched(call) if call.is_local else ()
        if party.pairs:
            self._pairing.hang_up(party)
        cause = None
        if party.leg is not None:
            cause = Cause(
                event.cause,
                end_of_leg(party.leg, event),
                event.cause_text,
                end_of_called(party.leg, event.cause),
            )
            self._notifier.notify(party.leg, "Hangup", cause=cause)
        if party.trail is not None:
            facts = facts_of(party, "" if cause is None else cause.end)
            self.trails.end(facts, party.trail, event.cause, event.cause_text)
        self._legs.forget(party)
        self.table.remove(call)
        if self._masquerades:
            self._masquerades = {
                name: clone for name, clone in self._masquerades.items() if clone is not call
            }
        if party.caller is not None and party.caller.leg is not None:
            party.caller.leg.end_called(event.cause)
        party.hang_up()
        self._ringing.gone(party)
        if touched:
            self._pairing.review(touched)
        call.end()

    def _originate_response(self, event: ami.OriginateResponse) -> None:
        failed = event.response != "Success"
        phone = self.originations.end_at_phone(event.action_id, event.reason) if failed else ""
        known = self.originations.take(event.action_id)
        if known is None:
            return
        call = self.table.find(event.uniqueid)
        leg = call.party.leg if call is not None and event.response == "Success" else None
        if leg is not None:
            leg.party.originate()
            leg.ask()
            if leg.party.exten in NOWHERE:  # the first step of the dialplan may be told later
                leg.party.enter(known.context, known.exten)
        if known.told:
            self._notifier.notify_origination(known, leg, event, phone)


def _who_shows_data_of(party: Party) -> Iterable[Party]:
    """Itself, whom it rings and whom it hears, each once."""
    if not party.callees and not party.pairs:
        return (party,)
    return dict.fromkeys((party, *party.callees, *party.heard()))
