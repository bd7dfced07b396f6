"""A mark for each part of the configuration that is another one after every change, whoever makes it.

Triggers set it, so that no way of writing can forget it: a form, a bulk statement, a command in another
process. It is random, so that a mark never comes back with other content, not even after a roll-back.

The last changes are noted with their rows, so that whoever knows a part as of one mark reads only what is
new since.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.db import connections

TABLE = "configurator_change_mark"
NOTED = "configurator_noted_change"
PARTS = ("services", "seats", "operators", "reasons")
KEPT = 2000
"""Changes of each part that stay noted; of more, the whole part is read again."""

_OF_A_SERVICE = {"INSERT": ("NEW.service_id",), "UPDATE": ("OLD.service_id", "NEW.service_id")}
_ITSELF = {"INSERT": ("NEW.id",), "UPDATE": ("OLD.id", "NEW.id"), "DELETE": ("OLD.id",)}
_BELONGS = _OF_A_SERVICE | {"DELETE": ("OLD.service_id",)}
_ITS_SERVICES = "SELECT service_id FROM configurator_serviceoperator WHERE operator_id = NEW.id"
_ITS_OPERATORS = "SELECT id FROM configurator_operator WHERE seat_id = NEW.id"
_EVENTS: dict[str, dict[str, dict[str, tuple[str, ...]]]] = {
    "service": {"services": _ITSELF},
    "variable": {"services": _BELONGS},
    "trigger": {"services": _BELONGS},
    "serviceoperator": {"services": _BELONGS},
    # A service names its operators, an operator its seat; a row that went may come back with another name.
    "operator": {
        "operators": _ITSELF,
        "services": {"INSERT": (_ITS_SERVICES,), "UPDATE OF username": (_ITS_SERVICES,)},
    },
    "seat": {
        "seats": _ITSELF,
        "operators": {"INSERT": (_ITS_OPERATORS,), "UPDATE OF mac": (_ITS_OPERATORS,)},
    },
    "pausereason": {"reasons": _ITSELF},
}
"""Table, the part that it changes, and at which event which rows of that part."""


def install_change_marks() -> None:
    """Make tables and triggers where they are missing or others: an upgrade may lose those of a table."""
    with connections["configuration"].cursor() as cursor:
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} (part TEXT PRIMARY KEY, mark TEXT NOT NULL)")
        cursor.execute(
            f"CREATE TABLE IF NOT EXISTS {NOTED} (part TEXT NOT NULL, number INTEGER NOT NULL,"
            " entry INTEGER NOT NULL, mark TEXT NOT NULL, PRIMARY KEY (part, number)) WITHOUT ROWID"
        )
        for part in PARTS:
            cursor.execute(f"INSERT OR IGNORE INTO {TABLE} VALUES ('{part}', hex(randomblob(8)))")
        cursor.execute(
            f"INSERT INTO {NOTED} (part, number, entry, mark) SELECT part, 1, 0, mark FROM {TABLE}"
            f" WHERE part NOT IN (SELECT part FROM {NOTED})"
        )
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        present = dict(cursor.fetchall())
        for name, statement in _triggers():
            if present.get(name) != statement:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
                cursor.execute(statement)


def remove_change_marks() -> None:
    """Before a migration: SQLite gives no table another name while a trigger of another one names it.

    `install_change_marks` makes all anew afterwards. Then each part has another mark.
    """
    with connections["configuration"].cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name GLOB 'mark_*'")
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        for table in (NOTED, TABLE):
            cursor.execute(f"DROP TABLE IF EXISTS {table}")


def _triggers() -> Iterator[tuple[str, str]]:
    for table, parts in _EVENTS.items():
        for part, events in parts.items():
            for event, rows in events.items():
                name = f"mark_{part}_{table}_{event.split()[0].lower()}"
                yield name, _trigger(name, table, part, event, rows)


def _trigger(name: str, table: str, part: str, event: str, rows: tuple[str, ...]) -> str:
    chosen = " UNION ".join(row if row.startswith("SELECT") else f"SELECT {row}" for row in rows)
    only_if = f"WHEN {_says_something_else(table, event)} " if event.startswith("UPDATE") else ""
    newest = f"(SELECT MAX(number) FROM {NOTED} WHERE part = '{part}')"
    # Row 0 is none: the mark is to be found among the changes also where no row shows this one.
    return (
        f"CREATE TRIGGER {name} AFTER {event} ON configurator_{table} {only_if}BEGIN"
        f" UPDATE {TABLE} SET mark = hex(randomblob(8)) WHERE part = '{part}';"
        f" INSERT INTO {NOTED} (part, number, entry, mark)"
        f" SELECT '{part}', {newest} + ROW_NUMBER() OVER (), changed.at, {TABLE}.mark"
        f" FROM {TABLE}, (SELECT 0 AS at UNION {chosen}) AS changed WHERE {TABLE}.part = '{part}';"
        f" DELETE FROM {NOTED} WHERE part = '{part}' AND number <= {newest} - {KEPT}; END"
    )


def _says_something_else(table: str, event: str) -> str:
    """A statement names columns that stay as they are, and a higher revision alone is no change."""
    fields = apps.get_model("configurator", table)._meta.concrete_fields
    one = event.partition(" OF ")[2]
    columns = [one] if one else [field.column for field in fields if field.column != "revision"]
    old, new = (", ".join(f'{row}."{column}"' for column in columns) for row in ("OLD", "NEW"))
    return f"({old}) IS NOT ({new})"


def read_marks() -> dict[str, str]:
    """Each part's mark, as this connection sees it."""
    with connections["configuration"].cursor() as cursor:
        cursor.execute(f"SELECT part, mark FROM {TABLE}")
        return dict(cursor.fetchall())


def rows_changed_since(part: str, mark: str) -> set[int] | None:
    """The rows of a part that came, went or changed since it had this mark; None where that is not known."""
    with connections["configuration"].cursor() as cursor:
        cursor.execute(f"SELECT MAX(number) FROM {NOTED} WHERE part = %s AND mark = %s", [part, mark])
        (number,) = cursor.fetchone()
        if number is None:
            return None
        cursor.execute(
            f"SELECT DISTINCT entry FROM {NOTED} WHERE part = %s AND number > %s AND entry > 0",
            [part, number],
        )
        return {row for (row,) in cursor.fetchall()}
