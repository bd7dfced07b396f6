"""Makes the tables equal to another configuration, with few statements, however many entries that changes.

Rows are matched by what identifies them for people (MAC, user name, context and queue), so that ids stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Model, Value
from django.db.models.functions import Cast, Concat

from configurator import models
from configurator.database.many_rows import update_rows
from configurator.publishing.working_copy import AT_ONCE, portions, raise_revisions, read_working_copy
from schemas.configuration import model as schema


def replace_all(wanted: schema.Configuration) -> bool:
    """Make the tables say what a valid configuration says, in one transaction.

    Rows that say it already are not touched; tells whether any was.
    """
    copy = read_working_copy()
    if copy.configuration == wanted:
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
        pairs = [(services[service.context, service.queue.lower()], service) for service in wanted.services]
        present = dict(zip(copy.places.services, copy.configuration.services, strict=True))
        _fill_services(pairs, operators, present)
        _match(
            models.PauseReason, lambda row: row.name, {name: {"name": name} for name in wanted.pause_reasons}
        )
    return True


def _match(table: Any, key: Callable[[Any], Any], wanted: dict[Any, dict[str, Any]]) -> dict[Any, Any]:
    rows = {key(row): row for row in table.objects.all()}
    # First, since what goes may have a unique value of what comes.
    remove_rows(table, [row.pk for at, row in rows.items() if at not in wanted])
    result, fresh, other, moving = {}, {}, [], []
    for at, fields in wanted.items():
        row = rows.get(at)
        if row is None:
            fresh[at] = table(**fields)
            continue
        result[at] = row
        if any(getattr(row, name) != value for name, value in fields.items()):
            if table is models.Seat and row.extension != fields["extension"]:
                moving.append(row.pk)
            for name, value in fields.items():
                setattr(row, name, value)
            other.append(row)
    free_extensions(moving)
    update_rows(other)
    table.objects.bulk_create(fresh.values(), batch_size=AT_ONCE)
    return result | fresh


def remove_rows(table: type[Model], rows: Sequence[int]) -> None:
    """Remove rows of a table, with what belongs to them."""
    for chosen in portions(rows):
        table._default_manager.filter(pk__in=chosen).delete()


def free_extensions(seats: Sequence[int]) -> None:
    """Give seats whose phones move names that nobody has until they are saved.

    The column is unique row by row: without this, two seats could not exchange their phones.
    """
    name = Concat(Value("moving/"), Cast("pk", models.Seat._meta.get_field("extension")))
    for chosen in portions(seats):
        models.Seat.objects.filter(pk__in=chosen).update(extension=name)


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
    seat = seats.get(operator.seat)
    return {
        "username": operator.username,
        "full_name": operator.full_name,
        "password": operator.password,
        "scram": operator.scram,
        "seat_id": seat.pk if seat is not None else None,
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


def _fill_services(
    pairs: Iterable[tuple[models.Service, schema.Service]],
    operators: dict[str, models.Operator],
    present: dict[int, schema.Service],
) -> None:
    """Write what belongs to services anew where it is not what is wanted. `present` is what was by row."""
    changed, touched = [], {}
    for row, wanted in pairs:
        was = present.get(row.pk, _NO_SERVICE)
        if _parts(was) == _parts(wanted):
            continue
        before = {(binding.username, binding.penalty) for binding in was.operators}
        after = {(binding.username, binding.penalty) for binding in wanted.operators}
        found = (operators[name] for name, _ in before ^ after if name in operators)
        touched.update({entry.pk: entry for entry in found})
        changed.append((row, wanted))
    raise_revisions([row for row, _ in changed])
    raise_revisions(touched.values())
    for chosen in portions([row.pk for row, _ in changed]):
        for table in (models.Variable, models.Trigger, models.ServiceOperator):
            table._default_manager.filter(service__in=chosen).delete()
    models.Variable.objects.bulk_create(
        (models.Variable(service=row, name=name) for row, wanted in changed for name in wanted.variables),
        batch_size=AT_ONCE,
    )
    models.Trigger.objects.bulk_create(
        (trigger for row, wanted in changed for trigger in _triggers(row, wanted.triggers)),
        batch_size=AT_ONCE,
    )
    models.ServiceOperator.objects.bulk_create(
        (
            models.ServiceOperator(service=row, operator=operators[binding.username], penalty=binding.penalty)
            for row, wanted in changed
            for binding in wanted.operators
        ),
        batch_size=AT_ONCE,
    )


_NO_SERVICE = schema.Service("", "", "inbound")


def _parts(service: schema.Service) -> tuple[object, ...]:
    return service.variables, service.triggers, service.operators


def store_triggers(service: models.Service, triggers: Iterable[schema.Trigger]) -> None:
    """Write a service's triggers anew, in this order: nothing refers to a trigger's row."""
    service.triggers.all().delete()
    models.Trigger.objects.bulk_create(_triggers(service, triggers))


def _triggers(service: models.Service, triggers: Iterable[schema.Trigger]) -> Iterator[models.Trigger]:
    return (
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
