"""A seat's leg as the frozen event that its client is told (sections 2.2.3.3 of the specification)."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from astcti_server.calls.matching import data_of, direction_of, shown
from astcti_server.calls.model import Leg, Party
from schemas import placeholders
from schemas.configuration.model import Moment, Service, Trigger, same_queue
from schemas.events import Action, Call
from schemas.events import Party as EventParty

logger = logging.getLogger(__name__)


def call_of(leg: Leg, other: Party | None, service: Service | None, state: str) -> Call:
    """The leg as the element `<call>`: its own id and channel, the other party's number and data."""
    own = leg.party
    direction = direction_of(leg, other)
    end = own if direction == "outbound" else other or own.caller or own  # who called
    number, name = shown(leg, other)
    return Call(
        own.uniqueid,
        living_name(own.call.channel),
        number,
        name,
        service.context if service is not None else end.context,
        data_of(leg, other, service.variables) if service is not None else (),
        state,
        _recording_id(end),
        direction,
        _queue_shown(end.queue or next((half.queue for half in own.path if half.queue), ""), service),
        None if other is None else EventParty(other.uniqueid, living_name(other.call.channel)),
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
        key = (service.name, service.context, index, party)  # names may be given twice
        if trigger.on != moment or key in leg.done:
            continue
        leg.done.add(key)
        values = values or _values(leg, call, service, username, event)
        due.append(_filled(trigger, values, service))
    return tuple(due)


def living_name(channel: str) -> str:
    """A channel's name without what a masquerade appended to it."""
    if channel[-1:] != ">":
        return channel
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


def _queue_shown(queue: str, service: Service | None) -> str:
    """The queue as the configuration spells it, where that is another way than Asterisk's."""
    if service is not None and queue and same_queue(service.queue, queue):
        return service.queue
    return queue


def _recording_id(end: Party) -> str:
    """The id of the call's first channel: Asterisk 12 and later say it, before it is the caller's own."""
    if not end.calling and end.caller is not None:
        end = end.caller
    return end.linkedid or end.uniqueid
