"""What makes a configuration invalid, in plain words: the same for every form it is written in.

Pure and linear in the configuration's size; standard library only. The loaders say where each part
stands through `PartPlaces`, so that a complaint names a line or a row.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, NamedTuple, TypeAlias

from schemas import passwords, scram
from schemas.configuration import formats
from schemas.configuration.model import Configuration, Operator, Seat, Service
from schemas.configuration.triggers import check_trigger, warn_of_trigger
from schemas.problems import Problem
from schemas.sentences import Sentence, said

PartKind: TypeAlias = Literal["service", "variable", "trigger", "binding", "seat", "operator", "reason"]


class CheckedConfiguration(NamedTuple):
    """A valid configuration, and what in it is hardly meant."""

    configuration: Configuration
    warnings: tuple[Problem, ...]
    replaces: str = ""
    """SHA-256 of the file that this one is meant to replace, whatever it takes away; lower case, or empty."""


class Complaint(NamedTuple):
    """One mistake: the kind of part, where it stands, which attribute is meant (if any), and why."""

    kind: PartKind
    place: int
    field: str
    message: str


@dataclass
class PartPlaces:
    """Where each part of a configuration stands, in the order of its tuples; the inner lists per service."""

    unit: str = "line"
    services: list[int] = field(default_factory=list)
    variables: list[list[int]] = field(default_factory=list)
    triggers: list[list[int]] = field(default_factory=list)
    bindings: list[list[int]] = field(default_factory=list)
    seats: list[int] = field(default_factory=list)
    operators: list[int] = field(default_factory=list)
    reasons: list[int] = field(default_factory=list)

    @classmethod
    def counted(cls, configuration: Configuration) -> PartPlaces:
        """Number the parts themselves, for a configuration that comes from no file."""
        services = configuration.services
        return cls(
            "number",
            list(range(1, len(services) + 1)),
            [list(range(1, len(service.variables) + 1)) for service in services],
            [list(range(1, len(service.triggers) + 1)) for service in services],
            [list(range(1, len(service.operators) + 1)) for service in services],
            list(range(1, len(configuration.seats) + 1)),
            list(range(1, len(configuration.operators) + 1)),
            list(range(1, len(configuration.pause_reasons) + 1)),
        )


CheckedPart: TypeAlias = Service | Seat | Operator


class FlawlessEntries:
    """Entries of which nothing alone is wrong, so that the same objects need not be looked at again.

    For who checks one configuration after the other of which little changed. One thread at a time.
    """

    def __init__(self) -> None:
        self._before: dict[int, CheckedPart] = {}
        self._now: dict[int, CheckedPart] = {}

    def begin(self) -> None:
        """Another configuration comes: what is not in it is forgotten."""
        self._before, self._now = self._now, {}

    def end(self) -> None:
        """All of it was looked at: what was before is of no more use."""
        self._before = {}

    def complaints(self, entry: CheckedPart, look: Callable[[], Iterable[Complaint]]) -> Iterable[Complaint]:
        """What `look` says of an entry, which is asked only if need be."""
        if self._before.get(id(entry)) is entry:  # it is kept alive, so that its id stays its own
            self._now[id(entry)] = entry
            return ()
        found = list(look())
        if not found:
            self._now[id(entry)] = entry
        return found


class _NothingKnown(FlawlessEntries):
    def complaints(self, entry: CheckedPart, look: Callable[[], Iterable[Complaint]]) -> Iterable[Complaint]:
        return look()


def check_configuration(
    configuration: Configuration, places: PartPlaces | None = None, flawless: FlawlessEntries | None = None
) -> list[Complaint]:
    """Return everything that makes a configuration invalid. `flawless` remembers from call to call."""
    places, flawless = places or PartPlaces.counted(configuration), flawless or _NothingKnown()
    flawless.begin()
    found = [
        *_services(configuration, places, flawless),
        *_seats(configuration, places, flawless),
        *_operators(configuration, places, flawless),
        *_reasons(configuration, places),
    ]
    flawless.end()
    return found


def warn_of_configuration(
    configuration: Configuration, places: PartPlaces | None = None, flawless: FlawlessEntries | None = None
) -> list[Complaint]:
    """Return what is valid but hardly meant. Only for what `check_configuration` finds nothing wrong with.

    `flawless` is another one than that of `check_configuration`.
    """
    places, flawless = places or PartPlaces.counted(configuration), flawless or _NothingKnown()
    flawless.begin()
    found = [
        *_warn_of_services(configuration, places, flawless),
        *_warn_of_seats(configuration, places),
        *_warn_of_operators(configuration, places, flawless),
    ]
    flawless.end()
    return found


class _Seen:
    """Finds values that stand twice."""

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._first: dict[object, int] = {}

    def before(self, value: object, place: int) -> str:
        """Return where a value stood before, as words for a message; empty the first time."""
        if value in self._first:
            return Sentence(f"{self._unit} {{number}}", {"number": self._first[value]})
        self._first[value] = place
        return ""


def _services(
    configuration: Configuration, places: PartPlaces, flawless: FlawlessEntries
) -> Iterator[Complaint]:
    pairs = _Seen(places.unit)
    known = configuration.operator_by_username
    for index, service in enumerate(configuration.services):
        place = places.services[index]
        yield from flawless.complaints(service, partial(_service_alone, service, places, index))
        before = service.context and pairs.before((service.context, service.queue.lower()), place)
        if before:
            yield Complaint("service", place, "context", _same_pair(service, before))
        if any(binding.username not in known for binding in service.operators):
            yield from _strangers(service, places.bindings[index], known)


def _service_alone(service: Service, places: PartPlaces, index: int) -> Iterator[Complaint]:
    for attribute, message in _service(service):
        yield Complaint("service", places.services[index], attribute, message)
    yield from _variables(service, places.variables[index], places.unit)
    for trigger, at in zip(service.triggers, places.triggers[index], strict=True):
        for message in check_trigger(trigger, service.variables):
            yield Complaint("trigger", at, "", message)
    yield from _bindings(service, places.bindings[index])


def _same_pair(service: Service, where: str) -> str:
    if service.queue:
        return said(
            "context {context}, queue {queue} already belong to the service in {where}",
            context=service.context,
            queue=service.queue,
            where=where,
        )
    return said(
        "context {context} already belongs to the service in {where}: "
        "services may share a context only if their queues differ",
        context=service.context,
        where=where,
    )


def _service(service: Service) -> Iterator[tuple[str, str]]:
    yield from _wrong("name", said("the service's name"), service.name, formats.check_name)
    yield from _wrong("context", said("the service's context"), service.context, formats.check_dialplan_word)
    if service.type == "outbound":
        if service.is_queue or service.queue_name:
            yield "queue-name", said("an outbound service has no queue: remove is-queue and queue-name")
        return
    if service.is_queue and not service.queue_name:
        yield "queue-name", said("is-queue says that the service has a queue: name it with queue-name")
    elif service.queue_name:
        yield from _wrong(
            "queue-name", said("the queue's name"), service.queue_name, formats.check_dialplan_word
        )


def _variables(service: Service, lines: list[int], unit: str) -> Iterator[Complaint]:
    seen = _Seen(unit)
    for variable, at in zip(service.variables, lines, strict=True):
        for attribute, message in _wrong(
            "name", said("the variable's name"), variable, formats.check_variable
        ):
            yield Complaint("variable", at, attribute, message)
        before = variable and seen.before(variable.upper(), at)
        if before:
            message = said(
                "variable {variable} is already declared in {where} (placeholders ignore the case)",
                variable=variable,
                where=before,
            )
            yield Complaint("variable", at, "name", message)


def _strangers(service: Service, lines: list[int], known: Collection[str]) -> Iterator[Complaint]:
    seen: set[str] = set()
    for binding, at in zip(service.operators, lines, strict=True):
        if binding.username not in known and binding.username not in seen:
            message = said(
                "there is no operator {name!r}: add it to <operators>, or remove it here",
                name=binding.username,
            )
            yield Complaint("binding", at, "username", message)
        seen.add(binding.username)


def _bindings(service: Service, lines: list[int]) -> Iterator[Complaint]:
    seen: set[str] = set()
    for binding, at in zip(service.operators, lines, strict=True):
        if binding.username in seen:
            message = said(
                "operator {name} is already bound to this service: keep one of the two", name=binding.username
            )
            yield Complaint("binding", at, "username", message)
        seen.add(binding.username)
        if binding.penalty < 0:
            yield Complaint("binding", at, "penalty", said("a penalty is 0 or more"))
        elif binding.penalty and service.type == "outbound":
            message = said("an outbound service has no queue, so an operator has no penalty in it: remove it")
            yield Complaint("binding", at, "penalty", message)


def _seats(
    configuration: Configuration, places: PartPlaces, flawless: FlawlessEntries
) -> Iterator[Complaint]:
    by_mac, by_extension, by_interface = (_Seen(places.unit) for _ in range(3))
    for seat, place in zip(configuration.seats, places.seats, strict=True):
        yield from flawless.complaints(seat, partial(_seat, seat, place))
        before = seat.mac and by_mac.before(seat.mac, place)
        if before:
            message = said("MAC {mac} already belongs to the seat in {where}", mac=seat.mac, where=before)
            yield Complaint("seat", place, "mac", message)
        same_phone = seat.extension and by_extension.before(_phone(seat.extension), place)
        if same_phone:
            message = said(
                "extension {extension} already belongs to the seat in {where}",
                extension=seat.extension,
                where=same_phone,
            )
            yield Complaint("seat", place, "extension", message)
        before = seat.queue_interface and by_interface.before(_phone(seat.queue_interface), place)
        if before and before != same_phone:
            message = said(
                "queue interface {interface} already belongs to the seat in {where}",
                interface=seat.queue_interface,
                where=before,
            )
            yield Complaint("seat", place, "queue-interface", message)


def _phone(device: str) -> str:
    technology, _, rest = device.partition("/")
    return f"{technology.upper()}/{rest}"


def _seat(seat: Seat, place: int) -> Iterator[Complaint]:
    for attribute, message in _seat_fields(seat):
        yield Complaint("seat", place, attribute, message)


def _seat_fields(seat: Seat) -> Iterator[tuple[str, str]]:
    yield from _wrong("mac", said("the seat's MAC address"), seat.mac, formats.check_mac)
    yield from _wrong("extension", said("the seat's extension"), seat.extension, formats.check_extension)
    if seat.queue_interface != seat.extension:
        yield from _wrong(
            "queue-interface", said("queue-interface"), seat.queue_interface, formats.check_interface
        )
    if seat.state_interface and seat.state_interface != seat.extension:
        what = said("state-interface")
        yield from _wrong("state-interface", what, seat.state_interface, formats.check_state_interface)
    if seat.address:
        yield from _wrong("address", said("the seat's address"), seat.address, formats.check_address)
    yield from _wrong("description", said("the seat's description"), seat.description, formats.check_text)


def _operators(
    configuration: Configuration, places: PartPlaces, flawless: FlawlessEntries
) -> Iterator[Complaint]:
    by_name = _Seen(places.unit)
    for operator, place in zip(configuration.operators, places.operators, strict=True):
        yield from flawless.complaints(operator, partial(_operator, operator, place))
        before = operator.username and by_name.before(operator.username, place)
        if before:
            message = said(
                "user name {name} already belongs to the operator in {where}",
                name=operator.username,
                where=before,
            )
            yield Complaint("operator", place, "username", message)
        if operator.seat and operator.seat not in configuration.seat_by_mac:
            message = said(
                "there is no seat with MAC {mac}: add it to <seats>, or remove seat", mac=operator.seat
            )
            yield Complaint("operator", place, "seat", message)


def _operator(operator: Operator, place: int) -> Iterator[Complaint]:
    for attribute, message in _operator_fields(operator):
        yield Complaint("operator", place, attribute, message)


def _operator_fields(operator: Operator) -> Iterator[tuple[str, str]]:
    yield from _wrong("username", said("the user name"), operator.username, formats.check_word)
    yield from _wrong("full-name", said("the operator's full name"), operator.full_name, formats.check_name)
    what = said("the operator's password")
    yield from _wrong("password", what, operator.password, passwords.check_stored_password, secret=True)
    if operator.scram:
        yield from _wrong("scram", said("scram"), operator.scram, scram.check_stored_keys, secret=True)


def _reasons(configuration: Configuration, places: PartPlaces) -> Iterator[Complaint]:
    seen = _Seen(places.unit)
    for reason, place in zip(configuration.pause_reasons, places.reasons, strict=True):
        for attribute, message in _wrong("name", said("the pause reason"), reason, formats.check_name):
            yield Complaint("reason", place, attribute, message)
        if reason.upper() == "END":
            message = said("END ends the list of reasons: choose another word")
            yield Complaint("reason", place, "name", message)
        before = reason and seen.before(reason, place)
        if before:
            message = said("pause reason {name} already stands in {where}", name=reason, where=before)
            yield Complaint("reason", place, "name", message)


def _wrong(
    attribute: str, what: str, value: str, check: Callable[[str], str], *, secret: bool = False
) -> Iterator[tuple[str, str]]:
    message = check(value)
    if message and secret:
        yield attribute, said("{what} is not usable: {wrong}", what=what, wrong=message)
    elif message and value:
        yield attribute, said("{what} {wrong}: {value!r}", what=what, wrong=message, value=value[:80])
    elif message:
        yield attribute, said("{what} {wrong}", what=what, wrong=message)


def _warn_of_services(
    configuration: Configuration, places: PartPlaces, flawless: FlawlessEntries
) -> Iterator[Complaint]:
    queues, names = _Seen(places.unit), _Seen(places.unit)
    for index, service in enumerate(configuration.services):
        place = places.services[index]
        before = names.before(service.name, place)
        if before:
            message = said(
                "the service in {where} has the same name: operators cannot tell the two apart", where=before
            )
            yield Complaint("service", place, "name", message)
        yield from flawless.complaints(service, partial(_warn_of_service_alone, service, places, index))
        same_queue = service.enabled and service.queue and queues.before(service.queue.lower(), place)
        if same_queue:
            message = said(
                "queue {queue} also belongs to the service in {where}: "
                "an operator of both joins it once, with the lowest penalty",
                queue=service.queue,
                where=same_queue,
            )
            yield Complaint("service", place, "queue-name", message)


def _warn_of_service_alone(service: Service, places: PartPlaces, index: int) -> Iterator[Complaint]:
    place = places.services[index]
    if service.queue_name and not service.is_queue:
        message = said("queue-name has no effect without is-queue")
        yield Complaint("service", place, "queue-name", message)
    if service.may_leave and not service.is_queue:
        yield Complaint("service", place, "may-leave", said("may-leave has no effect without is-queue"))
    for trigger, at in zip(service.triggers, places.triggers[index], strict=True):
        for warning in warn_of_trigger(trigger, service):
            yield Complaint("trigger", at, "", warning)


def _warn_of_seats(configuration: Configuration, places: PartPlaces) -> Iterator[Complaint]:
    for seat, place in zip(configuration.seats, places.seats, strict=True):
        if seat.answer != "none" and not seat.is_sip:
            message = said("answer has no effect: only a phone of PJSIP/ or SIP/ can be told to answer")
            yield Complaint("seat", place, "answer", message)


def _warn_of_operators(
    configuration: Configuration, places: PartPlaces, flawless: FlawlessEntries
) -> Iterator[Complaint]:
    for operator, place in zip(configuration.operators, places.operators, strict=True):
        yield from flawless.complaints(operator, partial(_warn_of_operator, operator, place))


def _warn_of_operator(operator: Operator, place: int) -> Iterator[Complaint]:
    if operator.password.lower() == f"md5:{passwords.EMPTY_MD5}":
        message = said("operator {name} has the empty password", name=operator.username)
        yield Complaint("operator", place, "password", message)
    if not passwords.belong_together(operator.password, operator.scram):
        message = said(
            "scram of operator {name} was made with another salt than password: if it is of an old "
            "password, that still logs in; take both from one run of astcti-server hash-password",
            name=operator.username,
        )
        yield Complaint("operator", place, "scram", message)
