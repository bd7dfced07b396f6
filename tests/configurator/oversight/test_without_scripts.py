"""Pages without JavaScript: they say what needs it, what needs it is not shown, and the rest works."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from lxml import html

from configurator.importing import csv_jobs
from configurator.models import Operator, Publication, Seat, Service
from tests.configurator.conftest import first_group, post_import, service_data
from tests.fake.patience import until

STYLE = Path(__file__).resolve().parents[3] / "configurator/static/configurator/no-script.css"
PAGES = (
    "/overview/",
    "/services/",
    "/operators/?filter=enabled",
    "/seats/",
    "/publish/",
    "/publish/import/",
    "/publish/snapshots/",
    "/audit/",
    "/account/",
    "/seats/add/",
    "/services/add/",
)


def without_scripts(client: Client, address: str) -> Any:
    """A page as a browser without scripts reads it: what stands in `noscript` is there."""
    text = client.get(address).content.decode()
    return html.fromstring(re.sub(r"</?noscript>", "", text))


@pytest.mark.parametrize("address", PAGES)
def test_every_page_says_what_needs_javascript(admin: Client, demo: Any, address: str) -> None:
    text = admin.get(address).content.decode()
    assert re.search(r"<noscript><p class=\"note warning\">JavaScript is off", text)
    assert re.search(r"<noscript><link rel=\"stylesheet\" href=\"[^\"]*no-script\.css", text)


def test_what_only_scripts_can_do_is_hidden_by_its_kind() -> None:
    hidden = first_group(r"\n([^{]*)\{ display: none", STYLE.read_text(encoding="utf-8"))
    for selector in ("button[type=button]", ".needs-script", "td.choice", ".tabs"):
        assert selector in hidden


@pytest.mark.parametrize("address", PAGES)
def test_a_button_that_is_shown_sends_a_form(admin: Client, demo: Any, address: str) -> None:
    page = without_scripts(admin, address)
    for button in page.xpath("//main//button[not(@type='button')]"):
        form = button.get("form")
        assert button.xpath("ancestor::form[@method]") or page.xpath(f"//form[@id='{form}']"), button.text
    for link in page.xpath("//main//a"):
        assert link.get("href"), "a link that leads nowhere is dead"
    for field in page.xpath("//main//select | //main//input[not(@type='hidden')]"):
        known = field.xpath(
            "self::*[@name]/ancestor::form | self::*[@data-tick] | ancestor::td | ancestor::th"
            " | ancestor::*[contains(@class, 'needs-script')]"
        )
        assert known, html.tostring(field)


def test_an_entry_is_added_changed_copied_and_removed_through_links(admin: Client) -> None:
    page = without_scripts(admin, "/seats/")
    (add,) = page.xpath("//a[@data-action='add']/@href")
    assert admin.post(add, {"mac": "00-11-22-33-44-55", "extension": "PJSIP/201"}).url == "/seats/"
    (edit,) = without_scripts(admin, "/seats/").xpath("//tr//a[@data-open]/@href")
    form = without_scripts(admin, edit)
    links = form.xpath("//footer//a/@href")
    seat = Seat.objects.get()
    assert links == ["/seats/", f"/seats/add/?like={seat.pk}", f"/seats/{seat.pk}/remove/"]
    question = without_scripts(admin, links[2])
    assert question.xpath("//footer//a/@href") == ["/seats/"]
    assert admin.post(links[2], {"revision": seat.revision}).url == "/seats/"
    assert not Seat.objects.exists()


def test_rows_are_reached_with_the_keyboard_by_their_links(admin: Client, demo: Any) -> None:
    page = without_scripts(admin, "/operators/")
    assert not page.xpath("//tr[@tabindex]") and not page.xpath("//tr//a[@tabindex]")


def test_a_search_keeps_the_filters(admin: Client, demo: Any) -> None:
    page = without_scripts(admin, "/operators/?filter=enabled")
    assert page.xpath("//form[@role='search']//input[@name='filter']/@value") == ["enabled"]
    assert page.xpath("//form[@role='search']//button")


def test_lines_of_a_service_are_removed_by_a_tick(admin: Client, demo: Any) -> None:
    service = demo["service"]
    page = without_scripts(admin, f"/services/{service.pk}/edit/")
    (tick,) = page.xpath(
        "//*[@id='panel-triggers']//div[@class='rows']//label[contains(@class, 'row-delete')]"
    )
    assert "Remove this line" in tick.text_content() and tick.xpath(".//input[@type='checkbox']")
    assert len(page.xpath("//noscript | //*[contains(text(), 'More lines need JavaScript')]")) == 2
    data = service_data(
        name="Demo",
        context="astctidemo",
        queue_name="astcti",
        revision=str(service.revision),
        **{
            "triggers-TOTAL_FORMS": "1",
            "triggers-INITIAL_FORMS": "1",
            "triggers-0-type": "browser",
            "triggers-0-moment": "answer",
            "triggers-0-os": "any",
            "triggers-0-url": "https://crm.example/",
            "triggers-0-DELETE": "on",
            "operator:mario": "7",
        },
    )
    assert admin.post(f"/services/{service.pk}/edit/", data).status_code == 302
    assert not Service.objects.get().triggers.exists()
    assert Service.objects.get().bindings.get().penalty == 7


def test_a_whole_configuration_is_imported_in_two_steps(admin: Client, demo: Any) -> None:
    xml = b"<configuration><pause-reasons><reason name='Coffee'/></pause-reasons></configuration>"

    def send(store: str) -> str:
        file = SimpleUploadedFile("more.xml", xml)
        return admin.post(
            "/publish/import/", {"what": "merge", "store": store, "file": file}
        ).content.decode()

    looked = send("no")
    assert "Choose the same file again" in looked and 'value="merge" selected' in looked
    assert "Imported. This changed" in send(first_group(r'name="store" value="(\w{64})"', looked))


def test_the_progress_of_a_long_import_is_a_page_to_look_at_again(admin: Client) -> None:
    rows = "".join(f"agent{number},Agent,secret-{number}\n" for number in range(8))
    data = f"username,full-name,password\n{rows}".encode()
    answer = post_import(admin, "operators", data, "agreed")
    assert answer.status_code == 302
    job = csv_jobs.JOBS.find(answer.url.rstrip("/").rpartition("/")[2], "administrator")
    assert job is not None
    page = without_scripts(admin, answer.url)
    assert page.xpath("//main//a[@href]") and page.xpath("//nav")
    until(lambda: job.outcome() is not None)
    assert "Imported: 8 new" in admin.get(answer.url).content.decode()
    assert Operator.objects.count() == 8


def test_a_publication_is_made_and_looked_after(
    admin: Client, demo: Any, publish_directory: Path, log_in: Callable[[str], Client]
) -> None:
    page = without_scripts(admin, "/publish/")
    (form,) = page.xpath("//form[@id='publish-form']")
    sent = {field.name: field.value or "" for field in form.xpath(".//input")}
    admin.post(form.action, {**sent, "form": "xml"})
    assert Publication.objects.count() == 1
