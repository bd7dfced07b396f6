"""Supervisors publish seats and operators alone; what administrators have under way stays out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from configurator.models import (
    AuditEntry,
    ManagerUser,
    Operator,
    PauseReason,
    Publication,
    Seat,
    Service,
    Variable,
)
from configurator.publishing import supervised, working_copy
from configurator.publishing.published import configuration_or_empty, last_publication
from configurator.publishing.working_copy import WorkingCopy
from schemas.configuration import xml_form
from schemas.configuration.checks import PartPlaces
from schemas.configuration.model import Binding, Configuration
from schemas.configuration.model import Operator as PublishedOperator
from schemas.configuration.model import Service as PublishedService
from tests.configurator.conftest import MD5


def page_of(client: Client, address: str = "/publish/") -> Any:
    return client.get(address).context


def publish(client: Client, address: str = "/publish/", **more: str) -> str:
    """Publish what the page shows; returns what the page says then."""
    shown = page_of(client, address)
    last = shown["last"]
    sent = {"form": "xml", "digest": shown["digest"], "last": last.pk if last else "", **more}
    if "supervised" in address:
        sent["part"] = "supervised"
    return client.post("/publish/now/", sent, follow=True).content.decode()


def published() -> Configuration:
    return configuration_or_empty(last_publication())


@pytest.fixture
def supervisor(admin: Client, log_in: Callable[[str], Client], demo: Any, publish_directory: Path) -> Client:
    """Somebody who may publish a part, after an administrator published `demo`."""
    Publication.objects.all().delete()
    publish(admin)
    assert Publication.objects.count() == 1
    client = Client()
    client.post("/login/", {"username": "supervisor", "password": "correct-horse-9"})
    return client


def put_much_under_way(demo: Any) -> None:
    """What an administrator has begun: a trigger, a variable, a service, a pause reason."""
    demo["service"].triggers.create(url="https://half.example/", position=1)
    Variable.objects.create(service=demo["service"], name="half")
    Service.objects.filter(pk=demo["service"].pk).update(name="Half a name", enabled=False)
    Service.objects.create(name="Half done", context="half")
    PauseReason.objects.create(name="Half")


def test_only_seats_and_operators_are_published(
    supervisor: Client, demo: Any, publish_directory: Path
) -> None:
    before = published()
    put_much_under_way(demo)
    Seat.objects.create(mac="00:11:22:33:44:66", extension="PJSIP/202")
    anna = Operator.objects.create(username="anna", full_name="Anna", password=MD5)
    demo["service"].bindings.create(operator=anna, penalty=4)
    demo["operator"].full_name = "Mario Bianchi"
    demo["operator"].save()
    shown = page_of(supervisor)
    assert {(change.kind, change.name) for change in shown["differences"]} == {
        ("seat", "PJSIP/202"),
        ("operator", "anna"),
        ("operator", "mario"),
        ("service", "Demo"),
    }
    assert {(change.kind, change.name) for change in shown["left_out"]} == {
        ("service", "Half a name"),
        ("service", "Half done"),
        ("pausereason", "Half"),
    }
    assert "Published as" in publish(supervisor)
    (said,) = published().services
    assert (said.name, said.enabled, said.triggers, said.variables) == (
        "Demo",
        True,
        before.services[0].triggers,
        ("calldata",),
    )
    assert said.operators == (Binding("mario", 1), Binding("anna", 4))
    assert [seat.extension for seat in published().seats] == ["PJSIP/201", "PJSIP/202"]
    assert [operator.full_name for operator in published().operators] == ["Mario Bianchi", "Anna"]
    assert not published().pause_reasons
    newest = last_publication()
    assert newest is not None and newest.userid == "supervisor"
    assert xml_form.load_xml(publish_directory / newest.file) == published()
    said_of_it = AuditEntry.objects.filter(action="publish").first()
    assert said_of_it is not None and ["Entries", "", "only seats and operators"] in said_of_it.details
    assert not page_of(supervisor)["differences"]
    assert "What administrators" in supervisor.get("/publish/").content.decode()
    assert Service.objects.filter(name="Half done").exists(), "what is under way is still there"


def test_a_mistake_of_an_administrator_holds_no_supervisor_up(supervisor: Client, demo: Any) -> None:
    demo["variable"].delete()  # the trigger names it: not valid
    Operator.objects.create(username="anna", full_name="Anna", password=MD5)
    assert not page_of(supervisor)["errors"]
    assert "Published as" in publish(supervisor)
    assert published().services[0].variables == ("calldata",)


def test_a_mistake_in_an_operator_is_said_with_the_name(supervisor: Client, demo: Any) -> None:
    Operator.objects.create(username="two words", full_name="Two", password=MD5)
    (error,) = page_of(supervisor)["errors"]
    assert (error.kind, error.name) == ("operator", "two words")
    assert "nothing was published" in publish(supervisor)


def test_operators_of_a_service_that_is_not_published_wait_with_it(supervisor: Client, demo: Any) -> None:
    new = Service.objects.create(name="New line", context="new")
    new.bindings.create(operator=demo["operator"])
    anna = Operator.objects.create(username="anna", full_name="Anna", password=MD5)
    new.bindings.create(operator=anna)
    page = supervisor.get("/publish/").content.decode()
    assert "These services are not published" in page and "<strong>New line</strong>: 2 operators" in page
    publish(supervisor)
    assert [service.name for service in published().services] == ["Demo"]
    assert "anna" in published().operator_by_username


def test_a_service_under_another_context_is_found_by_its_name(supervisor: Client, demo: Any) -> None:
    Service.objects.update(context="moved")
    anna = Operator.objects.create(username="anna", full_name="Anna", password=MD5)
    demo["service"].bindings.create(operator=anna, penalty=2)
    assert not page_of(supervisor)["part"].waiting
    publish(supervisor)
    (said,) = published().services
    assert said.context == "astctidemo" and said.operators == (Binding("mario", 1), Binding("anna", 2))


def test_what_an_unpublished_removal_takes_from_a_published_service_is_said(
    supervisor: Client, demo: Any
) -> None:
    demo["service"].delete()
    demo["operator"].username = "mario.rossi"
    demo["operator"].save()
    page = supervisor.get("/publish/").content.decode()
    assert "<strong>Demo</strong>: mario</li>" in page
    publish(supervisor, **{"takes-away": page_of(supervisor)["much"].sha256})
    (said,) = published().services
    assert not said.operators and [one.username for one in published().operators] == ["mario.rossi"]


def test_without_a_publication_there_is_nothing_to_put_them_into(
    log_in: Callable[[str], Client], demo: Any, publish_directory: Path
) -> None:
    client = log_in("supervisor")
    page = client.get("/publish/").content.decode()
    assert "an administrator has to publish first" in page and "publish-form" not in page
    assert "Ask for a publication" in page
    answer = client.post("/publish/now/", {"form": "xml", "digest": "", "last": ""}, follow=True)
    assert "an administrator has to do that first" in answer.content.decode()
    assert not Publication.objects.exists() and not list(publish_directory.iterdir())


def test_nothing_of_theirs_is_nothing_to_publish(supervisor: Client, demo: Any) -> None:
    put_much_under_way(demo)
    assert "No seat and no operator waits" in publish(supervisor)
    assert Publication.objects.count() == 1


def test_a_change_or_a_publication_in_between_is_told(supervisor: Client, admin: Client, demo: Any) -> None:
    Operator.objects.create(username="anna", full_name="Anna", password=MD5)
    shown = page_of(supervisor)
    sent = {"form": "xml", "digest": shown["digest"], "last": shown["last"].pk}
    Seat.objects.create(mac="00:11:22:33:44:66", extension="PJSIP/202")
    assert "changed the configuration" in supervisor.post("/publish/now/", sent, follow=True).content.decode()
    shown = page_of(supervisor)
    sent = {"form": "xml", "digest": shown["digest"], "last": shown["last"].pk}
    publish(admin)
    assert "published in the meantime" in supervisor.post("/publish/now/", sent, follow=True).content.decode()
    assert Publication.objects.count() == 2


def test_an_administrators_publication_in_the_middle_is_not_taken_back(
    supervisor: Client, admin: Client, demo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    Operator.objects.create(username="anna", full_name="Anna", password=MD5)
    PauseReason.objects.create(name="Lunch")
    shown = page_of(supervisor)
    sent = {"form": "xml", "digest": shown["digest"], "last": shown["last"].pk}
    real = supervised.supervised_entries
    done: list[bool] = []

    def then_published(before: Configuration, copy: WorkingCopy) -> supervised.SupervisedEntries:
        found = real(before, copy)
        if not done:
            done.append("Published as" in publish(admin))
        return found

    monkeypatch.setattr(supervised, "supervised_entries", then_published)
    assert "published in the meantime" in supervisor.post("/publish/now/", sent, follow=True).content.decode()
    assert done == [True] and published().pause_reasons == ("Lunch",)


def test_what_stands_here_is_put_together_anew_after_a_change_alone(supervisor: Client, demo: Any) -> None:
    demo["operator"].full_name = "Mario Bianchi"
    demo["operator"].save()
    first = page_of(supervisor)["part"]
    assert page_of(supervisor)["part"] is first
    Operator.objects.create(username="anna", full_name="Anna", password=MD5)
    second = page_of(supervisor)["part"]
    assert second.copy.digest != first.copy.digest
    assert second.copy.configuration.operators[0] is first.copy.configuration.operators[0]
    assert second.copy.configuration.services[0] is first.copy.configuration.services[0]
    assert "anna" in second.copy.configuration.operator_by_username
    put_much_under_way(demo)
    third = page_of(supervisor)["part"]
    assert third is not second and third.copy.digest == second.copy.digest


def test_what_administrators_do_meanwhile_is_in_no_supervisors_way(supervisor: Client, demo: Any) -> None:
    Operator.objects.create(username="anna", full_name="Anna", password=MD5)
    shown = page_of(supervisor)
    sent = {"form": "xml", "digest": shown["digest"], "last": shown["last"].pk}
    put_much_under_way(demo)
    assert "Published as" in supervisor.post("/publish/now/", sent, follow=True).content.decode()


def test_a_file_of_others_gives_way_to_no_supervisor(
    supervisor: Client, demo: Any, publish_directory: Path
) -> None:
    Operator.objects.create(username="anna", full_name="Anna", password=MD5)
    (publish_directory / "by-hand.xml").write_bytes(
        xml_form.dump_xml(Configuration(pause_reasons=("By hand",)))
    )
    shown = page_of(supervisor)
    page = supervisor.get("/publish/").content.decode()
    assert "by-hand.xml" in page and "An administrator has to say" in page and 'name="over"' not in page
    assert "/publish/foreign/" not in page
    said = publish(supervisor, over=shown["foreign"].sha256)
    assert "An administrator has to say what shall become of it" in said
    assert Publication.objects.count() == 1


def test_what_takes_away_much_is_published_when_it_is_meant(supervisor: Client, demo: Any) -> None:
    Seat.objects.all().delete()
    assert "it takes away 1 of 1 seats" in publish(supervisor)
    assert "Published as" in publish(supervisor, **{"takes-away": page_of(supervisor)["much"].sha256})
    assert not published().seats


def test_a_supervisor_cannot_ask_for_more(supervisor: Client, demo: Any) -> None:
    put_much_under_way(demo)
    Operator.objects.create(username="anna", full_name="Anna", password=MD5)
    everything = working_copy.present_digest()
    for part in ("", "everything"):
        sent = {"form": "xml", "digest": everything, "last": page_of(supervisor)["last"].pk, "part": part}
        supervisor.post("/publish/now/", sent)
    assert Publication.objects.count() == 1
    assert "Published as" in publish(supervisor, part="everything")
    assert [service.name for service in published().services] == ["Demo"]


def test_an_administrator_may_publish_just_this_too(supervisor: Client, admin: Client, demo: Any) -> None:
    put_much_under_way(demo)
    Operator.objects.create(username="anna", full_name="Anna", password=MD5)
    page = admin.get("/publish/").content.decode()
    assert 'href="/publish/?part=supervised"' in page
    assert "Published as" in publish(admin, "/publish/?part=supervised")
    assert [service.name for service in published().services] == ["Demo"]
    assert "anna" in published().operator_by_username
    assert "Published as" in publish(admin, **{"takes-away": page_of(admin)["much"].sha256})
    assert [service.name for service in published().services] == ["Half a name", "Half done"]


def test_viewers_see_all_changes_and_can_neither_publish_nor_ask(supervisor: Client, demo: Any) -> None:
    put_much_under_way(demo)
    viewer = Client()
    viewer.post("/login/", {"username": "viewer", "password": "correct-horse-9"})
    shown = page_of(viewer, "/publish/?part=supervised")
    assert not shown["may_publish"] and shown["part"] is None and len(shown["differences"]) == 3
    page = viewer.get("/publish/").content.decode()
    assert "publish-form" not in page and "Ask for a publication" not in page and "Roll back" not in page


def test_the_supervisors_page_speaks_italian(supervisor: Client, demo: Any) -> None:
    ManagerUser.objects.update(language="it")
    put_much_under_way(demo)
    page = supervisor.get("/publish/").content.decode()
    assert "Vengono pubblicati postazioni e operatori" in page and "Richiedi una pubblicazione" in page


def together(old: Configuration, new: Configuration) -> supervised.SupervisedEntries:
    return supervised.supervised_entries(old, WorkingCopy(new, PartPlaces.counted(new), names(), ""))


def names() -> dict[str, dict[int, str]]:
    return {"seat": {}, "operator": {}}


def services(*said: PublishedService, operators: tuple[str, ...] = ("mario",)) -> Configuration:
    return Configuration(
        services=said, operators=tuple(PublishedOperator(name, name, MD5) for name in operators)
    )


def test_two_services_of_one_name_are_not_taken_for_one_another() -> None:
    mario = (Binding("mario"),)
    old = services(PublishedService("Sales", "one", "inbound"), PublishedService("Sales", "two", "inbound"))
    new = services(PublishedService("Sales", "three", "inbound", operators=mario))
    found = together(old, new)
    assert [service.operators for service in found.copy.configuration.services] == [(), ()]
    assert [waiting.name for waiting in found.waiting] == ["Sales"]


def test_a_penalty_waits_for_the_queue_that_is_under_way() -> None:
    bound = (Binding("mario", 3),)
    old = services(PublishedService("Sales", "sales", "inbound"))
    new = services(PublishedService("Sales", "sales", "inbound", True, "sales", operators=bound))
    (said,) = together(old, new).copy.configuration.services
    assert not said.is_queue and said.operators == (Binding("mario", 0),)


def test_what_is_the_same_stays_the_same_object_and_is_put_together_once() -> None:
    old = services(PublishedService("Sales", "sales", "inbound", operators=(Binding("mario"),)))
    new = services(*old.services, operators=("mario", "anna"))
    first = together(old, new)
    assert first.copy.configuration.services[0] is old.services[0]
    assert together(old, new) is first
