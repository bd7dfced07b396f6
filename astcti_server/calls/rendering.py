"""A seat's leg as the frozen event that its client is told (sections 2.2.3.3 of the specification)."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from astcti_server.calls.matching import data_of, direction_of, shown
from astcti_server.calls.model import Leg, Party
from schemas import placeholders
from schemas.configuration import Moment, Service, Trigger
from schemas.events import Action, Call
from schemas.events import Party as EventParty

logger = logging.getLogger(__name__)


def call_of(leg: Leg, other: Party | None, service: Service | None, state: str) -> Call:
    """The leg as the element `<call>`: its own id and channel, the other party's number and data."""
    own = leg.party
    number, name = shown(leg, other)
    return Call(
        uniqueid=own.uniqueid,
        channel=living_name(own.call.channel),
        calleridnum=number,
        calleridname=name,
        context=service.context if service is not None else _last_context(leg, other),
        appdata=data_of(leg, other, service.variables) if service is not None else (),
        state=state,
        linkedid=_recording_id(leg, other),
        direction=direction_of(leg, other),
        queue=_queue(leg, other),
        connected=None if other is None else EventParty(other.uniqueid, living_name(other.call.channel)),
    )


def actions_of(
    leg: Leg, call: Call, service: Service, username: str, moment: Moment, event: str
) -> tuple[Action, ...]:
    """The triggers of a moment that are due, every placeholder filled; each is due once per other party."""
    if call.direction != service.type:
        return ()
    party = call.connected.uniqueid if call.connected is not None else ""
    values: dict[str, str] | None = None
    due = []
    for index, trigger in enumerate(service.triggers):
        key = (service.name, index, party)
        if trigger.on != moment or key in leg.done:
            continue
        leg.done.add(key)
        values = values or _values(leg, call, service, username, event)
        due.append(_filled(trigger, values, service))
    return tuple(due)


def living_name(channel: str) -> str:
    """A channel's name without what a masquerade appended to it."""
    return channel.removesuffix("<ZOMBIE>").removesuffix("<MASQ>")


def _filled(trigger: Trigger, values: Mapping[str, str], service: Service) -> Action:
    if trigger.type == "application":
        parameters = placeholders.expand_parameters(trigger.parameters, values)
        missing = parameters.missing
        action = Action(trigger.type, trigger.os, trigger.application, tuple(parameters.arguments), "")
    else:
        url = placeholders.expand_url(trigger.url, values)
        missing = url.missing
        action = Action(trigger.type, trigger.os, "", (), url.url)
    if missing:
        names = ", ".join(missing)
        logger.info("Service %r: no value for %s in its trigger, left empty", service.name, names)
    return action


def _values(leg: Leg, call: Call, service: Service, username: str, event: str) -> dict[str, str]:
    values = {name.upper(): value for name, value in call.appdata}
    caller = leg.party if call.direction == "outbound" else (leg.other or leg.party.caller or leg.party)
    return values | {
        "CALLERID": call.calleridnum,
        "CALLERIDNAME": call.calleridname,
        "CONTEXT": call.context,
        "SERVICE": service.name,
        "QUEUE": call.queue,
        "EXTEN": caller.exten,
        "CHANNEL": call.channel,
        "UNIQUEID": call.uniqueid,
        "LINKEDID": call.linkedid,
        "OPERATOR": username,
        "EXTENSION": leg.extension,
        "EVENT": event,
    }


def _calling_end(leg: Leg, other: Party | None) -> Party:
    own = leg.party
    if direction_of(leg, other) == "outbound":
        return own
    return other or own.caller or own


def _recording_id(leg: Leg, other: Party | None) -> str:
    """The id of the call's first channel: Asterisk 12 and later say it, before it is the caller's own."""
    end = _calling_end(leg, other)
    if not end.calling and end.caller is not None:
        end = end.caller
    return end.linkedid or end.uniqueid


def _queue(leg: Leg, other: Party | None) -> str:
    end = _calling_end(leg, other)
    return end.queue or next((half.queue for half in leg.party.path if half.queue), "")


def _last_context(leg: Leg, other: Party | None) -> str:
    end = _calling_end(leg, other)
    return next(reversed(end.contexts), "")
