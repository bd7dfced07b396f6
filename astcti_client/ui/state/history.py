"""The calls of this seat, kept in a file of the user's for a settable time. One thread, one connection."""

from __future__ import annotations

import contextlib
import csv
import json
import logging
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

import platformdirs

from astcti_client.ui.i18n import _
from astcti_client.ui.state.seat_call import SeatCall

logger = logging.getLogger(__name__)

CallKind = Literal["rung", "missed", "answered", "answered-elsewhere", "dialled"]
CALL_KINDS: tuple[CallKind, ...] = get_args(CallKind)
MOST_FOUND = 500  # rows in the window; the export has them all
HISTORY_VERSION = 2
_DAY = 86400.0
_LAST_TIME = 32_503_680_000.0  # the year 3000; what is later was not written here
OPEN_TIME = 2.0  # seconds to wait at the start while another program, a backup perhaps, holds the file
WRITE_TIME = 100  # milliseconds to wait for it later: the window waits, too, and the next second comes
_DAMAGE = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_SCHEMA = """
CREATE TABLE calls(
    id INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, number TEXT NOT NULL, name TEXT NOT NULL,
    service TEXT NOT NULL, queue TEXT NOT NULL, seconds REAL NOT NULL, variables TEXT NOT NULL,
    linkedid TEXT NOT NULL, sought TEXT NOT NULL, why TEXT NOT NULL DEFAULT '');
CREATE INDEX calls_at ON calls(at);
"""
_LAST_ID = "SELECT coalesce(max(id), 0) FROM calls"
# A file of before has none; what stands in it was seen, or nobody knows. Programs that do not know the table
# leave it alone, so the version is the same.
_SEEN = f"CREATE TABLE seen(id INTEGER NOT NULL); INSERT INTO seen {_LAST_ID};"
# SQLite gives the numbers of the last rows again once they are deleted.
_IDS_COME_AGAIN = f"UPDATE seen SET id = min(id, ({_LAST_ID}))"


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A call as kept: `at` is seconds since 1970, `seconds` how long was talked."""

    at: float
    kind: CallKind
    number: str
    name: str = ""
    service: str = ""
    queue: str = ""
    seconds: float = 0.0
    variables: tuple[tuple[str, str], ...] = ()
    linkedid: str = ""
    why: str = ""
    """Why it popped up or not, as it travels (`schemas.explanation.lines`); empty where nobody said."""


def default_file() -> Path:
    """Where the history of this user is."""
    return Path(platformdirs.user_data_dir("astcti", appauthor=False)) / "history.sqlite"


def kind_of(call: SeatCall) -> CallKind:
    """Under which heading a call that is over goes."""
    if call.direction == "outbound":
        return "dialled"
    if call.was_answered:
        return "answered"
    if call.end == "answered-elsewhere":
        return "answered-elsewhere"
    return "missed" if call.end in ("missed", "cancelled") else "rung"


def entry_of(call: SeatCall, now: float, wall: float) -> HistoryEntry:
    """The entry of a call that is over. `now` is the call's clock, `wall` the time of day at that moment."""
    over = call.over_since if call.over_since is not None else now
    talked = over - call.talking_since if call.talking_since is not None else 0.0
    return HistoryEntry(
        wall - (now - call.since),
        kind_of(call),
        call.number,
        call.name,
        call.service,
        call.queue,
        max(0.0, talked),
        call.variables,
        call.linkedid,
    )


class NewerHistory(sqlite3.DatabaseError):
    """The file is of a version that this program does not know; it is left as it is."""


class History:
    """The file. A damaged one is put aside and a new one begun: the history never keeps anyone from calls."""

    def __init__(self, file: Path | None, days: int) -> None:
        """Without a `file` nothing is written to disk; with 0 `days` what is there is deleted.

        Raises OSError and sqlite3.Error; NewerHistory, an error of that kind, for a later version's file.
        """
        self._file, self._days = file, days
        self._problem = self._told = ""
        if file is not None and days == 0:
            file.unlink(missing_ok=True)
        self._database = _open(":memory:") if file is None or days == 0 else _open_file(file)

    def keep_for(self, days: int, wall: float) -> None:
        """Keep calls for so many days from now on; with 0 nothing is left on disk."""
        with self._whatever_happens():
            if self._file is not None and bool(days) != bool(self._days):
                self._database.commit()
                fresh = _open_file(self._file) if days else _open(":memory:")
                self._database.backup(fresh)
                self._database.close()
                self._database = fresh
                if days == 0:
                    self._file.unlink(missing_ok=True)
            self._days = days
        self.forget_old(wall)

    def add(self, entry: HistoryEntry) -> int:
        """Keep a call; on disk once `commit` or `close` was called. What goes wrong `commit` tells.

        Returns its number, for `explain`; 0 if it could not be kept.
        """
        with self._whatever_happens():
            return self._insert(entry)
        return 0

    def explain(self, number: int, why: str) -> None:
        """Keep why a call that was added popped up or not."""
        with self._whatever_happens():
            self._database.execute("UPDATE calls SET why = ? WHERE id = ?", (_kept(why), number))

    def _insert(self, entry: HistoryEntry) -> int:
        sought = " ".join(
            (entry.number, entry.name, entry.service, entry.queue, *(value for _, value in entry.variables))
        ).casefold()
        added = self._database.execute(
            "INSERT INTO calls"
            "(at, kind, number, name, service, queue, seconds, variables, linkedid, sought, why) "
            "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                entry.at,
                entry.kind,
                *map(_kept, (entry.number, entry.name, entry.service, entry.queue)),
                entry.seconds,
                _kept(json.dumps(entry.variables, ensure_ascii=False)),
                *map(_kept, (entry.linkedid, sought, entry.why)),
            ),
        )
        return added.lastrowid or 0

    def commit(self) -> str:
        """Have on disk what was added: once for many calls, since each time costs milliseconds.

        Returns what went wrong since the last time, once, in a sentence for the user. What could not be
        written is tried again with the next call of this.
        """
        if self._database.in_transaction:
            with self._whatever_happens():
                self._database.commit()
                self._told = ""
        problem, self._problem = self._problem, ""
        if not problem or problem == self._told:
            return ""
        self._told = problem
        return _("The history cannot be written: {reason}").format(reason=problem)

    @contextlib.contextmanager
    def _whatever_happens(self) -> Iterator[None]:
        """A full disk, or a file that somebody else holds, keeps nobody from calls."""
        try:
            yield
        except (OSError, sqlite3.Error, UnicodeDecodeError) as error:
            self._problem = str(error)
            if self._problem != self._told:
                logger.warning("the history cannot be written: %s", error)

    def find(
        self, text: str = "", kind: CallKind | Literal[""] = "", most: int = MOST_FOUND
    ) -> list[HistoryEntry]:
        """The newest calls that have each word of the text somewhere; `most` of them.

        What a damaged file has in place of a call is left out.
        """
        found: list[HistoryEntry] = []
        with self._whatever_happens():
            found.extend(filter(None, map(_entry_in, self._rows(text, kind, most))))
        return found

    def redial_list(self, most: int = 10) -> list[str]:
        """Numbers dialled, the last one first, each once."""
        found: list[str] = []
        with self._whatever_happens():
            rows = self._database.execute(
                "SELECT number FROM calls WHERE kind = 'dialled' AND number <> '' "
                "GROUP BY number ORDER BY max(at) DESC LIMIT ?",
                (most,),
            )
            found.extend(number for (number,) in rows if isinstance(number, str))
        return found

    def missed_unseen(self) -> int:
        """How many calls were missed since `seen` was called last."""
        with self._whatever_happens():
            (count,) = self._database.execute(
                "SELECT count(*) FROM calls WHERE kind = 'missed' "
                "AND id > (SELECT coalesce(max(id), 0) FROM seen)"
            ).fetchone()
            return int(count)
        return 0

    def seen(self) -> None:
        """Somebody looked: all that is there now is no news any more."""
        with self._whatever_happens(), self._database:
            self._database.execute("DELETE FROM seen")
            self._database.execute(f"INSERT INTO seen {_LAST_ID}")

    def forget_old(self, wall: float) -> None:
        """Delete what is older than the settable time; what is not on disk lasts until the end."""
        if self._days == 0:
            return
        with self._whatever_happens(), self._database:
            self._database.execute("DELETE FROM calls WHERE at < ?", (wall - self._days * _DAY,))
            self._database.execute(_IDS_COME_AGAIN)

    def clear(self) -> None:
        """Delete everything."""
        with self._whatever_happens(), self._database:
            self._database.execute("DELETE FROM calls")
            self._database.execute(_IDS_COME_AGAIN)

    def export(self, file: Path, entries: list[HistoryEntry]) -> None:
        """Write entries as CSV that spreadsheets read. Raises OSError."""
        with file.open("w", encoding="utf-8-sig", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(
                ["time", "kind", "number", "name", "service", "queue", "seconds", "variables", "linkedid"]
            )
            for entry in entries:
                variables = "; ".join(f"{key}={value}" for key, value in entry.variables)
                texts = [entry.number, entry.name, entry.service, entry.queue]
                rest = [f"{entry.seconds:.0f}", variables, entry.linkedid]
                writer.writerow([_iso(entry.at), entry.kind, *map(_harmless, texts + rest)])

    def close(self) -> None:
        """Close the file."""
        self.commit()
        self._database.close()

    def _rows(self, text: str, kind: str, most: int) -> Iterator[tuple[Any, ...]]:
        words = _kept(text).casefold().split()
        where = ["sought LIKE ? ESCAPE '\\'"] * len(words) + (["kind = ?"] if kind else [])
        values = [f"%{_escaped(word)}%" for word in words] + ([kind] if kind else [])
        condition = " AND ".join(where) or "1"
        return self._database.execute(
            "SELECT at, kind, number, name, service, queue, seconds, variables, linkedid, why FROM calls "
            f"WHERE {condition} ORDER BY at DESC, id DESC LIMIT ?",
            [*values, most],
        )


def _entry_in(row: tuple[Any, ...]) -> HistoryEntry | None:
    """The call of a row; None if something else stands there: SQLite takes any type into any column."""
    at, kind, number, name, service, queue, seconds, variables, linkedid, why = row
    texts = (number, name, service, queue, linkedid, why)
    times = isinstance(at, int | float) and isinstance(seconds, int | float)
    if not times or kind not in CALL_KINDS or not all(isinstance(text, str) for text in texts):
        return None
    if not (0.0 <= at < _LAST_TIME and 0.0 <= seconds < _LAST_TIME):
        return None
    try:
        pairs = tuple((str(key), str(value)) for key, value in json.loads(variables))
    except (TypeError, ValueError, RecursionError):
        return None
    return HistoryEntry(at, kind, number, name, service, queue, seconds, pairs, linkedid, why)


def _open_file(file: Path) -> sqlite3.Connection:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _make_private(file)
    try:
        database = _open(str(file))
    except NewerHistory:
        raise
    except sqlite3.DatabaseError as error:
        # A file that is merely locked, or on a full disk, is as good as it was.
        if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF not in _DAMAGE:
            raise
        file.replace(file.with_suffix(".damaged"))
        _make_private(file)
        database = _open(str(file))
    if os.name == "posix":
        file.chmod(0o600)
    return database


def _make_private(file: Path) -> None:
    """Make the file if there is none: SQLite would make it and its journal readable for everybody."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _open(name: str) -> sqlite3.Connection:
    database = sqlite3.connect(name, timeout=OPEN_TIME)
    database.text_factory = lambda data: data.decode("utf-8", "replace")
    try:
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version == 0:
            # In one step: what is half made would be put aside as damaged.
            database.executescript(
                f"BEGIN; {_SCHEMA} {_SEEN} PRAGMA user_version = {HISTORY_VERSION}; COMMIT;"
            )
        elif version == 1:
            database.executescript(
                "BEGIN; ALTER TABLE calls ADD COLUMN why TEXT NOT NULL DEFAULT '';"
                f" PRAGMA user_version = {HISTORY_VERSION}; COMMIT;"
            )
        elif version > HISTORY_VERSION:
            # A newer client made it, and will want it again.
            raise NewerHistory(f"made by a newer version of this program ({version})")
        database.execute("SELECT count(*) FROM calls").fetchone()
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'seen'").fetchone():
            database.executescript(f"BEGIN; {_SEEN} COMMIT;")
        database.execute(f"PRAGMA busy_timeout = {WRITE_TIME}")
        # By itself SQLite keeps two megabytes of a file that is looked into a few times an hour.
        database.execute("PRAGMA cache_size = -256")
    except UnicodeDecodeError as error:  # a table's name that is damaged, in SQLite's own message
        database.close()
        raise sqlite3.DatabaseError(f"it is damaged: {error}") from None
    except BaseException:
        database.close()
        raise
    return database


def _kept(text: str) -> str:
    """The text as the file can hold and find it: without halves of characters, without NUL."""
    return text.encode("utf-8", "replace").decode().replace("\0", " ")


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().isoformat(timespec="seconds")


def _harmless(text: str) -> str:
    """Spreadsheets take a text that begins so for a formula; numbers with a plus are no formula."""
    if text[:1] in ("=", "-", "@", "\t", "\r") or (text[:1] == "+" and not text[1:].isdigit()):
        return "'" + text
    return text
