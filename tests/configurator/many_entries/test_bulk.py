"""Many entries at once: which are chosen, what is said before, what changes, and what the audit log keeps."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from configurator.importing.service_words import full_name
from configurator.models import AuditEntry, Operator, Seat, Service, Snapshot
from configurator.publishing import snapshots, working_copy
from tests.configurator.conftest import MD5, first_group, service_data


@pytest.fixture
def team(demo: dict[str, Any]) -> list[Operator]:
    """Mario of `demo`, and three more without seat and service."""
    others = [
        Operator.objects.create(username=name, full_name=f"{name.title()} Verdi", password=MD5)
        for name in ("anna", "bruno", "carla")
    ]
    return [demo["operator"], *others]


def change(client: Client, section: str, action: str, **fields: Any) -> Any:
    """Look first, as the dialog does, then do what was looked at."""
    address = f"/{section}/many/{action}/"
    looked = client.post(address, fields)
    digest = first_group(r'name="digest" value="(\w+)"', looked.content.decode())
    return client.post(address, {**fields, "confirmed": "yes", "digest": digest})


def pks(operators: list[Operator]) -> list[int]:
    return [operator.pk for operator in operators]


def rows_of(answer: Any) -> list[str]:
    return [row.name for row in answer.context["rows"]]


def test_operators_are_assigned_to_a_service_with_a_penalty(admin: Client, demo: Any, team: Any) -> None:
    service = demo["service"]
    answer = change(admin, "operators", "assign", pk=pks(team), service=full_name(service), penalty="3")
    assert answer.status_code == 302
    assert [(binding.operator.username, binding.penalty) for binding in service.bindings.all()] == [
        ("mario", 3),
        ("anna", 3),
        ("bruno", 3),
        ("carla", 3),
    ]
    said = {entry.name: entry.details for entry in AuditEntry.objects.filter(action="edit", kind="operator")}
    assert said["mario"] == [["Service", "Demo (1)", "Demo (3)"]]
    assert said["anna"] == [["Service", "", "Demo (3)"]]
    assert Service.objects.get().revision == service.revision + 1


def test_a_change_of_many_can_be_gone_back_from(admin: Client, demo: Any, team: Any) -> None:
    change(admin, "operators", "remove", pk=pks(team))
    (before,) = Snapshot.objects.all()
    with working_copy.writing():
        assert snapshots.restore(before)
    assert Operator.objects.count() == 4 and demo["service"].bindings.count() == 1
    change(admin, "operators", "enable", all="yes")
    assert Snapshot.objects.count() == 1


def test_a_change_of_many_offers_its_undo_on_the_spot(admin: Client, demo: Any, team: Any) -> None:
    address, fields = "/operators/many/disable/", {"pk": pks(team)}
    for changed in (4, 0):
        looked = admin.post(address, fields).content.decode()
        digest = first_group(r'name="digest" value="(\w+)"', looked)
        answer = admin.post(
            address, {**fields, "confirmed": "yes", "digest": digest}, headers={"HX-Request": "true"}
        )
        said = json.loads(answer["HX-Trigger"])["entrySaved"]
        assert said["message"] == f"Disable: {changed} of 4 changed." and ("undo" in said) is bool(changed)
        if changed:
            assert said["undo"] == {
                "address": f"/publish/snapshots/{Snapshot.objects.get().pk}/undo/",
                "label": "Undo",
            }
            assert admin.get(said["undo"]["address"]).status_code == 200


def test_what_is_so_already_is_not_touched(admin: Client, demo: Any, team: Any) -> None:
    change(admin, "operators", "assign", pk=pks(team[:1]), service=full_name(demo["service"]), penalty="1")
    change(admin, "operators", "enable", pk=pks(team))
    change(admin, "operators", "take-seat", pk=pks(team[1:]))
    assert not AuditEntry.objects.filter(action="edit", kind="operator").exists()
    assert {operator.revision for operator in Operator.objects.all()} == {1}
    assert Service.objects.get().revision == 1


def test_a_service_is_typed_and_those_of_one_name_are_told_apart(admin: Client, demo: Any, team: Any) -> None:
    other = Service.objects.create(name="Demo", context="other")
    Service.objects.create(name="Sales", context="sales")
    suggested = admin.get("/suggestions/services/?service=demo").content.decode()
    assert re.findall('value="(.*?)"', suggested) == ["Demo (astcti)", "Demo (other)"]
    again = admin.get("/suggestions/services/?service=Demo+(other)").content.decode()
    assert re.findall('value="(.*?)"', again) == ["Demo (other)"]
    for address, data in (("/operators/many/assign/", {"pk": pks(team)}), ("/variables/add/", {"name": "x"})):
        page = admin.post(address, {**data, "confirmed": "yes", "service": "Demo"}).content.decode()
        assert "Demo means several services" in page and 'value="Demo"' in page, address
        page = admin.post(address, {**data, "confirmed": "yes", "service": "Support"}).content.decode()
        assert "There is no service Support." in page, address
    for text in ("demo (OTHER)", "other"):
        change(admin, "operators", "assign", pk=pks(team[:1]), service=text, penalty="")
        assert other.bindings.get().operator == team[0]
        other.bindings.all().delete()
    admin.post("/variables/add/", {"name": "ticket", "service": "Demo (other)"})
    variable = other.variables.get()
    assert 'value="Demo (other)"' in admin.get(f"/variables/{variable.pk}/edit/").content.decode()


def test_a_penalty_in_a_service_without_a_queue_is_none(admin: Client, demo: Any, team: Any) -> None:
    plain = Service.objects.create(name="Plain", context="plain")
    change(admin, "operators", "assign", pk=pks(team), service=full_name(plain), penalty="3")
    assert {binding.penalty for binding in plain.bindings.all()} == {0}


@pytest.mark.parametrize(
    ("action", "field", "value"), [("disable", "enabled", False), ("pause", "begin_in_pause", True)]
)
def test_a_tick_of_all_that_a_search_finds_is_set(
    admin: Client, team: Any, action: str, field: str, value: bool
) -> None:
    change(admin, "operators", action, all="yes", q="verdi")
    found = {operator.username: getattr(operator, field) for operator in Operator.objects.all()}
    assert found == {"anna": value, "bruno": value, "carla": value, "mario": not value}
    assert AuditEntry.objects.filter(action="edit", kind="operator").count() == 3


def test_operators_are_taken_out_of_a_service_and_given_a_seat(admin: Client, demo: Any, team: Any) -> None:
    change(admin, "operators", "unassign", pk=pks(team), service=full_name(demo["service"]))
    assert not demo["service"].bindings.exists()
    change(admin, "operators", "give-seat", pk=pks(team), seat="00-11-22-33-44-55")
    assert {operator.seat for operator in Operator.objects.all()} == {demo["seat"]}
    change(admin, "operators", "take-seat", all="yes")
    assert {operator.seat for operator in Operator.objects.all()} == {None}


def test_a_seat_that_is_not_there_is_an_error_at_the_field(admin: Client, team: Any) -> None:
    answer = change(admin, "operators", "give-seat", pk=pks(team), seat="PJSIP/999")
    assert "There is no seat" in answer.content.decode()
    assert Operator.objects.filter(seat=None).count() == 3


def test_what_goes_with_a_removal_is_said_in_numbers_first(admin: Client, demo: Any, team: Any) -> None:
    demo["service"].bindings.create(operator=team[1])
    page = admin.post("/operators/many/remove/", {"pk": pks(team)}).content.decode()
    assert "4 entries" in page and "2 assignments of operators to services" in page
    assert "1 service loses operators" in page
    page = admin.post("/services/many/remove/", {"all": "yes"}).content.decode()
    assert "1 variable" in page and "1 trigger" in page
    assert "1 operator loses" in admin.post("/seats/many/remove/", {"all": "yes"}).content.decode()
    assert "1 trigger uses" in admin.post("/variables/many/remove/", {"all": "yes"}).content.decode()


def test_many_are_removed_with_an_entry_of_the_audit_log_each(admin: Client, demo: Any, team: Any) -> None:
    change(admin, "operators", "remove", pk=pks(team[:3]))
    assert [operator.username for operator in Operator.objects.all()] == ["carla"]
    gone = AuditEntry.objects.filter(action="remove", kind="operator")
    assert {entry.name for entry in gone} == {"mario", "anna", "bruno"}
    assert ["Service", "Demo (1)", ""] in gone.get(name="mario").details
    assert Service.objects.get().revision == 2
    change(admin, "services", "remove", all="yes")
    assert ["Variable", "calldata", ""] in AuditEntry.objects.get(kind="service").details


def test_another_choice_than_was_looked_at_is_shown_again(admin: Client, team: Any) -> None:
    address = "/operators/many/remove/"
    looked = admin.post(address, {"all": "yes", "q": "verdi"}).content.decode()
    digest = first_group(r'name="digest" value="(\w+)"', looked)
    Operator.objects.create(username="dora", full_name="Dora Verdi", password=MD5)
    fields = {"all": "yes", "q": "verdi", "confirmed": "yes", "digest": digest}
    again = admin.post(address, fields).content.decode()
    assert "in the meantime" in again and "4 entries" in again
    assert Operator.objects.count() == 5
    fields["digest"] = first_group(r'name="digest" value="(\w+)"', again)
    admin.post(address, fields)
    assert Operator.objects.count() == 1


def test_roles_and_addresses_are_watched(log_in: Callable[[str], Client], admin: Client, demo: Any) -> None:
    assert log_in("viewer").post("/operators/many/remove/", {"all": "yes"}).status_code == 403
    supervisor = log_in("supervisor")
    assert supervisor.post("/services/many/disable/", {"all": "yes"}).status_code == 403
    assert supervisor.post("/operators/many/disable/", {"all": "yes"}).status_code == 200
    for wrong in ("/operators/many/promote/", "/managers/many/remove/"):
        assert admin.post(wrong, {"all": "yes"}).status_code == 404
    odd = {"pk": ["x", "9" * 40, "-1"]}
    assert "0 entries" in admin.post("/operators/many/disable/", odd).content.decode()
    assert admin.get("/operators/many/remove/").status_code == 405


def test_lists_are_narrowed_by_filters_beside_a_search(admin: Client, demo: Any, team: Any) -> None:
    Operator.objects.filter(username="anna").update(enabled=False)
    assert rows_of(admin.get("/operators/?filter=disabled")) == ["anna"]
    assert rows_of(admin.get("/operators/?filter=no-seat&sort=username")) == ["anna", "bruno", "carla"]
    assert rows_of(admin.get("/operators/?filter=no-service&filter=disabled")) == ["anna"]
    assert rows_of(admin.get("/operators/?filter=no-service&q=bru")) == ["bruno"]
    assert "No entry fits" in admin.get("/operators/?filter=paused").content.decode()
    Service.objects.create(name="Bare", context="bare")
    for key in ("no-queue", "no-operator", "no-trigger"):
        assert rows_of(admin.get(f"/services/?filter={key}")) == ["Bare"]
    Seat.objects.create(mac="00:11:22:33:44:56", extension="PJSIP/202")
    assert rows_of(admin.get("/seats/?filter=no-operator")) == ["PJSIP/202 (00:11:22:33:44:56)"]


def test_what_is_not_published_is_a_filter(admin: Client, demo: Any, publish_directory: Any) -> None:
    assert rows_of(admin.get("/operators/?filter=changed")) == ["mario"]
    page = admin.get("/publish/").content.decode()
    digest = first_group(r'name="digest" value="(\w+)"', page)
    last = re.search(r'name="last" value="(\d*)"', page)
    admin.post("/publish/now/", {"digest": digest, "last": last[1] if last else "", "form": "xml"})
    for section in ("operators", "services", "seats", "reasons"):
        assert rows_of(admin.get(f"/{section}/?filter=changed")) == []
    Operator.objects.filter(username="mario").update(full_name="Mario Neri")
    assert rows_of(admin.get("/operators/?filter=changed")) == ["mario"]
    assert rows_of(admin.get("/services/?filter=changed")) == []
    demo["service"].bindings.all().delete()
    assert rows_of(admin.get("/services/?filter=changed")) == ["Demo"]


def test_rows_are_links_and_pages_keep_the_filters(admin: Client, demo: Any, team: Any) -> None:
    page = admin.get("/operators/?filter=no-seat&sort=username&order=desc").content.decode()
    assert f'<a href="/operators/{team[1].pk}/edit/"' in page
    assert "filter=no-seat" in first_group(r'<th scope="col" class="strong"[^>]*><a href="\?([^"]+)"', page)
    assert re.search(r'<a class="chip own" href="\?q=&amp;sort=username&amp;order=desc&amp;size=50"', page)


def test_the_history_of_an_entry_follows_it_through_its_names(admin: Client, demo: Any) -> None:
    fields = {"username": "anna", "full_name": "Anna", "new_password": "geheim-12", "enabled": "on"}
    admin.post("/operators/add/", fields)
    first = Operator.objects.get(username="anna")
    admin.post(
        f"/operators/{first.pk}/edit/", {**fields, "username": "anne", "new_password": "", "revision": 1}
    )
    admin.post("/operators/add/", fields)
    history = admin.get(f"/operators/{first.pk}/history/").context["found"]
    assert [(entry.action, entry.name) for entry in history] == [("edit", "anne"), ("add", "anna")]
    second = Operator.objects.get(username="anna")
    assert [entry.action for entry in admin.get(f"/operators/{second.pk}/history/").context["found"]] == [
        "add"
    ]
    nothing = admin.get(f"/seats/{demo['seat'].pk}/history/")
    assert "says nothing about it" in nothing.content.decode()
    assert "gone" in admin.get("/seats/999/history/").templates[0].name


def test_the_history_says_what_came_by_way_of_other_entries(
    admin: Client, demo: Any, team: list[Operator]
) -> None:
    service = Service.objects.create(name="Caffè", context="other", is_queue=True, queue_name="other")
    change(admin, "operators", "assign", pk=pks(team[:2]), service=full_name(service), penalty="3")
    Operator.objects.create(username="mario-2", full_name="Other", password=MD5)
    data = service_data(name="Caffè", context="other", queue_name="other", revision="2")
    admin.post(f"/services/{service.pk}/edit/", {**data, "operator:mario-2": "1", "operator:anna": "3"})
    history = admin.get(f"/services/{service.pk}/history/")
    found = [(said.kind, said.name) for said in history.context["found"]]
    assert found[0] == ("service", "Caffè")
    assert sorted(found[1:]) == [("operator", "anna"), ("operator", "mario")]
    history = admin.get(f"/operators/{team[0].pk}/history/")
    assert [(said.name, said.details) for said in history.context["found"]] == [
        ("Caffè", [["Operator", "mario (3)", ""]]),
        ("mario", [["Service", "", "Caffè (3)"]]),
    ]
    assert "changed service Caffè" in history.content.decode()
    assert "nothing about it" in admin.get(f"/operators/{team[2].pk}/history/").content.decode()


def test_the_history_is_for_those_who_may_read_the_audit_log(
    log_in: Callable[[str], Client], demo: Any
) -> None:
    address = f"/operators/{demo['operator'].pk}"
    assert log_in("viewer").get(f"{address}/history/").status_code == 403
    assert "/history/" not in log_in("viewer").get(f"{address}/edit/").content.decode()
    assert "/history/" in log_in("supervisor").get(f"{address}/edit/").content.decode()


def test_a_new_entry_begins_as_another_one_without_what_only_one_can_have(admin: Client, demo: Any) -> None:
    form = admin.get(f"/seats/add/?like={demo['seat'].pk}").context["form"]
    assert (form["description"].value(), form["mac"].value(), form["extension"].value()) == (
        "First row",
        None,
        None,
    )
    assert admin.get("/seats/add/?like=999").context["form"]["description"].value() is None
