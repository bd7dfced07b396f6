"""Imports, take-overs and going back: nothing of what was entered is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.test import Client

from configurator.models import AuditEntry, Operator, Seat, Service, Snapshot, Variable
from configurator.publishing import snapshots, working_copy
from schemas.configuration import xml_form
from tests.configurator.conftest import MD5, post_import

SAMPLE = Path(__file__).resolve().parents[2] / "astcti_server" / "etc" / "sample" / "configuration.xml"
CSV = b"username,full-name,password,seat\nmario,Mario Bianchi,,\nanna,Anna Neri,%s,\n" % MD5.encode()


def upload(client: Client, what: str, data: bytes, store: str = "no") -> dict[str, Any]:
    found: dict[str, Any] = post_import(client, what, data, store, "here.xml").context["result"]
    return found


def undo(client: Client, snapshot: Snapshot) -> Any:
    address = f"/publish/snapshots/{snapshot.pk}/undo/"
    seen = client.get(address).context["seen"]
    return client.post(address, {"seen": seen})


def test_an_import_says_in_numbers_what_goes_changes_and_comes_and_is_undone(admin: Client, demo) -> None:
    rows = [list(table.objects.order_by("pk").values()) for table in snapshots.TABLES]
    before = working_copy.configuration()
    looked = upload(admin, "configuration", SAMPLE.read_bytes())
    assert looked["counts"] and not Snapshot.objects.exists()
    assert sum(sum(row[1:]) for row in looked["counts"]) == len(looked["differences"])
    upload(admin, "configuration", SAMPLE.read_bytes(), "yes")
    assert working_copy.configuration() == before, "yes is no answer to numbers that nobody has seen"
    upload(admin, "configuration", SAMPLE.read_bytes(), looked["seen"])
    assert working_copy.configuration() == xml_form.load_xml(SAMPLE)
    kept = Snapshot.objects.get()
    noted = AuditEntry.objects.get(action="import", kind="configuration")
    assert ["Earlier state", "", str(kept)] in noted.details and "here.xml" in str(kept)

    assert undo(admin, kept).status_code == 302
    after = [list(table.objects.order_by("pk").values()) for table in snapshots.TABLES]
    for old, new in zip(rows, after, strict=True):
        assert [{**row, "revision": 0} for row in old] == [{**row, "revision": 0} for row in new]
    assert AuditEntry.objects.get(action="undo", kind="configuration").name == str(kept)
    assert undo(admin, Snapshot.objects.first()).status_code == 302
    assert working_copy.configuration() == xml_form.load_xml(SAMPLE), "an undo can be undone"


def test_forms_that_are_open_on_what_an_undo_changes_are_refused(admin: Client, demo) -> None:
    looked = upload(admin, "operators", CSV, "agreed")
    mario = Operator.objects.get(username="mario")
    seat, service = Seat.objects.get(), Service.objects.get()
    undo(admin, looked["snapshot"])
    assert Operator.objects.get(pk=mario.pk).full_name == "Mario Rossi"
    assert Operator.objects.get(pk=mario.pk).revision > mario.revision
    assert (Seat.objects.get(), Service.objects.get()) == (seat, service)
    assert (Seat.objects.get().revision, Service.objects.get().revision) == (seat.revision, service.revision)


def test_an_undo_of_what_somebody_changed_since_is_asked_again(admin: Client, demo) -> None:
    kept = upload(admin, "operators", CSV, "agreed")["snapshot"]
    address = f"/publish/snapshots/{kept.pk}/undo/"
    seen = admin.get(address).context["seen"]
    Seat.objects.create(mac="00:11:22:33:44:66", extension="PJSIP/202")
    page = admin.post(address, {"seen": seen})
    assert "look at the changes again" in page.content.decode()
    assert Operator.objects.get(username="mario").full_name == "Mario Bianchi"


def test_supervisors_undo_what_they_may_change_and_nothing_else(
    log_in: Callable[[str], Client], demo
) -> None:
    supervisor = log_in("supervisor")
    kept = upload(supervisor, "operators", CSV, "agreed")["snapshot"]
    assert "here.xml" in supervisor.get("/publish/snapshots/").content.decode()
    assert undo(supervisor, kept).status_code == 302
    assert not Operator.objects.filter(username="anna").exists()
    Service.objects.update(name="Sales")
    assert supervisor.get(f"/publish/snapshots/{kept.pk}/undo/").status_code == 403
    assert log_in("viewer").get("/publish/snapshots/").status_code == 403


def test_supervisors_undo_which_services_operators_serve(log_in: Callable[[str], Client], demo) -> None:
    supervisor, service = log_in("supervisor"), demo["service"]
    rows = b"username,full-name,password,services\nmario,Mario Rossi,,\nanna,Anna,%s,Demo:4\n" % MD5.encode()
    kept = upload(supervisor, "operators", rows, "agreed")["snapshot"]
    assert [binding.operator.username for binding in service.bindings.all()] == ["anna"]
    assert undo(supervisor, kept).status_code == 302
    assert [(binding.operator.username, binding.penalty) for binding in service.bindings.all()] == [
        ("mario", 1)
    ]
    Service.objects.create(name="New", context="new").bindings.create(operator=demo["operator"])
    assert supervisor.get(f"/publish/snapshots/{kept.pk}/undo/").status_code == 403


def test_an_import_that_changes_nothing_touches_nothing(admin: Client, demo) -> None:
    data = xml_form.dump_xml(working_copy.configuration())
    before = [list(table.objects.values()) for table in snapshots.TABLES]
    upload(admin, "configuration", data, upload(admin, "configuration", data)["seen"])
    upload(admin, "operators", b"username,full-name\nmario,Mario Rossi\n", "agreed")
    assert [list(table.objects.values()) for table in snapshots.TABLES] == before
    assert not Snapshot.objects.exists() and not AuditEntry.objects.filter(action="import").exists()


def test_an_import_leaves_what_it_does_not_change_to_whoever_edits_it(admin: Client, demo) -> None:
    other = Operator.objects.create(username="anna", full_name="Anna Neri", password=MD5)
    data = xml_form.dump_xml(working_copy.configuration()).replace(b"Anna Neri", b"Anna Bianchi")
    upload(admin, "configuration", data, upload(admin, "configuration", data)["seen"])
    assert Operator.objects.get(pk=other.pk).revision == 2
    assert Operator.objects.get(username="mario").revision == Service.objects.get().revision == 1


def test_a_merge_adds_and_changes_and_takes_nothing_away(admin: Client, demo) -> None:
    demo["service"].variables.create(name="onlyhere")
    data = xml_form.dump_xml(working_copy.configuration())
    Variable.objects.filter(name="calldata").delete()
    demo["service"].triggers.all().delete()
    Operator.objects.create(username="anna", full_name="Anna Neri", password=MD5)
    data = data.replace(b"Mario Rossi", b"Mario Bianchi")
    looked = upload(admin, "merge", data)
    assert [row[1:] for row in looked["counts"]] == [(0, 1, 0), (0, 1, 0)]
    upload(admin, "merge", data, looked["seen"])
    names = set(Operator.objects.values_list("full_name", flat=True))
    assert names == {"Mario Bianchi", "Anna Neri"}
    assert set(Variable.objects.values_list("name", flat=True)) == {"calldata", "onlyhere"}


def test_a_merge_whose_phones_clash_changes_nothing_and_says_so(admin: Client, demo) -> None:
    data = xml_form.dump_xml(working_copy.configuration()).replace(b"00:11:22:33:44:55", b"00:11:22:33:44:77")
    found = upload(admin, "merge", data)
    assert "PJSIP/201" in found["problems"][0][1]
    assert Seat.objects.get().mac == "00:11:22:33:44:55"


def test_only_the_last_snapshots_are_kept(demo) -> None:
    for number in range(snapshots.KEPT + 3):
        with snapshots.changing_many("ada", f"number {number}", name="file") as changes:
            changes.made(1)
    assert Snapshot.objects.count() == snapshots.KEPT
    assert Snapshot.objects.first().name == f"number {snapshots.KEPT + 2}"
