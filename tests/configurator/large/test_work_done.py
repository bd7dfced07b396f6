"""What a page, a save, an import cost does not grow with the configuration: queries are counted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from configurator import options
from configurator.importing import csv_file, csv_text
from configurator.models import Operator, Seat, Service, Snapshot
from configurator.publishing import directory_files, publication, replacement, snapshots, working_copy
from configurator.publishing.unpublished import unpublished_count
from schemas import passwords
from schemas.configuration import xml_form
from schemas.configuration.model import Configuration
from tests.bench.workload.largest_configuration import changed_phones, largest_configuration
from tests.configurator.conftest import post_import
from tests.configurator.large.conftest import LARGE, SMALL, counted_queries, told_of_calls

PAGES = (
    "/operators/",
    "/operators/?page=9999",
    "/operators/?q=op1+service",
    "/operators/?filter=changed",
    "/services/",
    "/seats/?q=pjsip",
    "/operators/{operator}/edit/",
    "/services/{service}/edit/",
    "/suggestions/seats/?seat=1",
    "/publish/badge/",
    "/publish/",
)


def published(browser: Client, size: tuple[int, int]) -> None:
    """So many entries, published, and each page asked for once."""
    replacement.replace_all(largest_configuration(*size))
    publication.publish_configuration(working_copy.configuration(), "xml", "ada", force=True)
    for page in PAGES:
        assert browser.get(address(page)).status_code == 200, page


def address(page: str) -> str:
    return page.format(
        operator=Operator.objects.order_by("pk").values_list("pk", flat=True)[0],
        service=Service.objects.order_by("pk").values_list("pk", flat=True)[0],
    )


def save_operator(browser: Client) -> None:
    operator = Operator.objects.order_by("pk").select_related("seat")[0]
    fields = {
        "username": operator.username,
        "full_name": f"{operator.full_name}!",
        "seat": operator.seat.mac if operator.seat else "",
        "enabled": "on",
        "revision": operator.revision,
    } | {f"service:{binding.service_id}": binding.penalty for binding in operator.bindings.all()}
    assert browser.post(f"/operators/{operator.pk}/edit/", fields).status_code == 302


def queries_of_all(browser: Client) -> dict[str, int]:
    """Each page, a save, and each page after it."""
    found = {}
    for when in ("before", "after"):
        for page in PAGES:
            where = address(page)
            with counted_queries() as queries:
                browser.get(where)
            found[f"{page} {when} a save"] = len(queries)
        if when == "before":
            with counted_queries() as queries:
                save_operator(browser)
            found["saving"] = len(queries)
    return found


def test_pages_and_saves_take_as_many_queries_whatever_the_size(admin: Client, publish_directory) -> None:
    published(admin, SMALL)
    small = queries_of_all(admin)
    published(admin, LARGE)
    assert queries_of_all(admin) == small
    assert max(small.values()) < 40, small


def test_after_a_change_only_what_changed_is_read_and_looked_at(
    admin: Client, publish_directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(admin, SMALL)
    before = working_copy.configuration()
    looked = told_of_calls(monkeypatch, passwords, "check_stored_password")
    save_operator(admin)
    looked.clear()
    with counted_queries() as queries:
        assert "1 change" in admin.get("/publish/badge/").content.decode()
        admin.get("/publish/")
    reading = [sql for sql in queries if 'FROM "configurator_operator"' in sql]
    assert len(reading) == 1 and '"id" IN (%s)' in reading[0], reading
    assert not [sql for sql in queries if 'FROM "configurator_seat"' in sql]
    assert len(looked) == 1
    after = working_copy.configuration()
    assert after.services is before.services and after.seats is before.seats
    same = [new is old for new, old in zip(after.operators, before.operators, strict=True)]
    assert same.count(False) == 1


def test_what_came_and_went_stands_in_its_order(demo: Any) -> None:
    working_copy.read_working_copy()
    seats = [Seat.objects.create(mac=f"02:00:00:00:00:0{n}", extension=f"PJSIP/9{n}") for n in range(4)]
    working_copy.read_working_copy()
    seats[1].delete()
    Seat.objects.create(pk=seats[1].pk, mac="02:00:00:00:00:09", extension="PJSIP/99")
    seats[2].delete()
    copy = working_copy.read_working_copy()
    macs = [seat.mac for seat in copy.configuration.seats]
    assert macs == list(Seat.objects.order_by("pk").values_list("mac", flat=True))
    assert copy.places.seats == list(Seat.objects.order_by("pk").values_list("pk", flat=True))
    assert copy.names["seat"] == dict(Seat.objects.values_list("pk", "extension"))


def statements(wanted: Configuration) -> int:
    with counted_queries() as queries:
        assert replacement.replace_all(wanted)
    assert working_copy.configuration() == wanted
    return len(queries)


def renamed(configuration: Configuration) -> Configuration:
    """Every entry goes, and another one comes in its place."""
    operators = tuple(replace(one, username=f"x{one.username}") for one in configuration.operators)
    services = tuple(
        replace(
            service,
            context=f"x{service.context}",
            operators=tuple(replace(one, username=f"x{one.username}") for one in service.operators),
        )
        for service in configuration.services
    )
    return replace(configuration, operators=operators, services=services)


def test_a_take_over_takes_few_statements_whatever_it_changes(demo: Any) -> None:
    large = largest_configuration(*LARGE)
    assert statements(large) < 60
    assert statements(changed_phones(large)) < 60
    assert statements(renamed(large)) < 90
    assert statements(Configuration()) < 60


def test_a_take_over_keeps_passwords_as_they_are_stored(demo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "make_stored_forms", lambda plain: pytest.fail("computed"))
    large = largest_configuration(*SMALL)
    replacement.replace_all(large)
    before = dict(Operator.objects.values_list("pk", "revision"))
    first = replace(large.operators[0], full_name="Another")
    replacement.replace_all(replace(large, operators=(first, *large.operators[1:])))
    after = dict(Operator.objects.values_list("pk", "revision"))
    assert [after[pk] - before[pk] for pk in before] == [1] + [0] * (len(before) - 1)


def test_a_file_of_the_directory_is_read_once_as_long_as_it_stays_the_same(
    admin: Client, demo: Any, publish_directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = publish_directory / "by-hand.xml"
    file.write_bytes(xml_form.dump_xml(largest_configuration(*SMALL)))
    read = told_of_calls(monkeypatch, xml_form, "parse_xml")
    for _ in range(3):
        page = admin.get("/publish/")
    assert page.context["foreign"].path == file and page.context["much"].file == file.name
    assert len(read) == 1
    file.write_bytes(xml_form.dump_xml(largest_configuration(*LARGE)))
    found = directory_files.file_in_force()
    assert (
        found is not None and found.configuration is not None and len(found.configuration.seats) == LARGE[0]
    )
    assert len(read) == 2


def test_what_was_published_from_here_is_not_read_again(
    admin: Client, demo: Any, publish_directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    publication.publish_configuration(working_copy.configuration(), "xml", "ada")
    monkeypatch.setattr(xml_form, "parse_xml", lambda *_: pytest.fail("read again"))
    assert not admin.get("/publish/").context["differences"]
    Operator.objects.update(full_name="Another")
    assert len(admin.get("/publish/").context["differences"]) == unpublished_count() == 1


def test_an_uploaded_csv_is_read_once(admin: Client, demo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    read = told_of_calls(monkeypatch, csv_text, "decode_csv")
    monkeypatch.setattr(csv_file, "decode_csv", csv_text.decode_csv)
    post_import(admin, "seats", b"mac,extension\n02:00:00:00:00:01,PJSIP/7\n", "agreed")
    assert Seat.objects.filter(extension="PJSIP/7").exists()
    assert len(read) == 2, "once to look at it, once to store it"


def test_an_import_of_many_rows_takes_few_statements(admin: Client) -> None:
    rows = "".join(f"02:00:00:00:{n >> 8:02x}:{n & 255:02x},PJSIP/{n}\n" for n in range(300))
    for change in ("", "0"):
        data = "mac,extension\n" + rows.replace("PJSIP/", f"PJSIP/{change}")
        agreed = post_import(admin, "seats", data.encode()).context["result"]["seen"]
        with counted_queries() as queries:
            result = post_import(admin, "seats", data.encode(), agreed)
        assert len(result.context["result"]["rows"]) == 300 and len(queries) < 60, len(queries)
    assert set(Seat.objects.values_list("revision", flat=True)) == {2}


def test_an_import_that_changes_nothing_costs_no_earlier_state(admin: Client, demo: Any) -> None:
    for number in range(snapshots.KEPT):
        with snapshots.changing_many("ada", f"number {number}", name="file") as changes:
            changes.made(1)
    data = xml_form.dump_xml(working_copy.configuration())
    for seen in ("no", ""):
        file = SimpleUploadedFile("here.xml", data)
        told = admin.post("/publish/import/", {"what": "configuration", "store": seen, "file": file})
        told.context["result"]["seen"]
    with snapshots.changing_many("ada", "nothing", name="file"):
        pass
    assert Snapshot.objects.filter(name="number 0").exists()
    assert Snapshot.objects.count() == snapshots.KEPT


def test_a_session_is_not_stored_with_each_page(admin: Client, demo: Any) -> None:
    admin.get("/operators/")
    with counted_queries() as queries:
        admin.get("/operators/")
    assert not [sql for sql in queries if sql.split()[0] in ("INSERT", "UPDATE", "DELETE", "BEGIN")], queries
    session = admin.session
    session["renewed"] -= 3600
    session.save()
    with counted_queries() as queries:
        admin.get("/operators/")
    assert [sql for sql in queries if sql.startswith('UPDATE "django_session"')]


def test_the_scratch_directory_is_empty_after_imports(admin: Client, demo: Any) -> None:
    data = xml_form.dump_xml(largest_configuration(*SMALL))
    file = SimpleUploadedFile("here.xml", data)
    admin.post("/publish/import/", {"what": "configuration", "store": "no", "file": file})
    assert list(options.scratch_directory(options.current_options()).iterdir()) == []
