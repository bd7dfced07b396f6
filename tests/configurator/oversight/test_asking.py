"""Supervisors ask for a publication; administrators carry it out or put it away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.core import mail
from django.test import Client, override_settings

from configurator import options
from configurator.commands.configuration import publish_command
from configurator.models import AuditEntry, ManagerUser, Operator, PublicationRequest, Service
from configurator.users.request_mails import request_mails
from tests.configurator.conftest import MD5, PASSWORD

Log = Callable[[str], Client]


@pytest.fixture
def supervisor(users: Any, demo: Any, publish_directory: Path) -> Client:
    client = Client()
    client.post("/login/", {"username": "supervisor", "password": PASSWORD})
    return client


@pytest.fixture
def mails_are_sent() -> Iterator[None]:
    with override_settings(EMAIL_HOST="mail.example"):
        yield
        request_mails.finish()


def ask(client: Client, note: str = "") -> str:
    return client.post("/publish/ask/", {"note": note}, follow=True).content.decode()


def publish(client: Client, **more: Any) -> str:
    address = "/publish/?part=supervised" if more.get("part") else "/publish/"
    shown = client.get(address).context
    last = shown["last"]
    sent = {"form": "xml", "digest": shown["digest"], "last": last.pk if last else "", **more}
    return client.post("/publish/now/", sent, follow=True).content.decode()


def states() -> list[str]:
    return list(PublicationRequest.objects.order_by("pk").values_list("state", flat=True))


def test_an_administrator_sees_who_asks_for_what_and_when_and_carries_it_out(
    supervisor: Client, admin: Client
) -> None:
    Operator.objects.create(username="anna", full_name="Anna", password=MD5)
    assert "It waits for an administrator" in ask(supervisor, "New people\non Monday")
    assert "It waits" in supervisor.get("/publish/").content.decode()
    page = admin.get("/publish/").content.decode()
    assert "A publication is asked for" in page and "<strong>supervisor</strong>" in page
    assert "<q>New people on Monday</q>" in page and "operator <strong>anna</strong> added" in page
    assert "1 publication is asked for" in admin.get("/publish/badge/").content.decode()
    assert "1 publication is asked for" in admin.get("/overview/").content.decode()
    assert "asked for" not in supervisor.get("/publish/badge/").content.decode()
    assert "Published as" in publish(admin)
    (asked,) = PublicationRequest.objects.all()
    assert (asked.state, asked.answered_by) == ("done", "administrator") and asked.answer.startswith(
        "astcti-"
    )
    assert "A publication is asked for" not in admin.get("/publish/").content.decode()
    answer = supervisor.get("/publish/").content.decode()
    assert "carried out by administrator on" in answer and asked.answer in answer
    told = AuditEntry.objects.filter(kind="request").order_by("pk")
    assert [(entry.action, entry.userid) for entry in told] == [
        ("ask", "supervisor"),
        ("carry-out", "administrator"),
    ]


def test_who_asks_again_has_one_request_with_what_is_new(supervisor: Client, admin: Client) -> None:
    ask(supervisor, "first")
    Operator.objects.create(username="anna", full_name="Anna", password=MD5)
    ask(supervisor, "second")
    (asked,) = PublicationRequest.objects.all()
    assert asked.note == "second" and ["operator", "anna", "added"] in asked.changes


def test_a_request_names_services_whose_operators_wait_and_is_bounded(supervisor: Client) -> None:
    sales = Service.objects.create(name="Sales", context="sales")
    sales.bindings.create(operator=Operator.objects.get())
    Service.objects.create(name="Quiet", context="quiet")
    ask(supervisor)
    (asked,) = PublicationRequest.objects.all()
    assert ["service", "Sales", "added"] in asked.changes
    assert not [change for change in asked.changes if change[1] == "Quiet"]
    Operator.objects.bulk_create(
        Operator(username=f"agent{number}", full_name="Agent", password=MD5) for number in range(100)
    )
    ask(supervisor, "x" * 2000)
    (asked,) = PublicationRequest.objects.all()
    assert (asked.count, len(asked.changes), len(asked.note)) == (104, 20, 500)


def test_an_administrator_puts_a_request_away_with_a_reason(supervisor: Client, admin: Client) -> None:
    ask(supervisor)
    (asked,) = PublicationRequest.objects.all()
    said = admin.post(f"/publish/ask/{asked.pk}/put-away/", {"why": "Not on a Friday"}, follow=True)
    assert "was put away" in said.content.decode()
    answer = supervisor.get("/publish/").content.decode()
    assert "put away by administrator" in answer and "<q>Not on a Friday</q>" in answer
    again = admin.post(f"/publish/ask/{asked.pk}/put-away/", {}, follow=True).content.decode()
    assert "Somebody answered this request in the meantime" in again
    publish(admin)
    assert states() == ["put-away"], "answered once, it stays so"
    assert "Ask for a publication" in answer


def test_a_request_is_taken_back_by_whoever_asked(supervisor: Client, admin: Client) -> None:
    ask(admin)
    ask(supervisor)
    supervisor.post("/publish/ask/take-back/")
    assert states() == ["open", "taken-back"]
    assert "no request of yours" in supervisor.post("/publish/ask/take-back/", follow=True).content.decode()


def test_a_part_carries_out_only_the_request_it_is_published_for(supervisor: Client, admin: Client) -> None:
    publish(admin)
    ask(supervisor)
    Operator.objects.create(username="anna", full_name="Anna", password=MD5)
    publish(supervisor)
    assert states() == ["open"]
    Operator.objects.create(username="bruno", full_name="Bruno", password=MD5)
    publish(admin, part="supervised")
    assert states() == ["open"]
    Operator.objects.create(username="carla", full_name="Carla", password=MD5)
    publish(admin, **{"part": "supervised", "carries-out": PublicationRequest.objects.get().pk})
    assert states() == ["done"]


@pytest.mark.parametrize("carries_out", ["x", "-1", "9" * 30, "²"])
def test_a_number_that_is_none_carries_nothing_out(
    supervisor: Client, admin: Client, carries_out: str
) -> None:
    publish(admin)
    ask(supervisor)
    Operator.objects.create(username="anna", full_name="Anna", password=MD5)
    assert "Published as" in publish(admin, **{"part": "supervised", "carries-out": carries_out})
    assert states() == ["open"]


def test_what_is_not_published_answers_nothing(supervisor: Client, admin: Client, demo: Any) -> None:
    demo["variable"].delete()
    ask(supervisor)
    assert "nothing was published" in publish(admin)
    assert states() == ["open"]


def test_a_publication_by_a_script_carries_out_too(supervisor: Client, demo: Any) -> None:
    ask(supervisor)
    current = options.current_options()
    done = CliRunner().invoke(publish_command, [], obj=current)
    assert done.exit_code == 0, done.output
    assert states() == ["done"]


def test_each_administrator_gets_a_mail_in_their_language(
    supervisor: Client, admin: Client, mails_are_sent: None
) -> None:
    ManagerUser.objects.make(
        "boss", PASSWORD, full_name="Boss", role="administrator", email="boss@example.com"
    )
    ManagerUser.objects.make("nomail", PASSWORD, full_name="No Mail", role="administrator")
    gone = ManagerUser.objects.make(
        "gone", PASSWORD, full_name="G", role="administrator", email="g@example.com"
    )
    gone.enabled = False
    gone.save()
    ManagerUser.objects.filter(userid="boss").update(language="it")
    Operator.objects.create(username="anna", full_name="Anna", password=MD5)
    ask(supervisor, "New people")
    ask(supervisor, "No second mail for the same request")
    request_mails.finish()
    found = {sent.to[0]: sent for sent in mail.outbox}
    assert set(found) == {"administrator@example.com", "boss@example.com"} and len(mail.outbox) == 2
    english, italian = found["administrator@example.com"], found["boss@example.com"]
    assert english.subject == "Supervisor asks for a publication of the AsteriskCTI configuration"
    assert "New people" in english.body and "* operator anna added" in english.body
    assert "http://testserver/publish/" in english.body
    assert "chiede una pubblicazione" in italian.subject and "* operatore anna" in italian.body


def test_without_a_mail_server_nothing_is_sent_and_nothing_fails(supervisor: Client, admin: Client) -> None:
    with override_settings(EMAIL_HOST=""):
        assert "It waits" in ask(supervisor)
    request_mails.finish()
    assert not mail.outbox
