"""What is to be done after a message or with time, beside showing the model anew. No Tk."""

from __future__ import annotations

from dataclasses import dataclass

from astcti_client.ui.state.seat_call import SeatCall
from schemas.events import CallEvent, Originate


@dataclass(frozen=True, slots=True)
class RingBegan:
    """The phone rings for this call: the notice appears. Once per leg."""

    call: SeatCall


@dataclass(frozen=True, slots=True)
class CallOver:
    """The leg ended: for the history. Once per leg."""

    call: SeatCall


@dataclass(frozen=True, slots=True)
class CallExplained:
    """The server says why a call popped up or not; `verdict` is a line of `schemas.explanation.lines`."""

    key: str
    verdict: str


@dataclass(frozen=True, slots=True)
class EventHeard:
    """An event whose triggers are to be carried out now; the rest as in `ServerEvent`."""

    event: CallEvent
    trusted: bool = False
    epoch: str = ""
    arrived: float = 0.0


@dataclass(frozen=True, slots=True)
class DialOutcome:
    """What became of a call of this seat that this client did not ask for, or does not know of any more."""

    originate: Originate


@dataclass(frozen=True, slots=True)
class DialOver:
    """The call that was asked for is made no longer: somebody answered, or it came to nothing."""

    number: str
    answered: bool


@dataclass(frozen=True, slots=True)
class CommandRefused:
    """The server did not do what was asked. `what` is the command's word, `why` the server's reason."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class PauseLost:
    """The server lost this pause: it is to be asked for again, with this reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class TransferUnchecked:
    """A call was handed over, and Asterisk could not say before whether there is such a number."""


@dataclass(frozen=True, slots=True)
class JoinedAgainstWish:
    """The server, which was started anew, put the phone into a queue that its user had left."""

    queue: str


SeatChange = (
    RingBegan
    | CallOver
    | CallExplained
    | EventHeard
    | DialOutcome
    | DialOver
    | CommandRefused
    | PauseLost
    | TransferUnchecked
    | JoinedAgainstWish
)
