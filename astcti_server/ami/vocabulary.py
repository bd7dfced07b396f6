"""The telephone events that everything behind the dialect speaks, whatever Asterisk sent them.

Frozen, and named as the specification names them (section 2.2.2.3) with the few that it lacks. Named
tuples, because thousands of them are made a second. An unknown value is an empty string, never
`<unknown>`, `(null)` or the like. Text is already decoded and un-escaped.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias


class Newchannel(NamedTuple):
    """A channel appeared (also `Status` entries while the state is read again)."""

    uniqueid: str
    channel: str
    state: str
    """`Down`, `Rsrvd`, `OffHook`, `Dialing`, `Ring` (caller side), `Ringing` (called side), `Up`, `Busy`."""
    number: str
    name: str
    context: str
    exten: str
    linkedid: str
    """Empty before Asterisk 12."""
    age: int | None = None
    """Seconds that it has been there, in a list of channels that says so."""


class Newstate(NamedTuple):
    """A channel changed its state, its caller ID or its connected line, as far as the event says."""

    uniqueid: str
    channel: str
    state: str
    """Empty where the event does not tell (Newcallerid, NewConnectedLine)."""
    number: str
    name: str
    connected_number: str
    connected_name: str
    context: str
    exten: str
    linkedid: str
    caller_shown: bool
    """True where `number` of a ringing channel is the caller's (Asterisk 1.4 and 1.6); else it is its own."""


class Dial(NamedTuple):
    """A channel (or nobody, for Originate) starts to ring another one."""

    source: str
    source_channel: str
    destination: str
    destination_channel: str
    number: str
    """The number shown to the called phone, where the event tells it."""
    name: str
    linkedid: str


class DialEnd(NamedTuple):
    """An attempt to ring a phone ended. `source` is empty when the call was originated."""

    source: str
    source_channel: str
    destination: str
    destination_channel: str
    status: str
    """ANSWER, NOANSWER, CANCEL, BUSY, CONGESTION, CHANUNAVAIL ..."""


class Newexten(NamedTuple):
    """A channel executes a step of the dialplan."""

    uniqueid: str
    channel: str
    context: str
    exten: str
    application: str
    appdata: str


class VariableSet(NamedTuple):
    """A variable of a channel got a value: VarSet, a `Set` of the dialplan, or a list read at connect."""

    uniqueid: str
    channel: str
    name: str
    """Without leading underscores."""
    value: str
    """Empty when the variable was deleted."""


class VariablesUnset(NamedTuple):
    """A list read at connect says that the channel has no such variables of its own."""

    uniqueid: str
    channel: str
    variables: tuple[tuple[str, str], ...]
    """Names without leading underscores, each with the value of the global variable, empty without one."""


class Link(NamedTuple):
    """Two channels hear each other: one edge of the graph of bridges."""

    uniqueid1: str
    channel1: str
    uniqueid2: str
    channel2: str


class Unlink(NamedTuple):
    """An edge of the graph of bridges ended."""

    uniqueid1: str
    uniqueid2: str


class Rename(NamedTuple):
    """A channel has another name now (a masquerade, in Asterisk 1.4 to 11)."""

    uniqueid: str
    old: str
    new: str


class Hangup(NamedTuple):
    """A channel is gone."""

    uniqueid: str
    channel: str
    cause: int
    cause_text: str


class HangupRequest(NamedTuple):
    """A channel's own end asked to hang up (HangupRequest, SoftHangupRequest): it leaves by its own will."""

    uniqueid: str


class RingNoAnswer(NamedTuple):
    """A queue gave up ringing a member (AgentRingNoAnswer)."""

    destination: str
    destination_channel: str


class OriginateResponse(NamedTuple):
    """What became of a call that was originated."""

    action_id: str
    response: str
    """`Success` or `Failure`."""
    reason: int
    uniqueid: str
    channel: str
    exten: str
    context: str


class QueueCaller(NamedTuple):
    """A caller entered (`waiting`) or left a queue."""

    uniqueid: str
    channel: str
    queue: str
    waiting: bool


class QueueServed(NamedTuple):
    """Found when the state is read: the channel is in a conversation that a queue gave it."""

    uniqueid: str
    channel: str
    queue: str


class AgentCalled(NamedTuple):
    """A queue rings a member for a caller. Ids may be empty: old Asterisks give names only."""

    queue: str
    caller: str
    caller_channel: str
    destination: str
    destination_channel: str
    interface: str


class Pickup(NamedTuple):
    """Somebody took a call that rings at another phone. Ids may be empty: old Asterisks give names only."""

    picker: str
    picker_channel: str
    target: str
    target_channel: str


class Parked(NamedTuple):
    """A channel waits in a parking place. The id may be empty: old Asterisks give names only."""

    uniqueid: str
    channel: str


class Unparked(NamedTuple):
    """A channel waits in a parking place no longer. Ids may be empty, as in `Parked`."""

    uniqueid: str
    channel: str
    retriever: str
    retriever_channel: str
    """Who fetched it; empty if nobody did (it hung up, or its time was over)."""


class QueueMember(NamedTuple):
    """The state of a queue member: an event, or an entry of `QueueStatus`."""

    kind: Literal["added", "removed", "paused", "penalty", "entry"]
    queue: str
    interface: str
    name: str
    membership: str
    """`dynamic`, `static`, `realtime`; empty where the event does not tell."""
    penalty: int | None
    paused: bool | None
    reason: str
    status: int | None


TelephoneEvent: TypeAlias = (
    Newchannel
    | Newstate
    | Dial
    | DialEnd
    | Newexten
    | VariableSet
    | VariablesUnset
    | Link
    | Unlink
    | Rename
    | Hangup
    | HangupRequest
    | RingNoAnswer
    | OriginateResponse
    | QueueCaller
    | QueueServed
    | AgentCalled
    | Pickup
    | Parked
    | Unparked
    | QueueMember
)
