"""First steps, what supervisors publish and ask for, and pages without JavaScript, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import (
    PASSWORD,
    Programs,
    log_in,
    open_dialog,
    shot,
    started_on_nothing,
    violations,
    watched_page,
)

pytestmark = pytest.mark.browser
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
AT_200_PERCENT = {"viewport": {"width": 640, "height": 410}, "device_scale_factor": 2}
"""What a window of 1280 pixels is at twice the size."""

SAID = "main > noscript > .note"
"""That JavaScript is off; playwright looks for no text within `noscript`."""


@pytest.fixture
def nothing(tmp_path: Path) -> Iterator[Programs]:
    """A Configurator into which nothing was ever entered."""
    with started_on_nothing(tmp_path) as programs:
        yield programs


def save(page: Page) -> None:
    page.locator("#dialog").get_by_role("button", name="Save").click()
    expect(page.locator("dialog[open]")).to_have_count(0)


def make_user(page: Page, role: str) -> None:
    page.goto("/managers/add/")
    page.fill("#id_userid", role)
    page.fill("#id_full_name", role.title())
    page.fill("#id_new_password", PASSWORD)
    page.select_option("#id_role", role)
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/managers/")


def speak_italian(page: Page) -> None:
    page.goto("/account/")
    page.select_option("#id_language", "it")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("Il mio profilo")


def test_the_first_steps_lead_to_a_published_configuration(
    browser: Browser, nothing: Programs, axe: str, theme: str
) -> None:
    with watched_page(browser, nothing, color_scheme=theme) as page:
        log_in(page, lands_on="**/overview/")
        steps = page.locator(".steps > li")
        expect(steps).to_have_count(4)
        expect(page.locator(".steps > .next")).to_contain_text("Seats")
        page.wait_for_load_state("networkidle")
        shot(page, "first-steps", theme)
        assert violations(page, axe) == []

        page.click("#add-seats")
        open_dialog(page)
        page.fill("#id_mac", "00-11-22-33-44-55")
        page.fill("#id_extension", "PJSIP/201")
        save(page)
        expect(steps.nth(0)).to_have_class("done")
        expect(page.locator(".steps > .next")).to_contain_text("Operators")
        page.click("#add-operators")
        open_dialog(page)
        page.fill("#id_full_name", "Anna Verdi")
        page.fill("#id_username", "anna")
        page.fill("#id_new_password", "a-long-secret")
        save(page)
        expect(steps.nth(1)).to_have_class("done")
        page.click("#add-services")
        open_dialog(page)
        page.fill("#id_name", "Sales")
        page.fill("#id_context", "sales")
        save(page)
        expect(steps.nth(2)).to_have_class("done")
        missing = page.locator(".missing li")
        expect(missing).to_contain_text(
            ["has no trigger", "has no operator", "serves no service", "has no queue", "has no seat"]
        )
        page.wait_for_load_state("networkidle")
        shot(page, "first-steps-missing", theme)
        assert violations(page, axe) == []

        missing.get_by_role("link", name="1 operator serves no service").click()
        page.wait_for_url("**/operators/?filter=enabled&filter=no-service")
        expect(page.locator("tbody tr")).to_have_count(1)
        expect(page.locator(".narrow-to [aria-current]")).to_have_text(["Enabled only", "Without a service"])
        page.get_by_role("link", name="Overview").click()
        page.locator(".steps").get_by_role("link", name="Publish").last.click()
        page.locator("#publish-form button").click()
        expect(page.locator("main .note.success")).to_contain_text("Published as astcti-")
        page.get_by_role("link", name="AsteriskCTI").click()
        page.wait_for_url("**/services/")
        page.get_by_role("link", name="Overview").click()
        expect(page.locator(".steps")).to_have_count(0)


def test_supervisors_publish_their_part_and_ask_for_the_rest(
    browser: Browser, programs: Programs, page: Page, axe: str, theme: str
) -> None:
    log_in(page)
    if theme == "light":
        make_user(page, "supervisor")
        make_user(page, "viewer")
    page.goto("/services/add/")
    page.fill("#id_name", f"Under way {theme}")
    page.fill("#id_context", f"half-{theme}")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/services/")
    with watched_page(browser, programs, color_scheme=theme) as theirs:
        log_in(theirs, "supervisor")
        theirs.goto("/operators/")
        theirs.click("[data-action=add]")
        open_dialog(theirs)
        theirs.fill("#id_full_name", f"Bruno {theme}")
        theirs.fill("#id_username", f"bruno-{theme}")
        theirs.fill("#id_new_password", "a-long-secret")
        theirs.locator("#dialog input[type=search]").fill(f"half-{theme}")
        theirs.locator("#dialog [data-pick]", has_text=f"Under way {theme}").click()
        save(theirs)
        theirs.goto("/publish/")
        changes = theirs.locator("section[aria-labelledby=changes-title]")
        expect(changes.locator("> .diff")).to_contain_text(f"operator bruno-{theme} added")
        expect(changes.locator("> .diff")).not_to_contain_text("Under way")
        expect(changes.locator(".note.warning")).to_contain_text(f"Under way {theme}: 1 operator")
        changes.locator(".left-out > summary").click()
        expect(changes.locator(".left-out")).to_contain_text(f"service Under way {theme} added")
        theirs.wait_for_load_state("networkidle")
        shot(theirs, "supervisor-publish", theme)
        assert violations(theirs, axe) == []
        theirs.locator("#publish-form button").click()
        expect(theirs.locator("main .note.success")).to_contain_text("Published as astcti-")
        expect(theirs.locator("#server-status")).to_contain_text("uses the last publication")
        theirs.fill("#note", "The new line, please")
        theirs.get_by_role("button", name="Ask for a publication").click()
        expect(theirs.locator(".own-ask")).to_contain_text("It waits for an administrator")
        shot(theirs, "supervisor-asked", theme)
        assert violations(theirs, axe) == []

        page.goto("/publish/")
        asks = page.locator(".asks .ask")
        expect(asks).to_have_count(1)
        expect(asks).to_contain_text("The new line, please")
        expect(page.locator(".badge.asked")).to_be_visible()
        asks.locator("summary").click()
        expect(asks).to_contain_text(f"service Under way {theme} added")
        page.wait_for_load_state("networkidle")
        shot(page, "administrator-asked", theme)
        assert violations(page, axe) == []
        if theme == "dark":
            page.fill("[name=why]", "Not before Monday")
            page.get_by_role("button", name="Put away").click()
            expect(page.locator("main .note.success")).to_contain_text("was put away")
            theirs.goto("/publish/")
            expect(theirs.locator(".own-ask")).to_contain_text("Not before Monday")
        else:
            page.get_by_role("button", name="Carry it out").click()
            expect(page.locator("main .note.success")).to_contain_text("Published as astcti-")
            theirs.goto("/publish/")
            expect(theirs.locator(".own-ask")).to_contain_text("carried out by admin")
        expect(page.locator(".asks")).to_have_count(0)
        expect(page.locator(".badge.asked")).to_have_count(0)


def test_a_viewer_publishes_nothing_and_asks_for_nothing(
    browser: Browser, programs: Programs, page: Page
) -> None:
    log_in(page)
    page.goto("/managers/")
    if not page.locator("tbody tr", has_text="viewer").count():
        make_user(page, "viewer")
    with watched_page(browser, programs) as theirs:
        log_in(theirs, "viewer")
        theirs.goto("/publish/")
        expect(theirs.get_by_role("heading", name="Publications")).to_be_visible()
        expect(theirs.locator("#publish-form, .own-ask, .asks")).to_have_count(0)
        refused = theirs.request.post("/publish/ask/", headers={"Referer": programs.address})
        assert refused.status == 403


def test_twice_the_size_and_italian_need_no_scrolling_sideways(
    browser: Browser, programs: Programs, page: Page
) -> None:
    log_in(page)
    speak_italian(page)
    try:
        with watched_page(browser, programs, **AT_200_PERCENT) as large:
            log_in(large)
            for window, said in ((page, "italian"), (large, "italian-200")):
                for name in ("overview", "publish", "services", "operators", "publish/import"):
                    window.goto(f"/{name}/")
                    window.wait_for_load_state("networkidle")
                    shot(window, f"{said}-{name.replace('/', '-')}", "light")
                    assert window.evaluate(WIDE) <= 0, name
    finally:
        page.goto("/account/")
        page.select_option("#id_language", "")
        page.get_by_role("button", name="Salva").click()
        expect(page.locator("h1")).to_have_text("My account")


def test_without_javascript_an_entry_is_added_changed_and_removed(
    browser: Browser, nothing: Programs, axe: str
) -> None:
    with watched_page(browser, nothing, java_script_enabled=False) as page:
        log_in(page, lands_on="**/overview/")
        expect(page.locator(SAID)).to_be_visible()
        shot(page, "no-script-overview", "light")
        page.click("#add-seats")
        page.fill("#id_mac", "no address")
        page.fill("#id_extension", "PJSIP/201")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("#id_mac_error")).to_contain_text("A MAC address is six pairs")
        page.fill("#id_mac", "00-11-22-33-44-55")
        page.get_by_role("button", name="Save").click()
        page.wait_for_url("**/seats/")
        shot(page, "no-script-list", "light")
        page.get_by_role("link", name="PJSIP/201").click()
        page.fill("#id_description", "First row")
        shot(page, "no-script-form", "light")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("tbody tr")).to_contain_text("First row")
        page.fill("#search", "nothing has this")
        page.get_by_role("button", name="Search").click()
        expect(page.locator(".empty")).to_be_visible()
        page.goto("/seats/")
        page.get_by_role("link", name="PJSIP/201").click()
        page.get_by_role("link", name="Remove").click()
        page.get_by_role("button", name="Remove").click()
        expect(page.locator(".empty")).to_be_visible()


def test_without_javascript_nothing_that_is_shown_is_dead(
    browser: Browser, programs: Programs, page: Page
) -> None:
    log_in(page)
    page.goto("/services/")
    service = page.locator("tbody tr").first.get_attribute("data-edit")
    with watched_page(browser, programs, java_script_enabled=False) as plain:
        log_in(plain)
        for address in (
            "/overview/",
            "/services/",
            "/operators/",
            service or "",
            "/operators/add/",
            "/publish/",
            "/publish/import/",
            "/audit/",
            "/account/",
        ):
            plain.goto(address)
            expect(plain.locator(SAID)).to_be_visible()
            expect(plain.locator("button[type=button]:visible")).to_have_count(0)
            for button in plain.locator("button:visible, select:visible, input:visible").all():
                sent = (
                    "field => field.form && field.form.action && (field.name || field.localName == 'button')"
                )
                assert button.evaluate(f"field => Boolean(({sent})(field))"), address
            for link in plain.locator("a:visible").all():
                assert link.get_attribute("href"), address
        plain.goto(service or "")
        for panel in ("general", "variables", "triggers", "operators"):
            expect(plain.locator(f"#panel-{panel}")).to_be_visible()
        expect(plain.locator("#panel-triggers noscript .help")).to_be_visible()
        shot(plain, "no-script-service", "light")
        plain.goto("/publish/")
        shot(plain, "no-script-publish", "light")
        plain.get_by_role("button", name="Log out").click()
        plain.wait_for_url("**/login/")
        expect(plain.locator("#id_username")).to_be_visible()


def test_the_keyboard_still_finds_one_stop_for_each_list(page: Page) -> None:
    log_in(page)
    page.goto("/seats/")
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.querySelectorAll('#rows tbody [tabindex=\"0\"]').length") == 1
    assert page.evaluate(
        "[...document.querySelectorAll('#rows [data-open]')].every((link) => link.tabIndex === -1)"
    )
