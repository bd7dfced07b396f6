"""What the audit log keeps of imports and take-overs: each entry that changed, bounded in size and time."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from configurator import audit_log
from configurator.models import AuditEntry, Operator, Publication, Seat
from configurator.publishing import differences, publication, working_copy
from schemas.configuration import sqlite_form, xml_form
from schemas.configuration.model import Configuration
from schemas.configuration.model import Operator as PublishedOperator
from tests.configurator.conftest import MD5, first_group

CHANGED = """\
<configuration>
  <services>
    <service name="Demo" context="astctidemo" type="inbound" is-queue="true" queue-name="astcti"/>
  </services>
  <seats><seat mac="00:11:22:33:44:55" extension="PJSIP/202"/></seats>
  <operators><operator username="anna" full-name="Anna Verdi" password="{md5}"/></operators>
  <pause-reasons><reason name="Lunch"/></pause-reasons>
</configuration>
"""


def told() -> set[tuple[str, str, str]]:
    """What the log says of entries, not of the whole."""
    about = AuditEntry.objects.exclude(kind__in=("configuration", "session"))
    return set(about.values_list("action", "kind", "name"))


EACH_ENTRY = {
    ("import", "service", "Demo"),
    ("import", "seat", "PJSIP/202 (00:11:22:33:44:55)"),
    ("import", "operator", "anna"),
    ("remove", "operator", "mario"),
    ("import", "pausereason", "Lunch"),
}


def import_whole(client: Client, name: str, data: bytes, what: str = "configuration") -> None:
    looked = client.post(
        "/publish/import/", {"what": what, "store": "no", "file": SimpleUploadedFile(name, data)}
    )
    seen = first_group(r'name="store" value="(\w{64})"', looked.content.decode())
    client.post("/publish/import/", {"what": what, "store": seen, "file": SimpleUploadedFile(name, data)})


@pytest.mark.parametrize("form", ["xml", "sqlite"])
def test_a_whole_configuration_is_told_entry_by_entry(admin: Client, demo: Any, form: str) -> None:
    data = CHANGED.format(md5=MD5).encode()
    if form == "sqlite":
        data = sqlite_form.database_bytes(xml_form.parse_xml(data, "x").configuration, "")
    import_whole(admin, f"new.{form}", data)
    assert told() == EACH_ENTRY
    seat = AuditEntry.objects.get(kind="seat").details
    assert ["Extension", "PJSIP/201", "PJSIP/202"] in seat and ["Description", "First row", ""] in seat
    service = AuditEntry.objects.get(kind="service").details
    assert ["Variable", "calldata", ""] in service and ["Operator", "mario (1)", ""] in service
    assert MD5 not in json.dumps([entry.details for entry in AuditEntry.objects.all()])
    whole = AuditEntry.objects.get(action="import", kind="configuration")
    assert (whole.name, whole.details[0]) == (f"new.{form}", ["Changes", "", "5"])
    assert {entry.userid for entry in AuditEntry.objects.filter(action="import")} == {"administrator"}


def test_an_entry_tells_in_its_history_of_the_import(admin: Client, demo: Any) -> None:
    import_whole(admin, "new.xml", CHANGED.format(md5=MD5).encode())
    history = admin.get(f"/seats/{Seat.objects.get().pk}/history/").content.decode()
    assert "<strong>administrator</strong> imported" in history and "<del>PJSIP/201</del>" in history


def test_going_back_and_taking_over_are_told_entry_by_entry(admin: Client, demo: Any) -> None:
    before = working_copy.configuration()
    old = Publication.objects.create(
        file="old.xml", form="xml", userid="x", sha256="0", content=xml_form.dump_xml(before).decode()
    )
    import_whole(admin, "new.xml", CHANGED.format(md5=MD5).encode())
    AuditEntry.objects.all().delete()
    question = admin.get(f"/publish/{old.pk}/take/")
    admin.post(f"/publish/{old.pk}/take/", {"seen": question.context["seen"]})
    assert told() == {
        ("import", "service", "Demo"),
        ("import", "seat", "PJSIP/201 (00:11:22:33:44:55)"),
        ("import", "operator", "mario"),
        ("remove", "operator", "anna"),
        ("remove", "pausereason", "Lunch"),
    }
    assert working_copy.configuration() == before
    latest = admin.get("/publish/snapshots/").context["snapshots"][0].pk
    AuditEntry.objects.all().delete()
    question = admin.get(f"/publish/snapshots/{latest}/undo/")
    admin.post(f"/publish/snapshots/{latest}/undo/", {"seen": question.context["seen"]})
    assert told() == {("undo" if deed == "import" else deed, *rest) for deed, *rest in EACH_ENTRY}


def test_a_file_in_force_that_is_taken_over_is_told_entry_by_entry(
    admin: Client, demo: Any, publish_directory: Path
) -> None:
    (publish_directory / "by-hand.xml").write_text(CHANGED.format(md5=MD5))
    question = admin.get("/publish/foreign/")
    admin.post("/publish/foreign/", {"seen": question.context["seen"]})
    assert told() == EACH_ENTRY


def test_what_an_empty_installation_begins_with_is_told_entry_by_entry(publish_directory: Path) -> None:
    (publish_directory / "by-hand.xml").write_text(CHANGED.format(md5=MD5))
    assert publication.begin_with_file_in_force() == "by-hand.xml"
    assert told() == {entry for entry in EACH_ENTRY if entry[0] == "import"}


def test_an_import_that_changes_nothing_is_not_told(admin: Client, demo: Any) -> None:
    import_whole(admin, "same.xml", CHANGED.format(md5=MD5).encode())
    AuditEntry.objects.all().delete()
    same = xml_form.dump_xml(working_copy.configuration())
    data = {"what": "configuration", "store": "no", "file": SimpleUploadedFile("same.xml", same)}
    page = admin.post("/publish/import/", data).content.decode()
    assert "They say the same" in page and not AuditEntry.objects.exists()


def test_ten_thousand_entries_are_told_with_few_statements(caplog: pytest.LogCaptureFixture) -> None:
    many = Configuration(
        operators=tuple(
            PublishedOperator(f"agent{number}", f"Agent {number}", MD5, "", False, True)
            for number in range(10_000)
        )
    )
    found = differences.between(Configuration(), many)
    with (
        caplog.at_level(logging.INFO, "configurator.audit"),
        CaptureQueriesContext(connections["default"]) as statements,
    ):
        audit_log.record_differences("somebody", "import", found)
    assert AuditEntry.objects.filter(kind="operator").count() == 10_000
    assert len(statements) <= 100
    assert len(caplog.messages) == audit_log.MOST_LOGGED + 1 and "9900 more" in caplog.messages[-1]
    longest = max(len(json.dumps(entry.details)) for entry in AuditEntry.objects.all())
    assert longest < 400


def test_one_entry_of_which_hundreds_of_things_change_stays_small(admin: Client, demo: Any) -> None:
    Operator.objects.bulk_create(
        Operator(username=f"agent{number}", full_name="Agent", password=MD5) for number in range(300)
    )
    demo["service"].bindings.bulk_create(
        type(demo["service"].bindings.first())(service=demo["service"], operator=operator)
        for operator in Operator.objects.exclude(username="mario")
    )
    import_whole(admin, "new.xml", CHANGED.format(md5=MD5).encode())
    said = AuditEntry.objects.get(kind="service").details
    assert len(said) == audit_log.MOST_FIELDS + 1
    assert said[-1][0] == "More" and int(said[-1][2]) > 190
    assert len(json.dumps(said)) < 10_000
    page = admin.get("/audit/?kind=service").content.decode()
    assert f"and {said[-1][2]} more changes" in page
