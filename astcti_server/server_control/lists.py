"""Lists of what there is at the moment: SESSIONS, CALLS, QUEUES. They change nothing."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any, Final

from astcti_server.calls.live_calls import LiveChannel, live_channels
from astcti_server.control.ports import ControlDocument, NotObeyed
from astcti_server.server_control.arguments import check_count
from astcti_server.server_control.parts import ServerParts
from astcti_server.server_control.status import queues_of, sessions_of
from schemas.configuration.model import queue_key
from schemas.protocol import ControlRefusal
from schemas.server.status_age import iso_time
from schemas.wire import CommandLine

_BEGAN: Final = re.compile(r"(?:.*-)?([0-9]{9,11})\.[0-9]+")
"""A Uniqueid: seconds since 1970 at the PBX, and a count; before them a system's name (asterisk.conf)."""


def tell_sessions(parts: ServerParts, line: CommandLine) -> ControlDocument:
    """`SESSIONS`: who is logged in."""
    check_count(line, 0)
    overview = parts.overviews.current()
    return {
        "as_of": "" if overview is None else iso_time(overview.at),
        "sessions": sessions_of(parts, overview),
    }


def tell_calls(parts: ServerParts, line: CommandLine) -> ControlDocument:
    """`CALLS`: every channel of the moment, those of one call one after the other, the oldest call first."""
    check_count(line, 0)
    asked = time.time()
    channels = parts.reader.read(lambda: live_channels(parts.tracker.table))
    operators = parts.registry.seated_operators
    found = [_channel(channel, operators) for channel in sorted(channels, key=_order)]
    return {"as_of": iso_time(asked), "calls": found}


def tell_queues(parts: ServerParts, line: CommandLine) -> ControlDocument:
    """`QUEUES`: each queue in short; `QUEUES name`: one with its members."""
    overview = parts.overviews.current()
    if overview is None:
        raise NotObeyed(ControlRefusal.AMI_SILENT.text())
    queues = queues_of(overview, parts.store.current.configuration)
    if line.rest:
        wanted = queue_key(line.rest)
        queues = [queue for queue in queues if queue_key(queue["queue"]) == wanted]
        if not queues:
            raise NotObeyed(ControlRefusal.NO_SUCH_QUEUE.text(queue=line.rest))
        members = parts.reader.read(lambda: parts.reconciler.members_of(wanted))
        found = sorted((member._asdict() for member in members), key=lambda member: member["interface"])
        return {"as_of": iso_time(overview.at), "queues": queues, "members": found}
    return {"as_of": iso_time(overview.at), "queues": queues}


def _channel(channel: LiveChannel, operators: Mapping[str, str]) -> dict[str, Any]:
    fields = channel._asdict()
    fields["talks_with"] = list(channel.talks_with)
    return fields | {"began": began(channel.uniqueid), "username": operators.get(channel.extension, "")}


def _order(channel: LiveChannel) -> tuple[str, str, str]:
    first = channel.linkedid or channel.uniqueid
    return began(first), first, began(channel.uniqueid)


def began(uniqueid: str) -> str:
    """When a channel was made, by the PBX's clock: its id says so. Empty for an id of another form."""
    found = _BEGAN.fullmatch(uniqueid)
    return iso_time(float(found[1])) if found else ""
