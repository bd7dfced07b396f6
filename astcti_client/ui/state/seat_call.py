"""The calls of this seat's phone, keyed by the leg they are: never one "current call". No Tk, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from astcti_client.triggers.runner import actions_for_system, own_system
from schemas.configuration.model import Moment
from schemas.events import MOMENT_OF, Action, CallEvent, Direction, End
from schemas.protocol import TriggerFailure

_MOST_TELLING: tuple[Moment, ...] = ("answer", "ring", "hangup")

CallPhase = Literal["ringing", "calling", "talking", "parted", "over"]
"""`parted`: connected before, at the moment with nobody, as when on hold during a transfer."""


@dataclass(frozen=True, slots=True)
class SeatCall:
    """One leg of this seat's phone. Times are seconds of the model's clock."""

    key: str
    """The leg's uniqueid."""
    phase: CallPhase
    direction: Direction
    since: float
    """When it began to ring or to call."""
    number: str = ""
    name: str = ""
    service: str = ""
    queue: str = ""
    linkedid: str = ""
    other: str = ""
    """The other party's uniqueid."""
    variables: tuple[tuple[str, str], ...] = ()
    talking_since: float | None = None
    over_since: float | None = None
    end: End | Literal[""] = ""
    pages: tuple[Action, ...] = ()
    """Pages that this call opened, to open them again."""
    opened: Moment | Literal[""] = ""
    """The moment of the first triggers that came; those of an answer count before those of a ring."""
    opened_at: float = 0.0
    opened_for: tuple[str, ...] = ()
    """The systems that these triggers are for."""
    interrupted: tuple[Action, ...] = ()
    """Begun by an earlier run of the client that was ended meanwhile: perhaps open, perhaps not."""
    failure: TriggerFailure | None = None
    """Why the last trigger that was not carried out was not."""
    first_seq: int = 0
    """The number of the first event that told of it; 0 if events have none."""
    under_way: str = ""
    """The word of the command that the server was asked for from this call's card, until its reply."""
    unconfirmed: bool = False
    """The connection was lost meanwhile, and the server has not told of this call since."""

    @property
    def rings(self) -> bool:
        """Whether the phone rings for it, as far as is known now."""
        return self.phase == "ringing" and not self.unconfirmed

    @property
    def answerable(self) -> bool:
        """Whether the phone can be told to answer it, where it can be told at all."""
        return self.phase == "ringing" and self.direction != "outbound"

    @property
    def was_answered(self) -> bool:
        """Whether this phone talked in this call."""
        return self.talking_since is not None


def shown_variables(event: CallEvent) -> tuple[tuple[str, str], ...]:
    """The event's variables; the one without a name stands for none."""
    return tuple((key, value) for key, value in event.call.appdata if key)


def pages_of(event: CallEvent) -> tuple[Action, ...]:
    """The pages that an event opens on this system."""
    return tuple(action for action in actions_for_system(event.triggers, own_system()) if action.url)


def _opened(known: SeatCall, event: CallEvent, now: float) -> SeatCall:
    """The call with what the triggers of an event say: when it popped up."""
    moment = MOMENT_OF.get(event.id)
    if moment is None or not event.triggers or event.repeat:
        return known
    if known.opened and _MOST_TELLING.index(known.opened) <= _MOST_TELLING.index(moment):
        return known
    systems = tuple(dict.fromkeys(action.os for action in event.triggers))
    return replace(known, opened=moment, opened_at=now, opened_for=systems)


def begin(event: CallEvent, now: float) -> SeatCall:
    """The call that an event is the first to tell of."""
    call = event.call
    phase: CallPhase = "calling" if call.direction == "outbound" else "ringing"
    return SeatCall(call.uniqueid, phase, call.direction, now, first_seq=event.seq)


def follow(known: SeatCall, event: CallEvent, now: float) -> SeatCall:
    """The call after an event. What the event leaves empty stays as it was."""
    call = event.call
    if event.id == "Unlink" and call.connected and known.other not in ("", call.connected.uniqueid):
        return known  # one of three has left: the one talked to last is still there
    told = replace(
        known,
        direction=call.direction,
        number=call.calleridnum or known.number,
        name=call.calleridname or known.name,
        service=event.service or known.service,
        queue=call.queue or known.queue,
        linkedid=call.linkedid or known.linkedid,
        variables=shown_variables(event) or known.variables,
        pages=tuple(dict.fromkeys((*known.pages, *pages_of(event)))),
        first_seq=known.first_seq or event.seq,
        unconfirmed=False,
    )
    told = _opened(told, event, now)
    match event.id:
        case "Link":
            other = call.connected.uniqueid if call.connected else told.other
            if other != known.other and known.was_answered:
                # A transfer brought another party: what was known of the first one is not true of this one.
                told = replace(
                    told,
                    number=call.calleridnum,
                    name=call.calleridname,
                    variables=shown_variables(event),
                    pages=pages_of(event),
                )
            since = now if known.talking_since is None else known.talking_since
            told = replace(told, phase="talking", talking_since=since, other=other)
        case "Unlink":
            told = replace(told, phase="parted")
        case "Hangup":
            end: End = event.cause.end if event.cause else ("answered" if known.was_answered else "cancelled")
            told = replace(told, phase="over", over_since=now, end="answered" if known.was_answered else end)
        case "Newchannel" | "Dial" | "Newstate" | "Callerid" if known.phase in ("ringing", "calling"):
            told = replace(told, phase="calling" if call.direction == "outbound" else "ringing")
        case _:
            pass
    return told


def is_of_a_call(event: CallEvent) -> bool:
    """Whether the event tells of a leg that is, or was, there."""
    return event.id != "OriginateResponse" and bool(event.call.uniqueid)


def makes_visible(event: CallEvent) -> bool:
    """Whether a call not seen before is worth a card now: a new channel alone says nothing about anybody."""
    if event.id in ("Callerid", "Link", "Dial"):
        return True
    return event.id == "Newstate" and event.call.state in ("Ringing", "Ring")
