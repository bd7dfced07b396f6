"""Each address without a login and with each role; what browsers are told; what users try to smuggle in."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver
from django.utils import timezone
from lxml import html

from configurator.models import ManagerUser, Operator, Publication, Service
from configurator.views import audit
from configurator.web.middleware import OPEN_VIEWS
from tests.configurator.conftest import MD5, service_data

MODULES = ("services", "variables", "seats", "operators", "reasons", "managers")
ONLY_ADMINISTRATORS = [
    ("get", "/managers/"),
    ("get", "/services/add/"),
    ("post", "/services/add/"),
    ("post", "/services/1/edit/"),
    ("post", "/services/1/remove/"),
    ("post", "/variables/add/"),
    ("post", "/reasons/add/"),
    ("post", "/managers/add/"),
    ("get", "/managers/1/edit/"),
    ("post", "/managers/1/edit/"),
    ("post", "/publish/ask/1/put-away/"),
    ("post", "/publish/1/roll-back/"),
    ("post", "/publish/1/take/"),
    ("get", "/publish/1/download/"),
    ("get", "/publish/export/"),
]
ONLY_SENIORS = [
    ("get", "/audit/"),
    ("get", "/publish/import/"),
    ("post", "/publish/import/"),
    ("post", "/seats/add/"),
    ("post", "/operators/add/"),
    ("post", "/seats/1/edit/"),
    ("post", "/operators/1/remove/"),
    ("post", "/operators/many/remove/"),
    ("get", "/operators/1/history/"),
    ("post", "/publish/now/"),
    ("post", "/publish/ask/"),
    ("post", "/publish/ask/take-back/"),
]


def every_address() -> list[str]:
    found = []
    for pattern in get_resolver().url_patterns:
        assert isinstance(pattern, URLPattern)
        if pattern.name in OPEN_VIEWS:
            continue
        path = str(pattern.pattern)
        for part, value in (
            ("<slug:key>", "services"),
            ("<int:pk>", "1"),
            ("<int:number>", "0"),
            ("<slug:action_key>", "remove"),
            ("<slug:kind>", "seats"),
            ("<slug:job_key>", "x"),
        ):
            path = path.replace(part, value)
        found.append(f"/{path}")
    return found


@pytest.mark.parametrize("address", every_address())
@pytest.mark.parametrize("method", ["get", "post"])
def test_nothing_is_reached_without_a_login(address: str, method: str) -> None:
    answer = getattr(Client(), method)(address)
    assert (answer.status_code, answer.url.partition("?")[0]) == (302, "/login/")


@pytest.mark.parametrize("method, address", ONLY_ADMINISTRATORS)
@pytest.mark.parametrize("role", ["viewer", "supervisor"])
def test_only_administrators_reach(log_in, role: str, method: str, address: str) -> None:
    assert getattr(log_in(role), method)(address).status_code == 403


@pytest.mark.parametrize("method, address", ONLY_SENIORS)
def test_viewers_do_not_reach(log_in, method: str, address: str) -> None:
    assert getattr(log_in("viewer"), method)(address).status_code == 403


def test_supervisors_change_operators_and_seats(log_in) -> None:
    client = log_in("supervisor")
    client.post("/seats/add/", {"mac": "00-11-22-33-44-55", "extension": "PJSIP/201"})
    client.post(
        "/operators/add/", {"username": "anna", "full_name": "Anna", "new_password": "x1", "enabled": "on"}
    )
    assert Operator.objects.get().username == "anna"


def test_a_supervisor_imports_no_whole_configuration(log_in) -> None:
    assert log_in("supervisor").post("/publish/import/", {"what": "configuration"}).status_code == 403


def test_viewers_see_forms_without_a_way_to_save(log_in, demo) -> None:
    page = log_in("viewer").get(f"/services/{demo['service'].pk}/edit/").content.decode()
    assert '<fieldset class="plain" disabled>' in page
    assert "Save</button>" not in page


@pytest.mark.parametrize("address", ["/login/", "/services/", "/publish/", "/nothing-here/"])
def test_every_page_forbids_other_hosts_and_inline_scripts(admin: Client, address: str) -> None:
    answer = admin.get(address)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    page = answer.content.decode()
    assert not re.search(r'(?:src|href|action)="(?:https?:)?//', page)
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=", page)


@pytest.mark.parametrize("role", ["supervisor", "viewer"])
def test_whoever_only_reads_reaches_every_part_of_a_service(log_in, demo, role: str) -> None:
    page = html.fromstring(log_in(role).get(f"/services/{demo['service'].pk}/edit/").content)
    assert page.xpath("count(//*[@role='tab'])") == 4
    assert page.xpath("//fieldset[@disabled]//*[@role='tab']") == []
    assert page.xpath("//*[@hx-post and contains(@hx-post, 'preview')]") == []  # of a form that sends nothing


def test_pages_are_not_framed_and_not_kept(admin: Client) -> None:
    answer = admin.get("/services/")
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Cache-Control"] == "no-store"


def test_an_unknown_host_name_is_refused() -> None:
    answer = Client(headers={"Host": "evil.example"}).get("/login/")
    assert answer.status_code == 400
    assert "--host NAME" in answer.content.decode() and "evil" not in answer.content.decode()


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "0002-11-23", "2026-02-30", "x"])
@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_no_date_breaks_the_audit_log(admin: Client, day: str, zone: str) -> None:
    with timezone.override(zone):
        assert admin.get("/audit/", {"since": day, "until": day}).status_code == 200


def test_what_breaks_is_said_on_a_page_that_looks_like_the_others(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.raise_request_exception = False
    monkeypatch.setattr(audit, "Paginator", lambda *_: 1 / 0)
    answer = admin.get("/audit/")
    assert answer.status_code == 500
    assert "app.css" in answer.content.decode() and answer["Content-Security-Policy"]


SMUGGLED = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def test_no_text_field_becomes_a_part_of_the_page(admin: Client, demo, publish_directory) -> None:
    Service.objects.filter(pk=demo["service"].pk).update(name=SMUGGLED, context=SMUGGLED, queue_name=SMUGGLED)
    demo["variable"].name = SMUGGLED
    demo["variable"].save()
    demo["service"].triggers.update(url=SMUGGLED, application=SMUGGLED, parameters=SMUGGLED)
    demo["seat"].description = demo["seat"].extension = demo["seat"].queue_interface = SMUGGLED
    demo["seat"].save()
    Operator.objects.update(username=SMUGGLED, full_name=SMUGGLED)
    ManagerUser.objects.filter(userid="viewer").update(full_name=SMUGGLED)
    Publication.objects.create(
        file=SMUGGLED, form="xml", userid=SMUGGLED, comment=SMUGGLED, content="<configuration/>"
    )
    admin.post("/reasons/add/", {"name": SMUGGLED})
    admin.get("/services/", {"q": SMUGGLED})
    addresses = [f"/{key}/" for key in MODULES] + ["/audit/", "/publish/", f"/services/?q={SMUGGLED}"]
    addresses += [
        f"/{key}/{demo[kind].pk}/{what}/"
        for key, kind in (
            ("services", "service"),
            ("seats", "seat"),
            ("operators", "operator"),
            ("variables", "variable"),
        )
        for what in ("edit", "remove")
    ]
    for address in addresses:
        page = admin.get(address).content.decode()
        assert "<script>alert" not in page, address
        assert "<img src=x" not in page, address


def test_the_preview_shows_markup_as_text(admin: Client) -> None:
    page = admin.post(
        "/services/preview/0/", {"triggers-0-type": "application", "triggers-0-application": SMUGGLED}
    )
    assert "<script>" not in page.content.decode()


def test_stored_passwords_are_never_shown(admin: Client, demo) -> None:
    for address in ("/operators/", f"/operators/{demo['operator'].pk}/edit/", "/publish/", "/managers/"):
        assert MD5[4:] not in admin.get(address).content.decode()


def test_a_service_is_stored_only_through_a_post(admin: Client) -> None:
    admin.get("/services/add/", service_data())
    assert not Service.objects.exists()
