"""Nobody waits for what somebody else has checked, compared or written; and what changes meanwhile."""

from __future__ import annotations

import os
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from configurator import options
from configurator.checks import entry_checks
from configurator.importing import csv_import
from configurator.models import AuditEntry, Operator, Publication, Seat, Snapshot
from configurator.publishing import (
    differences,
    entry_parts,
    published,
    replacement,
    snapshots,
    supervised,
    working_copy,
)
from schemas.configuration import sqlite_form, xml_form
from tests.configurator.large.conftest import upload


@contextmanager
def somebody_writes() -> Iterator[None]:
    """Both files are locked, as while an import is stored. OperationalError if they are already."""
    chosen = options.current_options()
    with ExitStack() as locked:
        for path in (chosen.configuration_file, chosen.manager_file):
            other = locked.enter_context(closing(sqlite3.connect(path, timeout=0, isolation_level=None)))
            other.execute("BEGIN IMMEDIATE")
        yield


def watch(patch: pytest.MonkeyPatch, seen: list[str], *functions: tuple[Any, str]) -> None:
    """Let each of these functions see that others could write while it works."""
    for module, name in functions:
        real = getattr(module, name)

        def watched(
            *arguments: Any, _real: Callable[..., Any] = real, _name: str = name, **named: Any
        ) -> Any:
            with somebody_writes():
                seen.append(_name)
            return _real(*arguments, **named)

        patch.setattr(module, name, watched)


def publish(client: Client, form: str = "xml") -> str:
    context = client.get("/publish/").context
    last = context["last"].pk if context["last"] else ""
    data = {"form": form, "digest": context["digest"], "last": last}
    return client.post("/publish/now/", data, follow=True).content.decode()


@pytest.mark.parametrize("form", ["xml", "sqlite"])
def test_others_write_while_a_publication_is_checked_and_written(
    admin: Client, demo: Any, publish_directory: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    seen: list[str] = []
    module, load = (sqlite_form, "load_sqlite") if form == "sqlite" else (xml_form, "load_xml")
    watch(monkeypatch, seen, (entry_checks, "check_configuration"), (xml_form, "dump_xml"), (module, load))
    watch(monkeypatch, seen, (differences, "between"))
    assert "Published as" in publish(admin, form)
    assert {"check_configuration", "dump_xml", load, "between"} <= set(seen)


def test_others_write_while_a_supervisors_part_is_put_together_and_published(
    admin: Client,
    log_in: Callable[[str], Client],
    demo: Any,
    publish_directory: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "Published as" in publish(admin)
    supervisor = log_in("supervisor")
    Operator.objects.filter(pk=demo["operator"].pk).update(full_name="Mario Bianchi")
    seen: list[str] = []
    watch(monkeypatch, seen, (supervised, "supervised_entries"), (entry_checks, "check_configuration"))
    watch(monkeypatch, seen, (xml_form, "dump_xml"), (differences, "between"))
    assert "Published as" in publish(supervisor)
    assert {"supervised_entries", "check_configuration", "dump_xml", "between"} <= set(seen)


def test_others_write_while_a_configuration_is_compared_and_kept(
    admin: Client, demo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    watch(monkeypatch, seen, (differences, "between"), (zlib, "compress"), (xml_form, "parse_xml"))
    data = xml_form.dump_xml(working_copy.configuration()).replace(b"Mario Rossi", b"Mario Bianchi")
    agreed = upload(admin, "configuration", data, "no")["seen"]
    assert upload(admin, "configuration", data, agreed)["snapshot"] == Snapshot.objects.get()
    assert Operator.objects.get().full_name == "Mario Bianchi" and set(seen) == {
        "between",
        "compress",
        "parse_xml",
    }


def test_others_write_while_rows_are_checked(
    admin: Client, demo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    watch(monkeypatch, seen, (csv_import, "check_rows"), (entry_checks, "check_configuration"))
    data = b"username,full-name\nmario,Mario Bianchi\n"
    for store in ("no", "agreed"):
        assert upload(admin, "operators", data, store)["changed"] == 1
    assert set(seen) == {"check_rows", "check_configuration"}
    assert Operator.objects.get().full_name == "Mario Bianchi"


def test_rows_are_checked_again_if_somebody_wrote_meanwhile(
    admin: Client, demo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = zlib.compress

    def meanwhile(*arguments: Any) -> bytes:
        Seat.objects.create(mac="02:00:00:00:00:02", extension="PJSIP/7")
        monkeypatch.setattr(zlib, "compress", real)
        return real(*arguments)

    monkeypatch.setattr(zlib, "compress", meanwhile)
    told = upload(admin, "seats", b"mac,extension\n02:00:00:00:00:01,PJSIP/7\n", "agreed")
    assert not told["stored"] and "PJSIP/7" in told["run"].bad[0].message
    assert not Seat.objects.filter(mac="02:00:00:00:00:01").exists() and not Snapshot.objects.exists()


def test_pages_are_read_while_somebody_writes(admin: Client, demo: Any, publish_directory: Path) -> None:
    publish(admin)
    first = Publication.objects.get()
    with snapshots.changing_many("ada", "before", name="file") as changes:
        Operator.objects.update(full_name="Another")
        changes.made(1)
    by_hand = replace(working_copy.configuration(), pause_reasons=("Lunch",))
    (publish_directory / "by-hand.xml").write_bytes(xml_form.dump_xml(by_hand))
    os.utime(publish_directory / "by-hand.xml", (time.time() + 1, time.time() + 1))
    pages = [
        "/operators/",
        f"/operators/{demo['operator'].pk}/edit/",
        f"/services/{demo['service'].pk}/edit/",
        f"/operators/{demo['operator'].pk}/remove/",
        "/publish/",
        "/publish/badge/",
        "/publish/import/",
        "/publish/foreign/",
        f"/publish/{first.pk}/take/",
        "/publish/snapshots/",
        f"/publish/snapshots/{Snapshot.objects.get().pk}/undo/",
        "/audit/",
    ]
    with somebody_writes():
        for page in pages:
            assert admin.get(page).status_code == 200, page


def test_the_log_of_an_import_is_written_with_it_or_not_at_all(demo: Any) -> None:
    with pytest.raises(ZeroDivisionError), snapshots.changing_many("ada", "before", name="file") as changes:
        Operator.objects.update(full_name="Another")
        changes.made(1)
        assert not AuditEntry.objects.filter(action="import").exists()
        raise ZeroDivisionError
    assert Operator.objects.get().full_name == "Mario Rossi"
    assert not AuditEntry.objects.filter(action="import").exists() and not Snapshot.objects.exists()


def meanwhile(patch: pytest.MonkeyPatch, do: Callable[[], object]) -> None:
    """Let somebody do something while a publication is read back, before it is put in place."""
    real = xml_form.load_xml

    def load(path: Path) -> Any:
        do()
        return real(path)

    patch.setattr(xml_form, "load_xml", load)


def test_what_changes_while_a_publication_is_written_waits_for_the_next(
    admin: Client, demo: Any, publish_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(monkeypatch, lambda: Operator.objects.update(full_name="Mario Bianchi"))
    assert "Published as" in publish(admin)
    last = published.last_publication()
    assert published.configuration_or_empty(last).operators[0].full_name == "Mario Rossi"
    assert "1 change" in admin.get("/publish/badge/").content.decode()
    assert AuditEntry.objects.filter(action="publish").count() == 1


def test_of_two_publications_at_once_one_is_refused(
    admin: Client, demo: Any, publish_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(
        monkeypatch,
        lambda: Publication.objects.create(file="other", form="xml", userid="eve", sha256="00", content=""),
    )
    assert "Somebody published in the meantime" in publish(admin)
    assert Publication.objects.get().file == "other" and list(publish_directory.iterdir()) == []
    assert not AuditEntry.objects.filter(action="publish").exists()


def test_a_file_of_others_that_comes_while_a_publication_is_written_is_asked_about(
    admin: Client, demo: Any, publish_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = replace(working_copy.configuration(), pause_reasons=("Lunch",))
    file = publish_directory / "by-hand.xml"
    meanwhile(monkeypatch, lambda: file.exists() or file.write_bytes(xml_form.dump_xml(other)))
    assert "Say what shall become of it" in publish(admin)
    assert list(publish_directory.iterdir()) == [file] and not Publication.objects.exists()


def test_entries_are_read_as_they_stood_at_one_moment(demo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or an operator who is renamed between the reading of services and operators would be unknown."""
    real = entry_parts.read_part
    renamed: list[int] = []

    def read(name: str, mark: str) -> Any:
        if name == "operators" and not renamed:
            renamed.append(Operator.objects.update(username="anna"))
        return real(name, mark)

    monkeypatch.setattr(entry_parts, "read_part", read)
    Operator.objects.update(full_name="Anna Neri")
    found = working_copy.configuration()
    assert [binding.username for binding in found.services[0].operators] == ["anna"]
    assert found.operators[0].username == "anna" and renamed


def test_what_an_earlier_state_says_is_told_without_writing_it(demo: Any) -> None:
    before = working_copy.configuration()
    with snapshots.changing_many("ada", "before", name="file") as changes:
        replacement.replace_all(replace(before, services=(), operators=()))
        changes.made(2)
    with somebody_writes():
        assert snapshots.configuration_of(Snapshot.objects.get()) == before
