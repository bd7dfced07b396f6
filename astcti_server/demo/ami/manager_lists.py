"""The lists that AMI actions ask the demo PBX for: each is a response, entries, and an event that ends it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from astcti_server.demo.ami.blocks import UNKNOWN, Fields, encode, escape
from schemas.configuration.model import queue_key

if TYPE_CHECKING:
    from astcti_server.demo.calls.channels import Channel
    from astcti_server.demo.calls.dialplan import Extension
    from astcti_server.demo.calls.engine import Engine


def listing(
    action_id: Fields, message: str, entries: Iterable[Fields], end: str, *, items: bool = False
) -> bytes:
    """A whole list."""
    blocks = [encode(entry) for entry in entries]
    count = ("ListItems", str(len(blocks)))
    start: Fields = [("Response", "Success"), *action_id, ("EventList", "start"), ("Message", message)]
    complete: Fields = [("Event", end), *action_id, ("EventList", "Complete"), count]
    if items:
        complete.append(("Items", count[1]))
    return b"".join([encode(start), *blocks, encode(complete)])


def status(engine: Engine, action_id: Fields, channels: Iterable[Channel], variables: list[str]) -> bytes:
    """`Status`: every channel with its bridge and the variables asked for."""
    now = engine.scheduler.clock()
    entries = (_status_entry(channel, now, variables, action_id) for channel in channels)
    return listing(action_id, "Channel status will follow", entries, "StatusComplete", items=True)


def _status_entry(channel: Channel, now: float, variables: list[str], action_id: Fields) -> Fields:
    given: Fields = [("Variable", f"{name}={escape(channel.variables.get(name, ''))}") for name in variables]
    return [
        ("Event", "Status"),
        ("Privilege", "Call"),
        *channel.fields(),
        ("Type", "PJSIP"),
        ("DNID", "" if channel.called else channel.exten),
        ("EffectiveConnectedLineNum", channel.connected_number or UNKNOWN),
        ("EffectiveConnectedLineName", channel.connected_name or UNKNOWN),
        ("TimeToHangup", "0"),
        ("BridgeID", channel.bridge.uniqueid if channel.bridge else ""),
        ("Application", channel.application),
        ("Data", channel.data),
        ("Nativeformats", "(ulaw)"),
        ("Readformat", "ulaw"),
        ("Readtrans", ""),
        ("Writeformat", "ulaw"),
        ("Writetrans", ""),
        ("Callgroup", "0"),
        ("Pickupgroup", "0"),
        ("Seconds", str(int(now - channel.created))),
        *given,
        *action_id,
    ]


def channels(engine: Engine, action_id: Fields) -> bytes:
    """`CoreShowChannels`."""
    now = engine.scheduler.clock()
    entries: Iterable[Fields] = (
        [
            ("Event", "CoreShowChannel"),
            *action_id,
            *channel.fields(),
            ("Application", channel.application),
            ("ApplicationData", channel.data),
            ("Duration", _duration(now - channel.created)),
            ("BridgeId", channel.bridge.uniqueid if channel.bridge else ""),
        ]
        for channel in engine.channels.values()
    )
    return listing(action_id, "Channels will follow", entries, "CoreShowChannelsComplete")


def queue_status(engine: Engine, action_id: Fields, queue_name: str, member_name: str) -> bytes:
    """`QueueStatus`: queues, their members and their callers."""
    entries: list[Fields] = []
    now = engine.scheduler.clock()
    for name, queue in engine.queues.by_name.items():
        if queue_key(queue_name) not in ("", name):
            continue
        entries.append([("Event", "QueueParams"), *queue.params(), *action_id])
        entries.extend(
            [("Event", "QueueMember"), *member.entry(), *action_id]
            for member in queue.members.values()
            if member_name in ("", member.interface)
        )
        entries.extend(
            [
                ("Event", "QueueEntry"),
                ("Queue", queue.name),
                ("Position", str(position)),
                ("Channel", call.caller.name),
                ("Uniqueid", call.caller.uniqueid),
                ("CallerIDNum", call.caller.number or UNKNOWN),
                ("CallerIDName", call.caller.caller_name or UNKNOWN),
                ("ConnectedLineNum", call.caller.connected_number or UNKNOWN),
                ("ConnectedLineName", call.caller.connected_name or UNKNOWN),
                ("Wait", str(int(now - call.began))),
                ("Priority", "0"),
                *action_id,
            ]
            for position, call in enumerate(queue.callers, 1)
        )
    return listing(action_id, "Queue status will follow", entries, "QueueStatusComplete")


def dialplan(action_id: Fields, context: str, exten: str, extension: Extension) -> bytes:
    """`ShowDialPlan` of one number."""
    application, data = extension.application
    entry: Fields = [
        ("Event", "ListDialplan"),
        *action_id,
        ("Context", context),
        ("Extension", exten),
        ("Priority", "1"),
        ("Application", application),
        ("AppData", data),
        ("Registrar", "pbx_config"),
    ]
    return listing(action_id, "DialPlan list will follow", [entry], "ShowDialPlanComplete")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest:02}"
