"""Many rows of a table in one go: Django's own ways take many times as long as the statements themselves.

Whoever writes ten thousand rows keeps all others who want to write waiting meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connections, router
from django.db.models import Aggregate, DateTimeField, Field, JSONField, Model, QuerySet, TextField

_CONVERTED = (DateTimeField, JSONField)
"""Fields whose values the database takes in another form; all others go there as they are."""


class _InOneText(Aggregate):
    function = "group_concat"
    output_field = TextField()


def primary_keys(found: QuerySet[Any]) -> list[int]:
    """The primary keys of what a query finds, in any order.

    As one value: between two rows SQLite lets other threads go on, and beside one that computes each of ten
    thousand rows waits for its turn.
    """
    together = found.order_by().aggregate(rows=_InOneText("pk"))["rows"]
    return [int(number) for number in together.split(",")] if together else []


def update_rows(entries: Sequence[Model]) -> None:
    """Store all columns of entries of one table that are there already, and raise their revisions."""
    if not entries:
        return
    table = entries[0]._meta
    fields = [field for field in table.concrete_fields if field.name not in ("id", "revision")]
    columns = ", ".join(f'"{field.column}" = %s' for field in fields) + ', "revision" = "revision" + 1'
    rows = zip(_values(entries, fields), entries, strict=True)
    statement = f'UPDATE "{table.db_table}" SET {columns} WHERE "id" = %s'
    _execute(entries, statement, ((*values, entry.pk) for values, entry in rows))


def insert_rows(entries: Sequence[Model]) -> None:
    """Store new entries of one table. They are not told their ids."""
    if not entries:
        return
    table = entries[0]._meta
    fields = [field for field in table.concrete_fields if field.name != "id"]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    places = ", ".join("%s" for _ in fields)
    statement = f'INSERT INTO "{table.db_table}" ({columns}) VALUES ({places})'
    _execute(entries, statement, _values(entries, fields))


def _execute(entries: Sequence[Model], statement: str, values: Iterator[tuple[Any, ...]]) -> None:
    with connections[router.db_for_write(type(entries[0]))].cursor() as cursor:
        cursor.executemany(statement, values)


def _values(entries: Sequence[Model], fields: Sequence[Field[Any, Any]]) -> Iterator[tuple[Any, ...]]:
    connection = connections[router.db_for_write(type(entries[0]))]
    names = [field.attname for field in fields]
    converted = [(at, field) for at, field in enumerate(fields) if isinstance(field, _CONVERTED)]
    for entry in entries:
        values = [getattr(entry, name) for name in names]
        for at, field in converted:
            values[at] = field.get_db_prep_save(values[at], connection)
        yield tuple(values)
