"""A mark for each part of the configuration that is another one after every change, whoever makes it.

Triggers set it, so that no way of writing can forget it: a form, a bulk statement, a command in another
process. It is random, so that a mark never comes back with other content, not even after a roll-back.
"""

from __future__ import annotations

from django.db import connections

TABLE = "configurator_change_mark"
PARTS = ("services", "seats", "operators", "reasons")
_EVENTS = {
    "service": {"services": "INSERT,UPDATE,DELETE"},
    "variable": {"services": "INSERT,UPDATE,DELETE"},
    "trigger": {"services": "INSERT,UPDATE,DELETE"},
    "serviceoperator": {"services": "INSERT,UPDATE,DELETE"},
    # A service names its operators, an operator its seat.
    "operator": {"operators": "INSERT,UPDATE,DELETE", "services": "UPDATE OF username"},
    "seat": {"seats": "INSERT,UPDATE,DELETE", "operators": "UPDATE OF mac"},
    "pausereason": {"reasons": "INSERT,UPDATE,DELETE"},
}
"""Table, the part it belongs to, and what changes that part."""


def install_change_marks() -> None:
    """Make the table and its triggers where they are missing: an upgrade may lose those of a table."""
    with connections["configuration"].cursor() as cursor:
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} (part TEXT PRIMARY KEY, mark TEXT NOT NULL)")
        for part in PARTS:
            cursor.execute(f"INSERT OR IGNORE INTO {TABLE} VALUES ('{part}', hex(randomblob(8)))")
        for table, parts in _EVENTS.items():
            for part, events in parts.items():
                for event in events.split(","):
                    cursor.execute(
                        f"CREATE TRIGGER IF NOT EXISTS mark_{part}_{table}_{event.split()[0].lower()} "
                        f"AFTER {event} ON configurator_{table} BEGIN "
                        f"UPDATE {TABLE} SET mark = hex(randomblob(8)) WHERE part = '{part}'; END"
                    )


def read_marks() -> dict[str, str]:
    """Each part's mark, as this connection sees it."""
    with connections["configuration"].cursor() as cursor:
        cursor.execute(f"SELECT part, mark FROM {TABLE}")
        return dict(cursor.fetchall())
