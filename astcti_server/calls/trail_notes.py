"""What the trails of a call say of the decisions made here (`astcti_server.explain`). AMI thread only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from astcti_server.calls.model import Leg, Party
from astcti_server.calls.seat_view import dialplan_parties, direction_of, was_called_out
from astcti_server.explain.trail import LONGEST_TEXT, NO_LEG, YES, FactTexts
from schemas.configuration.model import Moment, Service
from schemas.events import Action, Call, End
from schemas.explanation.codes import TrailStep
from schemas.explanation.lines import listed

_OPENED = TrailStep.OPENED.value
_NOT_OPENED = TrailStep.NOT_OPENED.value
_UNMATCHED = TrailStep.UNMATCHED.value
_VARIABLE_SET = TrailStep.VARIABLE_SET.value
_LACKED = TrailStep.LACKED.value


def facts_of(party: Party, end: End | Literal[""] = "") -> FactTexts:
    """What a party is now; `end` is what its end means for the seat."""
    leg, caller, number, name = party.leg, party.caller, party.number, party.name
    variables = party.variables
    facts = [
        party.uniqueid,
        party.linkedid,
        party.device,
        number if len(number) <= LONGEST_TEXT else number[:LONGEST_TEXT],
        name if len(name) <= LONGEST_TEXT else name[:LONGEST_TEXT],
        party.exten,
        "" if caller is None else caller.uniqueid,
        "\n".join([half.uniqueid for half in party.path]) if party.path else "",
        "\n".join([*variables, *party.inherited]) if variables or party.inherited else "",
        party.call.state,
        end,
        YES if party.began and not party.from_queue else "",
    ]
    if leg is None:
        facts += NO_LEG
    else:
        facts += (
            leg.extension,
            leg.operator,
            "" if leg.service is None else leg.service.name,
            YES if direction_of(leg, leg.other) == "outbound" else "",
            YES if leg.linked else "",
            YES if leg.talked else "",
        )
    return facts


def note_variable(party: Party, name: str, value: str) -> None:
    """A declared variable got a value."""
    trail = party.trail
    if trail is None:
        return
    size = len(value)
    if size > LONGEST_TEXT or not value.isascii():
        size = len(value.encode("utf-8", "replace"))
        value = value[:LONGEST_TEXT]
    trail.add(_VARIABLE_SET, name, value, str(size))


def note_pair(party: Party, other: Party, step: str) -> None:
    """What became of a pair, in the trails of both ends if either is a seat's phone."""
    if party.leg is not None and other.trail is None:
        other.begin_trail(party.leg.trail.another)
    if other.leg is not None and party.trail is None:
        party.begin_trail(other.leg.trail.another)
    mine, its = party.trail, other.trail
    if mine is not None and its is not None:
        mine.add_pair(its, step, party.device, party.uniqueid, other.device, other.uniqueid)
    elif mine is not None:
        mine.add(step, other.device, other.uniqueid)
    elif its is not None:
        its.add(step, party.device, party.uniqueid)


def note_unmatched(leg: Leg, other: Party | None, username: str) -> None:
    """No service was found for the call with this party."""
    learned = tuple(dialplan_parties(leg, other))
    contexts = dict.fromkeys(context for party in learned for context in party.contexts)
    queues = dict.fromkeys(party.queue for party in learned if party.queue)
    leg.trail.add(_UNMATCHED, username, listed(contexts), listed(queues))


def note_opened(leg: Leg, service: Service, username: str, moment: Moment, due: Sequence[Action]) -> None:
    """These triggers are sent."""
    systems = due[0].os if len(due) == 1 else ",".join(dict.fromkeys([action.os for action in due]))
    leg.trail.add(_OPENED, moment, str(len(due)), service.name, username, systems)


def note_lacking(leg: Leg, names: Iterable[str]) -> None:
    """A trigger that is sent has no value for these."""
    for name in names:
        leg.trail.add(_LACKED, name)


def note_not_opened(
    leg: Leg, call: Call, service: Service, username: str, moment: Moment, *, matched: bool, repeat: bool
) -> None:
    """No trigger is sent, though it is the moment for some."""
    if moment != "answer":
        if moment != "ring":
            return
        for trigger in service.triggers:  # a list of what each is for would cost a call more
            if trigger.on == moment:
                break
        else:
            return
    reason = _reason(leg, call, service, moment, matched=matched, repeat=repeat)
    leg.trail.add(_NOT_OPENED, moment, service.name, username, reason)


def _reason(leg: Leg, call: Call, service: Service, moment: Moment, *, matched: bool, repeat: bool) -> str:
    """The first thing that hinders, in the order in which the notifier asks."""
    if not matched:
        return "unmatched"
    if repeat:
        return "repeat"
    if moment == "answer" and not leg.talked:
        return "caller-left"
    if moment == "ring" and leg.linked:
        return "late"
    if call.direction != service.type or (
        call.direction == "outbound" and was_called_out(leg.party, leg.other)
    ):
        return "direction"
    if not service.triggers:
        return "no-trigger"
    if not any(trigger.on == moment for trigger in service.triggers):
        return "moment"
    return "rung" if moment == "ring" else "opened"
