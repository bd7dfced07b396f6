"""CSV out of every list and back: what spreadsheets write, services in a cell, previews, progress."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import translation

from configurator.models import AuditEntry, ManagerUser, Operator, PauseReason, Seat, Service
from configurator.sections.registry import SECTIONS
from schemas import passwords
from tests.configurator.conftest import MD5, first_group, post_import
from tests.fake.patience import until

OPERATORS = f"username,full-name,password,services\nanna,Anna Verdì,{MD5},Demo:3\n"


def send(client: Client, text: str | bytes, kind: str = "operators", store: str = "agreed") -> Any:
    data = text.encode() if isinstance(text, str) else text
    return post_import(client, kind, data, store, headers={"HX-Request": "true"})


def result_of(answer: Any) -> Any:
    result = answer.context["result"]
    assert "error" not in result and not result["run"].bad, result
    return result


def exported(client: Client, address: str) -> list[list[str]]:
    answer = client.get(address)
    assert answer["Content-Type"].startswith("text/csv"), answer.status_code
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


@pytest.mark.parametrize(
    "data",
    [
        OPERATORS.encode("utf-8-sig"),
        OPERATORS.replace(",", ";").encode(),
        OPERATORS.replace(",", "\t").encode("utf-16"),
        OPERATORS.replace(",", ";").replace("\n", "\r\n").encode("cp1252"),
        f"sep=|\n{OPERATORS.replace(',', '|')}".encode(),
        f'"SEP=;"\r\n{OPERATORS.replace(",", ";")}'.encode(),
        f"\n , \n;;;\n{OPERATORS.replace(',', ';')}".encode(),
        OPERATORS.replace("\n", "\r").encode(),
        OPERATORS.replace(",", "\t").encode("utf-16-le"),
        OPERATORS.encode("utf-16-be"),
        OPERATORS.encode("utf-32"),
        OPERATORS.replace("\n", ",,\n").encode(),
        OPERATORS.replace("full-name", " Full Name ").replace("username", "USER_NAME").encode(),
    ],
    ids=[
        "bom",
        "semicolons",
        "utf-16",
        "cp1252",
        "sep",
        "SEP",
        "empty lines first",
        "carriage returns",
        "utf-16-le without its mark",
        "utf-16-be without its mark",
        "utf-32",
        "empty columns behind",
        "heads",
    ],
)
def test_what_spreadsheets_write_is_read(admin: Client, demo: Any, data: bytes) -> None:
    result_of(send(admin, data))
    anna = Operator.objects.get(username="anna")
    assert anna.full_name == "Anna Verdì"
    assert [(binding.service.name, binding.penalty) for binding in anna.bindings.all()] == [("Demo", 3)]


def test_another_code_page_is_read_where_it_is_said(admin: Client) -> None:
    rows = f"username,full-name,password\nlukasz,Łukasz Żak,{MD5}\n"
    fields = {"what": "operators", "store": "no"}

    def post(data: bytes, **more: str) -> Any:
        file = SimpleUploadedFile("x.csv", data)
        return admin.post("/publish/import/", {**fields, **more, "file": file}).content.decode()

    assert "Łukasz Żak" not in post(rows.encode("cp1250"))
    page = post(rows.encode("cp1250"), encoding="cp1250")
    assert "Łukasz Żak" in page and '<option value="cp1250" selected>Windows-1250' in page
    assert "Łukasz Żak" in post(rows.encode("utf-16"), encoding="cp1250")
    assert "save it in UTF-8" in post(rows.encode("cp1250"), encoding="utf-8")
    seen = first_group(r'name="store" value="(\w{64})"', page)
    assert "in the meantime" in post(rows.encode("cp1250"), store=seen), "another text than was looked at"
    post(rows.encode("cp1250"), store=seen, encoding="cp1250")
    assert Operator.objects.get().full_name == "Łukasz Żak"


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"PK\x03\x04...", "save it as CSV"), (b"a,b\0", "no text"), (b"a,b\n\x81", "save it in UTF-8")],
)
def test_what_is_no_csv_is_said_to_be_none(admin: Client, data: bytes, words: str) -> None:
    assert words in send(admin, data).content.decode()


def test_cells_that_a_spreadsheet_leaves_out_at_the_end_of_a_row_are_empty(admin: Client, demo: Any) -> None:
    result_of(send(admin, OPERATORS.replace(",services", ",services,seat")))
    anna = Operator.objects.get(username="anna")
    assert anna.bindings.count() == 1 and anna.seat is None
    result_of(send(admin, "username,full-name,services\nanna,Anna Neri\n"))
    assert not anna.bindings.exists()
    (bad,) = send(admin, "username,full-name\nanna,Anna,more\n").context["result"]["run"].bad
    assert "3 values stand where there are 2 columns" in bad.message


def test_a_quotation_mark_that_nobody_closed_takes_in_no_other_row(admin: Client) -> None:
    rows = f'username,full-name,password\nanna,"Anna\nVerdi",{MD5}\nbruno,Bruno,"{MD5}\ncarla,Carla,{MD5}\n'
    bad = send(admin, rows).context["result"]["run"].bad
    assert [(row.line, row.name) for row in bad] == [(2, "anna"), (4, "bruno")]
    assert "line break" in bad[0].message and bad[1].message == "A quotation mark is not closed."


def test_the_lists_own_heads_and_the_ticks_of_other_languages_are_read(admin: Client, demo: Any) -> None:
    ManagerUser.objects.update(language="it")
    with translation.override("it"):
        heads = [str(column.label) for column in SECTIONS["operators"].columns]
    assert "Nome utente" in heads
    cells = ["Anna Verdi", "anna", "PJSIP/201", "Demo:2", "VERO", "WAHR"]
    rows = ";".join(heads) + ";password\n" + ";".join([*cells, MD5]) + "\n"
    assert "righe nuove: 1," in send(admin, rows).content.decode()
    anna = Operator.objects.get(username="anna")
    assert (anna.begin_in_pause, anna.enabled, anna.seat) == (True, True, demo["seat"])
    send(admin, f"username;full-name;enabled;seat\nanna;Anna;FALSCH;{demo['seat'].mac.replace(':', '')}\n")
    anna.refresh_from_db()
    assert (anna.enabled, anna.seat) == (False, demo["seat"])


def test_rows_are_stored_only_by_who_saw_what_they_would_do(admin: Client, demo: Any) -> None:
    rows = "username,full-name\nmario,Mario Neri\n"
    assert "Nothing was stored" in send(admin, rows, store="yes").content.decode()
    seen = send(admin, rows, store="no").context["result"]["seen"]
    PauseReason.objects.create(name="Lunch")
    page = send(admin, rows, store=seen).content.decode()
    assert "in the meantime" in page and "Nothing was stored" in page
    seen = first_group(r'name="store" value="(\w{64})"', page)
    assert "in the meantime" in send(admin, rows.replace("Neri", "Verdi"), store=seen).content.decode()
    assert Operator.objects.get().full_name == "Mario Rossi"
    assert "Imported: 0 new, 1 changed" in send(admin, rows, store=seen).content.decode()


def test_a_file_without_a_good_row_is_a_page_of_usual_size(admin: Client) -> None:
    rows = "username,full-name\n" + "".join(f"op{number},Operator\n" for number in range(1000))
    page = send(admin, rows, store="no").content.decode()
    assert page.count("<tr>") == 501 and "And 500 more" in page


@pytest.mark.parametrize(
    ("rows", "told", "more"),
    [
        ("mac,extension" + ",x" * 250_000, 1, 0),
        ("mac,extension\n" + "," * 500_000, 1, 0),
        (f"{'x' * 100_000},{'y' * 100_000}\n", 1, 0),
        (f'mac,extension\n"{"x" * 200_000}', 1, 0),
        ("mac,extension\n" + f"{'x' * 100_000}\n" * 3, 3, 0),
        ("mac,extension\n" + "none\n" * 600, 500, 100),
        ("mac,extension\n" + f"02:00:00:00:00:01,{'x' * 100_000}\n", 1, 0),
    ],
    ids=["wide head", "wide row", "long heads", "open quotes", "long names", "many", "long value"],
)
def test_an_odd_file_is_told_in_a_short_page(admin: Client, rows: str, told: int, more: int) -> None:
    page = send(admin, rows, "seats").content.decode()
    assert len(page) < 100 * 1024
    assert page.count('<td class="number">') == told and ("And 100 more." in page) == bool(more)


@pytest.mark.parametrize(
    "mac",
    [
        "00112233aabb",
        "0011.2233.AABB",
        "00-11-22-33-AA-BB",
        "0:11:22:33:aa:bb",
        "00 11 22 33 aa bb",
        "0011-2233-aabb",
        "001122-33aabb",
    ],
)
def test_a_mac_address_is_read_in_every_usual_form(admin: Client, mac: str) -> None:
    result_of(send(admin, f"MAC address,extension\n{mac},PJSIP/301\n", "seats"))
    assert Seat.objects.get().mac == "00:11:22:33:aa:bb"
    admin.post("/seats/add/", {"mac": mac[:-1] + "c", "extension": "PJSIP/302"})
    assert Seat.objects.filter(mac="00:11:22:33:aa:bc").exists()


def test_services_in_a_file_are_all_that_an_operator_has(admin: Client, demo: Any) -> None:
    other = Service.objects.create(name="Sales: 2", context="sales", is_queue=True, queue_name="q-sales")
    Service.objects.create(name="Plain", context="plain")
    before = demo["service"].revision
    rows = f"username,full-name,password,services\nmario,Mario Rossi,{MD5},q-sales:4;plain\n"
    result_of(send(admin, rows))
    mario = demo["operator"]
    assert {(b.service.name, b.penalty) for b in mario.bindings.all()} == {("Sales: 2", 4), ("Plain", 0)}
    assert Service.objects.get(pk=demo["service"].pk).revision == before + 1
    assert Service.objects.get(pk=other.pk).revision == 2
    said = AuditEntry.objects.get(action="import", kind="operator")
    assert (said.name, said.details) == (
        "mario",
        [["Service", "Demo (1)", ""], ["Service", "", "Sales: 2 (4)"], ["Service", "", "Plain (0)"]],
    )
    result_of(send(admin, "username,full-name\nmario,Mario Neri\n"))
    assert mario.bindings.count() == 2


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("Nothing", "There is no service Nothing"),
        ("Twin", "means several services"),
        ("Demo;astcti:2", "stands twice"),
        ("Demo:9999999999", "at most"),
    ],
)
def test_services_that_are_not_meant_are_a_bad_row(admin: Client, demo: Any, cell: str, words: str) -> None:
    for number in (1, 2):
        Service.objects.create(name="Twin", context=f"twin{number}")
    (bad,) = send(admin, OPERATORS.replace("Demo:3", cell)).context["result"]["run"].bad
    assert bad.line == 2 and words in bad.message
    assert Operator.objects.count() == 1


def test_a_list_that_goes_out_comes_in_again_as_it_is(admin: Client, demo: Any) -> None:
    Operator.objects.create(username="anna", full_name="=Anna", password=MD5, begin_in_pause=True)
    Service.objects.create(name="Demo", context="other").bindings.create(operator=demo["operator"])
    for kind in ("operators", "seats"):
        answer = admin.get(f"/{kind}/csv/")
        assert MD5 not in answer.content.decode() and answer.content.startswith(b"\xef\xbb\xbf")
        result = result_of(send(admin, answer.content, kind))
        assert (result["new"], result["changed"]) == (0, 0), result["run"].good
    assert "'=Anna" in exported(admin, "/operators/csv/?q=anna")[1]
    assert exported(admin, "/operators/csv/?q=mario")[1][-1] == "astcti:1;other"


def test_every_list_goes_out_as_it_is_searched_and_ordered(
    admin: Client, log_in: Callable[[str], Client], demo: Any
) -> None:
    PauseReason.objects.bulk_create(PauseReason(name=name) for name in ("Lunch", "Late lunch", "Break"))
    assert exported(admin, "/reasons/csv/?q=lunch&order=desc") == [["name"], ["Lunch"], ["Late lunch"]]
    assert exported(admin, "/services/csv/")[1] == [
        "Demo", "astctidemo", "inbound", "astcti", "no", "yes", "mario:1",
    ]  # fmt: skip
    assert exported(admin, "/variables/csv/")[1][:2] == ["calldata", "Demo"]
    assert exported(admin, "/managers/csv/")[0][:2] == ["full-name", "userid"]
    assert log_in("supervisor").get("/managers/csv/").status_code == 403
    ManagerUser.objects.update(language="it")
    assert admin.get("/seats/csv/").content.decode("utf-8-sig").startswith("mac;extension;")


def test_the_audit_log_goes_out_as_it_is_filtered(
    admin: Client, log_in: Callable[[str], Client], demo: Any
) -> None:
    send(admin, "username,full-name,seat\nmario,=Mario,\n")
    heads, *rows = exported(admin, "/audit/csv/?kind=operator&name=mario")
    assert heads == ["at", "userid", "address", "action", "kind", "name", "field", "before", "after"]
    assert [row[1:2] + row[3:] for row in rows] == [
        ["administrator", "import", "operator", "mario", "Full name", "Mario Rossi", "'=Mario"],
        ["administrator", "import", "operator", "mario", "Seat", "00:11:22:33:44:55", ""],
    ]
    assert exported(admin, "/audit/csv/?since=nonsense") == [heads]
    assert "/audit/csv/?kind=operator" in admin.get("/audit/?kind=operator").content.decode()
    assert log_in("viewer").get("/audit/csv/").status_code == 403


def test_a_file_to_fill_in_can_be_filled_in(admin: Client, demo: Any) -> None:
    Service.objects.create(name="sales", context="sales")
    Service.objects.create(name="support", context="support")
    Seat.objects.all().delete()
    for kind in ("seats", "operators"):
        data = admin.get(f"/publish/import/template/{kind}/").content
        Operator.objects.all().delete()
        assert result_of(send(admin, data, kind))["new"] == 1
    assert admin.get("/publish/import/template/services/").status_code == 404
    assert '<option value="seats" selected>' in admin.get("/publish/import/?what=seats").content.decode()


def test_a_look_shows_what_would_change_of_each_row(admin: Client, demo: Any) -> None:
    rows = f"username,full-name,password,services\nmario,Mario Neri,,Demo:1\nanna,Anna,{MD5},\n"
    page = send(admin, rows, store="no").content.decode()
    assert "Mario Rossi</del>" in page and "Mario Neri</ins>" in page and "new</span>" in page
    assert '<td class="number">3</td>' in page
    assert Operator.objects.get().full_name == "Mario Rossi"


def test_many_new_passwords_are_computed_with_their_progress_shown(
    admin: Client, log_in: Callable[[str], Client], demo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def make(plain: str) -> passwords.StoredForms:
        made.append(plain)
        return real(plain)

    real = passwords.make_stored_forms
    monkeypatch.setattr(passwords, "make_stored_forms", make)
    rows = "username,full-name,password\n" + "".join(f"op{n},Operator {n},geheim-{n}\n" for n in range(6))
    page = send(admin, rows).content.decode()
    address = page.partition('hx-get="')[2].partition('"')[0]
    assert "/publish/import/progress/" in address
    assert log_in("supervisor").get(address).status_code == 404
    until(lambda: "Imported: 6 new" in admin.get(address).content.decode())
    assert Operator.objects.count() == 7 and len(made) == 6
    assert AuditEntry.objects.filter(action="import", kind="operator", userid="administrator").count() == 6

    again = result_of(send(admin, rows))
    assert (again["same"], len(made)) == (6, 6)


def test_the_same_file_again_computes_nothing(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "username,full-name,password\nanna,Anna,geheim\nbruno,Bruno,geheim\n"
    result_of(send(admin, rows))
    for name in ("make_stored_forms", "make_keys_beside"):
        monkeypatch.setattr(passwords, name, lambda *_: pytest.fail("computed"))
    monkeypatch.setattr(passwords.Scrypt, "matches", lambda *_: pytest.fail("computed"))
    assert result_of(send(admin, rows))["same"] == 2
