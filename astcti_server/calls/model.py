"""What the server knows of the calls of the moment: channels, the parties behind them, seats' legs.

All of it is mutable and belongs to the AMI thread; nothing of it leaves `astcti_server.calls`. Other
threads get events.

A channel is an id that Asterisk gave (`AsteriskCall`, one Uniqueid); who is on it is a `Party`. The two are
apart because Asterisk 1.4 to 11 move a phone to another id in the middle of a call (a masquerade): then the
parties of two ids change places, and caller data, pairs and legs go with them, while edges stay on the ids.
"""

from __future__ import annotations

from astcti_server.ami.vocabulary import Hangup
from schemas.configuration.model import Service
from schemas.events import Direction, End, EventId

CONTEXTS_KEPT = 32  # a caller who wanders through more contexts than this is in a dialplan loop
HELD_EVENTS = 32  # events of one ringing leg whose service is not known yet; a normal ring has four


def device_of(channel: str) -> str:
    """`PJSIP/201-0000001a` -> `PJSIP/201`; a name without a suffix stays as it is."""
    device, dash, _suffix = channel.rpartition("-")
    return device if dash else channel


class AsteriskCall:
    """One channel of Asterisk, by its Uniqueid (section 2.2.2.3 of the specification)."""

    __slots__ = ("channel", "edgeless", "is_local", "links", "party", "state", "twin_name", "uniqueid")

    def __init__(self, uniqueid: str, channel: str) -> None:
        self.uniqueid = uniqueid
        self.state = ""
        self.links: set[str] = set()
        """Uniqueids of the channels that share a bridge with this one."""
        self.rename(channel)
        self.party = Party(self)

    def end(self) -> None:
        """The channel is gone, and has no party any more: so both are freed at once, not by a collection.

        The party keeps its call, for what others may still have to say of it.
        """
        del self.party

    def rename(self, channel: str) -> None:
        """Take a name, and what the name says: a half of a Local channel, or a corpse without edges."""
        self.channel = channel
        self.edgeless = channel.endswith(("<ZOMBIE>", "<MASQ>"))
        self.is_local = channel.startswith("Local/") and not self.edgeless
        self.twin_name = ""
        if self.is_local and channel[-2:] in (";1", ";2", ",1", ",2"):
            self.twin_name = channel[:-1] + ("2" if channel[-1] == "1" else "1")


class Party:
    """Who is on a channel: caller data, and what the dialplan learned. Moves with the phone, not the id."""

    __slots__ = (
        "answered",
        "answers",
        "call",
        "callees",
        "caller",
        "calling",
        "connected_name",
        "connected_number",
        "contexts",
        "device",
        "dialled",
        "exten",
        "inherited",
        "leaving",
        "leg",
        "linkedid",
        "live",
        "name",
        "number",
        "originated",
        "pairs",
        "path",
        "queue",
        "queue_left",
        "served",
        "source",
        "uniqueid",
        "variables",
    )

    def __init__(self, call: AsteriskCall) -> None:
        self.call = call
        self.uniqueid = call.uniqueid
        """The first id; clients know the leg by it for its whole life."""
        self.device = device_of(call.channel)
        self.number = self.name = ""
        self.connected_number = self.connected_name = ""
        self.contexts: dict[str, None] = {}
        """Contexts entered, the latest last."""
        self.exten = ""
        self.linkedid = ""
        self.variables: dict[str, str] = {}
        self.inherited: dict[str, str] = {}
        """Variables of the channel that this party was moved onto; its own come first."""
        self.queue = ""
        self.queue_left = False
        self.served = False
        """The queue connected the caller: the call stays the queue's after it left."""
        self.calling = False
        """This end began the call: it was in state Ring, or was originated for its phone."""
        self.originated = False
        self.dialled = False
        self.source: Party | None = None
        """Whose channel dialled this one; may be a half of a Local channel."""
        self.caller: Party | None = None
        """The phone or trunk behind `source`, once known."""
        self.path: tuple[Party, ...] = ()
        """Halves of Local channels between this party and its caller."""
        self.callees: dict[Party, None] = {}
        self.answered = False
        self.answers = 0
        """How many of the phones rung for this party have answered."""
        self.leaving = False
        self.live = True
        self.pairs: dict[Party, Pair] = {}
        self.leg: Leg | None = None

    @property
    def context(self) -> str:
        """The context entered last."""
        return next(reversed(self.contexts), "")

    def enter(self, context: str, exten: str) -> None:
        """Note a context that the channel entered, as the latest."""
        if not context:
            return
        contexts = self.contexts
        if context in contexts:
            del contexts[context]
        elif len(contexts) >= CONTEXTS_KEPT:
            del contexts[next(iter(contexts))]
        contexts[context] = None
        if exten:
            self.exten = exten

    def variable(self, name: str) -> str | None:
        """The value of a channel variable, own before inherited; None if it was never set."""
        value = self.variables.get(name)
        return self.inherited.get(name) if value is None else value


class Pair:
    """Two parties that heard each other: one object, shared by both."""

    __slots__ = ("connected", "ended", "repeat")

    def __init__(self, *, repeat: bool) -> None:
        self.connected = True
        self.ended = False
        """An Unlink was told; if they meet again the Link is a repeat."""
        self.repeat = repeat
        """Found connected when the state was read: no pop-up for it."""


class Leg:
    """A seat's phone taking part in a call, and what its client was told of it."""

    __slots__ = (
        "answers_before",
        "callerid_told",
        "dial_status",
        "done",
        "extension",
        "held",
        "linked",
        "matched",
        "missed",
        "operator",
        "other",
        "party",
        "ringing",
        "service",
    )

    def __init__(self, party: Party) -> None:
        self.party = party
        self.extension = party.device
        self.service: Service | None = None
        self.matched: Party | None = None
        """The other party that `service` was found for: that call keeps it, whatever is configured next."""
        self.operator = ""
        """The user name for whom `service` was found."""
        self.other: Party | None = None
        """The other party shown: the last one linked, else the caller, else who is dialled."""
        self.held: list[tuple[EventId, str]] = []
        self.callerid_told = False
        self.ringing = False
        self.linked = False
        self.answers_before = 0
        """The caller's `answers` when this phone began to ring, and its own one."""
        self.dial_status = ""
        self.missed = False
        self.done: set[tuple[str, str, int, str]] = set()
        """Triggers carried out: service and context, index of the trigger, first id of the other party."""

    @property
    def direction(self) -> Direction:
        """`outbound` at the end that began the call."""
        party = self.party
        if party.originated:
            return "outbound"
        return "outbound" if party.calling and not party.dialled else "inbound"


def end_of_ring(leg: Leg, hangup: Hangup) -> End:
    """What the end of a leg means for its seat."""
    if leg.linked:
        return "answered"
    if leg.direction == "outbound":
        return _end_of_own_call(leg, hangup)
    caller = leg.party.caller
    if hangup.cause == 26 or (caller is not None and caller.answers > leg.answers_before):
        return "answered-elsewhere"
    if hangup.cause in (17, 21) or leg.dial_status in ("BUSY", "CONGESTION", "CHANUNAVAIL", "DONTCALL"):
        return "refused"
    if leg.missed or leg.dial_status == "NOANSWER":
        return "missed"
    if caller is not None and (caller.leaving or not caller.live):
        return "cancelled"
    return "refused" if leg.party.answered else "missed"  # whoever takes up the phone may still decline


def _end_of_own_call(leg: Leg, hangup: Hangup) -> End:
    if hangup.cause in (17, 21):
        return "refused"
    return "cancelled" if leg.party.leaving else "missed"
