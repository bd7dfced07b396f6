"""Saves, imports and publishes in processes that are killed at random moments, and looks at what they left.

`python -m tests.configurator.large.killed_process FOLDER SEED ATTEMPTS`; FOLDER is empty. Prints how many
were killed before they were done. AssertionError if anything is half done.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from configurator.commands import data_directory
from configurator.options import Options
from schemas import own_files
from schemas.configuration import sqlite_form, xml_form
from schemas.configuration.model import Configuration
from tests.bench.workload.largest_configuration import changed_phones, largest_configuration

OPERATORS, SERVICES = 200, 20
STATEMENTS = "statements"
"""File with the number of them."""


class Deed(NamedTuple):
    """Something that is done as a whole or not at all."""

    do: Callable[[], None]
    wanted: Configuration
    """What the entries say afterwards."""


def main(folder: Path, seed: int, attempts: int) -> None:
    """Try each deed so often; its moments come from the seed."""
    chosen = Options(folder / "data", publish=folder / "etc")
    assert chosen.publish is not None
    chosen.publish.mkdir()
    data_directory.set_up(chosen)

    from configurator.models import Publication, Snapshot
    from configurator.publishing import working_copy

    moments, killed = random.Random(seed), 0
    for prepare in (_saving, _importing, _publishing):
        deed = prepare(moments)
        begun = time.monotonic()
        _run(deed.do, folder)
        longest, statements = time.monotonic() - begun, int((folder / STATEMENTS).read_text())
        for number in range(attempts):
            deed, before = prepare(moments), working_copy.configuration()
            snapshots, publications = Snapshot.objects.count(), Publication.objects.count()
            # By the clock, or between two statements: most of the time is none in which anything is written.
            if number % 2:
                died = _run(deed.do, folder, after=moments.uniform(0, longest))
            else:
                died = _run(deed.do, folder, at=moments.randint(1, statements))
            killed += died
            now = working_copy.configuration()
            assert now in (before, deed.wanted), "half of the entries are others"
            assert now == deed.wanted or not Snapshot.objects.count() > snapshots, "a snapshot for nothing"
            assert died or now == deed.wanted
            assert Publication.objects.count() - publications in (0, 1)
            _look_at(chosen, now)
    print(json.dumps({"killed": killed}))


def _run(do: Callable[[], None], folder: Path, *, after: float | None = None, at: int | None = None) -> bool:
    """Do it in a process of its own; tells whether that was killed before it was done.

    After so many seconds, at that statement of SQL, or never: then how many there were is written down.
    """
    from django.db import connections

    connections.close_all()  # a connection is one process's own

    def work() -> None:
        counted = _killed_at(at)
        do()
        if after is None and at is None:
            (folder / STATEMENTS).write_text(str(counted[0]))

    child = get_context("fork").Process(target=work)
    child.start()
    if after is not None:
        time.sleep(after)  # the random moment
        child.kill()
    child.join()
    assert child.exitcode in (0, -signal.SIGKILL), child.exitcode
    return child.exitcode != 0


def _killed_at(statement: int | None) -> list[int]:
    """Count the statements of this process, and kill it before this one."""
    from django.db import connections

    counted = [0]

    def execute(go_on: Callable[..., Any], sql: str, *more: Any) -> Any:
        counted[0] += 1
        if counted[0] == statement:
            os.kill(os.getpid(), signal.SIGKILL)
        return go_on(sql, *more)

    for connection in connections.all():
        connection.execute_wrappers.append(execute)
    return counted


def _saving(_: random.Random) -> Deed:
    from django.conf import settings
    from django.test import Client

    from configurator.models import ManagerUser, Operator
    from configurator.publishing import replacement, working_copy

    settings.ALLOWED_HOSTS = ["testserver"]
    if working_copy.is_empty():
        replacement.replace_all(largest_configuration(OPERATORS, SERVICES))
    user = ManagerUser.objects.first() or ManagerUser.objects.make(
        "ada", "correct-horse-9", full_name="Ada", role="administrator"
    )
    operator = Operator.objects.order_by("pk")[0]
    browser = Client()
    browser.force_login(user)
    fields = {
        "full_name": f"{operator.full_name[:40]} {time.monotonic_ns()}",
        "username": operator.username,
        "seat": operator.seat.mac if operator.seat else "",
        "enabled": "on",
        "revision": str(operator.revision),
    }

    def save() -> None:
        answer = browser.post(f"/operators/{operator.pk}/edit/", fields)
        assert answer.status_code == 302, answer.content

    present = working_copy.configuration()
    first = replace(present.operators[0], full_name=fields["full_name"])
    return Deed(save, replace(present, operators=(first, *present.operators[1:])))


def _importing(_: random.Random) -> Deed:
    from configurator.publishing import differences, replacement, snapshots, working_copy

    wanted = changed_phones(working_copy.configuration())
    if len(wanted.operators[0].full_name) > 150:
        wanted = largest_configuration(OPERATORS, SERVICES)

    def take() -> None:
        found = differences.between(working_copy.configuration(), wanted)
        with snapshots.changing_many("ada", "import", name="file") as changes:
            if replacement.replace_all(wanted):
                changes.made(len(found))

    return Deed(take, wanted)


def _publishing(moments: random.Random) -> Deed:
    from configurator.publishing import publication, working_copy

    form: publication.FileForm = moments.choice(publication.FILE_FORMS)

    def publish() -> None:
        publication.publish_configuration(working_copy.configuration(), form, "ada", force=True)

    return Deed(publish, working_copy.configuration())


def _look_at(chosen: Options, now: Configuration) -> None:
    """Databases, published files, and what is left of those that were not finished."""
    from configurator.database.text_order import order_key
    from configurator.publishing import foreign

    for path in (chosen.configuration_file, chosen.manager_file):
        with closing(sqlite3.connect(path)) as database:
            database.create_function("order_key", 1, order_key, deterministic=True)
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",), path
            assert database.execute("PRAGMA foreign_key_check").fetchall() == [], path
    for file in _whole_files(chosen):
        (sqlite_form.load_sqlite if file.suffix == ".sqlite" else xml_form.load_xml)(file)
    assert foreign.find_foreign(now) is None, "a file that nobody knows of says something else"
    for left in _left_over(chosen):
        assert left.stat().st_mode & 0o777 in (own_files.PRIVATE, own_files.FOR_GROUP), left
        os.utime(left, (1, 1))  # who starts after a minute removes it
    data_directory.remove_unfinished(chosen)
    assert list(_left_over(chosen)) == []


def _whole_files(chosen: Options) -> list[Path]:
    assert chosen.publish is not None
    return [file for file in chosen.publish.iterdir() if not file.name.startswith(".")]


def _left_over(chosen: Options) -> Iterator[Path]:
    assert chosen.publish is not None
    for folder in (chosen.publish, chosen.data):
        yield from (file for file in folder.iterdir() if file.name.startswith("."))
    yield from (file for file in (chosen.data / "temporary").rglob("*") if file.is_file())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
