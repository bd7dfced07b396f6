"""Judges the running server by what it answers at its control socket. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from astcti_server.clients.admission import DESCRIPTORS_PER_CLIENT, DESCRIPTORS_RESERVED
from astcti_server.config.changes import NEED_RESTART
from astcti_server.doctor.facts import Facts, ServerFacts
from astcti_server.doctor.findings import Finding, FindingCode, error, note, warning
from schemas.version import VERSION

_UNTOLD: Final = object()
_RUN_AS_ANOTHER: str = "It needs no such rights: let it run as a user of its own (astcti)"


def check_server(facts: Facts) -> Iterator[Finding]:
    """What only the running server knows."""
    server = facts.server
    if not server.status:
        yield from _without_answer(server)
        return
    status = server.status
    if status["version"] != VERSION:
        what = f"version {status['version']} runs, {VERSION} is installed"
        yield warning(FindingCode.SERVER_OLD, "the running server", what, "Restart it when it suits")
    for thread in status["stuck"]:
        what = f"its thread {thread} hangs: calls are not followed"
        yield error(FindingCode.SERVER_HANGS, "the running server", what, "Look into its log, and restart it")
    if wrong := status["state_directory"]["error"]:
        yield error(
            FindingCode.STATE_DIRECTORY, "the running server", wrong, "Space, and rights, of that directory"
        )
    yield from _connection(facts)
    yield from _members(server)
    if server.seen:
        yield from _seen(facts)
    else:
        what = "it does not tell what it has seen"
        todo = "Ask as root or as its own user; a server of an earlier release cannot tell"
        yield note(FindingCode.NOT_LOOKED, "the running server", what, todo)


def _without_answer(server: ServerFacts) -> Iterator[Finding]:
    match server.state:
        case "not-running":
            what = "it does not run"
            yield note(FindingCode.SERVER_NOT_RUNNING, "the server", f"{what} ({server.reason})")
        case "not-allowed":
            todo = "Run doctor as root or as the server's user"
            yield note(FindingCode.NOT_LOOKED, "the running server", server.reason, todo)
        case _:
            todo = "Look into its log; if it hangs, restart it"
            what = f"it does not answer: {server.reason}"
            yield error(FindingCode.SERVER_SILENT, str(server.control), what, todo)


def _connection(facts: Facts) -> Iterator[Finding]:
    """Why there is no connection is said where `doctor` has met the same; else the server's own reason is."""
    ami = facts.server.status["ami"]
    if ami["state"] == "up" or (facts.manager is not None and facts.manager.failure):
        return
    reason = ami["reason"] or "it is still connecting"
    what = f"not connected to Asterisk: {reason}"
    yield error(FindingCode.SERVER_NOT_CONNECTED, "the running server", what, "doctor itself could connect")


def _members(server: ServerFacts) -> Iterator[Finding]:
    for queue in server.status.get("queues", ()):
        for member in queue["differing"]:
            if member["differs"] == "missing" and member["reason"]:
                what = f"{member['interface']} ({member['username']}) cannot join: {member['reason']}"
                yield error(FindingCode.MEMBER_MISSING, f"queue {queue['queue']}", what)


def _differs(read: Any, used: Any) -> bool:
    """Whether a section of server.xml, or None, is another one than the server uses."""
    if used is _UNTOLD:  # a server of an earlier release
        return False
    if read is None or used is None:
        return (read is None) != (used is None)
    now = asdict(read)
    # A setting that one of the two does not know is of another release.
    return any(now.get(setting, value) != value for setting, value in used.items())


def _seen(facts: Facts) -> Iterator[Finding]:
    seen = facts.server.seen
    if seen["user"] == 0:
        yield warning(FindingCode.SERVER_ROOT, "the running server", "it runs as root", _RUN_AS_ANOTHER)
    settings = facts.files.settings
    if settings is None:
        return
    for name in NEED_RESTART:
        if _differs(getattr(settings, name), seen.get(name, _UNTOLD)):
            what = f"<{name}> changed since the server's start, and takes effect at its next start only"
            yield warning(FindingCode.SERVER_RESTART, "server.xml", what, "Restart it when it suits")
    limit = seen["descriptors"]
    if limit is None:
        return
    needed = settings.clients.max * DESCRIPTORS_PER_CLIENT + DESCRIPTORS_RESERVED
    if limit < needed:
        what = f"it may have {limit} open files, {settings.clients.max} clients need {needed}"
        todo = f"LimitNOFILE={needed} in the unit, ulimit -n {needed} in the init script, or a lower max"
        yield warning(FindingCode.SERVER_DESCRIPTORS, "the running server", what, todo)
