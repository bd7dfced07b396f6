"""A call as one seat sees it. Four rules, each in one place, for every event that the seat is told.

* Which end called: `direction_of`, by what `Party` learned of it (`begin_call`, `dialled_by`, `originate`).
* Whose number is shown: `number_and_name`.
* Which queue: `dialplan_parties` (whose queue and contexts may tell the service) and `queue_shown`.
* Which party an event speaks of: the one it names, else `Leg.other` (see there); `caller_end` and
  `recording_id` then say which of the two ends called.

AMI thread only; nothing here changes anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from astcti_server.ami.vocabulary import Hangup
from astcti_server.calls.model import Leg, Party
from astcti_server.calls.state.call_ends import called_end
from schemas.configuration.model import Service, same_queue
from schemas.events import CalledEnd, Direction, End

ELSEWHERE = 26  # AST_CAUSE_ANSWERED_ELSEWHERE, of technologies that know it (chan_sip from 1.6.2, PJSIP)
REFUSED = (17, 21)  # user busy, call rejected: what a phone's red button sends (486 and 603)
REFUSED_WORDS = ("BUSY", "CONGESTION", "CHANUNAVAIL", "DONTCALL")


_TELEPHONE_NUMBER = re.compile(r"\+?[0-9*#]+")  # other extensions are names of steps, or of people


# -- which end called ----------------------------------------------------------------------------------------


def direction_of(leg: Leg, other: Party | None = None) -> Direction:
    """`outbound` at the end that called the other one; while that is not known, that began its own call."""
    party = leg.party
    if other is None:
        return "outbound" if party.began and not party.from_queue else "inbound"
    if other is party.caller:  # the first rule of `calling_end`, and nearly always the one that tells
        return "inbound"
    return "outbound" if calling_end(party, other) is party else "inbound"


def calling_end(own: Party, other: Party) -> Party:
    """Which of two parties called the other one, by the first of these that tells them apart.

    1. One was rung for the other (Dial, a queue, a pickup), or fetched it from a parking place.
    2. A queue rang one of them: that is the called end, whatever it dialled before.
    3. One of them began its call, the other was rung.
    4. Both began theirs and an application joined them (parked and fetched, AgentLogin, Bridge, ARI): the
       caller is who waited in a queue, else who came through an inbound service, else who was there first.
    """
    if other is own.caller or other is own.fetched:
        return other
    if own is other.caller or own is other.fetched:
        return own
    if own.from_queue != other.from_queue:
        return other if own.from_queue else own
    if own.began != other.began:
        began, rung = (own, other) if own.began else (other, own)
        fetched = bool(rung.linkedid) and rung.dialled and rung.arrival < began.arrival
        # Who fetches from a parking place somebody who was called before is not the one who called him.
        return rung if fetched and not began.queue and not began.in_service else began
    if not own.began:
        return other
    if bool(own.queue) != bool(other.queue):
        return own if own.queue else other
    if own.in_service != other.in_service:
        return own if own.in_service else other
    return own if own.arrival < other.arrival else other


def was_called_out(own: Party, other: Party | None) -> bool:
    """Whether the other party is the called end of an earlier call that was handed on to this one."""
    return (
        other is not None
        and other.caller is not None
        and other.caller is not own
        and not other.began
        and not other.from_queue
        and calling_end(own, other) is other
    )


def is_outbound(leg: Leg, other: Party | None) -> bool:
    """Whether a call of an outbound service was made to this party: from here, or before it came here."""
    return direction_of(leg, other) == "outbound" or was_called_out(leg.party, other)


def caller_end(leg: Leg, other: Party | None, direction: Direction) -> Party:
    """Who called: whose context, queue, extension and recording it is."""
    own = leg.party
    if direction == "outbound":
        if other is not None and other.caller is not None and was_called_out(own, other):
            return other.caller
        return own
    return other or own.caller or own


def recording_id(end: Party) -> str:
    """The id of the call's first channel: Asterisk 12 and later say it, before it is the caller's own."""
    if not end.calling and end.caller is not None:
        end = end.caller
    return end.linkedid or end.uniqueid


# -- whose number --------------------------------------------------------------------------------------------


def number_and_name(leg: Leg, other: Party | None, service: Service | None) -> tuple[str, str]:
    """Number and name of the other party as the seat is to see them.

    Of an outbound call that is what was dialled: the called end's own caller ID may be our trunk's.
    """
    own = leg.party
    if other is None:
        other = own.caller
    if service is not None and service.type == "outbound" and is_outbound(leg, other):
        number = _number_dialled(leg, other, service)
        if number:
            return number, _name_of(number, own, other)
    if other is not None and other.calling:
        return other.number, other.name
    if other is not None and other.caller is own:
        return own.connected_number or other.number or own.exten, own.connected_name or other.name
    if other is not None and other.leg is None and was_called_out(own, other):
        number = other.dialled_as
        if _TELEPHONE_NUMBER.fullmatch(number):
            return number, _name_of(number, own, other)
    if other is not None and (other.number or other.name):
        return other.number, other.name
    if direction_of(leg) == "outbound":
        return own.connected_number or own.exten, own.connected_name
    return own.connected_number, own.connected_name


def _number_dialled(leg: Leg, other: Party | None, service: Service) -> str:
    """What was dialled in the context of an outbound service, by whoever called there."""
    for party in dialplan_parties(leg, other):
        if _TELEPHONE_NUMBER.fullmatch(party.contexts.get(service.context, "")):
            return party.announced or party.contexts[service.context]
    return ""


def extension_dialled(leg: Leg, other: Party | None, service: Service, caller: Party) -> str:
    """What the caller dialled: in the service's context, if the call is an outbound one."""
    if service.type == "outbound" and is_outbound(leg, other):
        for party in dialplan_parties(leg, other):
            if dialled := party.contexts.get(service.context):
                return dialled
    return caller.exten


def _name_of(number: str, own: Party, other: Party | None) -> str:
    """The name that belongs to a number, not to a trunk."""
    if own.connected_number == number:
        return own.connected_name
    return other.name if other is not None and other.number == number else ""


# -- which queue ---------------------------------------------------------------------------------------------


def dialplan_parties(leg: Leg, other: Party | None) -> tuple[Party, ...]:
    """Whose contexts and queues tell the service, the latest in the dialplan first."""
    own = leg.party
    if direction_of(leg, other) == "outbound":
        path = other.path if other is not None and other.caller is own else ()
        # Without a source it did not dial by itself: a feature code, or an Originate of a Local channel, did.
        return (own, *path) if not path or path[-1].source is not None else path
    caller = other if other is not None else own.caller
    if caller is None:
        return own.path
    through = own.path if caller is own.caller or own.from_queue else ()
    before = caller.caller
    if caller.calling or before is None or before is own or (caller is own.caller and before.live):
        return (*through, caller)
    # The called end of an earlier call was handed on: what its caller went through counts. Not while that
    # caller is still there: then the called end only asks a colleague.
    return (*through, caller, *caller.path, before)


def queue_shown(leg: Leg, end: Party, service: Service | None) -> str:
    """The queue of the end that called, spelled as the service does, where Asterisk writes it otherwise."""
    queue = end.queue
    for half in leg.party.path:
        if half.queue:
            queue = half.queue
            break
    if queue and service is not None and same_queue(service.queue, queue):
        return service.queue
    return queue


# -- variables, and the end of a ring ------------------------------------------------------------------------


def data_of(leg: Leg, other: Party | None, names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The declared variables that have a value: the other party's first, the phone's own last."""
    own = leg.party
    holders = (*own.path, own)
    first = own.caller if other is None else other
    if first is not None and (other is not None or first not in holders):
        holders = (first, *holders)
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
        return "answered" if leg.talked else "cancelled"
    if direction_of(leg) == "outbound":
        return _end_of_own_call(leg, hangup)
    caller = leg.party.caller
    if hangup.cause == ELSEWHERE or (caller is not None and caller.answers > leg.answers_before):
        return "answered-elsewhere"
    if hangup.cause in REFUSED or leg.dial_status in REFUSED_WORDS:
        return "refused"
    if leg.missed or leg.dial_status in ("NOANSWER", "FORWARD"):
        return "missed"
    if any(half.ring_end == "NOANSWER" for half in leg.party.path):
        return "missed"  # Asterisk says so of the Local channel, and CANCEL of the phone behind it
    if leg.dial_status == "CANCEL":
        return "cancelled"  # the caller hung up, left the queue by a key, or was led elsewhere
    if caller is not None and (caller.leaving or not caller.live):
        return "cancelled"
    if leg.party.answered:
        return "refused"  # whoever takes up the phone may still decline
    return "cancelled" if leg.party.linkedid else "missed"  # 12 and later say NOANSWER where nobody answered


def end_of_called(leg: Leg, cause: int) -> CalledEnd | Literal[""]:
    """Why the number that a client asked for was not reached, as the leg ends with this cause."""
    if not leg.asked or leg.talked:
        return ""
    return called_end(cause, leg.called_cause, leg.called_status)


def _end_of_own_call(leg: Leg, hangup: Hangup) -> End:
    if hangup.cause in REFUSED:
        return "refused"
    return "cancelled" if leg.party.leaving else "missed"
