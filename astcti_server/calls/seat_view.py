"""A call as one seat sees it. Four rules, each in one place, for every event that the seat is told.

* Which end called: `direction_of`, by what `Party` learned of it (`begin_call`, `dialled_by`, `originate`).
* Whose number is shown: `number_and_name`.
* Which queue: `dialplan_parties` (whose queue and contexts may tell the service) and `queue_shown`.
* Which party an event speaks of: the one it names, else `Leg.other` (see there); `caller_end` and
  `recording_id` then say which of the two ends called.

AMI thread only; nothing here changes anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from astcti_server.ami.vocabulary import Hangup
from astcti_server.calls.model import Leg, Party
from schemas.configuration.model import Service, same_queue
from schemas.events import Direction, End

ELSEWHERE = 26  # AST_CAUSE_ANSWERED_ELSEWHERE, of technologies that know it (chan_sip from 1.6.2, PJSIP)
REFUSED = (17, 21)  # user busy, call rejected: what a phone's red button sends (486 and 603)
REFUSED_WORDS = ("BUSY", "CONGESTION", "CHANUNAVAIL", "DONTCALL")


# -- which end called ----------------------------------------------------------------------------------------


def direction_of(leg: Leg, other: Party | None = None) -> Direction:
    """`outbound` at the end that called the other one; while that is not known, that began its own call."""
    party = leg.party
    if other is not None:
        if other.caller is party:
            return "outbound"
        if party.caller is other:
            return "inbound"
    if party.originated:
        return "outbound"
    return "outbound" if party.calling and not party.dialled else "inbound"


def caller_end(leg: Leg, other: Party | None, direction: Direction) -> Party:
    """Who called: whose context, queue, extension and recording it is."""
    own = leg.party
    return own if direction == "outbound" else other or own.caller or own


def recording_id(end: Party) -> str:
    """The id of the call's first channel: Asterisk 12 and later say it, before it is the caller's own."""
    if not end.calling and end.caller is not None:
        end = end.caller
    return end.linkedid or end.uniqueid


# -- whose number --------------------------------------------------------------------------------------------


def number_and_name(leg: Leg, other: Party | None) -> tuple[str, str]:
    """Number and name of the other party as the seat is to see them."""
    own = leg.party
    if other is None:
        other = own.caller
    if other is not None and other.calling:
        return other.number, other.name
    if other is not None and other.caller is own:
        return own.connected_number or other.number or own.exten, own.connected_name or other.name
    if other is not None and (other.number or other.name):
        return other.number, other.name
    if direction_of(leg) == "outbound":
        return own.connected_number or own.exten, own.connected_name
    return own.connected_number, own.connected_name


# -- which queue ---------------------------------------------------------------------------------------------


def dialplan_parties(leg: Leg, other: Party | None) -> Iterator[Party]:
    """Whose contexts and queues tell the service, the latest in the dialplan first."""
    own = leg.party
    if direction_of(leg, other) == "outbound":
        yield own
        return
    caller = other if other is not None else own.caller
    if caller is None:
        return
    if caller is own.caller:
        yield from own.path
    yield caller
    if not caller.calling and caller.caller not in (None, own) and caller is not own.caller:
        # The called end of an earlier call was handed on: what its caller went through counts.
        yield from caller.path
        yield caller.caller


def queue_shown(leg: Leg, end: Party, service: Service | None) -> str:
    """The queue of the end that called, spelled as the service does, where Asterisk writes it otherwise."""
    queue = end.queue or next((half.queue for half in leg.party.path if half.queue), "")
    if service is not None and queue and same_queue(service.queue, queue):
        return service.queue
    return queue


# -- variables, and the end of a ring ------------------------------------------------------------------------


def data_of(leg: Leg, other: Party | None, names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The declared variables that have a value: the other party's first, the phone's own last."""
    own = leg.party
    holders = [*([other] if other is not None else ()), *own.path, own]
    if own.caller is not None and own.caller not in holders and other is None:
        holders.insert(0, own.caller)
    found = []
    for name in names:
        for holder in holders:
            value = holder.variable(name)
            if value is not None:
                found.append((name, value))
                break
    return tuple(found)


def end_of_leg(leg: Leg, hangup: Hangup) -> End:
    """What the end of a leg means for its seat."""
    if leg.linked:
        return "answered"
    if direction_of(leg) == "outbound":
        return _end_of_own_call(leg, hangup)
    caller = leg.party.caller
    if hangup.cause == ELSEWHERE or (caller is not None and caller.answers > leg.answers_before):
        return "answered-elsewhere"
    if hangup.cause in REFUSED or leg.dial_status in REFUSED_WORDS:
        return "refused"
    if leg.missed or leg.dial_status == "NOANSWER":
        return "missed"
    if caller is not None and (caller.leaving or not caller.live):
        return "cancelled"
    return "refused" if leg.party.answered else "missed"  # whoever takes up the phone may still decline


def _end_of_own_call(leg: Leg, hangup: Hangup) -> End:
    if hangup.cause in REFUSED:
        return "refused"
    return "cancelled" if leg.party.leaving else "missed"
