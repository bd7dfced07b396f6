"""What forms say is about the form: no element, no attribute, no file."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from configurator.checks.translation import FORM_SENTENCES, translated_for_form
from configurator.forms.entries import OperatorForm, PauseReasonForm, SeatForm, VariableForm
from configurator.forms.services import ServiceForm, TriggerRow, VariableRow
from configurator.forms.users import AccountForm, ManagerUserForm
from configurator.models import ManagerUser, Seat, Service, Snapshot
from configurator.publishing import working_copy
from schemas.sentences import said
from tests.configurator.conftest import first_group, post_import, service_data

SCHEMAS = Path(__file__).resolve().parents[3] / "schemas"
CHECKS = (
    "configuration/checks.py",
    "configuration/triggers.py",
    "configuration/formats.py",
    "placeholders.py",
)
OF_FILES = re.compile(
    r"</?[a-z-]+|\b(?:is-queue|queue-name|may-leave|queue-interface|state-interface|full-name)\b"
    r"|\b(?:begin-in-pause|internal-browser|scram)\b|\w+=\"|\bt(?:ype|ipo) (?:application|browser)|^again\b"
)
FORMS = (
    SeatForm,
    OperatorForm,
    PauseReasonForm,
    VariableForm,
    ServiceForm,
    TriggerRow,
    VariableRow,
    ManagerUserForm,
    AccountForm,
)


def sentences() -> Iterator[str]:
    """Everything that the checks of a configuration say, as templates."""
    for name in CHECKS:
        for node in ast.walk(ast.parse((SCHEMAS / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "said":
                first = node.args[0]
                assert isinstance(first, ast.Constant)
                yield str(first.value)


@pytest.mark.parametrize("language", ["en", "it"])
def test_no_sentence_of_a_check_speaks_of_a_file_in_a_form(language: str) -> None:
    found = list(sentences())
    assert len(found) > 60
    with translation.override(language):
        wrong = {}
        for template in found:
            shown = translation.gettext(FORM_SENTENCES.get(template, template))
            if OF_FILES.search(shown):
                wrong[template] = shown
    assert wrong == {}


def test_every_sentence_that_reads_otherwise_in_a_form_is_one_of_the_checks() -> None:
    assert sorted(set(FORM_SENTENCES) - set(sentences())) == []


@pytest.mark.parametrize("language", ["en", "it"])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_labels_and_help_speak_of_the_form(language: str, form: Any) -> None:
    with translation.override(language):
        texts = [
            str(text) for field in form().fields.values() for text in (field.label, field.help_text) if text
        ]
    assert texts
    assert [text for text in texts if OF_FILES.search(text)] == []


@pytest.mark.parametrize(
    ("language", "program", "address"),
    [
        ("en", "Enter the program to run, with its path", "Enter the address to open"),
        ("it", "Inserire il programma da avviare", "Inserire l&#x27;indirizzo da aprire"),
    ],
)
def test_an_empty_trigger_is_told_at_its_field_what_to_enter(
    admin: Client, language: str, program: str, address: str
) -> None:
    ManagerUser.objects.update(language=language)
    rows = {
        "triggers-TOTAL_FORMS": "2",
        "triggers-0-type": "application",
        "triggers-0-moment": "answer",
        "triggers-0-os": "any",
        "triggers-1-type": "internal-browser",
        "triggers-1-moment": "answer",
        "triggers-1-os": "any",
    }
    page = admin.post("/services/add/", service_data(**rows)).content.decode()
    assert f'id="id_triggers-0-application_error"><span>{program}' in page
    assert f'id="id_triggers-1-url_error"><span>{address}' in page


def test_a_queue_that_is_missing_is_told_on_the_page_in_the_forms_words(admin: Client) -> None:
    Service.objects.create(name="Sales", context="sales", is_queue=True)
    page = admin.get("/publish/").content.decode()
    assert "Calls wait in a queue: name it" in page or "calls wait in a queue: name it" in page
    assert "is-queue" not in page


@pytest.mark.parametrize(
    ("language", "mac", "extension"),
    [
        ("en", "A MAC address is six pairs of hexadecimal digits", "Has to be Asterisk&#x27;s device"),
        ("it", "Un indirizzo MAC è di sei coppie", "Deve essere un dispositivo di Asterisk"),
    ],
)
def test_what_is_wrong_with_a_field_is_said_at_it_without_its_name(
    admin: Client, language: str, mac: str, extension: str
) -> None:
    ManagerUser.objects.update(language=language)
    page = admin.post("/seats/add/", {"mac": "none", "extension": "201"}).content.decode()
    assert f'id="id_mac_error"><span>{mac}' in page
    assert f'id="id_extension_error"><span>{extension}' in page


def test_in_a_list_of_mistakes_the_field_is_named(admin: Client) -> None:
    Seat.objects.create(mac="none", extension="201")
    page = admin.get("/publish/").content.decode()
    assert "the seat&#x27;s MAC address is wrong: a MAC address is six pairs" in page
    assert "the seat&#x27;s extension has to be Asterisk&#x27;s device" in page


def test_a_name_in_a_sentence_stays_as_it_is() -> None:
    message = said("there is no operator {name!r}: add it to <operators>, or remove it here", name="<anna>")
    assert translated_for_form(message) == "there is no operator '<anna>'"


def italian(client: Client, address: str) -> str:
    """The words of a page, without its elements, in Italian."""
    ManagerUser.objects.update(language="it")
    page = client.get(address).content.decode()
    return " ".join(re.sub("<[^>]*>", " ", page).split())


def test_what_became_of_an_entry_agrees_with_its_gender(admin: Client, demo: Any, publish_directory) -> None:
    sent = {"form": "xml", "digest": working_copy.present_digest(), "last": ""}
    admin.post("/publish/now/", sent)
    Seat.objects.update(description="Second row")
    Service.objects.update(name="Demo 2")
    admin.post("/reasons/add/", {"name": "Lunch"})
    said = italian(admin, "/publish/")
    assert "postazione PJSIP/201 modificata" in said and "motivo di pausa Lunch aggiunto" in said
    assert "servizio Demo 2 modificato" in said
    Seat.objects.all().delete()
    assert "postazione PJSIP/201 rimossa" in italian(admin, "/publish/")


def test_an_earlier_state_is_called_in_ones_own_language_whoever_made_it(admin: Client, demo: Any) -> None:
    rows = f"mac,extension\n{demo['seat'].mac},PJSIP/299\n".encode()
    post_import(admin, "seats", rows, "agreed", "rows: 1.csv")
    ManagerUser.objects.update(language="it")
    choice = {"pk": str(demo["operator"].pk)}
    mark = first_group(
        r'name="digest" value="([^"]+)', admin.post("/operators/many/disable/", choice).content.decode()
    )
    admin.post("/operators/many/disable/", {**choice, "digest": mark, "confirmed": "yes"})
    last = Snapshot.objects.order_by("pk").first()
    assert last is not None
    address = f"/publish/snapshots/{last.pk}/undo/"
    seen = first_group(r'name="seen" value="([^"]+)', admin.get(address).content.decode())
    admin.post(address, {"seen": seen})
    names = list(Snapshot.objects.order_by("pk").values_list("name", flat=True))
    assert names == [
        "import of seats: rows: 1.csv",
        "Disable: Operators",
        "undo of: import of seats: rows: 1.csv",
    ]
    said = italian(admin, "/publish/snapshots/")
    for words in ("annullamento di: importazione di seats: rows: 1.csv", "Disabilita: Operatori"):
        assert words in said
    assert " importazione di seats: rows: 1.csv" in italian(admin, "/audit/?action=undo")
    assert "Tornare a prima di: importazione di seats" in italian(admin, address)


def test_the_audit_log_is_read_in_ones_own_language_whoever_wrote_it(admin: Client) -> None:
    for language, name in (("en", "Sales"), ("it", "Support")):
        ManagerUser.objects.update(language=language)
        trigger = {
            "type": "browser",
            "moment": "ring",
            "again": "on",
            "os": "any",
            "url": "https://crm.example/a,b:c",
        }
        rows = {f"triggers-0-{key}": value for key, value in trigger.items()}
        data = service_data(name=name, context=name, queue_name=name, **rows, **{"triggers-TOTAL_FORMS": "1"})
        assert admin.post("/services/add/", data).status_code == 302
    pk = Service.objects.get(name="Sales").pk
    said = italian(admin, "/audit/?kind=service")
    words = "Browser di sistema, Quando squilla, A ogni squillo, Qualsiasi sistema: https://crm.example/a,b:c"
    assert said.count(words) == 2
    assert "administrator ha aggiunto" in italian(admin, f"/services/{pk}/history/")
    ManagerUser.objects.update(language="en")
    page = admin.get("/audit/?kind=service").content.decode()
    assert (
        page.count("System browser, When it rings, At each ring, Any system: https://crm.example/a,b:c") == 2
    )
