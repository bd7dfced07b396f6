"""Judges Asterisk's queues, contexts and phones against the configuration. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from astcti_server.doctor.asterisk_conf import AsteriskConf
from astcti_server.doctor.facts import Facts, ListedMember, ManagerFacts, PbxFacts
from astcti_server.doctor.findings import Finding, FindingCode, error, note, warning
from schemas.configuration.model import Configuration, Seat, Service, queue_key

UNKNOWN = "INVALID"
"""The state of a device that nobody has."""


def check_pbx(facts: Facts) -> Iterator[Finding]:
    """What of the configuration Asterisk does not have, or has in a way that hurts."""
    manager, configuration = facts.manager, facts.files.configuration
    if manager is None or configuration is None or manager.stage != "up":
        return
    yield from _queues(manager.pbx, configuration)
    yield from _queue_options(manager, configuration)
    yield from _members(facts, manager.pbx, configuration)
    yield from _contexts(facts, manager.pbx, configuration)
    yield from _phones(manager.pbx, configuration)
    yield from _asking_colleagues(manager)
    yield from _answering(manager, configuration, facts)


def _of_queues(configuration: Configuration) -> dict[str, list[Service]]:
    """Enabled services by their queue's key."""
    found: dict[str, list[Service]] = {}
    for service in configuration.services:
        if service.enabled and service.queue:
            found.setdefault(queue_key(service.queue), []).append(service)
    return found


def _queues(pbx: PbxFacts, configuration: Configuration) -> Iterator[Finding]:
    wanted = _of_queues(configuration)
    if not wanted:
        return
    if pbx.queues is None:
        yield note(FindingCode.NOT_LOOKED, "queues", "Asterisk does not tell its queues (QueueStatus)")
        return
    there = {queue_key(name): name for name in pbx.queues}
    for key, services in wanted.items():
        if key in there:
            continue
        queue = services[0].queue
        near = get_close_matches(key, there, 1)
        todo = f'Is "{there[near[0]]}" meant? ' if near else ""
        todo += "Correct queue-name, or add the queue to queues.conf"
        what = f'Asterisk has no queue "{queue}": nobody can join'
        yield error(FindingCode.QUEUE_UNKNOWN, _services(services), what, todo)


def _services(services: list[Service]) -> str:
    return f"service{'s'[: len(services) > 1]} " + ", ".join(f'"{service.name}"' for service in services)


def _queue_options(manager: ManagerFacts, configuration: Configuration) -> Iterator[Finding]:
    wanted, conf = _of_queues(configuration), manager.queues_conf
    there = {queue_key(name) for name in manager.pbx.queues or ()}
    sections = {queue_key(name): name for name in conf.sections} if conf is not None else {}
    unseen = []
    for key, services in wanted.items():
        if conf is not None and key in sections:
            yield from _options(conf, sections[key], services, manager.manager)
        elif key in there:
            unseen.append(services[0].queue)
    if unseen:
        reason = "the user has not the class config" if conf is None else f"not in {conf.origin}"
        what = f"the options of {', '.join(unseen)} could not be looked at ({reason})"
        todo = "On Asterisk's own machine doctor reads /etc/asterisk, or what --asterisk-etc says"
        yield note(FindingCode.NOT_LOOKED, "queues.conf", what, todo)


def _options(conf: AsteriskConf, section: str, services: list[Service], manager: str) -> Iterator[Finding]:
    where = f"queues.conf [{section}]"
    in_use = conf.value(section, "ringinuse")
    if in_use is None or _is_true(in_use):
        said = "no ringinuse, so yes" if in_use is None else f"ringinuse = {in_use}"
        what = f"{said}: a phone that talks is rung by this queue, too"
        yield warning(FindingCode.QUEUE_OPTION, where, what, "ringinuse = no")
    called = conf.value(section, "eventwhencalled") or "no"
    on_ring = any(trigger.on == "ring" for service in services for trigger in service.triggers)
    if manager.startswith("1.") and on_ring and called.lower() not in ("yes", "true", "1", "on", "vars"):
        what = 'without eventwhencalled it is known late who rings: pages on="ring" open late or not at all'
        yield warning(FindingCode.QUEUE_OPTION, where, what, "eventwhencalled = yes")


def _is_true(text: str) -> bool:
    """As `ast_true` (main/utils.c)."""
    return text.lower() in ("yes", "true", "y", "t", "1", "on")


def _asking_colleagues(manager: ManagerFacts) -> Iterator[Finding]:
    """How an agent can ask a colleague before he hands a call over; a class that lacks is told elsewhere."""
    allowed, conf = manager.actions, manager.features_conf
    if allowed is None or not {"originate", "redirect"} <= allowed:
        return
    where = conf.origin if conf is not None else "features.conf"
    by_key = conf is not None and bool(conf.value("featuremap", "atxfer"))
    if "bridge" not in allowed and not (by_key and "atxfer" in allowed):
        what = "agents cannot ask a colleague before they hand a call over: the client has no button for it"
        todo = "This Asterisk has not the action Bridge for it (1.6 and later have)"
        yield note(FindingCode.CONSULT, "actions of the manager interface", what, todo)
    elif conf is not None and not by_key:
        what = "no atxfer: a colleague is asked by a second call of the agent's phone"
        todo = "Where phones have one line only: atxfer => *2 in [featuremap], and t or T in Queue and Dial"
        yield note(FindingCode.CONSULT, where, what, todo)


_NOTIFY = {
    "PJSIP": ("PJSIPNotify", "Load res_pjsip_notify.so: it wants a pjsip_notify.conf, which may be empty"),
    "SIP": ("SIPnotify", 'chan_sip has it: write PJSIP/... for a phone of chan_pjsip, else answer="none"'),
}
"""By which action a phone of each driver is told to answer, and what to do where Asterisk has it not."""
_SYSTEM_ALONE = "moduleload"
"""An action that the class `system` allows, and no other, in 1.6 and later."""


def _answering(manager: ManagerFacts, configuration: Configuration, facts: Facts) -> Iterator[Finding]:
    """Why phones that should answer from the window do not."""
    allowed, settings = manager.actions, facts.files.settings
    if allowed is None or settings is None:
        return
    for driver, (action, todo) in _NOTIFY.items():
        phones = [seat.extension for seat in configuration.seats if seat.can_be_told_to_answer]
        phones = [phone for phone in phones if phone.startswith(f"{driver}/")]
        if not phones or action.lower() in allowed:
            continue
        shown = ", ".join(phones[:5]) + (f" and {len(phones) - 5} more" if len(phones) > 5 else "")
        without = f"agents cannot answer from the window at {shown}"
        if _SYSTEM_ALONE in allowed:
            what = f"Asterisk has not the action {action}: {without}"
            yield warning(FindingCode.ANSWER, "modules.conf", what, todo)
        else:
            where = f"manager.conf [{settings.ami.username}] write"
            what = f"may not ask for {action}: {without}"
            yield warning(FindingCode.WRITE_CLASS, where, what, "Add system")


def _members(facts: Facts, pbx: PbxFacts, configuration: Configuration) -> Iterator[Finding]:
    """Members of our queues that this server did not add."""
    wanted = _of_queues(configuration)
    by_interface = {seat.queue_interface or seat.extension: seat for seat in configuration.seats}
    numbers = {_number(seat.extension): seat for seat in configuration.seats}
    strangers = []
    for member in pbx.members:
        if queue_key(member.queue) not in wanted:
            continue
        where = f"queue {member.queue}"
        seat = by_interface.get(member.interface)
        if seat is not None and member.membership in ("static", "realtime"):
            what = (
                f"{member.interface}, a seat's phone, is a {member.membership} member: it is never taken out"
            )
            todo = "Remove its 'member =>' line: operators join when they log in"
            yield warning(FindingCode.STATIC_MEMBER, where, what, todo)
        elif seat is not None:
            if _is_nobodys(facts, member, seat, configuration, pbx):
                yield _nobodys(facts, where, member)
        elif (seat := numbers.get(_number(member.interface))) is not None:
            what = f"{member.interface} is no seat's interface, but seems to be the phone of {seat.extension}"
            todo = f'Remove that member, or write queue-interface="{member.interface}" for the seat'
            yield warning(FindingCode.FOREIGN_MEMBER, where, what, todo)
        else:
            strangers.append(f"{member.interface} in {member.queue}")
    if strangers:
        shown = ", ".join(strangers[:5]) + (f" and {len(strangers) - 5} more" if len(strangers) > 5 else "")
        what = f"members that are no seats: {shown}: their calls pop up nowhere"
        yield note(FindingCode.FOREIGN_MEMBER, "queues", what)


def _number(interface: str) -> str:
    """What is dialled of a device: 201 of PJSIP/201, of SIP/201 and of Local/201@agents/n."""
    return interface.partition("/")[2].partition("/")[0].partition("@")[0]


def _is_nobodys(
    facts: Facts, member: ListedMember, seat: Seat, configuration: Configuration, pbx: PbxFacts
) -> bool:
    """Whether the running server neither wants nor knows a dynamic member; without one all are nobody's."""
    for status in (facts.server.status, facts.server.earlier):
        if not status:
            continue
        for session in status.get("sessions", ()):
            services = configuration.services_of(session["username"])
            if session["extension"] == seat.extension and _serves(services, member.queue):
                return False
        # Somebody whose connection was lost stays a member for a while, without a session.
        if _known_to(status, member.queue) >= _seats_in(pbx, configuration, member.queue):
            return False
    return True


def _serves(services: tuple[Service, ...], queue: str) -> bool:
    return any(queue_key(service.queue) == queue_key(queue) for service in services if service.queue)


def _known_to(status: Mapping[str, object], queue: str) -> int:
    """How many members of a queue the server knows as its own."""
    found = status.get("queues", ())
    assert isinstance(found, list | tuple)
    return sum(entry["members"] for entry in found if queue_key(entry["queue"]) == queue_key(queue))


def _seats_in(pbx: PbxFacts, configuration: Configuration, queue: str) -> int:
    interfaces = {seat.queue_interface or seat.extension for seat in configuration.seats}
    return sum(
        member.interface in interfaces and member.membership == "dynamic"
        for member in pbx.members
        if queue_key(member.queue) == queue_key(queue)
    )


def _nobodys(facts: Facts, where: str, member: ListedMember) -> Finding:
    who = (
        f"{member.interface} ({member.name})"
        if member.name not in ("", member.interface)
        else member.interface
    )
    if not facts.server.status:
        what = f"{who} is a member though no server answers here: it was left, or another server runs"
        return note(FindingCode.FOREIGN_MEMBER, where, what)
    what = f"{who} is a member, but nobody is logged in there: calls ring a phone without an agent"
    todo = f"'queue remove member {member.interface} from {member.queue}' on Asterisk's console, and see what"
    todo += " added it: a second server, a script, a key of the dialplan"
    return warning(FindingCode.FOREIGN_MEMBER, where, what, todo)


def _contexts(facts: Facts, pbx: PbxFacts, configuration: Configuration) -> Iterator[Finding]:
    for service in configuration.services:
        if service.enabled and pbx.contexts.get(service.context) is False:
            what = f"Asterisk has no context {service.context}: none of its calls is seen"
            where = f'service "{service.name}"'
            yield error(FindingCode.CONTEXT_UNKNOWN, where, what, "Correct context, or the dialplan")
    settings = facts.files.settings
    for context in settings.transfer if settings is not None else ():
        if pbx.contexts.get(context) is False:
            what = f"Asterisk has no context {context}: every transfer there is refused"
            yield error(FindingCode.CONTEXT_UNKNOWN, "server.xml <transfer>", what, "Correct it")
    unknown = sorted(context for context, there in pbx.contexts.items() if there is None)
    if unknown or (configuration.contexts and not pbx.contexts):
        names = ", ".join(unknown or sorted(configuration.contexts))
        what = f"whether these contexts are there could not be asked: {names}"
        yield note(FindingCode.NOT_LOOKED, "dialplan", what, "ShowDialPlan needs write = reporting")


def _phones(pbx: PbxFacts, configuration: Configuration) -> Iterator[Finding]:
    unknown = []
    for seat in configuration.seats:
        where = f"seat {seat.mac}"
        for name, device, without in (
            ("extension", seat.extension, "its calls are never seen"),
            ("queue-interface", seat.queue_interface, "calls of queues do not reach it"),
            ("state-interface", seat.state_interface, "queues do not know whether it is free"),
        ):
            state = pbx.devices.get(device, "")
            if state == UNKNOWN and not (name == "queue-interface" and device == seat.extension):
                yield error(
                    FindingCode.PHONE_UNKNOWN,
                    where,
                    f"Asterisk has no {name} {device}: {without}",
                    _meant(pbx, device),
                )
            elif device and not state:
                unknown.append(device)
    if unknown:
        shown = ", ".join(dict.fromkeys(unknown[:5])) + (" ..." if len(unknown) > 5 else "")
        what = f"whether these devices are there could not be asked: {shown}"
        yield note(FindingCode.NOT_LOOKED, "phones", what)


def _meant(pbx: PbxFacts, device: str) -> str:
    """The same phone of the other SIP driver, if Asterisk has that."""
    other = other_driver(device)
    if other and pbx.devices.get(other, UNKNOWN) not in ("", UNKNOWN):
        return f"It has {other}: write that"
    return "Correct it ('queue show' and 'core show hints' have Asterisk's own names), or add it to Asterisk"


def other_driver(device: str) -> str:
    """`SIP/201` of `PJSIP/201`, and the other way round; empty for another technology."""
    technology, _, rest = device.partition("/")
    swapped = {"SIP": "PJSIP", "PJSIP": "SIP"}.get(technology.upper())
    return f"{swapped}/{rest}" if swapped else ""
