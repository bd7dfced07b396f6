"""What is asked of the server as a whole: ACCEPT, LOG-LEVEL, STOP."""

from __future__ import annotations

import re
from typing import Final

from astcti_server.config.watcher import AcceptError
from astcti_server.control.ports import ControlDocument, NotObeyed
from astcti_server.logs import LEVELS
from astcti_server.server_control.arguments import check_count
from astcti_server.server_control.parts import ServerParts
from schemas.protocol import KEEP_MEMBERS, ControlRefusal
from schemas.wire import BadLine, CommandLine

_SHA256: Final = re.compile("[0-9A-Fa-f]{64}")


def accept(parts: ServerParts, line: CommandLine) -> None:
    """`ACCEPT [SHA-256]`: the thread that watches the configuration does it, within 10 seconds."""
    check_count(line, 1)
    if line.rest and not _SHA256.fullmatch(line.rest):
        raise BadLine(ControlRefusal.BAD_SHA256.text())
    try:
        parts.accept(line.rest.lower())
    except AcceptError as error:
        raise NotObeyed(str(error)) from None


def stop(parts: ServerParts, line: CommandLine) -> None:
    """`STOP [KEEP-MEMBERS]`: the main thread does it."""
    check_count(line, 1)
    if line.rest.upper() not in ("", KEEP_MEMBERS):
        raise BadLine(ControlRefusal.BAD_STOP_WORD.text())
    parts.stop(bool(line.rest))


def log_level(parts: ServerParts, line: CommandLine) -> ControlDocument:
    """`LOG-LEVEL`: the one in force; `LOG-LEVEL level`: another one, until a SIGHUP or the end."""
    check_count(line, 1)
    if line.rest:
        level = line.rest.lower()
        if level not in LEVELS:
            raise BadLine(ControlRefusal.BAD_LEVEL.text())
        parts.logs.override(level)
    return {"level": parts.logs.level, "configured": parts.logs.configured}
