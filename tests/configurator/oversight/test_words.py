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
from configurator.models import ManagerUser, Seat, Service
from schemas.sentences import said
from tests.configurator.conftest import service_data

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
