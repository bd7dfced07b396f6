"""What the server knows of the calls of the moment: channels, the parties behind them, seats' legs.

All of it is mutable and belongs to the AMI thread; nothing of it leaves `astcti_server.calls`. Other
threads get events. State is changed by the methods here, which are named after what happened: whoever takes
in an event says so, and what has to stay true together is written where it is kept.

A channel is an id that Asterisk gave (`AsteriskCall`, one Uniqueid); who is on it is a `Party`. The two are
apart because Asterisk 1.4 to 11 move a phone to another id in the middle of a call (a masquerade): then the
parties of two ids change places, and caller data, pairs and legs go with them, while edges stay on the ids.

Here is what they know of one another. What a channel, a party and a leg know of themselves is their base
class, in the folder `state`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from astcti_server.calls.state.channel_identity import ChannelIdentity, device_of
from astcti_server.calls.state.dialplan_knowledge import DialplanKnowledge
from astcti_server.calls.state.found import Found
from astcti_server.calls.state.leg_progress import LegProgress, RingTrigger
from astcti_server.explain.trail import Trail
from schemas.configuration.model import Service
from schemas.explanation.codes import TrailStep

_RUNG_BY = TrailStep.RUNG_BY.value
RING_TRIGGER_PAUSE = 60.0  # seconds; a queue that hunts comes back to the same phone every few of them

_arrivals = itertools.count()


class AsteriskCall(ChannelIdentity):
    """One channel of Asterisk, by its Uniqueid (section 2.2.2.3 of the specification)."""

    __slots__ = ("links", "party")

    def __init__(self, uniqueid: str, channel: str) -> None:
        super().__init__(uniqueid, channel)
        self.links: dict[AsteriskCall, None] = {}
        """The channels that share a bridge with this one. Each of them has this one, too."""
        self.party = Party(self)

    def end(self) -> None:
        """The channel is gone, and has no party any more: so both are freed at once, not by a collection.

        The party keeps its call, for what others may still have to say of it.
        """
        del self.party

    def link(self, other: AsteriskCall) -> bool:
        """The two share a bridge: an edge at both ends. False if that was known."""
        if other in self.links:
            return False
        self.links[other] = None
        other.links[self] = None
        return True

    def unlink(self, other: AsteriskCall) -> None:
        """The two share no bridge any more."""
        self.links.pop(other, None)
        other.links.pop(self, None)

    def forget_links(self) -> None:
        """Every edge is to be told again; for the table, which does it to all channels at once."""
        self.links.clear()

    def carry(self, party: Party) -> None:
        """This party is on the channel now; a channel and its party always name one another."""
        self.party = party
        party.move_to(self)

    def exchange_parties(self, other: AsteriskCall) -> None:
        """A masquerade (Asterisk 1.4 to 11): who was on this channel is on the other one, and reversed."""
        mine, its = self.party, other.party
        self.carry(its)
        other.carry(mine)


class Party(DialplanKnowledge):
    """Who is on a channel, and who rings and hears whom. Moves with the phone, not the id."""

    __slots__ = (
        "answered",
        "answers",
        "arrival",
        "call",
        "callees",
        "caller",
        "calling",
        "device",
        "dialled",
        "dialled_as",
        "dials",
        "fetched",
        "from_queue",
        "has_local",
        "leaving",
        "leg",
        "live",
        "originated",
        "pairs",
        "parked",
        "path",
        "ring_end",
        "ring_triggers",
        "source",
        "trail",
        "uniqueid",
    )

    def __init__(self, call: AsteriskCall) -> None:
        super().__init__()
        self.call = call
        self.arrival = next(_arrivals)
        """Of two, the one that was there first has the lower number."""
        self.uniqueid = call.uniqueid
        """The first id; clients know the leg by it for its whole life."""
        self.device = device_of(call.channel)
        self.has_local = False
        """Local channels belong to the call that it began."""
        self.calling = False
        """This end began the call: it was in state Ring, or was originated for its phone."""
        self.originated = False
        self.dialled = False
        self.dialled_as = ""
        """The extension that was dialled for it through an outbound service, empty if none."""
        self.ring_end = ""
        """How Asterisk says that an attempt to ring it ended; needed of the Local halves before a phone."""
        self.from_queue = False
        """A queue rings it, or rang it: whatever it dialled before, it is the called end."""
        self.parked = False
        """It waits in a parking place."""
        self.fetched: Party | None = None
        """Whom it fetched from a parking place."""
        self.dials: dict[Party, None] = {}
        """The channels that this one dialled; only of Local halves."""
        self.source: Party | None = None
        """Whose channel dialled this one; may be a half of a Local channel."""
        self.caller: Party | None = None
        """The phone or trunk behind `source`, once known."""
        self.path: tuple[Party, ...] = ()
        """Halves of Local channels between this party and its caller."""
        self.callees: dict[Party, None] = {}
        """Those that have, or had before they were dialled anew, this one as their caller."""
        self.ring_triggers: dict[RingTrigger, float] = {}
        """When each trigger was sent with a ring for this caller; goes with the call."""
        self.answered = False
        self.answers = 0
        """How many of the phones rung for this party have answered."""
        self.leaving = False
        self.live = True
        self.pairs: dict[Party, Pair] = {}
        """Everybody it heard, with an object that both share. Two parties have each other, or neither has."""
        self.leg: Leg | None = None
        self.trail: Trail | None = None
        """What was decided of it; only of seats' phones and of whose calls concern a seat or a service."""

    # -- who it is -----------------------------------------------------------------------------------------

    def move_to(self, call: AsteriskCall) -> None:
        """It is on another channel now; for `AsteriskCall.carry`."""
        self.call = call

    def make_leg(self, trail: Trail) -> None:
        """It is the phone of a seat; `trail` is its own unless it has one."""
        self.trail = self.trail or trail
        self.leg = Leg(self, self.trail)

    def begin_trail(self, begin: Callable[[], Trail]) -> None:
        """What is decided of it matters to a seat, or to a service: from now on it has a trail, its first."""
        self.trail = begin()

    def end_leg(self) -> None:
        """It is the phone of a seat no longer, or the call is over."""
        self.leg = None

    def ask_to_leave(self) -> None:
        """Its own end asked to hang up."""
        self.leaving = True

    def hang_up(self) -> None:
        """Its channel is gone."""
        self.live = False
        if self.caller is not None:
            self.caller.rings_no_more(self)
        if self.source is not None:
            self.source.dial_no_more(self)

    def gain_local(self) -> None:
        """A Local channel appeared in the call that it began."""
        self.has_local = True

    # -- which end of the call it is -----------------------------------------------------------------------
    # `calling`, `dialled` and `originated` are what the called end of a call is told by: `seat_view` does.

    @property
    def began(self) -> bool:
        """It called, as far as was seen: nobody rang it, or only to have it call (AMI Originate)."""
        return self.originated or (self.calling and not self.dialled)

    def begin_call(self) -> None:
        """It was seen to call: in state Ring when it appeared, or as the one that runs a dialplan."""
        self.calling = True

    def ring_out(self) -> None:
        """It came into state Ring, which is the caller's side, unless somebody dialled it."""
        self.calling = not self.dialled

    def originate(self) -> None:
        """Its phone was rung for a call of its own (AMI Originate): it is the calling end, though it rang."""
        self.originated = self.calling = True

    def dialled_by(self, source: Party, *, from_queue: bool) -> None:
        """Another channel rings it, from now on: who is behind that channel is to be found anew."""
        self.dialled = True
        self.from_queue = from_queue
        self.source = source
        self.caller = None
        self.path = ()
        self.ring_end = ""
        self.dialled_as = (source.announced or source.exten) if source.in_outbound else ""
        if source.call.is_local:
            source.dial(self)

    def be_rung_from_queue(self) -> None:
        """A queue is behind the Local channel that rings it."""
        self.from_queue = True

    def be_found_ringing(self) -> None:
        """It rings, and its dial was told while nothing could be heard."""
        self.dialled = True

    def be_rung_through(self, path: tuple[Party, ...]) -> None:
        """These halves of Local channels ring it, whoever is behind them."""
        self.path = path

    def end_ring(self, status: str) -> None:
        """An attempt to ring it ended; the first word counts."""
        self.ring_end = self.ring_end or status

    def called_from_queue(self, caller: Party) -> None:
        """A queue rings it for this caller, and there was no Dial (Asterisk up to 11, app_queue)."""
        self.dialled = self.from_queue = True
        self.source = caller
        if caller.call.is_local:
            caller.dial(self)

    def dial(self, callee: Party) -> None:
        """It rings this channel; for `dialled_by`."""
        self.dials[callee] = None

    def dial_no_more(self, callee: Party) -> None:
        """That channel hung up; for `hang_up`."""
        self.dials.pop(callee, None)

    def pick_up(self, caller: Party, path: tuple[Party, ...]) -> None:
        """It took the call that rang at another phone: this caller rings it now."""
        self.dialled = True
        self.from_queue = False
        self.rung_by(caller, path)

    def park(self) -> None:
        """It waits in a parking place."""
        self.parked = True

    def leave_parking(self) -> None:
        """It waits there no longer."""
        self.parked = False

    def fetch(self, parked: Party) -> None:
        """It fetched this party from a parking place: it is the called end, unless it had called that one."""
        parked.leave_parking()
        if parked.caller is not self:
            self.fetched = parked

    def called_by(self, caller: Party) -> None:
        """This is its caller; a party is among the callees of its caller."""
        self.caller = caller
        caller.rings(self)

    def rung_by(self, caller: Party, path: tuple[Party, ...] = ()) -> None:
        """Remember `caller` as the one who rings it, through these halves of Local channels."""
        if self.caller is caller or caller is self:
            return
        if self.caller is not None:
            self.caller.rings_no_more(self)
        self.called_by(caller)
        self.path = path
        if self.leg is not None:
            self.leg.begin_ring_of(caller)

    def rung_for(self) -> tuple[Party, ...]:
        """Whose call makes it ring, as far as is known: who is the same when a queue rings it once more.

        Also the half of a Local channel that nobody dialled (AMI Originate): who is behind that may be known
        at one ring and not at another.
        """
        callers = (self.caller,) if self.caller is not None else ()
        if self.path and self.path[-1].source is None:
            return (*callers, self.path[-1])
        return callers

    def sent_at_ring(self, trigger: RingTrigger, now: float) -> bool:
        """Whether a ring for this caller brought this trigger less than a minute ago."""
        sent = self.ring_triggers.get(trigger)
        return sent is not None and now - sent < RING_TRIGGER_PAUSE

    def send_at_ring(self, trigger: RingTrigger, now: float) -> None:
        """A ring for this caller brings this trigger now."""
        self.ring_triggers[trigger] = now

    def follow_source(self, replaced: Party, source: Party) -> None:
        """Who is on the channel that rings it changed."""
        if self.source is replaced:
            self.source = source
            if source.call.is_local:
                source.dial(self)

    def be_rung_anew(self) -> None:
        """Who rings it is to be found again, behind its source."""
        if self.caller is not None:
            self.caller.rings_no_more(self)
        self.caller = None
        self.path = ()

    def rings(self, callee: Party) -> None:
        """It rings this one; for `called_by`."""
        self.callees[callee] = None
        if self.trail is None and callee.leg is not None:
            self.begin_trail(callee.leg.trail.another)

    def rings_no_more(self, callee: Party) -> None:
        """This one hung up, or is rung by another."""
        self.callees.pop(callee, None)

    def hear_through(self, path: tuple[Party, ...]) -> None:
        """Linked through these halves of Local channels; without any, those it was rung through stay."""
        self.path = path or self.path

    def answer(self) -> None:
        """A phone that was rung answered; counted once, at its caller."""
        if self.answered:
            return
        self.answered = True
        if self.caller is not None:
            self.caller.count_answer()
            if self.leg is not None:
                self.leg.own_answer()

    def answer_again(self) -> None:
        """A phone that was up for its own sake (a picker) answers a caller now."""
        self.answered = False
        self.answer()

    def count_answer(self) -> None:
        """A phone that rang for it answered; for `answer`."""
        self.answers += 1

    # -- its conversations ---------------------------------------------------------------------------------

    def meet(self, other: Party, found: Found | None) -> Pair:
        """It hears another party for the first time, or was found to when the state was read."""
        pair = Pair(found)
        self.keep_pair(other, pair)
        other.keep_pair(self, pair)
        return pair

    def keep_pair(self, other: Party, pair: Pair) -> None:
        """Its side of a pair; for `meet`."""
        self.pairs[other] = pair

    def heard(self) -> list[Party]:
        """Whom it hears now."""
        return [other for other, pair in self.pairs.items() if pair.connected]

    def forget_pairs(self) -> None:
        """It hung up: nobody has a pair with it any more."""
        for other in self.pairs:
            other.forget_pair(self)
        self.pairs.clear()

    def forget_pair(self, other: Party) -> None:
        """The other one hung up; for `forget_pairs`."""
        self.pairs.pop(other, None)


class Pair:
    """Two parties that heard each other: one object, shared by both."""

    __slots__ = ("connected", "ended", "found")

    def __init__(self, found: Found | None = None) -> None:
        self.connected = True
        """They hear each other now. Never with `ended`; neither of the two while a third party's link is
        still to come (Asterisk unlinks before it links anew)."""
        self.ended = False
        """An Unlink was told; if they meet again the Link is a repeat."""
        self.found = found
        """What was known of it when the state was read; None if it was seen to begin."""

    @property
    def repeat(self) -> bool:
        """No pop-up for it, but for a client that resumes."""
        return self.found is not None and self.found.repeat

    def hear(self, connected: bool) -> None:
        """Whether the graph connects the two now. Nothing is told of it yet."""
        self.connected = connected

    def end(self) -> None:
        """Either end hung up or is paired elsewhere."""
        self.ended, self.connected = True, False

    def resume(self) -> None:
        """They meet again."""
        self.ended, self.connected = False, True


class Leg(LegProgress):
    """A seat's phone taking part in a call: with whom, and of which service."""

    __slots__ = ("company", "linked", "matched", "offered", "other", "party", "service", "talked", "trail")

    def __init__(self, party: Party, trail: Trail) -> None:
        super().__init__(party.device)
        self.party = party
        self.trail = trail
        """That of its party."""
        self.service: Service | None = None
        self.matched: Party | None = None
        """The other party that `service` was found for: that call keeps it, whatever is configured next."""
        self.offered: Sequence[Service] = ()
        """The services among which `service` was found: another object is another configuration's."""
        self.other: Party | None = None
        """The other party shown: the last one linked, else the caller, else who is dialled."""
        self.company: dict[Party, None] = {}
        """Who took part in its last conversation, as one after the other came in."""
        self.linked = False
        self.talked = False
        """It was linked with somebody who had not asked to hang up."""

    # -- which party it is about ---------------------------------------------------------------------------
    # The party that an event speaks of, unless the event itself names another: `other`, set here alone.

    def connect(self, other: Party) -> None:
        """It hears this party: from now on the leg is about that one."""
        self.other, self.linked = other, True
        # Who hung up before the phone's side was ready (a queue's Gosub runs there first) is bridged for a
        # moment all the same: the agent found nobody there.
        self.talked = self.talked or not other.leaving
        if len(self.party.heard()) <= 1:
            self.company.clear()
        self.company[other] = None

    def part(self) -> None:
        """It hears fewer parties: it is about one it still hears, else about one of its last conversation.

        Of several it is about the one whose service the leg has: so that number, data and service of an event
        belong to one call (a three-way call, when somebody leaves).
        """
        heard = self.party.heard() or list(self.company)
        if self.service is not None and self.matched in heard:
            self.other = self.matched
        elif self.other not in heard:
            self.other = heard[-1]

    def begin_ring_of(self, caller: Party) -> None:
        """This caller rings it: what others answer from now on is answered elsewhere."""
        self.answers_before = caller.answers
        self.trail.add(_RUNG_BY, caller.device, caller.number, caller.uniqueid)
        self.show(caller)

    def show(self, other: Party) -> None:
        """Who rings it, or whom it dials: the other party until somebody was linked."""
        if not self.linked:
            self.other = other

    # -- its service ---------------------------------------------------------------------------------------

    def operated_by(self, username: str) -> None:
        """This operator sits there. A service that was found for another one is not theirs."""
        if self.operator != username:
            self.operator, self.service = username, None

    def belong_to(self, service: Service, other: Party | None, offered: Sequence[Service]) -> None:
        """Its call with this party is one of a service, chosen among those offered."""
        self.service, self.matched, self.offered = service, other, offered

    def originate_for(self, service: Service, username: str) -> None:
        """The operator asked for this call, of an outbound service."""
        self.operator, self.service = username, service

    def open_at_ring(self, service: Service, index: int, now: float) -> bool:
        """Whether a trigger of the moment `ring` is due: once a minute for this caller, operator and seat.

        `now` is in seconds, of a clock that only goes forward. From now on it was sent, if it is due.
        """
        trigger = RingTrigger.of(self, service, index)
        callers = self.party.rung_for()
        if any(caller.sent_at_ring(trigger, now) for caller in callers):
            return False
        for caller in callers:
            caller.send_at_ring(trigger, now)
        return True
