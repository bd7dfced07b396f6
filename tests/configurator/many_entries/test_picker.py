"""Picking from thousands: found by the server, pasted from a list, kept in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from configurator.forms import picker
from configurator.models import Operator, Seat, Service
from tests.configurator.conftest import MD5, first_group, service_data


@pytest.fixture
def many(demo: dict[str, Any]) -> list[Operator]:
    names = ("zoe", "anna", "luca", "bruno")
    return [
        Operator.objects.create(username=name, full_name=f"{name.title()} Rossi", password=MD5)
        for name in names
    ]


def keys_of(answer: Any) -> list[str]:
    return [row.key for row in answer.context["rows"]]


def test_a_services_operators_stay_in_the_order_in_which_they_were_picked(
    admin: Client, demo: Any, many: Any
) -> None:
    address = f"/services/{demo['service'].pk}/edit/"
    data = service_data(name="Demo", context="astctidemo", queue_name="astcti", revision="1")
    picked = {"operator:zoe": "2", "operator:mario": "1", "operator:anna": "0", "operator:bruno": "5"}
    assert admin.post(address, {**data, **picked}).status_code == 302
    bound = [(row.operator.username, row.penalty) for row in demo["service"].bindings.all()]
    assert bound == [("zoe", 2), ("mario", 1), ("anna", 0), ("bruno", 5)]
    assert Operator.objects.get(username="mario").revision == 1
    shown = admin.get(address).context["form"].operators.rows
    assert (shown[0].key, shown[0].title, shown[0].penalty) == ("zoe", "Zoe Rossi", "2")
    turned = {"operator:anna": "0", "operator:zoe": "2"}
    assert admin.post(address, {**data, **turned, "revision": "2"}).status_code == 302
    assert [row.operator.username for row in demo["service"].bindings.all()] == ["anna", "zoe"]


def test_what_is_picked_from_is_found_by_the_server(admin: Client, demo: Any, many: Any) -> None:
    assert keys_of(admin.get("/suggestions/pick/operators/?q=rossi")) == [
        "anna", "bruno", "luca", "mario", "zoe",
    ]  # fmt: skip
    Operator.objects.bulk_create(
        Operator(username=f"op{number}", full_name=f"Number {number}", password=MD5) for number in range(40)
    )
    found = admin.get("/suggestions/pick/operators/?q=number")
    assert len(keys_of(found)) == 25 and "Add all 40 found" in found.content.decode()
    assert len(keys_of(admin.get("/suggestions/pick/operators/?q=number&all=yes"))) == 40
    assert keys_of(admin.get("/suggestions/pick/services/")) == [str(demo["service"].pk)]
    assert admin.get("/suggestions/pick/seats/").status_code == 404


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("anna\nZOE Rossi\n", {"anna": "0", "zoe": "0"}),
        ("anna;3\nluca:2\nzoe\t1", {"anna": "3", "luca": "2", "zoe": "1"}),
        ("anna, luca; zoe:4", {"anna": "0", "luca": "0", "zoe": "4"}),
        ("  \n\n7\n", {}),
        ("Verdi, Carla\nanna", {"carla": "0", "anna": "0"}),
        ("Verdi, Carla; 4\n", {"carla": "4"}),
        ("201, 202,203", {"201": "0", "202": "0", "203": "0"}),
        ("201;3\n202\t4\n203:5", {"201": "3", "202": "4", "203": "5"}),
        ("anna\tAnna Rossi\t2", {"anna": "2"}),
    ],
)
def test_a_pasted_list_is_understood(admin: Client, many: Any, text: str, expected: Any) -> None:
    names = {"carla": "Verdi, Carla", "201": "Phone 201", "202": "Phone 202", "203": "Phone 203"}
    for username, name in names.items():
        Operator.objects.create(username=username, full_name=name, password=MD5)
    answer = admin.post("/suggestions/pick/operators/", {"pasted": text})
    assert {row.key: row.penalty for row in answer.context["rows"]} == expected


def test_names_that_are_unknown_or_mean_several_are_said(admin: Client, demo: Any, many: Any) -> None:
    Operator.objects.create(username="anna2", full_name="Anna Rossi", password=MD5)
    answer = admin.post("/suggestions/pick/operators/", {"pasted": "Anna Rossi\nnobody\nanna"})
    assert keys_of(answer) == ["anna"]
    assert "Anna Rossi, nobody" in answer.content.decode()
    Service.objects.create(name="Other", context="other")
    answer = admin.post("/suggestions/pick/services/", {"pasted": "ASTCTI:2\nother\nDemo"})
    assert [(row.title, row.penalty) for row in answer.context["rows"]] == [("Demo", "0"), ("Other", "0")]


def test_what_of_a_pasted_list_is_unknown_stays_to_be_corrected(admin: Client, many: Any) -> None:
    names = [f"nobody {number}" for number in range(60)]
    answer = admin.post("/suggestions/pick/operators/", {"pasted": "\n".join(["anna", *names, "who: 3"])})
    page = answer.content.decode()
    assert first_group(r'data-left="([^"]*)"', page) == "\n".join([*names, "who:3"])
    assert "nobody 49" in page.partition('role="alert"')[2] and "And 11 more" in page


@pytest.mark.parametrize("section", ["services", "operators"])
def test_a_pasted_list_that_was_not_added_is_not_lost(admin: Client, demo: Any, section: str) -> None:
    entry = demo["service" if section == "services" else "operator"]
    data = service_data(name="Demo 2", context="astctidemo", queue_name="astcti", revision="1")
    if section == "operators":
        data = {"username": "mario", "full_name": "Mario", "enabled": "on", "revision": "1"}
    address = f"/{section}/{entry.pk}/edit/"
    page = admin.post(address, {**data, "pasted": "anna\nbruno"}).content.decode()
    assert "The pasted list was not added" in page and ">anna\nbruno</textarea>" in page
    entry.refresh_from_db()
    assert str(entry) in ("Demo", "mario") and entry.revision == 1
    assert admin.post(address, {**data, "pasted": " \n"}).status_code == 302


def test_saving_a_service_with_thousands_of_operators_loses_none(admin: Client, demo: Any) -> None:
    service = demo["service"]
    made = Operator.objects.bulk_create(
        Operator(username=f"op{number}", full_name=f"Number {number}", password=MD5) for number in range(6000)
    )
    service.bindings.model.objects.bulk_create(
        service.bindings.model(service=service, operator=operator) for operator in made
    )
    address = f"/services/{service.pk}/edit/"
    picked = {f"operator:{row.key}": row.penalty for row in admin.get(address).context["form"].operators.rows}
    data = service_data(name="Large", context="astctidemo", queue_name="astcti", revision="1")
    assert admin.post(address, {**data, **picked}).status_code == 302
    assert service.bindings.count() == 6001
    assert Service.objects.get().name == "Large"


def test_more_than_can_be_picked_is_refused_and_not_cut_off(
    admin: Client, demo: Any, many: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picker, "MOST_PICKED", 3)
    data = service_data(name="Demo", context="astctidemo", queue_name="astcti", revision="1")
    data |= {f"operator:{name}": "0" for name in ("mario", "zoe", "anna", "luca")}
    page = admin.post(f"/services/{demo['service'].pk}/edit/", data).content.decode()
    assert "At most 3 can be chosen." in page and 'name="operator:luca"' in page
    assert demo["service"].bindings.count() == 1


def test_an_operators_seat_is_typed_and_suggested(admin: Client, demo: Any) -> None:
    Seat.objects.create(mac="00:11:22:33:44:56", extension="PJSIP/202", description="Window")
    assert "PJSIP/202" in admin.get("/suggestions/seats/?seat=window").content.decode()
    address = f"/operators/{demo['operator'].pk}/edit/"
    assert 'value="PJSIP/201"' in admin.get(address).content.decode()
    data = {"username": "mario", "full_name": "Mario", "enabled": "on"}
    for revision, typed, seat in ((1, "PJSIP/202", "PJSIP/202"), (2, "0011.2233.4455", "PJSIP/201")):
        admin.post(address, {**data, "seat": typed, "revision": revision})
        assert Operator.objects.get().seat == Seat.objects.get(extension=seat)
    wrong = admin.post(address, {**data, "seat": "PJSIP/9", "revision": 3})
    assert "seat" in wrong.context["form"].errors and 'value="PJSIP/9"' in wrong.content.decode()
    admin.post(address, {**data, "seat": "", "revision": 3})
    assert Operator.objects.get().seat is None


def test_a_copy_begins_with_the_services_and_operators_of_the_other(admin: Client, demo: Any) -> None:
    form = admin.get(f"/services/add/?like={demo['service'].pk}").context["form"]
    assert (form["context"].value(), [row.key for row in form.operators.rows]) == ("astctidemo", ["mario"])
    assert form.variables.forms[0]["name"].value() == "calldata" and not form["revision"].value()
    form = admin.get(f"/operators/add/?like={demo['operator'].pk}").context["form"]
    assert form["username"].value() is None
    assert [(row.title, row.penalty) for row in form.services.rows] == [("Demo", "1")]


def test_reading_a_form_waits_for_no_writer(
    log_in: Callable[[str], Client], demo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from configurator.publishing import working_copy

    client = log_in("viewer")
    monkeypatch.setattr(working_copy, "writing", lambda: pytest.fail("locked"))
    for section, entry in (("services", "service"), ("operators", "operator"), ("seats", "seat")):
        assert client.get(f"/{section}/{demo[entry].pk}/edit/").status_code == 200
