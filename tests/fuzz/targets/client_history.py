"""The client's history: a database that may be damaged, of another release, or somebody else's."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from functools import cache
from pathlib import Path
from typing import Any

from astcti_client.ui.state.history import History, HistoryEntry
from tests.fuzz.growing import Grow, database_like
from tests.fuzz.target import Attempt, Broken, FuzzTarget
from tests.fuzz.targets.shared import folder

ENTRY = HistoryEntry(
    1795430727.0, "missed", "3331234567", "Demo", "D", "q", 12.0, (("calldata", "1"),), "1.1", "x"
)


@cache
def _history_images() -> tuple[bytes, bytes]:
    """A history, and one of the release before; of small pages, so that a change is seldom of nothing."""
    directory = folder()
    path = directory / "history.sqlite"
    try:
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.executescript("PRAGMA page_size=512; VACUUM;")
        history = History(path, 90)
        for number in range(3):
            history.explain(history.add(ENTRY), "popped-up 1795430727.120 PJSIP/201 a b c d")
            if number == 1:
                history.seen()
        history.close()
        whole = path.read_bytes()
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.executescript(
                "PRAGMA user_version=1; DROP TABLE seen; ALTER TABLE calls DROP COLUMN why;"
            )
        return whole, path.read_bytes()
    finally:
        shutil.rmtree(directory)


_COLUMNS = {
    "calls": ("at", "kind", "number", "seconds", "variables", "why", "linkedid", "id", "name", "queue"),
    "seen": ("id",),
}
_HISTORY_SCRIPTS = (
    "PRAGMA user_version=1;",
    "PRAGMA user_version=99;",
    "PRAGMA user_version=0;",
    "DROP TABLE calls;",
    "DROP TABLE seen;",
    "ALTER TABLE seen RENAME COLUMN id TO x;",
    "ALTER TABLE calls DROP COLUMN why;",
    "ALTER TABLE calls ADD COLUMN x;",
    "CREATE TRIGGER t AFTER INSERT ON calls BEGIN DELETE FROM calls; END;",
    "CREATE TRIGGER t BEFORE INSERT ON calls BEGIN SELECT RAISE(ABORT, 'x'); END;",
    "CREATE TABLE other(a);",
)


@cache
def _grow() -> Grow:
    return database_like(_history_images()[0], _COLUMNS, _HISTORY_SCRIPTS)


def _keep_new_history(path: Path, aside: Path) -> None:
    """Have what is made after a damaged file was put aside made once: tables take longer than all the rest."""
    fresh = path.with_name("fresh.sqlite")
    History(fresh, 90).close()
    image = fresh.read_bytes()
    connect = sqlite3.connect

    def connect_or_copy(name: str, **more: Any) -> sqlite3.Connection:
        if name == str(path) and aside.exists() and not path.stat().st_size:
            path.write_bytes(image)
        return connect(name, **more)

    setattr(sqlite3, "connect", connect_or_copy)  # noqa: B010


def _history() -> Attempt:
    path = folder() / "history.sqlite"
    aside, journal, out = (
        path.with_name(name) for name in ("history.damaged", f"{path.name}-journal", "out.csv")
    )

    _keep_new_history(path, aside)

    def attempt(data: bytes) -> str:
        aside.unlink(missing_ok=True)
        journal.unlink(missing_ok=True)
        path.write_bytes(data)
        try:
            history = History(path, 90)
        except (OSError, sqlite3.Error) as error:
            return f"not opened: {type(error).__name__}"
        found = history.find()
        if aside.exists():  # what follows would be the same for each input: the file is a new one
            history.close()
            if found or aside.stat().st_size < len(data):
                raise Broken("what is damaged is not put aside")
            return "put aside"
        history.find("3331 %", "missed")
        history.redial_list()
        history.export(out, found)
        history.explain(history.add(ENTRY), "x")
        history.forget_old(1795430727.0 + 91 * 86400)
        if history.missed_unseen():
            history.seen()
        problem = history.commit()
        history.close()
        return "damaged" if problem else "calls" if found else "empty"

    return attempt


TARGETS = (
    FuzzTarget(
        "client-history",
        "its history",
        _history,
        _history_images,
        grow=lambda random: _grow()(random),
        longest=65536,
        reaches="calls",
    ),
)
