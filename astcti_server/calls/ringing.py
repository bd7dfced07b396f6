"""Phones that ring: who rings them, from which queue, and when their seats hear of the caller.

AMI thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from astcti_server.ami import vocabulary as ami
from astcti_server.calls import dialling
from astcti_server.calls.model import AsteriskCall, Leg, Party
from astcti_server.calls.notifier import Notifier
from astcti_server.calls.seat_view import direction_of
from astcti_server.calls.table import CallTable
from astcti_server.explain.call_trails import CallTrails
from schemas.configuration.model import same_queue
from schemas.explanation.codes import TrailStep

_RINGS = TrailStep.RINGS.value
_RING_TOLD = TrailStep.RING_TOLD.value
_RING_ENDED = TrailStep.RING_ENDED.value
_JOINED_QUEUE = TrailStep.JOINED_QUEUE.value
_LEFT_QUEUE = TrailStep.LEFT_QUEUE.value

EnsureCall = Callable[[str, str], AsteriskCall]
"""The call of a Uniqueid and channel name, made if it is not known."""


class Ringing:
    """Handles the events of dialling and of queues."""

    def __init__(self, table: CallTable, notifier: Notifier, ensure: EnsureCall, trails: CallTrails) -> None:
        self._table = table
        self._trails = trails
        self._notifier = notifier
        self._ensure = ensure
        self._queue_callers = dialling.QueueCallers()

    def dial(self, event: ami.Dial) -> None:
        """One channel rings another. Both ends' seats hear it."""
        source = self._ensure(event.source, event.source_channel).party if event.source else None
        destination = self._ensure(event.destination, event.destination_channel).party
        if source is not None:
            self._take_place(source, destination)
        dialling.dial(self._table, source, destination, event.linkedid)
        self._tell_behind(destination)
        if destination.source is None:
            return
        leg = destination.leg
        if leg is not None:
            leg.dial(ringing=destination.call.state == "Ringing")
        caller = dialling.find_caller(self._table, destination)
        if leg is None and caller is not None and caller.trail and not destination.call.is_local:
            caller.trail.add(_RINGS, destination.device)
        if destination.call.state == "Up" and not destination.call.is_local:
            destination.answer_again()  # picked up: the phone that rang before has lost
        if leg is not None:
            self._notifier.notify(leg, "Dial")
            self.tell_caller(leg)
        if caller is not None and caller.leg is not None and not destination.call.is_local:
            caller.leg.call_again()
            caller.leg.show(destination)
            self._notifier.notify(caller.leg, "Dial", other=destination)
        if source is not None:
            self._tell_behind(source)

    def dial_end(self, event: ami.DialEnd) -> None:
        """An attempt ended; ANSWER may come before the phone is seen to be up."""
        call = self._table.find(event.destination)
        if call is None:
            return
        if event.status == "ANSWER" and not call.is_local:
            if self._rung_by_another(event, call.party):
                # Picked up. Asterisk 16 leaves out that the picker was dialled, and may say Pickup later.
                self.dial(ami.Dial(*event[:4], "", "", ""))
            call.party.answer()
        call.party.end_ring(event.status)
        caller = call.party.caller
        if caller is not None and caller.leg is not None:
            caller.leg.end_attempt(event.status)
        if call.party.leg is not None:
            call.party.leg.end_dial(event.status)
            call.party.leg.trail.add(_RING_ENDED, event.status)

    def no_answer(self, event: ami.RingNoAnswer) -> None:
        """A queue gave up on a member."""
        call = self._table.of_event(event.destination, event.destination_channel)
        if call is None:
            return
        call.party.end_ring("NOANSWER")
        if call.party.leg is not None:
            call.party.leg.miss()
            call.party.leg.trail.add(_RING_ENDED, "NOANSWER")

    def queue_caller(self, event: ami.QueueCaller) -> None:
        """A caller entered or left a queue."""
        call = self._table.named(event.channel) if not event.uniqueid else None
        if call is None and not event.uniqueid:
            return  # 1.4 lists queue callers by name, and this one is gone
        party = (call or self._ensure(event.uniqueid, event.channel)).party
        if event.waiting:
            if same_queue(party.queue, event.queue) and not party.queue_left:
                return
            self._waits(party, event.queue)
        else:
            if not same_queue(party.queue, event.queue):
                party.join_queue(event.queue)  # without a word, as in `agent_called`
            self._left(party)

    def queue_served(self, event: ami.QueueServed) -> None:
        """A caller whose way to the conversation nobody saw: a queue led there."""
        party = self._ensure(event.uniqueid, event.channel).party
        if not party.queue:
            party.be_served_by(event.queue)

    def queues_read(self, waiting: Iterable[ami.QueueCaller]) -> None:
        """These callers wait in queues, and nobody else: the others left while nothing could be heard."""
        uniqueids, channels = set(), set()
        for event in waiting:
            self.queue_caller(event)
            uniqueids.add(event.uniqueid)
            channels.add(event.channel)
        for party in self._queue_callers.all():
            if party.call.uniqueid not in uniqueids and party.call.channel not in channels:
                self._left(party)

    def agent_called(self, event: ami.AgentCalled) -> None:
        """A queue rings a member: where no Dial says so, this does."""
        member = self._table.of_event(event.destination, event.destination_channel)
        caller = self._table.of_event(event.caller, event.caller_channel)
        if caller is not None and event.queue and not same_queue(caller.party.queue, event.queue):
            # Joined without a word: a transfer into a running Queue() (Asterisk 12 and later) sends no Join.
            self._waits(caller.party, event.queue)
        if member is None or caller is None or member.party.source is not None:
            return
        member.party.called_from_queue(caller.party)
        dialling.pass_queue_on(self._table, member.party)
        dialling.find_caller(self._table, member.party)
        if member.party.leg is not None:
            self._notifier.service_may_be_known(member.party.leg)
            self.tell_caller(member.party.leg)
        self._tell_behind(member.party)

    def pickup(self, event: ami.Pickup) -> None:
        """A phone takes the call that rings at another one: it is rung by that caller now."""
        picker = self._table.of_event(event.picker, event.picker_channel)
        target = self._table.of_event(event.target, event.target_channel)
        if picker is None or target is None or target.party.caller is None:
            return
        picker.party.pick_up(target.party.caller, target.party.path)
        picker.party.answer_again()

    def parked(self, event: ami.Parked) -> None:
        """Somebody was put into a parking place."""
        call = self._table.of_event(event.uniqueid, event.channel)
        if call is not None:
            call.party.park()

    def unparked(self, event: ami.Unparked) -> None:
        """Somebody left a parking place, perhaps with who fetched him."""
        call = self._table.of_event(event.uniqueid, event.channel)
        if call is None:
            return
        call.party.leave_parking()
        retriever = self._table.of_event(event.retriever, event.retriever_channel)
        if retriever is not None:
            retriever.party.fetch(call.party)

    def state_changed(self, call: AsteriskCall, *, changed: bool) -> None:
        """A channel rings, is up, or learned who is connected."""
        party, leg = call.party, call.party.leg
        if leg is not None and call.state == "Ringing" and changed:
            leg.ring()
            self._find_caller(party)
        if changed and call.state == "Up" and not call.is_local:
            party.answer()
        if leg is None:
            return
        if changed:
            self._notifier.notify(leg, "Newstate")
        self.tell_caller(leg)

    def found_ringing(self, calls: Iterable[AsteriskCall]) -> None:
        """The state was read again: phones that began to ring meanwhile are told now."""
        for call in calls:
            leg = call.party.leg
            if leg is not None and call.state == "Ringing" and not leg.ringing:
                call.party.be_found_ringing()
                self.state_changed(call, changed=True)

    def tell_caller(self, leg: Leg) -> None:
        """Say `Callerid` once per ring, as soon as the caller is known."""
        if leg.callerid_told or not leg.ringing or direction_of(leg) == "outbound" or leg.linked:
            return
        if leg.party.caller is None and not leg.party.connected_number:
            return
        if dialling.is_to_be_told(self._table, leg.party):
            leg.await_caller()
            return
        leg.tell_caller()
        leg.trail.add(_RING_TOLD)
        self._notifier.notify(leg, "Callerid")

    def linked(self, call: AsteriskCall) -> None:
        """A channel is in a bridge; a half of a Local channel may have been put there without a Dial."""
        if call.is_local:
            self._tell_behind(call.party)

    def caller_went_on(self, party: Party) -> None:
        """The caller entered a context or a queue: that may tell the service of the phones it rings."""
        for end in (party, *party.callees):
            if end.leg is not None:
                self._notifier.service_may_be_known(end.leg)

    def gone(self, party: Party) -> None:
        """The channel hung up."""
        self._queue_callers.discard(party)

    def _waits(self, party: Party, queue: str) -> None:
        party.join_queue(queue)
        if party.trail is None:
            party.begin_trail(self._trails.begin)
        self._note(party, _JOINED_QUEUE, queue)
        self._queue_callers.add(party)
        self.caller_went_on(party)

    def _left(self, party: Party) -> None:
        """The party waits in its queue no longer."""
        party.leave_queue()
        self._note(party, _LEFT_QUEUE, party.queue)
        self._queue_callers.discard(party)

    @staticmethod
    def _note(party: Party, step: str, queue: str) -> None:
        if party.trail is not None:
            party.trail.add(step, queue)

    def _tell_behind(self, half: Party) -> None:
        """More is known of this half of a Local channel: so of the phones, too, that ring through it."""
        for phone in dialling.rung_through(self._table, half):
            dialling.find_caller(self._table, phone)
            if phone.leg is not None:
                self._notifier.service_may_be_known(phone.leg)
                self.tell_caller(phone.leg)

    def _take_place(self, source: Party, destination: Party) -> None:
        """Who rings a queue's member in the place of who waits there waits in that queue from now on.

        An attended transfer into a running Queue() (Asterisk 12 and later): nothing else says so in time.
        """
        replaced = destination.source
        if replaced in (None, source) or not destination.from_queue:
            return
        if replaced.queue and not replaced.queue_left and not same_queue(source.queue, replaced.queue):
            self._waits(source, replaced.queue)

    def _rung_by_another(self, event: ami.DialEnd, party: Party) -> bool:
        source = self._table.find(event.source) if event.source else None
        return source is not None and source.party is not party.source

    def _find_caller(self, party: Party) -> None:
        if dialling.find_caller(self._table, party) is not None or party.originated or party.calling:
            return
        comes_first = bool(party.linkedid) and party.source is None
        root = self._table.find(party.linkedid) if comes_first else None
        if root is not None:
            # Its DialBegin comes later, or was not heard: if it can be nobody else, this one rings it.
            if not party.dialled and (root.is_local or root.party is party or root.party.has_local):
                return
            if not root.is_local and root.party.calling and not root.party.pairs:
                party.rung_by(root.party, party.path)
                return
        caller = self._queue_callers.only_one_with(party.connected_number)
        if caller is not None and caller is not party and not caller.call.is_local:
            party.rung_by(caller, party.path)
        elif comes_first and (root is None or root.party.in_outbound):
            party.doubt_connected()  # a call that was handed on: it may show our trunk's own number
