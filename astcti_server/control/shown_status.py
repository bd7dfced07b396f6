"""What `astcti-server status` prints for people: short, aligned, the most important first. Pure."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from astcti_server.control.ports import ControlDocument
from schemas.log_lines import harmless
from schemas.server.status_age import age_of

MEGABYTE: Final = 1_000_000
MOST_SHOWN: Final = 10  # lines of one kind; `--json` has them all

_DIFFERENCES: Final = {
    "unknown": "Asterisk's members were not read yet",
    "missing": "wanted, but not a member",
    "left-behind": "left behind by an earlier run",
    "not-wanted": "a member, but wanted no more",
    "penalty": "has another penalty",
    "pause": "has another pause",
}


def lines_for_people(document: ControlDocument, now: float | None = None) -> Iterator[str]:
    """The status in lines, whatever names are in it. `now`: seconds since 1970."""
    moment = time.time() if now is None else now
    rows = list(_rows(document, moment))
    width = max(len(name) for name, _ in rows)
    for name, text in rows:
        yield harmless(f"{name:<{width}}  {text}".rstrip())


def is_well(document: ControlDocument) -> bool:
    """Whether the server serves: Asterisk is connected, and no thread hangs."""
    return document["ami"]["state"] == "up" and not document["stuck"]


def _rows(document: ControlDocument, now: float) -> Iterator[tuple[str, str]]:
    yield (
        "Server",
        f"{document['version']}, process {document['pid']}, since {_when(document['started'], now)}"
        f" ({document['role']})",
    )
    for thread in document["stuck"]:
        yield "", f"its thread {thread} hangs: the log says where"
    yield from _asterisk(document["ami"], now)
    configuration = document["configuration"]
    yield "Configuration", f"{configuration['file']}, since {_when(configuration['since'], now)}"
    yield "", f"SHA-256 {configuration['sha256']}"
    for file in configuration.get("held", ()):
        yield "Held", f"{file['file']}, since {_when(file['since'], now)}"
        yield "", f"{file['reason']}; if that is meant: astcti-server accept {file['sha256']}"
    yield from _refused(document["refused"], now)
    if error := document["state_directory"]["error"]:
        yield "State", f"{error}, since {_when(document['state_directory']['error_since'], now)}"
    yield from _people(document)
    yield from _queues(document)
    yield from _memory(document)


def _asterisk(ami: Mapping[str, Any], now: float) -> Iterator[tuple[str, str]]:
    version = ami["version"] or (f"manager interface {ami['manager']}" if ami["manager"] else "")
    if version and ami["dialect"]:
        version += f", spoken to as {ami['dialect']}"
    words = {"up": "connected", "down": "not connected", "connecting": "not reached yet"}
    state = words.get(ami["state"], str(ami["state"]))
    yield "Asterisk", f"{state}{f' ({version})' if version else ''}, since {_when(ami['since'], now)}"
    if ami["reason"]:
        attempts = ami["attempts"]
        tries = f", {attempts} attempt{'s'[: attempts > 1]}" if attempts else ""
        yield "", f"{ami['reason']} (since {_when(ami['reason_since'], now)}{tries})"
    for lack in ami["lacking"]:
        yield "", f"the manager user {lack}"


def _refused(files: Iterable[Mapping[str, Any]], now: float) -> Iterator[tuple[str, str]]:
    for file in files:
        yield "Refused", f"{file['file']}, since {_when(file['at'], now)}"
        errors = file["errors"]
        for error in errors[:MOST_SHOWN]:
            yield "", str(error)
        if more := len(errors[MOST_SHOWN:]) + file.get("more", 0):
            yield "", f"and {more} more: astcti-server check prints them"


def _people(document: ControlDocument) -> Iterator[tuple[str, str]]:
    sessions = document.get("sessions")
    if sessions is None:  # the status file alone
        yield "Operators", f"{document['clients']} logged in"
        yield "Channels", str(document["calls"])
        return
    seated = sum(bool(session["extension"]) for session in sessions)
    paused = sum(bool(session["paused"]) for session in sessions)
    yield "Operators", f"{len(sessions)} logged in, {seated} at a seat, {paused} in pause"
    counters = document["counters"]
    yield "", f"since the start: connections {counters['connections']}, logins {counters['logins']}"
    if document["as_of"]:
        yield "Calls", f"seats: {document['talking']} talking, {document['ringing']} ringing"
    yield "Channels", str(document["calls"])


def _queues(document: ControlDocument) -> Iterator[tuple[str, str]]:
    queues = document.get("queues")
    if queues is None:
        return
    if not document["as_of"]:
        yield "Queues", "not known: the thread that knows them does not answer"
    elif age_of(document["as_of"]) > 5:
        yield "Queues", f"as of {document['as_of']}: the thread that knows them does not answer"
    title = "Queues"
    for queue in queues:
        yield (
            title,
            f"{queue['queue']}: {queue['members']} of {queue['wanted']} members, {queue['paused']} in pause",
        )
        title = ""
        differing = queue["differing"]
        for member in differing[:MOST_SHOWN]:
            yield "", "  " + _difference(member)
        if more := len(differing[MOST_SHOWN:]) + queue["more"]:
            yield "", f"  and {more} more that differ"


def _memory(document: ControlDocument) -> Iterator[tuple[str, str]]:
    if kept := document.get("kept"):
        calls, events, words = [
            f"{kept[name] / MEGABYTE:.1f} MB" for name in ("explanations", "events", "asterisk")
        ]
        yield "Kept", f"of ended calls {calls}, for clients that come back {events}, of Asterisk {words}"


def _difference(member: Mapping[str, Any]) -> str:
    who = f"{member['interface']} ({member['username']})" if member["username"] else member["interface"]
    return f"{who} {difference_in_words(member)}"


def difference_in_words(member: Mapping[str, Any]) -> str:
    """How a member of a queue is not as it should be, and why."""
    reason = f": {member['reason']}" if member["reason"] else ""
    under_way = ", being put right" if member["under_way"] else ""
    return f"{_DIFFERENCES.get(member['differs'], member['differs'])}{reason}{under_way}"


def _when(written: str, now: float) -> str:
    """A moment of the file in the reader's own time, with how long ago it was."""
    if not written:
        return "unknown"
    moment = datetime.fromisoformat(written)
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S} ({_span(max(0.0, now - moment.timestamp()))})"


def _span(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
