"""Which command is answered by what."""

from __future__ import annotations

from functools import partial

from astcti_server.control.ports import ControlHandlers
from astcti_server.server_control import explanation, lists, operators, process, reports, seen, status
from astcti_server.server_control.parts import ServerParts
from schemas.protocol import ControlCommand


def control_handlers(parts: ServerParts) -> ControlHandlers:
    """All of them, for this server."""
    return {
        ControlCommand.STATUS: partial(status.tell_status, parts),
        ControlCommand.EXPLAIN: partial(explanation.explain, parts),
        ControlCommand.SESSIONS: partial(lists.tell_sessions, parts),
        ControlCommand.CALLS: partial(lists.tell_calls, parts),
        ControlCommand.QUEUES: partial(lists.tell_queues, parts),
        ControlCommand.REPORT: partial(reports.report, parts),
        ControlCommand.KICK: partial(operators.kick, parts),
        ControlCommand.PAUSE: partial(operators.pause, parts),
        ControlCommand.UNPAUSE: partial(operators.unpause, parts),
        ControlCommand.LOG_LEVEL: partial(process.log_level, parts),
        ControlCommand.SEEN: partial(seen.tell_seen, parts),
        ControlCommand.ACCEPT: partial(process.accept, parts),
        ControlCommand.STOP: partial(process.stop, parts),
    }
