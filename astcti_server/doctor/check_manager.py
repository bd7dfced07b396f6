"""Judges the manager session: is there one, what may its user ask for and see, the clock. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from astcti_server.doctor import manager_classes
from astcti_server.doctor.asterisk_conf import AsteriskConf
from astcti_server.doctor.event_filters import disabled_events, hidden_events
from astcti_server.doctor.facts import Facts, ManagerFacts
from astcti_server.doctor.findings import Finding, FindingCode, error, note, warning
from schemas.configuration.model import Configuration
from schemas.server.file_checks import Validity, validity_in_words
from schemas.server.missing_rights import MissingRight
from schemas.server.settings import AmiSettings

SHORTEST_TIMEOUT: Final = 1000
"""Milliseconds of `writetimeout`; Asterisk's own default is 100."""
CLOCKS_APART: Final = 5.0  # seconds: less is told apart by hand in two logs
_STAGES: Final = {
    "host-name": FindingCode.HOST_NAME,
    "connect": FindingCode.NOT_REACHED,
    "tls": FindingCode.TLS,
    "greeting": FindingCode.NO_ANSWER,
    "login": FindingCode.LOGIN,
    "up": FindingCode.NO_ANSWER,
}
_LOOK_FOR_FILTERS: Final = "Look for eventfilter and disabledevents in manager.conf"
_LACKING_IN_WORDS: Final = {
    "agent": MissingRight.MEMBERS,
    "dialplan": MissingRight.DIALPLAN,
    "call": MissingRight.CALLS,
}


def check_manager(facts: Facts) -> Iterator[Finding]:
    """Everything about the manager user."""
    manager, settings, configuration = facts.manager, facts.files.settings, facts.files.configuration
    if manager is None or settings is None or configuration is None:
        return
    ami = settings.ami
    if manager.failure:
        yield _failure(facts, manager, ami)
    if manager.certificate_ends is not None:
        wrong = validity_in_words(
            "Asterisk's certificate", Validity(0.0, manager.certificate_ends), facts.now
        )
        if wrong:
            where = f"{ami.host}:{ami.port} (tlscertfile in manager.conf)"
            yield warning(FindingCode.CERTIFICATE_ENDS, where, wrong)
    if manager.stage == "up":
        yield from _version(manager, ami)
        yield from _clock(manager)
        yield from _written(facts, manager, configuration, ami)
        yield from _second_server(facts, manager, ami)
    elif _same_user(facts, ami):
        yield from _refused(facts, manager, configuration, ami)
    if manager.stage == "up" or _same_user(facts, ami):
        yield from _read(facts, manager, configuration, ami)
    told = list(_user_in_file(manager, configuration, ami))
    yield from told
    if not {FindingCode.EVENT_FILTER, FindingCode.DISABLED_EVENTS} & {finding.code for finding in told}:
        yield from _hidden(manager, ami)


def _failure(facts: Facts, manager: ManagerFacts, ami: AmiSettings) -> Finding:
    where = f"Asterisk at {ami.host}:{ami.port}"
    connected = bool(facts.server.status) and facts.server.status["ami"]["state"] == "up"
    if connected and "logged in already" in manager.failure:
        todo = "allowmultiplelogin = yes in manager.conf lets doctor look while the server runs"
        return note(FindingCode.NOT_LOOKED, where, "the server's own session is the only one allowed", todo)
    return error(_STAGES[manager.stage], where, manager.failure)


def _version(manager: ManagerFacts, ami: AmiSettings) -> Iterator[Finding]:
    if not manager.manager[:1].isdigit():
        what = f"it greets as {manager.manager!r}, which is no version of Asterisk's manager interface"
        todo = "A proxy between may drop what is needed: connect to Asterisk itself"
        yield warning(FindingCode.VERSION, f"Asterisk at {ami.host}:{ami.port}", what, todo)


def _clock(manager: ManagerFacts) -> Iterator[Finding]:
    ahead = manager.clock_ahead
    if ahead is not None and abs(ahead) - manager.clock_within > CLOCKS_APART:
        way = "ahead of" if ahead > 0 else "behind"
        what = f"Asterisk's is {abs(ahead):.0f} s {way} this machine's: logs and call records do not agree"
        yield warning(
            FindingCode.CLOCK, "clock", what, "Let both machines take their time from one source (NTP)"
        )


def _second_server(facts: Facts, manager: ManagerFacts, ami: AmiSettings) -> Iterator[Finding]:
    sessions = manager.pbx.managers
    if sessions is None:
        return
    status = facts.server.status
    same = _same_user(facts, ami) or not facts.server.seen
    expected = int(bool(status) and status["ami"]["state"] == "up" and same)
    if sessions > expected:
        others = sessions - expected
        what = f"{others} more session{'s'[: others > 1]} of the manager user {ami.username!r}"
        todo = (
            "'manager show connected' on Asterisk's console says from where: stop the other server, or give "
        )
        todo += "other programs users of their own"
        yield warning(FindingCode.SECOND_SERVER, f"Asterisk at {ami.host}:{ami.port}", what, todo)


def _same_user(facts: Facts, ami: AmiSettings) -> bool:
    """Whether the running server tells, and is logged in as this user: it uses the settings of its start."""
    return bool(facts.server.seen) and facts.server.seen["ami"]["username"] == ami.username


def _written(
    facts: Facts, manager: ManagerFacts, configuration: Configuration, ami: AmiSettings
) -> Iterator[Finding]:
    """Which actions are not allowed, by the class that is missing."""
    where, allowed = f"manager.conf [{ami.username}] write", manager.actions
    if allowed is None:
        yield note(FindingCode.NOT_LOOKED, where, "Asterisk does not list what this user may ask for")
        return
    missing: dict[str, list[manager_classes.NeededAction]] = {}
    for action in manager_classes.needed_actions(configuration, manager.manager):
        if action.name.lower() not in allowed:
            missing.setdefault(action.classes[0], []).append(action)
    for name, actions in missing.items():
        if name == "agent" and "queuestatus" not in allowed:
            what = "Asterisk has no queues: app_queue is not loaded"
            yield error(FindingCode.QUEUE_UNKNOWN, "modules.conf", what, "Load app_queue.so")
            continue
        names = ", ".join(action.name for action in actions)
        without = "; ".join(dict.fromkeys(action.without for action in actions))
        make = error if any(action.vital for action in actions) else warning
        yield make(FindingCode.WRITE_CLASS, where, f"may not ask for {names}: {without}", f"Add {name}")


def _refused(
    facts: Facts, manager: ManagerFacts, configuration: Configuration, ami: AmiSettings
) -> Iterator[Finding]:
    """What the running server was refused, where there is no session to ask in."""
    version = manager.manager or str(facts.server.status["ami"]["manager"])
    needed = {action.name: action for action in manager_classes.needed_actions(configuration, version)}
    for refusal in facts.server.seen["refusals"]:
        action = needed.get(refusal["action"])
        todo = f"Add {action.classes[0]}" if action is not None else ""
        what = f"the running server was refused {refusal['action']} ({refusal['message']})"
        yield error(FindingCode.WRITE_CLASS, f"manager.conf [{ami.username}] write", what, todo)


def _read(
    facts: Facts, manager: ManagerFacts, configuration: Configuration, ami: AmiSettings
) -> Iterator[Finding]:
    """Which classes of events do not come. One that comes proves its class, whatever a file says."""
    where = f"manager.conf [{ami.username}] read"
    version = manager.manager or str(facts.server.status.get("ami", {}).get("manager", ""))
    seen = manager.events | (
        frozenset(facts.server.seen["events"]) if _same_user(facts, ami) else frozenset()
    )
    for name in manager_classes.read_classes(configuration, version):
        if manager_classes.proves(seen, name, version):
            continue
        why = _known_missing(facts, manager, name, ami)
        make = warning if name == "system" else error
        if why:
            what = f"{manager_classes.consequence(name)} ({why})"
            yield make(FindingCode.READ_CLASS, where, what, f"Add {name}, then 'manager reload'")
        elif _is_missed(facts, name, ami):
            what = f"{manager_classes.consequence(name)}, though read has {name}"
            yield error(
                FindingCode.EVENT_FILTER, where, what, f"{_LOOK_FOR_FILTERS}, and do 'manager reload'"
            )
        else:
            what = f"no event of the class {name} came yet"
            todo = "" if manager.provoked else "doctor --provoke makes some that harm nobody"
            yield note(FindingCode.NOT_SEEN_YET, where, what, todo)


def _hidden(manager: ManagerFacts, ami: AmiSettings) -> Iterator[Finding]:
    """What did not come though its class is there: another event of it came, or manager.conf grants it."""
    there = [
        name
        for name in manager_classes.CLASSES
        if manager_classes.proves(manager.events, name, manager.manager) or _granted(manager, name, ami) == ""
    ]
    missing = [
        event
        for event in sorted(manager.provoked - manager.events)
        if any(manager_classes.proves(frozenset({event}), name, manager.manager) for name in there)
    ]
    if missing:
        what = f"{', '.join(missing)} was provoked, and did not come"
        todo = f"{_LOOK_FOR_FILTERS}; what these said before may hold until Asterisk restarts"
        yield error(FindingCode.EVENT_FILTER, f"manager.conf [{ami.username}]", what, todo)


def _known_missing(facts: Facts, manager: ManagerFacts, name: str, ami: AmiSettings) -> str:
    """How it is known that a class is missing; empty if it is not known."""
    granted = _granted(manager, name, ami)
    if granted is not None:
        return granted
    if made := manager_classes.proves(manager.provoked, name, manager.manager):
        return f"{made} was provoked, and did not come"
    if name == "system" and manager.stage == "up" and manager.manager.split(".")[0] not in ("", "1"):
        return "FullyBooted did not come after the login"
    return "the running server missed it" if _is_missed(facts, name, ami) else ""


def _is_missed(facts: Facts, name: str, ami: AmiSettings) -> bool:
    """Whether the running server noticed that events of a class should have come."""
    right = _LACKING_IN_WORDS.get(name)
    return (
        right is not None and _same_user(facts, ami) and right.text() in facts.server.status["ami"]["lacking"]
    )


def _granted(manager: ManagerFacts, name: str, ami: AmiSettings) -> str | None:
    """What manager.conf says that does not grant a class; empty if it grants it, None if it is not known."""
    conf = manager.manager_conf
    if conf is None or not conf.has(ami.username):
        return None
    line = conf.value(ami.username, "read")
    return "" if manager_classes.grants(line, (name,)) else f"{conf.origin} says read = {line or ''}"


def _user_in_file(manager: ManagerFacts, configuration: Configuration, ami: AmiSettings) -> Iterator[Finding]:
    """What only manager.conf says."""
    conf = manager.manager_conf
    where = f"manager.conf [{ami.username}]"
    if conf is None or not conf.has(ami.username):
        reason = "the user has not the class config" if conf is None else f"{conf.origin} has no such section"
        what = f"writetimeout, eventfilter and disabledevents could not be looked at ({reason})"
        todo = "On Asterisk's own machine doctor reads /etc/asterisk, or what --asterisk-etc says"
        yield note(FindingCode.NOT_LOOKED, where, what, todo)
        return
    yield from _write_timeout(conf, ami)
    hidden = hidden_events(conf, ami.username, configuration, manager.manager)
    if hidden:
        what = f"its eventfilter lines hide {', '.join(hidden)}"
        yield error(
            FindingCode.EVENT_FILTER, where, what, "Remove or change them: calls or queues are missed"
        )
    disabled = [
        name for name in disabled_events(conf, configuration, manager.manager) if name not in manager.events
    ]
    if disabled:
        what = f"disabledevents switches off {', '.join(disabled)}"
        todo = "Take them out: calls or queues are missed"
        yield error(FindingCode.DISABLED_EVENTS, "manager.conf [general]", what, todo)


def _write_timeout(conf: AsteriskConf, ami: AmiSettings) -> Iterator[Finding]:
    text = conf.value(ami.username, "writetimeout")
    milliseconds = int(text) if text is not None and text.isdecimal() else 100
    if milliseconds < SHORTEST_TIMEOUT:
        said = f"writetimeout = {text}" if text is not None else "no writetimeout, so 100 ms"
        what = f"{said}: Asterisk cuts the connection when the server or the network pauses for so long"
        yield warning(
            FindingCode.WRITE_TIMEOUT, f"manager.conf [{ami.username}]", what, "writetimeout = 5000"
        )
