"""Earlier states of the entries: kept before an import, a take-over, a change of many, to undo it.

A snapshot is the rows of the tables themselves, valid or not, in the same file and the same transaction as
the change that follows: there is no change without it. Going back gives every row its old id again.
"""

from __future__ import annotations

import json
import zlib
from typing import Any

from django.db import models as fields
from django.db import transaction
from django.http import HttpRequest

from configurator import audit_log, models
from configurator.publishing import working_copy
from configurator.publishing.differences import Difference, FieldChange
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


def keep_snapshot(name: str, by: str) -> models.Snapshot:
    """Keep the entries as they are; `name` says what is about to happen, `by` is a user's id.

    Within `working_copy.writing`, before anything is changed. What changes nothing in the end calls `drop`.
    """
    rows = {_name(table): _rows(table) for table in TABLES}
    kept = models.Snapshot.objects.create(
        name=name[:200], userid=by[:150], content=zlib.compress(json.dumps(rows).encode(), 1)
    )
    for old in models.Snapshot.objects.values_list("pk", flat=True)[KEPT:]:
        models.Snapshot.objects.filter(pk=old).delete()
    return kept


def drop(snapshot: models.Snapshot) -> None:
    """Forget a snapshot that nothing followed."""
    snapshot.delete()


def restore(snapshot: models.Snapshot) -> bool:
    """Make the entries what they were; tells whether that changed anything. Within `writing`.

    Rows that are the same stay untouched. Forms that are open on what changes are refused from now on, those
    of a row that comes back too.
    """
    wanted: Rows = json.loads(zlib.decompress(bytes(snapshot.content)))
    present = {_name(table): {row["id"]: row for row in _rows(table)} for table in TABLES}
    earlier = {_name(table): {row["id"]: row for row in wanted.get(_name(table), [])} for table in TABLES}
    gone = {name: _differing(rows, earlier[name]) for name, rows in present.items()}
    come = {name: _differing(rows, present[name]) for name, rows in earlier.items()}
    for table in reversed(TABLES):
        _delete(table, [row["id"] for row in gone[_name(table)]])
    for table in TABLES:
        name = _name(table)
        known = {field.attname for field in table._meta.concrete_fields}
        rows = [_newer(row, present[name]) for row in come[name]]
        table._default_manager.bulk_create(
            [table(**{key: value for key, value in row.items() if key in known}) for row in rows],
            batch_size=500,
        )
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
    for start in range(0, len(ids), 500):
        rows = table._default_manager.filter(pk__in=ids[start : start + 500])
        rows._raw_delete(rows.db)


def _newer(row: dict[str, Any], before: dict[int, dict[str, Any]]) -> dict[str, Any]:
    if "revision" not in row:
        return row
    present = before.get(row["id"], row)["revision"]
    return {**row, "revision": max(present, row["revision"]) + 1}


def _content(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "revision"}


def note_import(
    actor: HttpRequest | str, name: str, snapshot: models.Snapshot, changed: int, action: str = "import"
) -> None:
    """Write the audit entry of a change of many, with the name of what it can be undone to."""
    details = [FieldChange("Changes", "", str(changed)), FieldChange("Earlier state", "", str(snapshot))]
    audit_log.record(actor, action, "configuration", name, details)


def note_replacement(
    actor: HttpRequest | str,
    name: str,
    snapshot: models.Snapshot,
    found: list[Difference],
    action: str = "import",
) -> None:
    """Write the audit entries of a configuration that took the place of the entries.

    One for each entry that `found` says is another one now, then the one of the change of many.
    """
    audit_log.record_differences(actor, action, found)
    note_import(actor, name, snapshot, len(found), action)


class _LookedAt(Exception):
    """Takes a restoration back."""


def configuration_of(snapshot: models.Snapshot) -> Configuration:
    """What a snapshot says. Within `writing`: it is restored and taken back at once."""
    try:
        with transaction.atomic("configuration"):
            restore(snapshot)
            found = working_copy.configuration()
            raise _LookedAt
    except _LookedAt:
        return found
