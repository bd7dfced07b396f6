"""The runtime configuration as XML (`configuration.xsd`): into the model and out of it.

Any thread. What `load_xml` and `parse_xml` return is valid; so is what `dump_xml` writes of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from lxml import etree

from schemas import xml_reading
from schemas.configuration.checks import (
    CheckedConfiguration,
    Complaint,
    PartPlaces,
    check_configuration,
    warn_of_configuration,
)
from schemas.configuration.defaults import address_or_text, mac_or_text, seat_interfaces
from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service, Trigger
from schemas.problems import ConfigurationError, Problem, bounded
from schemas.xml_reading import ElementLines, ReadDocument

_SCHEMA = "configuration.xsd"


def load_xml(path: Path) -> Configuration:
    """Read a file. ConfigurationError with every problem in it; OSError if it cannot be read."""
    return parse_xml(path.read_bytes(), str(path)).configuration


def parse_xml(data: bytes, file: str) -> CheckedConfiguration:
    """Read a file's bytes; `file` is the name that problems carry. ConfigurationError as for `load_xml`."""
    quick = xml_reading.read_document(data, file, _SCHEMA, exact=False)
    fits = quick.schema.fits(quick.root)
    found = _check(quick, file, fits=True) if fits else None
    if found is not None and found.warnings:
        found = found._replace(warnings=_warnings(quick.root, ElementLines(quick.root, data), file))
    xml_reading.free_tree(quick.root)
    if found is None or found.problems:
        exact = xml_reading.read_document(data, file, _SCHEMA)
        found = _check(exact, file, fits=fits)
        xml_reading.free_tree(exact.root)
    if found.problems:
        raise ConfigurationError(found.problems)
    return CheckedConfiguration(found.configuration, bounded(found.warnings), found.replaces)


class _Checked(NamedTuple):
    configuration: Configuration
    problems: list[Problem]
    warnings: list[Problem]
    replaces: str


def _warnings(root: etree._Element, lines: ElementLines, file: str) -> list[Problem]:
    reader = _Reader(lines)
    doubts = warn_of_configuration(reader.configuration(root), reader.places)
    return [Problem(file, doubt.place, doubt.message) for doubt in doubts]


def _check(document: ReadDocument, file: str, *, fits: bool) -> _Checked:
    root, schema, lines = document
    reader = _Reader(lines)
    configuration, replaces = reader.configuration(root), _text(root, "replaces").lower()
    mistakes = [] if fits else schema.mistakes(root, lines)
    known = {(mistake.line, mistake.field) for mistake in mistakes if mistake.field}
    misplaced = any(mistake.misplaced for mistake in mistakes)
    problems = [Problem(file, mistake.line, mistake.message) for mistake in mistakes]
    problems += [
        Problem(file, complaint.place, complaint.message)
        for complaint in check_configuration(configuration, reader.places)
        if (complaint.place, complaint.field) not in known
        and not (misplaced and _follows(complaint, configuration))
    ]
    problems.sort(key=lambda problem: problem.line)
    warnings = [] if problems else warn_of_configuration(configuration, reader.places)
    shown = [Problem(file, warning.place, warning.message) for warning in warnings]
    return _Checked(configuration, problems, shown, replaces)


def _follows(complaint: Complaint, configuration: Configuration) -> bool:
    """Tell whether a complaint only says again that a whole section's name is misspelt."""
    what = (complaint.kind, complaint.field)
    no_operators = what == ("binding", "username") and not configuration.operators
    return no_operators or (what == ("operator", "seat") and not configuration.seats)


class _Reader:
    """Reads a tree as it is: what the schema refuses is read as its default."""

    def __init__(self, lines: ElementLines) -> None:
        self.places = PartPlaces()
        self._lines = lines

    def configuration(self, root: etree._Element) -> Configuration:
        """Read the whole tree. Called once."""
        return Configuration(
            services=tuple(self._service(node) for node in root.iterfind("services/service")),
            seats=tuple(self._seat(node) for node in root.iterfind("seats/seat")),
            operators=tuple(self._operator(node) for node in root.iterfind("operators/operator")),
            pause_reasons=tuple(self._reasons(root)),
        )

    def _service(self, node: etree._Element) -> Service:
        variables, triggers, bindings = [], [], []
        lines: tuple[list[int], list[int], list[int]] = ([], [], [])
        for child in node:
            line = self._lines.of(child)
            if child.tag == "variable":
                variables.append(_text(child, "name"))
                lines[0].append(line)
            elif child.tag == "trigger":
                triggers.append(_trigger(child))
                lines[1].append(line)
            elif child.tag == "operator":
                bindings.append(Binding(_text(child, "username"), _integer(child, "penalty")))
                lines[2].append(line)
        self.places.services.append(self._lines.of(node))
        self.places.variables.append(lines[0])
        self.places.triggers.append(lines[1])
        self.places.bindings.append(lines[2])
        return Service(
            name=_text(node, "name"),
            context=_text(node, "context"),
            type=_choice(node, "type", "inbound"),
            is_queue=_boolean(node, "is-queue", False),
            queue_name=_text(node, "queue-name"),
            enabled=_boolean(node, "enabled", True),
            variables=tuple(variables),
            triggers=tuple(triggers),
            operators=tuple(bindings),
            may_leave=_boolean(node, "may-leave", False),
        )

    def _seat(self, node: etree._Element) -> Seat:
        self.places.seats.append(self._lines.of(node))
        extension = _text(node, "extension")
        queue_interface, state_interface = seat_interfaces(
            extension, _text(node, "queue-interface"), _text(node, "state-interface")
        )
        return Seat(
            mac=mac_or_text(_text(node, "mac")),
            extension=extension,
            queue_interface=queue_interface,
            state_interface=state_interface,
            address=address_or_text(_text(node, "address")),
            description=_text(node, "description"),
            answer=_choice(node, "answer", "none"),
        )

    def _operator(self, node: etree._Element) -> Operator:
        self.places.operators.append(self._lines.of(node))
        return Operator(
            username=_text(node, "username"),
            full_name=_text(node, "full-name"),
            password=_text(node, "password"),
            seat=mac_or_text(_text(node, "seat")),
            begin_in_pause=_boolean(node, "begin-in-pause", False),
            enabled=_boolean(node, "enabled", True),
            scram=_text(node, "scram"),
        )

    def _reasons(self, root: etree._Element) -> Iterator[str]:
        for node in root.iterfind("pause-reasons/reason"):
            self.places.reasons.append(self._lines.of(node))
            yield _text(node, "name")


def _trigger(node: etree._Element) -> Trigger:
    return Trigger(
        type=_choice(node, "type", "application"),
        on=_choice(node, "on", "answer"),
        os=_choice(node, "os", "any"),
        application=(node.findtext("application") or "").strip(),
        parameters=(node.findtext("parameters") or "").strip(),
        url=(node.findtext("url") or "").strip(),
        again=_text(node, "again") == "yes",
    )


def _text(node: etree._Element, attribute: str) -> str:
    return (node.get(attribute) or "").strip()


def _choice(node: etree._Element, attribute: str, default: str) -> Any:
    """Read one of several words; the schema has the list of them."""
    return _text(node, attribute) or default


def _boolean(node: etree._Element, attribute: str, default: bool) -> bool:
    value = _text(node, attribute)
    return value in ("true", "1") if value else default


def _integer(node: etree._Element, attribute: str) -> int:
    try:
        return int(_text(node, attribute) or 0)
    except ValueError:
        return 0


def dump_xml(configuration: Configuration, replaces: str = "") -> bytes:
    """Write a configuration as UTF-8. Values equal to their defaults are left out.

    `replaces` is the SHA-256 of the file whose place it takes although it takes away much.
    ValueError for a character that XML cannot hold, which no valid configuration has.
    """
    root = etree.Element("configuration")
    _set(root, "replaces", replaces, "")
    services = etree.SubElement(root, "services")
    for service in configuration.services:
        _dump_service(etree.SubElement(services, "service"), service)
    seats = etree.SubElement(root, "seats")
    for seat in configuration.seats:
        _dump_seat(etree.SubElement(seats, "seat"), seat)
    operators = etree.SubElement(root, "operators")
    for operator in configuration.operators:
        _dump_operator(etree.SubElement(operators, "operator"), operator)
    reasons = etree.SubElement(root, "pause-reasons")
    for reason in configuration.pause_reasons:
        etree.SubElement(reasons, "reason").set("name", reason)
    etree.indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8") + b"\n"


def _dump_service(node: etree._Element, service: Service) -> None:
    _set(node, "name", service.name)
    _set(node, "context", service.context)
    _set(node, "type", service.type)
    _set(node, "is-queue", _word(service.is_queue), "false")
    _set(node, "queue-name", service.queue_name, "")
    _set(node, "may-leave", _word(service.may_leave), "false")
    _set(node, "enabled", _word(service.enabled), "true")
    for variable in service.variables:
        etree.SubElement(node, "variable").set("name", variable)
    for trigger in service.triggers:
        _dump_trigger(etree.SubElement(node, "trigger"), trigger)
    for binding in service.operators:
        child = etree.SubElement(node, "operator")
        _set(child, "username", binding.username)
        _set(child, "penalty", str(binding.penalty), "0")


def _dump_trigger(node: etree._Element, trigger: Trigger) -> None:
    _set(node, "type", trigger.type)
    _set(node, "on", trigger.on, "answer")
    _set(node, "os", trigger.os, "any")
    _set(node, "again", "yes" if trigger.again else "no", "no")
    for tag in ("application", "parameters", "url"):
        if getattr(trigger, tag):
            etree.SubElement(node, tag).text = getattr(trigger, tag)


def _dump_seat(node: etree._Element, seat: Seat) -> None:
    _set(node, "mac", seat.mac)
    _set(node, "extension", seat.extension)
    _set(node, "queue-interface", seat.queue_interface, seat.extension)
    same = seat.queue_interface == seat.extension
    _set(node, "state-interface", seat.state_interface, "" if same else seat.extension)
    _set(node, "address", seat.address, "")
    _set(node, "description", seat.description, "")
    _set(node, "answer", seat.answer, "none")


def _dump_operator(node: etree._Element, operator: Operator) -> None:
    _set(node, "username", operator.username)
    _set(node, "full-name", operator.full_name)
    _set(node, "password", operator.password)
    _set(node, "scram", operator.scram, "")
    _set(node, "seat", operator.seat, "")
    _set(node, "begin-in-pause", _word(operator.begin_in_pause), "false")
    _set(node, "enabled", _word(operator.enabled), "true")


def _set(node: etree._Element, attribute: str, value: str, default: str | None = None) -> None:
    if value != default:
        node.set(attribute, value)


def _word(value: bool) -> str:
    return "true" if value else "false"
