"""What any Asterisk says of queues, their callers and their members. Pure functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from astcti_server.ami.dialect.text import known, number, truth, variable_name
from astcti_server.ami.vocabulary import (
    AgentCalled,
    QueueCaller,
    QueueMember,
    RingNoAnswer,
    TelephoneEvent,
    VariableSet,
)
from astcti_server.ami.wire.messages import AmiEvent

_CALLER: Final = ("Uniqueid", "Channel", "Queue")
_CALLED: Final = (
    "Queue",
    "Uniqueid",
    "ChannelCalling",
    "Channel",
    "DestUniqueid",
    "DestChannel",
    "DestinationChannel",
    "Interface",
    "AgentCalled",
)
_MEMBER: Final = (
    "Queue",
    "Interface",
    "Location",
    "MemberName",
    "Name",
    "Membership",
    "Penalty",
    "Paused",
    "PausedReason",
    "Reason",
    "Status",
)

MemberKind = Literal["added", "removed", "paused", "penalty", "entry"]


def caller_entered(event: AmiEvent) -> list[TelephoneEvent]:
    """Join, QueueCallerJoin, and the entries of a list; those of 1.4 and 1.6 name no Uniqueid: nothing."""
    return _caller(event, waiting=True)


def caller_left(event: AmiEvent) -> list[TelephoneEvent]:
    """Leave, QueueCallerLeave, QueueCallerAbandon."""
    return _caller(event, waiting=False)


def agent_called(event: AmiEvent) -> list[TelephoneEvent]:
    """AgentCalled. Before 12 the channel is called `ChannelCalling`, in 1.4 with nothing but names."""
    queue, caller, calling, channel, destination, dest_channel, destination_channel, interface, agent = (
        event.values(_CALLED)
    )
    caller_channel = calling or channel
    told = AgentCalled(
        queue,
        known(caller),
        caller_channel,
        known(destination),
        dest_channel or destination_channel,
        interface or agent,
    )
    return [*_variables(event, known(caller), caller_channel), told]


def agent_connected(event: AmiEvent) -> list[TelephoneEvent]:
    """AgentConnect, for the caller's variables that `eventwhencalled = vars` adds."""
    return _variables(event, known(event.get("Uniqueid")), "")


def agent_did_not_answer(event: AmiEvent) -> list[TelephoneEvent]:
    """AgentRingNoAnswer; before 12 it does not say which channel rang, and is of no use."""
    destination, channel = event.values(("DestUniqueid", "DestChannel"))
    return [RingNoAnswer(destination, channel)] if destination else []


def member(kind: MemberKind) -> Callable[[AmiEvent], list[TelephoneEvent]]:
    """The translation of a QueueMember event. The interface is called `Location` before 12 and in lists."""

    def translate(event: AmiEvent) -> list[TelephoneEvent]:
        queue, interface, location, member_name, name, membership, penalty, paused, why, reason, status = (
            event.values(_MEMBER)
        )
        told = QueueMember(
            kind,
            queue,
            interface or location,
            member_name or name,
            membership,
            number(penalty),
            truth(paused),
            why or reason,
            number(status),
        )
        return [told] if told.interface else []

    return translate


def _caller(event: AmiEvent, *, waiting: bool) -> list[TelephoneEvent]:
    uniqueid, channel, queue = event.values(_CALLER)
    uniqueid = known(uniqueid)
    return [QueueCaller(uniqueid, channel, queue, waiting)] if uniqueid and queue else []


def _variables(event: AmiEvent, uniqueid: str, channel: str) -> list[TelephoneEvent]:
    if not uniqueid:
        return []
    told: list[TelephoneEvent] = []
    for line in event.get_all("Variable"):
        name, equals, value = line.partition("=")
        if equals:
            told.append(VariableSet(uniqueid, channel, variable_name(name), value))
    return told
