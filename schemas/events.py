"""The events that the server tells a client, as frozen values (section 2.2.3.3 of the specification).

`schemas.wire` turns them into their one line of XML and back. Standard library only. Named tuples, because
thousands of them are made a second.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from schemas.configuration.model import Moment, TriggerSystem, TriggerType

EventId = Literal[
    "Newchannel", "Dial", "Newstate", "Callerid", "Newexten", "Link", "Unlink", "Hangup", "OriginateResponse"
]
End = Literal["answered", "answered-elsewhere", "cancelled", "missed", "refused"]
PhoneEnd = Literal["refused", "unreachable", "no-answer", "cancelled"]
CalledEnd = Literal["busy", "refused", "no-answer", "unreachable", "unknown", "congested"]
Direction = Literal["inbound", "outbound"]

MOMENT_OF: Final[dict[EventId, Moment]] = {"Callerid": "ring", "Link": "answer", "Hangup": "hangup"}
"""The events that bring triggers, and those of which moment."""


class ConnectedParty(NamedTuple):
    """The other end of a call."""

    uniqueid: str
    channel: str


class Call(NamedTuple):
    """The seat's own leg, and what is known of the other party. Unknown values are empty."""

    uniqueid: str
    channel: str
    calleridnum: str = ""
    calleridname: str = ""
    context: str = ""
    appdata: tuple[tuple[str, str], ...] = ()
    state: str = ""
    linkedid: str = ""
    direction: Direction = "inbound"
    queue: str = ""
    connected: ConnectedParty | None = None


class Action(NamedTuple):
    """A trigger with every placeholder filled: what the client is to do. Never passed to a shell."""

    type: TriggerType
    os: TriggerSystem = "any"
    application: str = ""
    arguments: tuple[str, ...] = ()
    url: str = ""
    key: str = ""
    """Which trigger of which service it is, see `trigger_keys.trigger_key`; empty if that is not told."""


class Cause(NamedTuple):
    """Why a leg ended: Asterisk's cause code and text, and what it means for the seat."""

    code: int
    end: End
    text: str = ""
    called: CalledEnd | Literal[""] = ""
    """Of a call that the client asked for: why the number that it called was never reached."""


class Originate(NamedTuple):
    """What became of a call that the client asked for."""

    exten: str
    response: str
    reason: int
    phone: PhoneEnd | Literal[""] = ""
    """Why it came to nothing at the seat's own phone, before the number was called at all."""


class CallEvent(NamedTuple):
    """One event: `<event id="..." [seq="N"] [late="true"] [repeat="true"]>`, its call, what belongs to it."""

    id: EventId
    call: Call
    service: str = ""
    triggers: tuple[Action, ...] = ()
    cause: Cause | None = None
    originate: Originate | None = None
    repeat: bool = False
    seq: int = 0
    """Its number for a client that resumes, from 1; 0 for any other."""
    late: bool = False
    """It was missed, and the call is over: told so that nothing is lost."""
