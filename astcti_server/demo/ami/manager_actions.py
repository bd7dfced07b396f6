"""What each AMI action does to the demo PBX. Responses are Asterisk's, word for word."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from astcti_server.demo.ami import manager_lists
from astcti_server.demo.ami.manager import ActionHeaders, DemoAction, ManagerSession
from astcti_server.demo.calls.channels import Channel
from astcti_server.demo.calls.members import ActionRefused

ORIGINATE_RING_TIME_MS = 30000  # where Originate does not say


MANAGER_ACTIONS: dict[str, DemoAction] = {}
"""By name in lower case."""

Act: TypeAlias = Callable[[ManagerSession, ActionHeaders], None]


def action(name: str, *classes: str) -> Callable[[Act], Act]:
    """Make a function an AMI action, allowed to users with one of these classes (none: to everybody)."""

    def register(act: Act) -> Act:
        MANAGER_ACTIONS[name.lower()] = DemoAction(name, act, classes)
        return act

    return register


# -- the connection ---------------------------------------------------------------------------------------


@action("Challenge")
def challenge(manager: ManagerSession, headers: ActionHeaders) -> None:
    if headers.get("AuthType").upper() != "MD5":
        raise ActionRefused("Must specify AuthType")
    manager.respond(headers, ("Challenge", manager.challenge()))


@action("Login")
def login(manager: ManagerSession, headers: ActionHeaders) -> None:
    if manager.user is not None:
        manager.ack(headers, "Already logged in")
    else:
        manager.log_in(headers)


@action("Logoff")
def logoff(manager: ManagerSession, headers: ActionHeaders) -> None:
    manager.respond(headers, ("Message", "Thanks for all the fish."), response="Goodbye")
    manager.close()


@action("Ping")
def ping(manager: ManagerSession, headers: ActionHeaders) -> None:
    manager.respond(headers, ("Ping", "Pong"), ("Timestamp", f"{manager.engine.scheduler.clock():.6f}"))


@action("Events")
def events(manager: ManagerSession, headers: ActionHeaders) -> None:
    wanted = manager.want(headers.get("EventMask"))
    manager.respond(headers, ("Events", "On" if wanted else "Off"))


@action("Filter", "system")
def event_filter(manager: ManagerSession, headers: ActionHeaders) -> None:
    if headers.get("Operation").lower() != "add":
        raise ActionRefused("Unknown operation")
    try:
        manager.add_filter(headers.get("Filter"))
    except re.error:
        raise ActionRefused("Filter did not compile.  Check the syntax of the filter given.") from None
    manager.ack(headers, "Filter added successfully")


@action("ListCommands")
def list_commands(manager: ManagerSession, headers: ActionHeaders) -> None:
    assert manager.user is not None
    allowed = [
        (known.name, f"(Priv: {','.join((*known.classes, 'all')) if known.classes else '<none>'})")
        for known in sorted(MANAGER_ACTIONS.values(), key=lambda known: known.name)
        if known.allowed(manager.user)
    ]
    manager.respond(headers, *allowed)


# -- lists ------------------------------------------------------------------------------------------------


@action("Status", "system", "call", "reporting")
def status(manager: ManagerSession, headers: ActionHeaders) -> None:
    manager.send(manager.status(headers))


@action("CoreShowChannels", "system", "reporting")
def core_show_channels(manager: ManagerSession, headers: ActionHeaders) -> None:
    manager.send(manager_lists.channels(manager.engine, headers.action_id))


@action("QueueStatus")
def queue_status(manager: ManagerSession, headers: ActionHeaders) -> None:
    manager.send(
        manager_lists.queue_status(
            manager.engine, headers.action_id, headers.get("Queue"), headers.get("Member")
        )
    )


@action("ShowDialPlan", "config", "reporting")
def show_dialplan(manager: ManagerSession, headers: ActionHeaders) -> None:
    context, exten = headers.get("Context"), headers.get("Extension")
    dialplan = manager.engine.dialplan
    if not dialplan.has(context):
        raise ActionRefused(f"Did not find context {context}")
    extension = dialplan.find(context, exten)
    if extension is None:
        raise ActionRefused(f"Did not find extension {exten}@{context}")
    manager.send(manager_lists.dialplan(headers.action_id, context, exten, extension))


# -- queues -----------------------------------------------------------------------------------------------


@action("QueueAdd", "agent")
def queue_add(manager: ManagerSession, headers: ActionHeaders) -> None:
    _needs(headers, "Queue", "Interface")
    manager.engine.queues.add(
        headers.get("Queue"),
        headers.get("Interface"),
        name=headers.get("MemberName"),
        penalty=headers.number("Penalty"),
        paused=headers.truth("Paused"),
        reason=headers.get("Reason"),
        state_interface=headers.get("StateInterface"),
    )
    manager.ack(headers, "Added interface to queue")


@action("QueueRemove", "agent")
def queue_remove(manager: ManagerSession, headers: ActionHeaders) -> None:
    _needs(headers, "Queue", "Interface")
    manager.engine.queues.remove(headers.get("Queue"), headers.get("Interface"))
    manager.ack(headers, "Removed interface from queue")


@action("QueuePause", "agent")
def queue_pause(manager: ManagerSession, headers: ActionHeaders) -> None:
    if not headers.get("Interface") or not headers.get("Paused"):
        raise ActionRefused("Need 'Interface' and 'Paused' parameters.")
    paused = headers.truth("Paused")
    manager.engine.queues.pause(headers.get("Interface"), paused, headers.get("Reason"), headers.get("Queue"))
    manager.ack(headers, "Interface paused successfully" if paused else "Interface unpaused successfully")


@action("QueuePenalty", "agent")
def queue_penalty(manager: ManagerSession, headers: ActionHeaders) -> None:
    if not headers.get("Interface") or not headers.get("Penalty"):
        raise ActionRefused("Need 'Interface' and 'Penalty' parameters.")
    manager.engine.queues.set_penalty(
        headers.get("Interface"), headers.number("Penalty"), headers.get("Queue")
    )
    manager.ack(headers, "Interface penalty set successfully")


def _needs(headers: ActionHeaders, *keys: str) -> None:
    for key in keys:
        if not headers.get(key):
            raise ActionRefused(f"'{key}' not specified.")


# -- calls ------------------------------------------------------------------------------------------------


@action("Originate", "originate")
def originate(manager: ManagerSession, headers: ActionHeaders) -> None:
    engine, device = manager.engine, headers.get("Channel")
    context, exten = headers.get("Context"), headers.get("Exten")
    if not device:
        raise ActionRefused("Channel not specified")
    if engine.dialplan.find(context, exten) is None:
        raise ActionRefused("Extension does not exist.")
    name, number = _caller_id(headers.get("CallerID"))
    assigned = (pair for line in headers.get_all("Variable") for pair in line.split(","))
    variables = dict(pair.partition("=")[::2] for pair in assigned)

    def result(response: str, reason: int, channel: Channel | None) -> None:
        engine.emit(
            "OriginateResponse",
            "call",
            [
                *headers.action_id,
                ("Response", response),
                ("Channel", channel.name if channel else device),
                ("Context", context),
                ("Exten", exten),
                ("Reason", str(reason)),
                ("Uniqueid", channel.uniqueid if channel else "<unknown>"),
                ("CallerIDNum", number or "<unknown>"),
                ("CallerIDName", name or "<unknown>"),
            ],
        )

    manager.ack(headers, "Originate successfully queued")  # what becomes of it is told by OriginateResponse
    if device not in engine.phones:
        result("Failure", 0, None)
        return
    engine.originate(
        device,
        context,
        exten,
        result,
        ring_time=headers.number("Timeout", ORIGINATE_RING_TIME_MS) / 1000,
        number=number,
        name=name,
        variables=variables,
    )


@action("Hangup", "system", "call")
def hangup(manager: ManagerSession, headers: ActionHeaders) -> None:
    if not headers.get("Channel"):
        raise ActionRefused("No channel specified")
    channel = manager.channel(headers)
    manager.ack(headers, "Channel Hungup")
    manager.engine.hang_up(channel, requested=False)


@action("Redirect", "call")
def redirect(manager: ManagerSession, headers: ActionHeaders) -> None:
    for key in ("Channel", "Context", "Exten", "Priority"):
        if not headers.get(key):
            raise ActionRefused(f"{key} not specified")
    channel = manager.channel(headers, f"Channel does not exist: {headers.get('Channel')}")
    manager.ack(headers, "Redirect successful")
    manager.engine.redirect(channel, headers.get("Context"), headers.get("Exten"))


@action("Getvar", "call", "reporting")
def getvar(manager: ManagerSession, headers: ActionHeaders) -> None:
    name = headers.get("Variable")
    if not name:
        raise ActionRefused("No variable specified")
    value = manager.channel(headers).variables.get(name, "") if headers.get("Channel") else ""
    manager.respond(headers, ("Variable", name), ("Value", value))


@action("Setvar", "call")
def setvar(manager: ManagerSession, headers: ActionHeaders) -> None:
    if not headers.get("Variable"):
        raise ActionRefused("No variable specified")
    if headers.get("Channel"):
        manager.engine.set_variable(manager.channel(headers), headers.get("Variable"), headers.get("Value"))
    manager.ack(headers, "Variable Set")


def _caller_id(text: str) -> tuple[str, str]:
    """Name and number of `"Name" <number>`, or of a number alone."""
    name, bracket, rest = text.partition("<")
    if not bracket:
        return text.strip(), text.strip()
    return name.strip().strip('"'), rest.rstrip("> ")
