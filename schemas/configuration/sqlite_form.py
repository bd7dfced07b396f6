"""The runtime configuration as an SQLite file: into the model and out of it. Standard library only.

Any thread. The same checks as for XML; in problems the row's id stands in place of a line.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from schemas import own_files
from schemas.configuration.checks import CheckedConfiguration, check_configuration, warn_of_configuration
from schemas.configuration.model import Configuration, Service
from schemas.configuration.sqlite_reading import TABLE_COLUMNS, USER_VERSION, TableReader
from schemas.problems import ConfigurationError, Problem, bounded
from schemas.sentences import said

MAGIC = b"SQLite format 3\x00"
LONGEST_VALUE = 1024 * 1024
"""Bytes of one value, or of one row."""
WRITE_AHEAD = 2  # bytes 18 and 19 of the header in WAL mode


def load_sqlite(path: Path) -> Configuration:
    """Read a file. ConfigurationError with every problem in it; OSError if it cannot be read."""
    return read_sqlite(path).configuration


def read_sqlite(path: Path) -> CheckedConfiguration:
    """Read a file together with its warnings. Never writes and takes no lock: the file must not change."""
    _check_file(path)
    try:
        uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as database:
            _distrust(database)
            database.row_factory = sqlite3.Row
            database.text_factory = _text
            reader = TableReader(str(path), database)
            configuration = reader.configuration()
            replaces = reader.replaces()
    except (sqlite3.Error, UnicodeDecodeError) as error:  # the latter for names of tables that are damaged
        raise ConfigurationError([Problem(str(path), 0, _words(error))]) from None
    problems = [*reader.problems, *reader.problems_of(check_configuration(configuration, reader.places))]
    if problems:
        raise ConfigurationError(problems)
    return CheckedConfiguration(
        configuration,
        bounded(reader.problems_of(warn_of_configuration(configuration, reader.places))),
        replaces,
    )


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _distrust(database: sqlite3.Connection) -> None:
    """Follow what SQLite's manual advises for a file of somebody else's ("Defense Against The Dark Arts").

    Its CHECK constraints need no limit: SQLite forgets them where a file is opened for reading only.
    """
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
    database.execute("PRAGMA trusted_schema = OFF")
    database.execute("PRAGMA cell_size_check = ON")


def _words(error: Exception) -> str:
    return said("the database cannot be read (is it still being copied?): {reason}", reason=str(error))


def _size(header: bytes) -> int:
    """Return the size that a database's header claims: page size times number of pages."""
    page_size = int.from_bytes(header[16:18], "big")
    return (65536 if page_size == 1 else page_size) * int.from_bytes(header[28:32], "big")


def _check_file(path: Path) -> None:
    """Refuse what SQLite would read as something else than its author published."""
    with path.open("rb") as stream:
        header = stream.read(100)
    message: str = ""
    if not header:
        message = said("the file is empty (is it still being copied?)")
    elif not header.startswith(MAGIC):
        message = said("the file is no SQLite database")
    elif path.stat().st_size < _size(header):
        message = said("the file is shorter than its database (is it still being copied?)")
    elif WRITE_AHEAD in header[18:20]:
        message = said("the database is in WAL mode: publish it with PRAGMA journal_mode=DELETE")
    for ending in ("-journal", "-wal"):
        left = path.with_name(path.name + ending)
        if not message and left.exists() and left.stat().st_size:
            message = said(
                "{name} stands beside it, so somebody still writes it: publish a finished copy",
                name=left.name,
            )
    if message:
        raise ConfigurationError([Problem(str(path), 0, message)])


TABLES = """
CREATE TABLE services(
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, context TEXT NOT NULL,
    type TEXT NOT NULL CHECK (type IN ('inbound', 'outbound')),
    is_queue INTEGER NOT NULL DEFAULT 0 CHECK (is_queue IN (0, 1)),
    queue_name TEXT NOT NULL DEFAULT '',
    enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    may_leave INTEGER NOT NULL DEFAULT 0 CHECK (may_leave IN (0, 1))
);
CREATE TABLE services_variables(
    id INTEGER PRIMARY KEY, service_id INTEGER NOT NULL REFERENCES services(id), name TEXT NOT NULL
);
CREATE TABLE services_triggers(
    id INTEGER PRIMARY KEY, service_id INTEGER NOT NULL REFERENCES services(id),
    position INTEGER NOT NULL DEFAULT 0,
    type TEXT NOT NULL CHECK (type IN ('application', 'browser', 'internal-browser')),
    moment TEXT NOT NULL DEFAULT 'answer' CHECK (moment IN ('answer', 'ring', 'hangup')),
    os TEXT NOT NULL DEFAULT 'any' CHECK (os IN ('any', 'linux', 'windows', 'macos')),
    application TEXT NOT NULL DEFAULT '', parameters TEXT NOT NULL DEFAULT '', url TEXT NOT NULL DEFAULT '',
    again INTEGER NOT NULL DEFAULT 0 CHECK (again IN (0, 1))
);
CREATE TABLE seats(
    id INTEGER PRIMARY KEY, mac TEXT NOT NULL UNIQUE, extension TEXT NOT NULL UNIQUE,
    queue_interface TEXT NOT NULL DEFAULT '', state_interface TEXT NOT NULL DEFAULT '',
    address TEXT NOT NULL DEFAULT '', description TEXT NOT NULL DEFAULT '',
    answer TEXT NOT NULL DEFAULT 'none' CHECK (answer IN ('none', 'notify'))
);
CREATE TABLE operators(
    id INTEGER PRIMARY KEY, username TEXT NOT NULL UNIQUE, full_name TEXT NOT NULL, password TEXT NOT NULL,
    seat_id INTEGER REFERENCES seats(id),
    begin_in_pause INTEGER NOT NULL DEFAULT 0 CHECK (begin_in_pause IN (0, 1)),
    enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    scram TEXT NOT NULL DEFAULT ''
);
CREATE TABLE services_operators(
    id INTEGER PRIMARY KEY, service_id INTEGER NOT NULL REFERENCES services(id),
    operator_id INTEGER NOT NULL REFERENCES operators(id), penalty INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE pause_reasons(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
"""
"""The tables as `database_bytes` makes them. Other columns and constraints do not disturb `load_sqlite`."""


PUBLICATION = "CREATE TABLE publication(id INTEGER PRIMARY KEY, replaces TEXT NOT NULL);"
"""Only in a file that says which one it is meant to replace."""


def dump_sqlite(configuration: Configuration, path: Path, replaces: str = "") -> None:
    """Write a valid configuration to a new file, which appears under its name only once it is complete.

    Its mode is 600: hashes of passwords are in it. `replaces`: see `database_bytes`.
    FileExistsError if there is one: a published file is never changed. OSError if it cannot be written.
    """
    if path.exists():
        raise FileExistsError(f"{path} exists: publish under a new name")
    own_files.replace_file(path, database_bytes(configuration, replaces), own_files.PRIVATE)


def database_bytes(configuration: Configuration, replaces: str = "") -> bytes:
    """Return what a database file with a valid configuration holds.

    `replaces` is the SHA-256 of the file whose place it takes although it takes away much.
    """
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        database.executescript(f"BEGIN; {TABLES} PRAGMA user_version = {USER_VERSION};")
        _dump_rows(database, configuration)
        if replaces:
            database.execute(PUBLICATION)
            database.execute("INSERT INTO publication(replaces) VALUES (?)", (replaces,))
        database.execute("COMMIT")
        return database.serialize()


def _dump_rows(database: sqlite3.Connection, configuration: Configuration) -> None:
    seats = {seat.mac: number for number, seat in enumerate(configuration.seats, 1)}
    operators = {operator.username: number for number, operator in enumerate(configuration.operators, 1)}
    _insert(
        database,
        "seats",
        (
            (
                seat.mac,
                seat.extension,
                seat.queue_interface,
                seat.state_interface,
                seat.address,
                seat.description,
                seat.answer,
            )
            for seat in configuration.seats
        ),
    )
    _insert(
        database,
        "operators",
        (
            (
                operator.username,
                operator.full_name,
                operator.password,
                seats.get(operator.seat),
                operator.begin_in_pause,
                operator.enabled,
                operator.scram,
            )
            for operator in configuration.operators
        ),
    )
    services = list(enumerate(configuration.services, 1))
    _insert(database, "services", (_service_row(service) for _, service in services))
    _insert(
        database,
        "services_variables",
        ((number, name) for number, service in services for name in service.variables),
    )
    _insert(
        database,
        "services_triggers",
        (
            (number, position, act.type, act.on, act.os, act.application, act.parameters, act.url, act.again)
            for number, service in services
            for position, act in enumerate(service.triggers)
        ),
    )
    _insert(
        database,
        "services_operators",
        (
            (number, operators[binding.username], binding.penalty)
            for number, service in services
            for binding in service.operators
        ),
    )
    _insert(database, "pause_reasons", ((name,) for name in configuration.pause_reasons))


def _service_row(service: Service) -> tuple[object, ...]:
    return (
        service.name,
        service.context,
        service.type,
        service.is_queue,
        service.queue_name,
        service.enabled,
        service.may_leave,
    )


def _insert(database: sqlite3.Connection, table: str, rows: Iterable[tuple[object, ...]]) -> None:
    columns = TABLE_COLUMNS[table][1:]
    marks = ", ".join("?" * len(columns))
    database.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)
