"""A seat's leg as the frozen event that its client is told (sections 2.2.3.3 of the specification)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from astcti_server.calls.model import Leg, Party
from astcti_server.calls.seat_view import (
    caller_end,
    data_of,
    direction_of,
    extension_dialled,
    number_and_name,
    queue_shown,
    recording_id,
    was_called_out,
)
from astcti_server.calls.trail_notes import note_lacking
from schemas import placeholders
from schemas.configuration.model import Moment, Service, Trigger
from schemas.configuration.trigger_keys import trigger_key
from schemas.events import Action, Call, ConnectedParty

logger = logging.getLogger(__name__)


def call_of(leg: Leg, other: Party | None, service: Service | None, state: str) -> Call:
    """The leg as the element `<call>`: its own id and channel, the other party's number and data."""
    own = leg.party
    direction = direction_of(leg, other)
    if service is not None and service.type == "outbound" and was_called_out(own, other):
        direction = "outbound"
    end = caller_end(leg, other, direction)
    number, name = number_and_name(leg, other, service)
    return Call(
        own.uniqueid,
        own.call.living_name,
        number,
        name,
        service.context if service is not None else end.context,
        data_of(leg, other, service.variables) if service is not None and service.variables else (),
        state,
        recording_id(end),
        direction,
        queue_shown(leg, end, service),
        None if other is None else ConnectedParty(other.uniqueid, other.call.living_name),
    )


def in_state(call: Call, state: str) -> Call:
    """The same call while the phone was in another state."""
    return call if call.state == state else call._replace(state=state)


def due_triggers(
    leg: Leg,
    call: Call,
    service: Service,
    username: str,
    moment: Moment,
    event: str,
    clock: Callable[[], float],
) -> tuple[Action, ...]:
    """The triggers of a moment that are due, every placeholder filled; each is due once per other party.

    Those of a ring are not due when the same phone rings for the same caller once more within a minute,
    unless they are wanted (`again`). `clock` tells seconds and only goes forward.
    """
    if moment not in [trigger.on for trigger in service.triggers]:
        return ()
    if call.direction != service.type or (
        call.direction == "outbound" and was_called_out(leg.party, leg.other)
    ):
        return ()
    party = call.connected.uniqueid if call.connected is not None else ""
    values: dict[str, str] | None = None
    due = []
    for index, trigger in enumerate(service.triggers):
        if trigger.on != moment or not leg.open_once(service, index, party):
            continue
        if moment == "ring" and not trigger.again and not leg.open_at_ring(service, index, clock()):
            continue
        values = values or _values(leg, call, service, username, event)
        due.append(_filled(trigger, values, service, leg))
    return tuple(due)


def _filled(trigger: Trigger, values: Mapping[str, str], service: Service, leg: Leg) -> Action:
    key = trigger_key(service.name, trigger)
    if trigger.type == "application":
        parameters = placeholders.expand_parameters(trigger.parameters, values)
        missing = parameters.missing
        action = Action(trigger.type, trigger.os, trigger.application, tuple(parameters.arguments), "", key)
    else:
        url = placeholders.expand_url(trigger.url, values)
        missing = url.missing
        action = Action(trigger.type, trigger.os, "", (), url.url, key)
    if missing:
        note_lacking(leg, missing)
        names = ", ".join(missing)
        logger.info("Service %r: no value for %s in its trigger, left empty", service.name, names)
    return action


def _values(leg: Leg, call: Call, service: Service, username: str, event: str) -> dict[str, str]:
    values = {name.upper(): value for name, value in call.appdata}
    caller = caller_end(leg, leg.other, call.direction)
    return values | {
        "CALLERID": call.calleridnum,
        "CALLERIDNAME": call.calleridname,
        "CONTEXT": call.context,
        "SERVICE": service.name,
        "QUEUE": call.queue,
        "EXTEN": extension_dialled(leg, leg.other, service, caller),
        "CHANNEL": call.channel,
        "UNIQUEID": call.uniqueid,
        "LINKEDID": call.linkedid,
        "OPERATOR": username,
        "EXTENSION": leg.extension,
        "EVENT": event,
    }
