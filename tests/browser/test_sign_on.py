"""Logging in with an account of a provider, in a real browser with a real provider."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import end_session, shot
from tests.configurator.openid.conftest import (
    LOCAL_PASSWORD,
    LOCAL_USER,
    RunningProvider,
    running_configurator,
    started,
    write_settings,
)
from tests.configurator.openid.toolkit_provider import PASSWORD
from tests.fake.patience import PATIENCE

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Of the Configurator, and of the provider whose accounts log in there."""
    data = tmp_path_factory.mktemp("openid") / "data"
    with started("tests.configurator.openid.toolkit_provider") as program:
        provider = RunningProvider(program)
        write_settings(data, provider.issuer)
        with running_configurator(data) as configurator:
            provider.register(f"{configurator.address}/sign-on/callback/")
            yield configurator.address, provider.address


@pytest.fixture
def context(browser: Browser, addresses: tuple[str, str]) -> Iterator[BrowserContext]:
    """A browser that knows nobody. What its pages complain about fails the test."""
    context = browser.new_context(
        base_url=addresses[0], viewport={"width": 1280, "height": 820}, locale="en-GB"
    )
    context.set_default_timeout(PATIENCE * 1000)
    wrong: list[str] = []
    context.on(
        "console",
        # An ended session and a refused login are no mistakes of a page.
        lambda said: wrong.append(said.text) if said.type == "error" and " 40" not in said.text else None,
    )
    context.on("weberror", lambda error: wrong.append(str(error.error)))
    context.on("request", lambda asked: None if asked.url.startswith(addresses) else wrong.append(asked.url))
    yield context
    context.close()
    assert wrong == []


def sign_on(page: Page, user: str) -> None:
    """From the login page through the provider's form."""
    page.get_by_role("link", name="Log in with Office account").click()
    page.fill("#username", user)
    page.fill("#password", PASSWORD)
    page.get_by_role("button", name="Go on").click()


def refused_seat(page: Page, number: int) -> None:
    """A new seat that is saved when the session has ended."""
    page.goto("/seats/")
    sign_on(page, "rene")
    page.click("[data-action=add]")
    page.fill("#id_mac", f"02:00:00:00:07:{number:02}")
    page.fill("#id_extension", f"PJSIP/70{number}")
    end_session(page)
    page.get_by_role("button", name="Save").click()


def test_one_logs_in_and_out_with_an_account_of_the_provider(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/seats/")
    shot(page, "login-with-provider", "light")
    sign_on(page, "ada")
    page.wait_for_url("**/seats/")
    expect(page.locator(".account-name")).to_contain_text("Ada Admin")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="You are logged out")).to_be_visible()
    shot(page, "logged-out", "light")
    page.get_by_role("link", name="Log out of Office account, too").click()
    page.locator("input[name=allow]").click()
    page.wait_for_url("**/login/")
    page.goto("/seats/")
    page.get_by_role("link", name="Log in with Office account").click()
    expect(page.locator("#username")).to_be_visible()


def test_who_has_no_role_sees_what_to_do(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/")
    sign_on(page, "nora")
    expect(page.get_by_role("heading", name="You have no role here")).to_be_visible()
    expect(page.locator("main")).to_contain_text("cti-admins")
    shot(page, "no-role", "light")
    page.get_by_role("link", name="Log in with a password").click()
    page.fill("#id_username", LOCAL_USER)
    page.fill("#id_password", LOCAL_PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/overview/")


def test_what_was_typed_stays_while_one_logs_in_again_at_the_provider(context: BrowserContext) -> None:
    page = context.new_page()
    refused_seat(page, 1)
    login = page.locator("#login")
    expect(login).to_contain_text("Your session has ended")
    link = login.get_by_role("link", name="Log in with Office account")
    expect(link).to_be_focused()
    expect(login.locator("[name=password]")).to_have_count(0)
    shot(page, "renew-with-provider", "light")
    link.click()
    expect(login).to_be_hidden()  # the other window goes through by itself, and tells this one
    expect(page.locator("#rows")).to_contain_text("PJSIP/701")
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_the_page_goes_on_too_where_the_other_window_could_not_tell_it(context: BrowserContext) -> None:
    page = context.new_page()
    refused_seat(page, 2)
    expect(page.locator("#login [data-sign-on]")).to_be_focused()
    other = context.new_page()
    other.goto("/sign-on/")
    other.wait_for_url("**/overview/")
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(page.locator("#login")).to_be_hidden()
    expect(page.locator("#rows")).to_contain_text("PJSIP/702")
