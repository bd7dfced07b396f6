"""The rows of the tables as values of the model that the three programs share, each kind of entries a part.

A part that was read once is kept; after a change only the rows are read that changed since.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any, NamedTuple

from django.db.models import QuerySet

from configurator import models
from configurator.database import change_marks
from schemas.configuration import model as schema
from schemas.configuration.defaults import address_or_text, mac_or_text, seat_interfaces

MOST_SPLICED = 400
"""Changed rows that are read one by one; of more the whole part is read anew."""


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
    return _seat(
        seat.mac,
        seat.extension,
        seat.queue_interface,
        seat.state_interface,
        seat.address,
        seat.description,
        seat.answer,
    )


def _seat(
    mac: str,
    extension: str,
    queue_interface: str,
    state_interface: str,
    address: str,
    description: str,
    answer: schema.AnswerWay,
) -> schema.Seat:
    return schema.Seat(
        mac_or_text(mac),
        extension,
        *seat_interfaces(extension, queue_interface, state_interface),
        address_or_text(address),
        description,
        answer,
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


class EntryPart(NamedTuple):
    """One kind of entries in the order in which they were entered, with their rows and names."""

    values: tuple[Any, ...]
    rows: list[int]
    names: dict[int, str]


_lock = threading.Lock()
_read: dict[str, tuple[str, EntryPart]] = {}
"""The parts that were read last, each with the mark that it had."""


def read_part(name: str, mark: str) -> EntryPart:
    """The part of this name, which has this mark now. Any thread.

    An entry that says what it said is the same object as before: comparing the two costs nothing.
    """
    with _lock:
        known, part = _read.get(name, ("", None))
    if part is not None and known == mark:
        return part
    changed = change_marks.rows_changed_since(name, known) if part is not None else None
    if part is not None and changed is not None and len(changed) <= MOST_SPLICED:
        part = _spliced(part, changed, _READERS[name](changed))
    else:
        part = _sharing(part, _READERS[name](None))
    if change_marks.read_marks()[name] == mark:  # else somebody wrote between the two
        with _lock:
            _read[name] = (mark, part)
    return part


def _spliced(part: EntryPart, changed: Collection[int], fresh: EntryPart) -> EntryPart:
    values, rows, names = list(part.values), list(part.rows), dict(part.names)
    found = dict(zip(fresh.rows, fresh.values, strict=True))
    for row in changed:
        at = bisect_left(rows, row)
        present = at < len(rows) and rows[at] == row
        if row not in found:
            if present:
                del values[at], rows[at], names[row]
            continue
        names[row] = fresh.names[row]
        if not present:
            values.insert(at, found[row])
            rows.insert(at, row)
        elif values[at] != found[row]:
            values[at] = found[row]
    return EntryPart(tuple(values), rows, names)


def _sharing(before: EntryPart | None, fresh: EntryPart) -> EntryPart:
    if before is None:
        return fresh
    old = dict(zip(before.rows, before.values, strict=True))
    values = (
        known if (known := old.get(row)) == value else value
        for row, value in zip(fresh.rows, fresh.values, strict=True)
    )
    return fresh._replace(values=tuple(values))


ChosenRows = Collection[int] | None
"""Only these rows, or all."""


def _of(table: Any, rows: ChosenRows, field: str = "pk") -> QuerySet[Any]:
    found: QuerySet[Any] = table._default_manager.all()
    return found if rows is None else found.filter(**{f"{field}__in": rows})


def _read_services(rows: ChosenRows) -> EntryPart:
    services = list(_of(models.Service, rows).order_by("pk"))
    variables: dict[int, list[str]] = defaultdict(list)
    triggers: dict[int, list[schema.Trigger]] = defaultdict(list)
    bindings: dict[int, list[schema.Binding]] = defaultdict(list)
    named = _of(models.Variable, rows, "service").order_by("pk").values_list("service_id", "name")
    for pk, variable in named:
        variables[pk].append(variable)
    for trigger in _of(models.Trigger, rows, "service"):
        triggers[trigger.service_id].append(trigger_value(trigger))
    bound = _of(models.ServiceOperator, rows, "service")
    for pk, username, penalty in bound.values_list("service_id", "operator__username", "penalty"):
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
    return EntryPart(tuple(values), list(names), names)


def _read_seats(rows: ChosenRows) -> EntryPart:
    """Without a model's object for each: ten thousand of them take three times as long."""
    found = (
        _of(models.Seat, rows)
        .order_by("pk")
        .values_list(
            "pk", "mac", "extension", "queue_interface", "state_interface", "address", "description", "answer"
        )
    )
    values, names = [], {}
    for pk, mac, extension, *others in found:
        names[pk] = extension
        values.append(_seat(mac, extension, *others))
    return EntryPart(tuple(values), list(names), names)


def _read_operators(rows: ChosenRows) -> EntryPart:
    """Without a model's object for each, too."""
    found = (
        _of(models.Operator, rows)
        .order_by("pk")
        .values_list(
            "pk", "username", "full_name", "password", "seat__mac", "begin_in_pause", "enabled", "scram"
        )
    )
    values, names = [], {}
    for pk, username, full_name, password, mac, begin_in_pause, enabled, scram in found:
        names[pk] = username
        values.append(
            schema.Operator(username, full_name, password, mac or "", begin_in_pause, enabled, scram)
        )
    return EntryPart(tuple(values), list(names), names)


def _read_reasons(rows: ChosenRows) -> EntryPart:
    names = dict(_of(models.PauseReason, rows).order_by("pk").values_list("pk", "name"))
    return EntryPart(tuple(names.values()), list(names), names)


_READERS: dict[str, Callable[[ChosenRows], EntryPart]] = {
    "services": _read_services,
    "seats": _read_seats,
    "operators": _read_operators,
    "reasons": _read_reasons,
}
