"""The configuration being edited, between the tables and the model that the three programs share.

`configuration` reads all of it; `replace_all` makes the tables equal to another one. Rows are matched by
what identifies them for people (MAC, user name, context and queue), so that ids stay.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import F, Model

from configurator import models
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


def read_working_copy() -> WorkingCopy:
    """Read everything, in the order in which it was entered."""
    services = list(models.Service.objects.order_by("pk"))
    belongs = parts_of_all()
    parts = [belongs[service.pk] for service in services]
    seats = list(models.Seat.objects.order_by("pk"))
    operators = list(models.Operator.objects.order_by("pk").select_related("seat"))
    reasons = list(models.PauseReason.objects.order_by("pk"))
    places = PartPlaces(
        unit="#",
        services=[service.pk for service in services],
        variables=[[service.pk] * len(its.variables) for service, its in zip(services, parts, strict=True)],
        triggers=[[service.pk] * len(its.triggers) for service, its in zip(services, parts, strict=True)],
        bindings=[[service.pk] * len(its.bindings) for service, its in zip(services, parts, strict=True)],
        seats=[seat.pk for seat in seats],
        operators=[operator.pk for operator in operators],
        reasons=[reason.pk for reason in reasons],
    )
    of_services = {service.pk: service.name for service in services}
    names = dict.fromkeys(("service", "variable", "trigger", "binding"), of_services)
    names["seat"] = {seat.pk: seat.extension for seat in seats}
    names["operator"] = {operator.pk: operator.username for operator in operators}
    names["reason"] = {reason.pk: reason.name for reason in reasons}
    configuration = schema.Configuration(
        services=tuple(service_value(service, its) for service, its in zip(services, parts, strict=True)),
        seats=tuple(seat_value(seat) for seat in seats),
        operators=tuple(operator_value(operator) for operator in operators),
        pause_reasons=tuple(reason.name for reason in reasons),
    )
    return WorkingCopy(configuration, places, names)


def configuration() -> schema.Configuration:
    """Read everything as the shared model; it may be invalid."""
    return read_working_copy().configuration


def is_empty() -> bool:
    """Tell whether nothing was entered yet."""
    tables = (models.Service, models.Seat, models.Operator, models.PauseReason)
    return not any(table.objects.exists() for table in tables)


def replace_all(wanted: schema.Configuration) -> None:
    """Make the tables say what a valid configuration says, in one transaction."""
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


def _match(table: Any, key: Callable[[Any], Any], wanted: dict[Any, dict[str, Any]]) -> dict[Any, Any]:
    rows = {key(row): row for row in table.objects.all()}
    for at, row in rows.items():  # first, since what goes may have a unique value of what comes
        if at not in wanted:
            row.delete()
    if table is models.Seat:
        _free_extensions_that_move(rows, wanted)
    result = {}
    for at, fields in wanted.items():
        row = rows.get(at)
        if row is None:
            row = table(**fields)
            row.save(force_insert=True)
        else:
            for name, value in fields.items():
                setattr(row, name, value)
            row.raise_revision()
            row.save()
        result[at] = row
    return result


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
    if service_value(row) == wanted:
        return
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
