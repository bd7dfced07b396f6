"""Setting up codes of an app where a role needs them, and logging in with one, in a real browser."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from django_otp.oath import totp
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import (
    PASSWORD,
    USER,
    Programs,
    end_session,
    log_in,
    open_dialog,
    shot,
    started_on_nothing,
    violations,
    watched_page,
)

pytestmark = pytest.mark.browser


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Programs]:
    """A Configurator whose administrators need a second factor."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "configurator.ini").write_text("[login]\nsecond-factor = administrators\n")
    with started_on_nothing(tmp_path) as programs:
        yield programs


def code_of(secret: str, steps: int = 0) -> str:
    """What the app shows, or shows some steps of half a minute later: no code is taken twice."""
    return f"{totp(base64.b32decode(secret), drift=steps):06d}"


def log_in_with(page: Page, code: str) -> None:
    page.goto("/login/")
    page.fill("#id_username", USER)
    page.fill("#id_password", PASSWORD)
    page.fill("#id_code", code)
    page.click("button.primary")


def test_who_needs_an_app_sets_it_up_in_peace_and_logs_in_with_its_codes(
    browser: Browser, strict: Programs, axe: str, theme: str
) -> None:
    with watched_page(browser, strict, color_scheme=theme) as page:
        visited: list[str] = []
        page.on("request", lambda asked: visited.append(asked.url) if asked.is_navigation_request() else None)
        log_in(page, lands_on="**/account/second-factor/")
        page.wait_for_load_state("networkidle")
        page.fill("#code", "123")
        page.wait_for_load_state("networkidle")
        expect(page.locator("#code")).to_have_value("123")
        assert [url.rpartition("/account/")[2] for url in visited].count("second-factor/") == 1
        expect(page.locator("header nav a")).to_have_count(0)
        shot(page, "second-factor", theme)
        assert violations(page, axe) == []
        secret = page.locator(".secret").inner_text().strip()
        used = code_of(secret)
        page.fill("#code", used)
        page.fill("#present_password", PASSWORD)
        page.get_by_role("button", name="Ask for codes from now on").click()
        expect(page.locator("main")).to_contain_text("the code of your app is asked for")
        page.goto("/seats/")
        expect(page.locator("h1")).to_have_text("Seats")

    with watched_page(browser, strict, color_scheme=theme) as page:
        log_in_with(page, used)
        expect(page.get_by_role("alert")).to_have_text(
            "User id, password or code are wrong, or the user is disabled."
        )
        log_in_with(page, code_of(secret, 1))
        page.wait_for_url("**/overview/")
        page.goto("/seats/")
        page.click("[data-action=add]")
        open_dialog(page)
        page.fill("#id_description", "typed already")
        end_session(page)
        page.locator("#dialog").get_by_role("button", name="Save").click()
        expect(page.locator("#login_code")).to_be_visible()
        expect(page.locator("#id_description")).to_have_value("typed already")
