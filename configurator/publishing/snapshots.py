"""Earlier states of the entries: kept before an import, a take-over, a change of many, to undo it.

A snapshot is the rows of the tables themselves, valid or not, in the same file and the same transaction as
the change that follows: there is no change without it. Going back gives every row its old id again.
"""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import models as fields
from django.http import HttpRequest

from configurator import audit_log, models
from configurator.publishing import entry_parts, working_copy
from configurator.publishing.differences import STATE_FIELD, Difference, FieldChange
from configurator.publishing.entry_parts import ServiceParts
from configurator.publishing.read_ahead import read_ahead
from schemas.configuration.model import Configuration

KEPT = 30
"""How many stay; older ones go."""
TABLES: tuple[type[fields.Model], ...] = (
    models.Seat,
    models.Operator,
    models.Service,
    models.Variable,
    models.Trigger,
    models.ServiceOperator,
    models.PauseReason,
)
"""Those that others refer to come first."""

Rows = dict[str, list[dict[str, Any]]]


class ManyChanges:
    """A change of many that is under way."""

    def __init__(self) -> None:
        self.count: int | None = None
        """How many entries it changed; None where it touched nothing."""
        self.action = ""
        """How the audit log calls it."""
        self.differences: Sequence[Difference] = ()
        """What the audit log is told of each entry; nothing where the entries were told one by one."""
        self.snapshot: models.Snapshot | None = None
        """What it can be undone to, once all is done."""

    def made(self, count: int, action: str = "import") -> None:
        """So many entries were changed: what was before is kept."""
        self.count, self.action = count, action

    def replaced(self, found: Sequence[Difference], action: str = "import") -> None:
        """A configuration took the place of the entries, of which `found` are another one now."""
        self.made(len(found), action)
        self.differences = found


@contextmanager
def changing_many(actor: HttpRequest | str, what: str, *, name: str) -> Iterator[ManyChanges]:
    """`working_copy.writing_much` for a change of many, with what stood here before kept to go back to.

    `what` says what is about to happen, for the list of snapshots, in English (`state_names`); `name` is for
    the audit log, which is told of it where something was `made`. What stands here is read before anybody
    has to wait, and what pages will need after it, if it is a request's: a command has no pages.
    """
    by = actor if isinstance(actor, str) else actor.session.get("userid", "")
    of = working_copy.present_digest()
    content = _packed()
    changes = ManyChanges()
    with working_copy.writing_much():
        if working_copy.present_digest() != of:
            content = _packed()
        yield changes
        if changes.count is not None:
            changes.snapshot = models.Snapshot.objects.create(
                name=what[:200], userid=by[:150], content=content
            )
            for old in models.Snapshot.objects.values_list("pk", flat=True)[KEPT:]:
                models.Snapshot.objects.filter(pk=old).delete()
            details = [
                FieldChange("Changes", "", str(changes.count)),
                FieldChange(STATE_FIELD, "", str(changes.snapshot)),
            ]
            audit_log.record_differences(actor, changes.action, changes.differences)
            audit_log.record(actor, changes.action, "configuration", name, details)
    if changes.count and not isinstance(actor, str):
        read_ahead()


def _packed() -> bytes:
    """The rows as they are, valid or not."""
    rows = {_name(table): _rows(table) for table in TABLES}
    return zlib.compress(json.dumps(rows).encode(), 1)


def _unpacked(snapshot: models.Snapshot) -> Rows:
    found: Rows = json.loads(zlib.decompress(bytes(snapshot.content)))
    return {_name(table): found.get(_name(table), []) for table in TABLES}


def restore(snapshot: models.Snapshot) -> bool:
    """Make the entries what they were; tells whether that changed anything. Within `writing`.

    Rows that are the same stay untouched. Forms that are open on what changes are refused from now on, those
    of a row that comes back too.
    """
    wanted = _unpacked(snapshot)
    present = {_name(table): {row["id"]: row for row in _rows(table)} for table in TABLES}
    earlier = {_name(table): {row["id"]: row for row in wanted[_name(table)]} for table in TABLES}
    gone = {name: _differing(rows, earlier[name]) for name, rows in present.items()}
    come = {name: _differing(rows, present[name]) for name, rows in earlier.items()}
    for table in reversed(TABLES):
        _delete(table, [row["id"] for row in gone[_name(table)]])
    for table in TABLES:
        name = _name(table)
        rows = [_newer(row, present[name]) for row in come[name]]
        table._default_manager.bulk_create(_entries(table, rows), batch_size=working_copy.AT_ONCE)
    parts = [row for found in (gone, come) for rows in found.values() for row in rows]
    for table, key in ((models.Service, "service_id"), (models.Operator, "operator_id")):
        whole = {row["id"] for row in come[_name(table)]}
        ids = {row[key] for row in parts if key in row} - whole
        working_copy.raise_revisions(table(pk=pk) for pk in ids)
    return bool(parts)


def _name(table: type[fields.Model]) -> str:
    return str(table._meta.model_name)


def _rows(table: type[fields.Model]) -> list[dict[str, Any]]:
    return list(table._default_manager.order_by("pk").values())


def _differing(rows: dict[int, dict[str, Any]], others: dict[int, dict[str, Any]]) -> list[dict[str, Any]]:
    """Those rows that are not the same among the others. Their revisions do not count."""
    return [row for pk, row in rows.items() if pk not in others or _content(row) != _content(others[pk])]


def _delete(table: type[fields.Model], ids: list[int]) -> None:
    """Delete rows and nothing else: a row that comes back shall find those that refer to it."""
    for chosen in working_copy.portions(ids):
        rows = table._default_manager.filter(pk__in=chosen)
        rows._raw_delete(rows.db)


def _newer(row: dict[str, Any], before: dict[int, dict[str, Any]]) -> dict[str, Any]:
    if "revision" not in row:
        return row
    present = before.get(row["id"], row)["revision"]
    return {**row, "revision": max(present, row["revision"]) + 1}


def _content(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "revision"}


def _entries(table: Any, rows: Iterable[dict[str, Any]]) -> list[Any]:
    """Rows as objects, without columns that there are no more."""
    known = {field.attname for field in table._meta.concrete_fields}
    return [table(**{key: value for key, value in row.items() if key in known}) for row in rows]


def configuration_of(snapshot: models.Snapshot) -> Configuration:
    """What a snapshot says. Nothing is written for it, and nobody waits."""
    rows = _unpacked(snapshot)
    found = {table: _entries(table, rows[_name(table)]) for table in TABLES}
    seats = {seat.pk: seat for seat in found[models.Seat]}
    operators = {operator.pk: operator for operator in found[models.Operator]}
    for operator in operators.values():
        operator.seat = seats.get(operator.seat_id)
    parts: dict[int, ServiceParts] = defaultdict(lambda: ServiceParts([], [], []))
    for variable in found[models.Variable]:
        parts[variable.service_id].variables.append(variable)
    for trigger in sorted(found[models.Trigger], key=lambda trigger: (trigger.position, trigger.pk)):
        parts[trigger.service_id].triggers.append(trigger)
    for binding in found[models.ServiceOperator]:
        binding.operator = operators[binding.operator_id]
        parts[binding.service_id].bindings.append(binding)
    return Configuration(
        services=tuple(
            entry_parts.service_value(service, parts[service.pk]) for service in found[models.Service]
        ),
        seats=tuple(map(entry_parts.seat_value, seats.values())),
        operators=tuple(map(entry_parts.operator_value, operators.values())),
        pause_reasons=tuple(reason.name for reason in found[models.PauseReason]),
    )
