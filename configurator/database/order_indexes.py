"""Indexes that hold the order keys of names, so that a page of a list needs no call from SQLite into Python.

Beside a thread that computes each of ten thousand such calls waits for its turn. Whoever writes into these
tables has to have the function `order_key` (see text_order.py), and `PRAGMA integrity_check`, too; reading
and copying works without. Standard library only.
"""

from __future__ import annotations

import unicodedata
from typing import Any, Final

VERSION: Final = 1
"""Raised with every change of what `order_key` makes: keys of before stand in another order."""

INDEXED: Final = {
    "service": ("name", "context", "queue_name"),
    "seat": ("extension", "mac", "description", "address"),
    "operator": ("full_name", "username"),
    "variable": ("name",),
}
"""Model and fields that long lists are ordered by."""


def install_order_indexes(cursor: Any) -> None:
    """Make them where they are missing, and anew for another order.

    A Python with another version of Unicode may order differently: so both versions are part of their names.
    Another process may do the same meanwhile.
    """
    version = f"{VERSION}_{unicodedata.unidata_version.replace('.', '_')}"
    wanted = {
        f"order_{model}_{field}_{version}": f'configurator_{model} (order_key("{field}"))'
        for model, fields in INDEXED.items()
        for field in fields
    }
    present = _present(cursor)
    for name in present - wanted.keys():
        _remove(cursor, name)
    for name in wanted.keys() - present:
        cursor.execute(f'CREATE INDEX IF NOT EXISTS "{name}" ON {wanted[name]}')


def remove_order_indexes(cursor: Any) -> None:
    """Leave a database that can be checked and written into without the function."""
    for name in _present(cursor):
        _remove(cursor, name)


def _remove(cursor: Any, name: str) -> None:
    cursor.execute(f'DROP INDEX IF EXISTS "{name}"')


def _present(cursor: Any) -> set[str]:
    cursor.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND name GLOB 'order_*'")
    return {name for (name,) in cursor.fetchall()}
