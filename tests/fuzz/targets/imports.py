"""What is uploaded to the Configurator, or given to its command."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from schemas.problems import ConfigurationError
from tests.fuzz.growing import ODD_TEXTS, Grow
from tests.fuzz.target import Attempt, Broken, FuzzTarget
from tests.fuzz.targets import configuration
from tests.fuzz.targets.shared import folder
from tests.fuzz.targets.small_configurations import keep_schemas, small_configurations

SEATS = (
    b"mac,extension,description,address\n00:11:22:33:44:55,SIP/1,First row,\n00-11-22-33-44-77,SIP/202,,192.0.2.7\n",
    b"mac,extension\n00:11:22:33:44:77,SIP/7\n",
    "\ufeffMAC;Extension;queue_interface\n001122334477;PJSIP/203;Local/203@a/n\n".encode(),
    b'mac,extension\n"00:11:22:33:44:55","PJSIP/2\n01"\n\n,\nx\n',
)
OPERATORS = (
    b"username,full-name,password,seat,begin-in-pause,enabled\n"
    b"m,Mario Rossi,md5:098f6bcd4621d373cade4e832627b4f6,00:11:22:33:44:55,no,yes\nn,Anna,,,1,0\n",
    b"username,full-name\nm,M\n",
    "username;full-name;password;scram\nluca;Luc\u00e0;md5:098f6bcd4621d373cade4e832627b4f6;200000:a:b:c\n".encode(),
    b"username,full-name,password\na,b,secret\nat-PJSIP/201,c,scrypt:14:8:1:a:b\n",
)
_MD5 = "md5:098f6bcd4621d373cade4e832627b4f6"
_SEAT_CELLS: Mapping[str, Sequence[str]] = {
    "mac": (
        "00:11:22:33:44:55",
        "00-11-22-33-44-66",
        "001122334477",
        "00:11:22:33:44:88",
        "01:00:5e:00:00:01",
    ),
    "extension": ("SIP/1", "PJSIP/2", "SIP/7", "PJSIP/203", "Local/9@x/n"),
    "description": ("", "First row", '"a, b"', '"two\nlines"'),
    "address": ("", "192.0.2.7", "::1"),
    "queue-interface": ("", "SIP/1", "Local/7@x/n"),
    "state-interface": ("", "hint:7@x"),
    "answer": ("", "notify", "none"),
}
_OPERATOR_CELLS: Mapping[str, Sequence[str]] = {
    "username": ("m", "n", "anna", "luca", "at-SIP/1"),
    "full-name": ("M", "Mario Rossi", "\u00e8"),
    "password": (_MD5, _MD5, "", "secret", "scrypt:14:8:1:eA==:eA=="),
    "scram": ("", "", "200000:MDEyMzQ1Njc4OWFiY2RlZg==:eA==:eA=="),
    "seat": ("", "00:11:22:33:44:55", "00-11-22-33-44-66", "00:11:22:33:44:99"),
    "begin-in-pause": ("", "yes", "0"),
    "enabled": ("yes", "no", "1"),
}


def _grow_table(cells: Mapping[str, Sequence[str]], needed: Sequence[str]) -> Grow:
    """A table with the columns that there have to be, most of whose cells are right."""

    def grow(random: Random) -> bytes:
        more = [name for name in cells if name not in needed and random.random() < 0.3]
        heads = random.sample([*needed, *more], len(needed) + len(more))
        if random.random() < 0.05:
            heads[random.randrange(len(heads))] = random.choice((*cells, "x", ""))
        comma = random.choice((",", ",", ";"))
        rows = [heads]
        for _ in range(random.choice((0, 1, 1, 2, 3, 8))):
            rows.append(
                [
                    random.choice(cells.get(head, ("x",)) if random.random() < 0.9 else ODD_TEXTS)
                    for head in heads
                ]
            )
            if random.random() < 0.05:
                rows[-1].append("x")
        return random.choice(("\n", "\n", "\r\n")).join(comma.join(row) for row in rows).encode()

    return grow


CSV_TOKENS = (
    *(
        b",",
        b";",
        b'"',
        b'""',
        b"\n",
        b"\r",
        b"md5:",
        b"scrypt:14:8:1:",
        b"00:11:22:33:44:55",
        b"PJSIP/201",
        b"yes",
        b"no",
    ),
    *(
        b"mac",
        b"extension",
        b"username",
        b"full-name",
        b"password",
        b"scram",
        b"seat",
        b"enabled",
        b"at-PJSIP/201",
    ),
)


def _django() -> None:
    """The application on a database of this process, with the entries of a small office."""
    from configurator.commands import data_directory
    from configurator.options import Options

    directory = folder()
    data_directory.set_up(Options(directory, publish=directory))
    _keep_queries()

    from configurator.publishing import replacement, working_copy

    with working_copy.writing():
        replacement.replace_all(small_configurations()[1])


def _keep_queries() -> None:
    """Make the SQL of each query of a whole table once in this process: Django does each time it is asked."""
    from django.db.models.sql.query import Query

    make: Any = Query.get_compiler
    kept: dict[object, Any] = {}

    def get_compiler(
        query: Any, using: str | None = None, connection: Any = None, elide_empty: bool = True
    ) -> Any:
        whole = type(query) is Query and query.default_cols and not query.where.children
        bare = not (query.annotations or query.extra or query.distinct or query.is_sliced or query.combinator)
        if not (whole and bare and connection is None and query.deferred_loading == (frozenset(), True)):
            return make(query, using, connection, elide_empty)
        key = (query.model, using, query.order_by, query.default_ordering, repr(query.select_related))
        if key not in kept:
            compiler = make(query, using, connection, elide_empty)
            sql = compiler.as_sql()
            compiler.as_sql = lambda *_: sql
            kept[key] = compiler
        return kept[key]

    setattr(Query, "get_compiler", get_compiler)  # noqa: B010


def _csv(kind: str) -> Callable[[], Attempt]:
    def prepare() -> Attempt:
        _django()
        from configurator.importing import csv_file, csv_import

        def attempt(data: bytes) -> str:
            file = csv_file.with_passwords(csv_file.read_csv(kind, data), store=False)
            found = csv_import.check_csv(file)
            for bad in found.bad:
                if len(bad.message) > 2000 or not 0 <= bad.line <= data.count(b"\n") + data.count(b"\r") + 2:
                    raise Broken(f"line {bad.line}: {bad.message[:200]!r}")
            if found.bad:
                return "some rows bad" if found.good else "bad rows"
            return "good rows" if found.good else "no rows"

        return attempt

    return prepare


def _upload() -> Attempt:
    """A file of either form, as its page does it, up to the differences that it shows."""
    _django()
    keep_schemas()
    from django.core.files.uploadedfile import SimpleUploadedFile

    from configurator.checks.translation import translated_for_file
    from configurator.publishing import differences, working_copy
    from configurator.views.imports import read_upload

    tempfile.tempdir = str(folder())  # where a database is put to be read
    present = working_copy.configuration()

    def attempt(data: bytes) -> str:
        try:
            wanted = read_upload(SimpleUploadedFile("../x", data))
        except ConfigurationError as error:
            for problem in error.problems:
                translated_for_file(problem.message)
            return "problems"
        differences.between(present, wanted)
        return "valid"

    return attempt


def _upload_seeds() -> list[bytes]:
    return [*configuration.xml_seeds(), *configuration.database_seeds()]


def _grow_upload(random: Random) -> bytes:
    if random.random() < 0.2:
        return configuration.grow_database(random)
    return configuration.grow_xml(random)


TARGETS = (
    FuzzTarget(
        "import-seats",
        "CSV of seats, uploaded to the Configurator",
        _csv("seats"),
        lambda: SEATS,
        tokens=CSV_TOKENS,
        grow=_grow_table(_SEAT_CELLS, ("mac", "extension")),
        reaches="good rows",
        longest=16384,
    ),
    FuzzTarget(
        "import-operators",
        "CSV of operators, uploaded to the Configurator",
        _csv("operators"),
        lambda: OPERATORS,
        tokens=CSV_TOKENS,
        grow=_grow_table(_OPERATOR_CELLS, ("username", "full-name")),
        reaches="good rows",
        longest=16384,
    ),
    FuzzTarget(
        "import-configuration",
        "a configuration uploaded to the Configurator, XML or SQLite",
        _upload,
        _upload_seeds,
        tokens=configuration.XML_TOKENS,
        grow=_grow_upload,
        reaches="valid",
        longest=262144,
    ),
)
