"""The configuration being edited, between the tables and the model that the three programs share.

`configuration` reads all of it; `replace_all` makes the tables equal to another one. Rows are matched by
what identifies them for people (MAC, user name, context and queue), so that ids stay.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import F, Model

from configurator import models
from configurator.database import change_marks
from schemas.configuration import model as schema
from schemas.configuration.checks import PartPlaces
from schemas.configuration.defaults import address_or_text, mac_or_text, seat_interfaces


class WorkingCopy(NamedTuple):
    """All of the configuration, and which rows its parts come from."""

    configuration: schema.Configuration
    places: PartPlaces
    names: dict[str, dict[int, str]]
    """Kind, row, name: to say of a complaint what it is about."""


@contextmanager
def writing() -> Iterator[None]:
    """A transaction over both files: the configuration, and the audit log that tells of it.

    Always in this order, and each begins with the lock for writing: two that write wait for one another
    instead of each for the file that the other has.
    """
    with transaction.atomic("configuration"), transaction.atomic("default"):
        yield


def trigger_value(trigger: models.Trigger) -> schema.Trigger:
    """A trigger's row as the shared model, without what its type and moment do not use."""
    runs = trigger.type == "application"
    return schema.Trigger(
        type=trigger.type,
        on=trigger.moment,
        os=trigger.os,
        application=trigger.application if runs else "",
        parameters=trigger.parameters if runs else "",
        url="" if runs else trigger.url,
        again=trigger.again and trigger.moment == "ring",
    )


class ServiceParts(NamedTuple):
    """What belongs to one service, in order."""

    variables: list[models.Variable]
    triggers: list[models.Trigger]
    bindings: list[models.ServiceOperator]


def parts_of(service: models.Service) -> ServiceParts:
    """Read what belongs to a service."""
    return ServiceParts(
        list(service.variables.order_by("pk")),
        list(service.triggers.all()),
        list(service.bindings.select_related("operator")),
    )


def parts_of_all() -> dict[int, ServiceParts]:
    """The same for every service, in three queries, however many there are."""
    found: dict[int, ServiceParts] = defaultdict(lambda: ServiceParts([], [], []))
    for variable in models.Variable.objects.order_by("pk"):
        found[variable.service_id].variables.append(variable)
    for trigger in models.Trigger.objects.all():
        found[trigger.service_id].triggers.append(trigger)
    for binding in models.ServiceOperator.objects.select_related("operator"):
        found[binding.service_id].bindings.append(binding)
    return found


def service_value(service: models.Service, parts: ServiceParts | None = None) -> schema.Service:
    """A service's row with everything that belongs to it."""
    parts = parts or parts_of(service)
    return schema.Service(
        name=service.name,
        context=service.context,
        type=service.type,
        is_queue=service.is_queue,
        queue_name=service.queue_name,
        enabled=service.enabled,
        variables=tuple(variable.name for variable in parts.variables),
        triggers=tuple(trigger_value(trigger) for trigger in parts.triggers),
        operators=tuple(
            schema.Binding(binding.operator.username, binding.penalty) for binding in parts.bindings
        ),
        may_leave=service.may_leave,
    )


def seat_value(seat: models.Seat) -> schema.Seat:
    """A seat's row, its defaults filled in."""
    queue_interface, state_interface = seat_interfaces(
        seat.extension, seat.queue_interface, seat.state_interface
    )
    return schema.Seat(
        mac_or_text(seat.mac),
        seat.extension,
        queue_interface,
        state_interface,
        address_or_text(seat.address),
        seat.description,
        seat.answer,
    )


def operator_value(operator: models.Operator) -> schema.Operator:
    """An operator's row."""
    return schema.Operator(
        operator.username,
        operator.full_name,
        operator.password,
        operator.seat.mac if operator.seat else "",
        operator.begin_in_pause,
        operator.enabled,
        operator.scram,
    )


class _Part(NamedTuple):
    """One kind of entries in the order in which they were entered, with their rows and names."""

    values: tuple[Any, ...]
    rows: list[int]
    names: dict[int, str]


_parts_lock = threading.Lock()
_parts: dict[str, tuple[str, _Part]] = {}
"""The parts that were read last, each with the mark that it had."""


def read_working_copy() -> WorkingCopy:
    """Everything, in the order in which it was entered. What was not changed since is not read again.

    Any thread; the lists and dictionaries are shared: nobody changes them.
    """
    marks = change_marks.read_marks()
    services, seats, operators, reasons = (_part(name, marks) for name in change_marks.PARTS)
    values: tuple[schema.Service, ...] = services.values
    places = PartPlaces(
        unit="#",
        services=services.rows,
        variables=[[row] * len(its.variables) for row, its in zip(services.rows, values, strict=True)],
        triggers=[[row] * len(its.triggers) for row, its in zip(services.rows, values, strict=True)],
        bindings=[[row] * len(its.operators) for row, its in zip(services.rows, values, strict=True)],
        seats=seats.rows,
        operators=operators.rows,
        reasons=reasons.rows,
    )
    names = dict.fromkeys(("service", "variable", "trigger", "binding"), services.names)
    names |= {"seat": seats.names, "operator": operators.names, "reason": reasons.names}
    configuration = schema.Configuration(
        services=values, seats=seats.values, operators=operators.values, pause_reasons=reasons.values
    )
    return WorkingCopy(configuration, places, names)


def _part(name: str, marks: dict[str, str]) -> _Part:
    with _parts_lock:
        mark, part = _parts.get(name, ("", None))
    if part is not None and mark == marks[name]:
        return part
    part = _READERS[name]()
    if change_marks.read_marks()[name] == marks[name]:  # else somebody wrote between the two
        with _parts_lock:
            _parts[name] = (marks[name], part)
    return part


def _read_services() -> _Part:
    services = list(models.Service.objects.order_by("pk"))
    variables: dict[int, list[str]] = defaultdict(list)
    triggers: dict[int, list[schema.Trigger]] = defaultdict(list)
    bindings: dict[int, list[schema.Binding]] = defaultdict(list)
    for pk, variable in models.Variable.objects.order_by("pk").values_list("service_id", "name"):
        variables[pk].append(variable)
    for trigger in models.Trigger.objects.all():
        triggers[trigger.service_id].append(trigger_value(trigger))
    bound = models.ServiceOperator.objects.values_list("service_id", "operator__username", "penalty")
    for pk, username, penalty in bound:
        bindings[pk].append(schema.Binding(username, penalty))
    bare = ServiceParts([], [], [])
    values = (
        replace(
            service_value(service, bare),
            variables=tuple(variables[service.pk]),
            triggers=tuple(triggers[service.pk]),
            operators=tuple(bindings[service.pk]),
        )
        for service in services
    )
    names = {service.pk: service.name for service in services}
    return _Part(tuple(values), list(names), names)


def _read_seats() -> _Part:
    seats = list(models.Seat.objects.order_by("pk"))
    names = {seat.pk: seat.extension for seat in seats}
    return _Part(tuple(map(seat_value, seats)), list(names), names)


def _read_operators() -> _Part:
    """Without a model's object for each: ten thousand of them take three times as long."""
    found = models.Operator.objects.order_by("pk").values_list(
        "pk", "username", "full_name", "password", "seat__mac", "begin_in_pause", "enabled", "scram"
    )
    values, names = [], {}
    for pk, username, full_name, password, mac, begin_in_pause, enabled, scram in found:
        names[pk] = username
        values.append(
            schema.Operator(username, full_name, password, mac or "", begin_in_pause, enabled, scram)
        )
    return _Part(tuple(values), list(names), names)


def _read_reasons() -> _Part:
    names = dict(models.PauseReason.objects.order_by("pk").values_list("pk", "name"))
    return _Part(tuple(names.values()), list(names), names)


_READERS: dict[str, Callable[[], _Part]] = {
    "services": _read_services,
    "seats": _read_seats,
    "operators": _read_operators,
    "reasons": _read_reasons,
}


def configuration() -> schema.Configuration:
    """Read everything as the shared model; it may be invalid."""
    return read_working_copy().configuration


def is_empty() -> bool:
    """Tell whether nothing was entered yet."""
    tables = (models.Service, models.Seat, models.Operator, models.PauseReason)
    return not any(table.objects.exists() for table in tables)


def replace_all(wanted: schema.Configuration) -> bool:
    """Make the tables say what a valid configuration says, in one transaction.

    Rows that say it already are not touched; tells whether any was.
    """
    if configuration() == wanted:
        return False
    with transaction.atomic("configuration"):
        seats = _match(
            models.Seat, lambda row: row.mac, {seat.mac: _seat_fields(seat) for seat in wanted.seats}
        )
        operators = _match(
            models.Operator,
            lambda row: row.username,
            {operator.username: _operator_fields(operator, seats) for operator in wanted.operators},
        )
        services = _match(
            models.Service,
            lambda row: (row.context, row.queue.lower()),
            {
                (service.context, service.queue.lower()): _service_fields(service)
                for service in wanted.services
            },
        )
        for service in wanted.services:
            _fill_service(services[service.context, service.queue.lower()], service, operators)
        _match(
            models.PauseReason, lambda row: row.name, {name: {"name": name} for name in wanted.pause_reasons}
        )
    return True


def _match(table: Any, key: Callable[[Any], Any], wanted: dict[Any, dict[str, Any]]) -> dict[Any, Any]:
    rows = {key(row): row for row in table.objects.all()}
    for at, row in rows.items():  # first, since what goes may have a unique value of what comes
        if at not in wanted:
            row.delete()
    if table is models.Seat:
        _free_extensions_that_move(rows, wanted)
    result = {}
    fresh = {}
    for at, fields in wanted.items():
        row = rows.get(at)
        if row is None:
            fresh[at] = table(**fields)
            continue
        result[at] = row
        if any(getattr(row, name) != value for name, value in fields.items()):
            for name, value in fields.items():
                setattr(row, name, value)
            row.raise_revision()
            row.save()
    table.objects.bulk_create(fresh.values(), batch_size=500)
    return result | fresh


def _free_extensions_that_move(seats: dict[str, models.Seat], wanted: dict[str, dict[str, Any]]) -> None:
    for mac, seat in seats.items():
        if mac in wanted and seat.extension != wanted[mac]["extension"]:
            free_extension_of(seat)


def free_extension_of(seat: models.Seat) -> None:
    """Give a seat whose phone moves a name that nobody has until it is saved.

    The column is unique row by row: without this, two seats could not exchange their phones.
    """
    models.Seat.objects.filter(pk=seat.pk).update(extension=f"moving/{seat.pk}")


def _seat_fields(seat: schema.Seat) -> dict[str, Any]:
    same = seat.queue_interface == seat.extension
    return {
        "mac": seat.mac,
        "extension": seat.extension,
        "queue_interface": "" if same else seat.queue_interface,
        "state_interface": seat.state_interface if same or seat.state_interface != seat.extension else "",
        "address": seat.address,
        "description": seat.description,
        "answer": seat.answer,
    }


def _operator_fields(operator: schema.Operator, seats: dict[str, models.Seat]) -> dict[str, Any]:
    return {
        "username": operator.username,
        "full_name": operator.full_name,
        "password": operator.password,
        "scram": operator.scram,
        "seat": seats.get(operator.seat),
        "begin_in_pause": operator.begin_in_pause,
        "enabled": operator.enabled,
    }


def _service_fields(service: schema.Service) -> dict[str, Any]:
    return {
        "name": service.name,
        "context": service.context,
        "type": service.type,
        "is_queue": service.is_queue,
        "queue_name": service.queue_name,
        "may_leave": service.may_leave,
        "enabled": service.enabled,
    }


def _fill_service(row: models.Service, wanted: schema.Service, operators: dict[str, models.Operator]) -> None:
    present = service_value(row)
    if present == wanted:
        return
    before = {(binding.username, binding.penalty) for binding in present.operators}
    after = {(binding.username, binding.penalty) for binding in wanted.operators}
    raise_revisions([row, *(operators[name] for name, _ in before ^ after if name in operators)])
    row.variables.all().delete()
    models.Variable.objects.bulk_create(models.Variable(service=row, name=name) for name in wanted.variables)
    store_triggers(row, wanted.triggers)
    row.bindings.all().delete()
    models.ServiceOperator.objects.bulk_create(
        models.ServiceOperator(service=row, operator=operators[binding.username], penalty=binding.penalty)
        for binding in wanted.operators
    )


def store_triggers(service: models.Service, triggers: Iterable[schema.Trigger]) -> None:
    """Write a service's triggers anew, in this order: nothing refers to a trigger's row."""
    service.triggers.all().delete()
    models.Trigger.objects.bulk_create(
        models.Trigger(
            service=service,
            position=position,
            type=trigger.type,
            moment=trigger.on,
            os=trigger.os,
            application=trigger.application,
            parameters=trigger.parameters,
            url=trigger.url,
            again=trigger.again,
        )
        for position, trigger in enumerate(triggers)
    )


def raise_revisions(rows: Iterable[Model]) -> None:
    """Note that what a row's form shows was changed elsewhere: who has the form open is told when saving."""
    by_table: dict[type[Model], list[int]] = defaultdict(list)
    for row in rows:
        by_table[type(row)].append(row.pk)
    for table, numbers in by_table.items():
        table._default_manager.filter(pk__in=numbers).update(revision=F("revision") + 1)
