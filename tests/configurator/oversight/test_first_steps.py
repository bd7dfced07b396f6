"""The way from an empty installation to a published one, and what any installation still lacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from configurator.models import ManagerUser, Operator, Seat, Service, ServiceOperator
from configurator.publishing import working_copy
from tests.configurator.conftest import MD5

QUERIES = 11
"""On the entries: four facts, a count for each thing that may be missing, whether anybody works,
and what is asked for."""


def publish(client: Client) -> None:
    digest = working_copy.present_digest()
    client.post("/publish/now/", {"form": "xml", "digest": digest, "last": ""})


def steps(client: Client) -> list[tuple[str, bool, bool]]:
    return [(step.key, step.done, step.is_next) for step in client.get("/overview/").context["steps"]]


def missing(client: Client) -> dict[str, int]:
    context = client.get("/overview/").context
    return {part.address: part.number for part in (*context["wrong"], *context["told"])}


def test_an_empty_installation_leads_and_ticks_what_is_done(admin: Client, publish_directory: Any) -> None:
    assert admin.get("/").url == "/overview/"
    assert steps(admin) == [
        ("seats", False, True),
        ("operators", False, False),
        ("services", False, False),
        ("publish", False, False),
    ]
    assert not missing(admin)
    page = admin.get("/overview/").content.decode()
    assert 'aria-current="step"' in page and "Nothing was entered yet." in page and "Import it" in page
    Seat.objects.create(mac="00:11:22:33:44:55", extension="PJSIP/201")
    assert steps(admin)[:2] == [("seats", True, False), ("operators", False, True)]
    anna = Operator.objects.create(username="anna", full_name="Anna", password=MD5)
    service = Service.objects.create(name="Sales", context="sales")
    service.bindings.create(operator=anna)
    assert steps(admin)[3] == ("publish", False, True) and admin.get("/").url == "/overview/"
    publish(admin)
    assert all(done for _, done, _ in steps(admin))
    assert "First steps" not in admin.get("/overview/").content.decode()
    assert admin.get("/").url == "/services/"


def test_what_is_missing_is_the_length_of_the_list_behind_it(admin: Client, demo: dict[str, Any]) -> None:
    demo["service"].triggers.all().delete()
    Service.objects.create(name="Alone", context="alone")
    Service.objects.create(name="Off", context="off", enabled=False)
    Service.objects.create(name="Out", context="out", type="outbound").triggers.create(
        url="https://x.example/"
    )
    Operator.objects.create(username="anna", full_name="Anna", password=MD5)
    Operator.objects.create(username="gone", full_name="Gone", password=MD5, enabled=False)
    found = missing(admin)
    assert found == {
        "/services/?filter=enabled&filter=no-trigger": 2,
        "/services/?filter=enabled&filter=no-operator": 2,
        "/operators/?filter=enabled&filter=no-service": 1,
        "/services/?filter=enabled&filter=inbound&filter=no-queue": 1,
        "/operators/?filter=enabled&filter=no-seat": 1,
    }
    page = admin.get("/overview/").content.decode()
    for address, count in found.items():
        listed = admin.get(address)
        assert listed.context["page"].paginator.count == count
        chosen = [choice for choice in listed.context["filters"] if choice.chosen]
        assert len(chosen) == urlsplit(address).query.count("filter=")
        assert address.replace("&", "&amp;") in page
    assert "2 services have no trigger" in page and "1 operator serves no service" in page


def test_a_seat_of_nobody_is_told_only_where_nobody_may_choose(admin: Client, demo: dict[str, Any]) -> None:
    Seat.objects.create(mac="00:11:22:33:44:66", extension="PJSIP/202")
    assert missing(admin) == {"/seats/?filter=no-operator": 1}
    Operator.objects.create(username="anna", full_name="Anna", password=MD5, enabled=True)
    assert "/seats/?filter=no-operator" not in missing(admin)


def test_nothing_missing_is_said(admin: Client, demo: dict[str, Any], publish_directory: Any) -> None:
    publish(admin)
    assert not missing(admin)
    assert "Nothing is missing." in admin.get("/overview/").content.decode()


@pytest.mark.parametrize(
    ("role", "may_add"),
    [
        ("administrator", ["seats", "operators", "services"]),
        ("supervisor", ["seats", "operators"]),
        ("viewer", []),
    ],
)
def test_each_role_is_offered_what_it_may_do(
    log_in: Callable[[str], Client], role: str, may_add: list[str]
) -> None:
    client = log_in(role)
    page = client.get("/overview/").content.decode()
    offered = [key for key in ("seats", "operators", "services") if f'href="/{key}/add/"' in page]
    assert offered == may_add
    assert ('href="/publish/import/?what=configuration"' in page) == (role == "administrator")
    for key in offered:
        assert client.get(f"/{key}/add/").status_code == 200


def test_ten_thousand_operators_cost_no_more_queries_and_no_whole_table_for_each(admin: Client) -> None:
    def asked() -> list[str]:
        with CaptureQueriesContext(connections["configuration"]) as queries:
            admin.get("/overview/")
        return [query["sql"] for query in queries if query["sql"].startswith("SELECT")]

    few = len(asked())
    service = Service.objects.create(name="Sales", context="sales")
    Operator.objects.bulk_create(
        Operator(username=f"agent{number}", full_name="Agent", password=MD5) for number in range(10_000)
    )
    ServiceOperator.objects.bulk_create(
        ServiceOperator(service=service, operator=operator) for operator in Operator.objects.all()[:9_000]
    )
    many = asked()
    assert missing(admin)["/operators/?filter=enabled&filter=no-service"] == 1_000
    assert max(few, len(many)) <= QUERIES
    assert not [sql for sql in many if not ("COUNT(" in sql or "LIMIT 1" in sql)], "no entry is read"
    with connections["configuration"].cursor() as cursor:
        for sql in many:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            plan = [row[3] for row in cursor.fetchall()]
            scans = [line for line in plan if line.startswith("SCAN")]
            assert len(scans) <= 1, f"each entry would look through a whole table: {plan}"


def test_the_overview_speaks_italian(admin: Client, demo: dict[str, Any]) -> None:
    ManagerUser.objects.update(language="it")
    Operator.objects.create(username="anna", full_name="Anna", password=MD5)
    page = admin.get("/overview/").content.decode()
    assert "Primi passi" in page and "1 operatore non serve nessun servizio" in page
