"""Reports of what was kept: REPORT."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import asdict
from typing import Any, Final

from astcti_server.call_explanations import NotExplained
from astcti_server.control.ports import ControlDocument, NotObeyed
from astcti_server.explain.documents import document_of
from astcti_server.kept_ami.report import NothingKept, ReportMaker
from astcti_server.server_control.parts import ServerParts
from schemas.protocol import MASK, ControlRefusal, Refusal
from schemas.server.settings import ServerSettings
from schemas.version import VERSION
from schemas.wire import BadLine, CommandLine

_ONE_AT_A_TIME: Final = threading.Lock()
"""Each has in memory what it is made of."""


def report(parts: ServerParts, line: CommandLine) -> ControlDocument:
    """`REPORT [MASK] what`: what was kept of the calls that are meant, ready to be sent to somebody else."""
    mask = bool(line.args) and line.args[0].upper() == MASK
    what = line.after(1) if mask else line.rest
    if not what:
        raise BadLine(Refusal.WRONG_PARAMETER_COUNT.text(command=line.token))
    kept = parts.kept_ami
    if kept is None:
        raise NotObeyed(ControlRefusal.NOTHING_IS_KEPT.text())
    if not _ONE_AT_A_TIME.acquire(blocking=False):
        raise NotObeyed(ControlRefusal.REPORT_UNDER_WAY.text())
    try:
        maker = ReportMaker(kept.window())
        found = maker.find(what, time.time())
        made = maker.make(found, _about(parts, what, mask=mask), parts.recent_log, _secrets(parts), mask=mask)
        return made | {"explanation": [] if mask else _explanation(parts, what)}
    except NothingKept:
        raise NotObeyed(ControlRefusal.NOT_KEPT.text(what=what)) from None
    except ValueError:
        raise BadLine(ControlRefusal.BAD_TIME.text()) from None
    finally:
        _ONE_AT_A_TIME.release()


def _explanation(parts: ServerParts, what: str) -> list[Any]:
    """What `explain` says; words of people are in it, so not for a report that is masked."""
    try:
        return list(document_of(parts.explanations.explain(what))["calls"])
    except NotExplained:
        return []


def _about(parts: ServerParts, what: str, *, mask: bool) -> dict[str, Any]:
    asterisk = parts.published().get("ami", {})
    return {
        "report": 1,
        "what": "***" if mask else what,
        "server": VERSION,
        "python": sys.version.split()[0],
        "asterisk": {name: asterisk.get(name) for name in ("version", "manager", "dialect")},
        "kept_since": parts.kept_ami.since if parts.kept_ami is not None else None,
        "settings": _settings(parts.store.current.settings),
    }


def _settings(settings: ServerSettings) -> dict[str, Any]:
    """What server.xml says, but for secrets, and for names of files, users and machines of the site."""
    said = asdict(settings)
    for section, names in (
        ("ami", ("secret", "username", "host", "ca_file")),
        ("listen", ("address", "certificate", "key")),
        ("logging", ("file",)),
        ("audit", ("file",)),
        ("metrics", ("address",)),
    ):
        for name in names if said[section] is not None else ():
            said[section][name] = "***" if said[section][name] else ""
    return said


def _secrets(parts: ServerParts) -> tuple[str, ...]:
    """What must not stand in a line of the log."""
    current = parts.store.current
    stored = [
        one for operator in current.configuration.operators for one in (operator.password, operator.scram)
    ]
    return current.settings.ami.secret, *stored
