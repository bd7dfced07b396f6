"""What somebody sees who works with the Configurator, in a real browser against the real server."""

from __future__ import annotations

import re
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from astcti_server.demo.ami.manager import AmiUser
from astcti_server.demo.pbx import DemoPbx
from tests.browser.conftest import (
    PASSWORD,
    USER,
    Programs,
    end_session,
    log_in,
    open_dialog,
    shot,
    violations,
)
from tests.fake.patience import PATIENCE

pytestmark = pytest.mark.browser
TRIGGER = "https://crm.example/new?id={CALLDATA}&from={CALLERID}"


def answer(page: Page, what: str) -> None:
    """Press a button of the question that is asked; the one that agrees has the focus."""
    question = page.locator("#question")
    expect(question).to_be_visible()
    expect(question.locator("button[value=yes]")).to_be_focused()
    question.get_by_role("button", name=what, exact=True).click()
    expect(question).to_be_hidden()


def test_a_service_made_in_the_browser_pops_up_with_the_next_call(page: Page, programs: Programs) -> None:
    page.goto("/services/")
    page.fill("#id_username", USER)
    page.fill("#id_password", "wrong")
    page.click("button.primary")
    expect(page.get_by_role("alert")).to_contain_text("User id or password are wrong")
    page.fill("#id_password", PASSWORD)
    page.click("button.primary")
    page.wait_for_url("**/services/")

    page.click("[data-action=add]")
    open_dialog(page)
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#id_name_error")).to_be_visible()
    expect(page.locator("#id_name")).to_be_focused()
    page.fill("#id_name", "Demo")
    page.fill("#id_context", "astctidemo")
    page.check("#id_is_queue")
    page.fill("#id_queue_name", "astcti")
    page.click("#tab-variables")
    page.click("#panel-variables [data-add-row]")
    page.fill("#id_variables-0-name", "calldata")
    page.click("#tab-triggers")
    page.click("#panel-triggers [data-add-row]")
    page.fill("#id_triggers-0-url", "https://crm.example/new?id=")
    page.click("#panel-triggers .chip.own")
    page.locator("#id_triggers-0-url").press_sequentially("&from=")
    page.click("#panel-triggers [data-insert='{CALLERID}']")
    expect(page.locator("#id_triggers-0-url")).to_have_value(TRIGGER)
    expect(page.locator(".preview-url")).to_have_text("https://crm.example/new?id=12345&from=3331234567")
    expect(page.locator("#id_triggers-0-again")).to_be_hidden()
    page.select_option("#id_triggers-0-moment", "ring")
    expect(page.locator("#id_triggers-0-again")).to_be_visible()
    page.select_option("#id_triggers-0-moment", "answer")
    expect(page.locator("#id_triggers-0-again")).to_be_hidden()
    page.click("#tab-operators")
    page.fill("#panel-operators input[type=search]", "rossi")
    page.click("#panel-operators [data-pick=mario]")
    page.fill("[name='operator:mario']", "1")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("dialog[open]")).to_have_count(0)
    row = page.locator("tbody tr", has_text="astctidemo")
    expect(row).to_be_focused()
    expect(page.locator(".badge")).to_contain_text("1")

    row.dblclick()
    open_dialog(page)
    expect(page.locator("#id_name")).to_have_value("Demo")
    page.fill("#id_context", "two words")
    page.keyboard.press("Enter")
    expect(page.locator("#id_context_error")).to_contain_text("Contains a blank")
    page.keyboard.press("Escape")
    answer(page, "Discard")
    expect(page.locator("dialog[open]")).to_have_count(0)

    page.click("nav >> text=Publish")
    expect(page.locator(".diff")).to_contain_text("service Demo added")
    page.fill("#comment", "From the test")
    page.locator(".publish-form button").click()
    expect(page.locator("#server-status")).to_contain_text("The server uses the last publication")
    expect(page.locator("[data-in-force]:visible")).to_have_count(1)
    expect(page.locator("tbody tr").first).to_contain_text("in force")
    popped_up = re.compile(r"https://crm\.example/new\?id=\d+&(amp;)?from=")
    while not popped_up.search(programs.lines.get(timeout=2 * PATIENCE)):
        pass  # a call that came before the publication has no value of the new variable

    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login/")
    page.goto("/services/")
    page.wait_for_url("**/login/**")


def test_the_list_is_worked_with_the_keyboard_alone(page: Page) -> None:
    log_in(page)
    page.goto("/reasons/")
    for name in ("Keyboard one", "Keyboard two"):
        page.keyboard.press("Insert")
        open_dialog(page)
        page.keyboard.type(name)
        page.keyboard.press("Enter")
        expect(page.locator("tr:focus")).to_have_text(name)
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("keyboard")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.wait_for_url("**q=keyboard**")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator("tr[aria-selected=true]")).to_have_text("Keyboard two")
    page.keyboard.press("Enter")
    open_dialog(page)
    page.keyboard.press("Escape")
    expect(page.locator("tr[aria-selected=true]")).to_be_focused()
    for left in (1, 0):
        page.keyboard.press("Delete")
        open_dialog(page)
        page.locator("#dialog").get_by_role("button", name="Remove", exact=True).click()
        expect(page.locator("tbody tr")).to_have_count(left)
        if left:
            expect(page.locator("tbody tr")).to_be_focused()
    expect(page.locator(".empty")).to_be_visible()


def test_a_form_works_from_the_moment_it_is_seen(page: Page) -> None:
    log_in(page)
    page.goto("/reasons/")
    page.wait_for_load_state("networkidle")
    page.evaluate(
        """() => {
          window.stillHere = true;
          document.addEventListener("htmx:afterSwap", (event) => {
            const name = document.querySelector("#dialog #id_name");
            if (event.detail.target.id === "dialog-body" && name) queueMicrotask(() => {
              name.value = "In a hurry";
              name.form.requestSubmit();
            });
          });
        }"""
    )
    page.keyboard.press("Insert")
    expect(page.locator("tr:focus")).to_have_text("In a hurry")
    assert page.evaluate("window.stillHere"), "the form was sent as a page of its own"
    page.keyboard.press("Delete")
    page.locator("#dialog").get_by_role("button", name="Remove", exact=True).click()
    expect(page.locator("tr", has_text="In a hurry")).to_have_count(0)


def test_a_double_click_on_a_name_opens_its_form_once(page: Page) -> None:
    log_in(page)
    page.goto("/operators/", wait_until="networkidle")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    name = page.locator("tbody [data-open]").first
    name.evaluate("name => { name.click(); name.click(); }")
    open_dialog(page)
    expect(page.locator(".htmx-request")).to_have_count(0)
    assert [path.rpartition("/edit")[2] for path in asked].count("/") == 1
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    # The form comes between the two clicks, and the second one is beside it.
    page.mouse.move(5, 5)
    page.mouse.down(click_count=1)
    page.mouse.up(click_count=1)
    name.evaluate("name => name.click()")
    open_dialog(page)
    page.mouse.down(click_count=2)
    page.mouse.up(click_count=2)
    expect(page.locator("dialog[open]")).to_have_count(1)
    page.mouse.down(click_count=1)
    page.mouse.up(click_count=1)
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_nothing_is_shown_before_it_can_ask(page: Page) -> None:
    log_in(page)
    held: list[Route] = []
    page.route(re.compile(r"/app\.js"), lambda route: held.append(route))
    page.goto("/publish/", wait_until="commit")
    page.wait_for_function("document.querySelector('main h1, main h2')", polling=50)
    first = page.evaluate(
        """() => Promise.race([
          new Promise((shown) => requestAnimationFrame(() => shown("the page"))),
          fetch("/publish/").then(() => "an answer"),
        ])"""
    )
    assert first == "an answer"
    for route in held:
        route.continue_()
    page.unroute_all()
    page.click("nav >> text=Services")
    page.click("[data-action=add]")
    open_dialog(page)


def test_going_back_from_a_search_leaves_a_page_that_works(page: Page) -> None:
    log_in(page)
    page.goto("/seats/")
    page.fill("#search", "nothing has this")
    page.wait_for_url("**q=nothing**")
    expect(page.locator(".empty")).to_be_visible()
    page.go_back()
    expect(page.locator("#search")).to_have_value("")
    page.locator("tbody tr").first.dblclick()
    open_dialog(page)


def test_a_form_that_is_sent_twice_in_a_hurry_is_sent_once(page: Page) -> None:
    log_in(page)
    page.goto("/publish/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.route("**/publish/now/", lambda route: route.fulfill(status=204))
    with page.expect_request("**/publish/now/"):
        page.evaluate(
            """() => {
              document.querySelectorAll(".publish-form [required]").forEach((tick) => tick.click());
              const button = document.querySelector(".publish-form button");
              button.click();
              button.click();
            }"""
        )
    # Each click that counts asks first whether the session is still there.
    sent = [urlsplit(address).path for address in asked]
    assert [path for path in sent if path in ("/session/", "/publish/now/")] == ["/session/", "/publish/now/"]


def test_the_arrows_enter_the_list_without_a_click(page: Page) -> None:
    log_in(page)
    page.goto("/seats/")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("ArrowDown")
    expect(page.locator("tbody tr").first).to_be_focused()
    expect(page.locator("tr[aria-selected=true]")).to_have_count(1)


def test_a_queue_is_typed_only_where_calls_wait_in_one(page: Page) -> None:
    log_in(page)
    page.goto("/services/")
    page.click("[data-action=add]")
    open_dialog(page)
    expect(page.locator("#id_queue_name")).to_be_disabled()
    page.check("#id_is_queue")
    page.fill("#id_queue_name", "sales")
    page.select_option("#id_type", "outbound")
    expect(page.locator("#id_is_queue")).to_be_disabled()
    expect(page.locator("#id_queue_name")).to_be_disabled()
    page.select_option("#id_type", "inbound")
    expect(page.locator("#id_queue_name")).to_have_value("sales")
    page.focus("#tab-general")
    page.keyboard.press("End")
    expect(page.locator("#tab-operators")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#panel-general")).to_be_visible()


def test_rolling_back_and_taking_over_ask_first(page: Page) -> None:
    log_in(page)
    page.goto("/publish/")
    page.get_by_role("link", name="Take over").first.click()
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("button", name="Roll back").first.click()
    answer(page, "Roll back")
    expect(page.locator(".note")).to_contain_text("Published as astcti-")


def test_what_was_typed_is_not_thrown_away_unasked(page: Page) -> None:
    log_in(page)
    page.goto("/operators/")
    page.dblclick("tbody tr")
    open_dialog(page)
    page.fill("#id_full_name", "Somebody else")
    page.keyboard.press("Escape")
    answer(page, "Cancel")
    expect(page.locator("#id_full_name")).to_have_value("Somebody else")
    page.click("dialog [data-close] >> nth=0")
    answer(page, "Discard")
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_text_that_looks_like_markup_stays_text(page: Page) -> None:
    log_in(page)
    page.goto("/reasons/")
    evil = "<img src=x onerror=alert(1)>"
    page.click("[data-action=add]")
    open_dialog(page)
    page.fill("#id_name", evil)
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text(evil)
    page.locator("tbody tr", has_text=evil).click()
    page.click("[data-action=remove]")
    expect(page.locator("#dialog-title")).to_contain_text(evil)
    page.locator("#dialog").get_by_role("button", name="Remove", exact=True).click()
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_a_name_that_turns_the_direction_of_text_turns_no_other_words(page: Page) -> None:
    log_in(page)
    page.goto("/reasons/add/")
    page.fill("#id_name", "\u202ehcnul")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/reasons/")
    page.goto("/publish/")
    turned = page.locator(".diff summary", has_text="hcnul")
    expect(turned).to_contain_text("added")
    first, last = turned.evaluate("""summary => {
        const words = summary.lastChild, at = words.data.indexOf("added"), range = document.createRange();
        return [at, at + 4].map(letter => {
            range.setStart(words, letter);
            range.setEnd(words, letter + 1);
            return range.getBoundingClientRect().x;
        });
    }""")
    assert first < last
    page.goto("/reasons/")
    page.locator("tbody tr", has_text="hcnul").click()
    page.click("[data-action=remove]")
    page.locator("#dialog").get_by_role("button", name="Remove", exact=True).click()
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_what_was_typed_survives_the_end_of_the_session_a_conflict_and_leaving(page: Page) -> None:
    log_in(page)
    page.goto("/operators/")
    page.click("[data-action=add]")
    open_dialog(page)
    page.fill("#id_full_name", "Anna Neri")
    page.fill("#id_username", "mario")  # there is one already
    page.fill("#id_new_password", "a-long-secret")
    end_session(page)
    page.locator("#dialog").get_by_role("button", name="Save").click()
    login = page.locator("#login")
    expect(login).to_contain_text("Your session has ended")
    login.locator("[name=password]").fill("wrong")
    login.get_by_role("button", name="Log in").click()
    expect(login).to_contain_text("wrong")
    login.locator("[name=password]").fill(PASSWORD)
    login.get_by_role("button", name="Log in").click()
    expect(login).to_be_hidden()
    expect(page.locator("#dialog .has-error")).to_have_count(1)
    expect(page.locator("#id_new_password")).to_have_value("a-long-secret")
    with page.expect_event("dialog") as asked:
        page.evaluate("setTimeout(() => window.location.assign('/seats/'))")
    assert asked.value.type == "beforeunload"
    asked.value.dismiss()
    page.fill("#id_username", "anna.neri")
    page.locator("#dialog").get_by_role("button", name="Save").click()
    expect(page.locator(".toast")).to_contain_text("anna.neri was added")
    page.goto("/account/", wait_until="networkidle")
    page.fill("#id_full_name", "Ada Adams")
    end_session(page)
    page.get_by_role("button", name="Save").click()
    login.locator("[name=password]").fill(PASSWORD)
    login.get_by_role("button", name="Log in").click()
    expect(page.locator(".account-name")).to_contain_text("Ada Adams")


def test_what_many_are_chosen_for_goes_on_after_the_session_is_renewed(page: Page) -> None:
    log_in(page)
    page.goto("/operators/", wait_until="networkidle")
    page.locator("tbody [data-choose]").first.click()
    end_session(page)
    page.locator("#chosen").get_by_role("button", name="Disable").click()
    login = page.locator("#login")
    login.locator("[name=password]").fill(PASSWORD)
    login.get_by_role("button", name="Log in").click()
    expect(login).to_be_hidden()
    open_dialog(page)
    expect(page.locator("#dialog").get_by_role("button", name="Disable")).to_be_visible()


def test_nothing_takes_the_place_of_what_was_typed_unasked(page: Page) -> None:
    log_in(page)
    page.goto("/operators/")
    page.dblclick("tbody tr")
    open_dialog(page)
    history = page.locator("#dialog").get_by_role("link", name="History")
    page.fill("#id_full_name", "Somebody else")
    history.click()
    answer(page, "Cancel")
    expect(page.locator("#id_full_name")).to_have_value("Somebody else")
    history.click()
    answer(page, "Discard")
    expect(page.locator("#dialog h2")).to_contain_text("History")
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)

    page.dblclick("tbody tr")
    open_dialog(page)
    expect(page.locator(".htmx-request")).to_have_count(0)
    held: list[Route] = []
    page.route("**/history/", lambda route: held.append(route))
    with page.expect_request("**/history/"):
        history.click()
    page.fill("#id_full_name", "Typed meanwhile")
    with page.expect_response("**/history/"):
        held[0].continue_()
    expect(page.locator(".htmx-request")).to_have_count(0)
    expect(page.locator("#id_full_name")).to_have_value("Typed meanwhile")


def test_a_form_that_is_a_page_of_its_own_keeps_what_was_typed(page: Page) -> None:
    log_in(page)
    page.goto("/operators/add/", wait_until="networkidle")
    page.fill("#id_full_name", "Paola Conti")
    page.fill("#id_username", "two words")
    page.fill("#id_new_password", "a-long-secret")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#id_username_error")).to_be_visible()
    expect(page.locator("#id_username")).to_be_focused()
    expect(page.locator("#id_new_password")).to_have_value("a-long-secret")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.get_by_role("button", name="Log out").click()
    answer(page, "Cancel")
    page.fill("#id_username", "paola")
    page.locator("main [data-pick]").first.click()
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/operators/")
    row = page.locator("tbody tr", has_text="paola")
    row.click()
    page.click("[data-action=remove]")
    open_dialog(page)
    page.locator("#dialog").get_by_role("button", name="Remove", exact=True).click()
    expect(row).to_have_count(0)


def test_a_list_that_was_pasted_is_added_or_told_of(page: Page) -> None:
    log_in(page)
    page.goto("/operators/add/", wait_until="networkidle")
    page.fill("#id_full_name", "Paola Conti")
    page.fill("#id_username", "paola")
    page.fill("#id_new_password", "a-long-secret")
    page.get_by_text("Paste a list").click()
    pasted = page.locator("textarea[name=pasted]")
    pasted.fill("Outside line\nNo such service")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".picker > .error")).to_contain_text("The pasted list was not added")
    expect(pasted).to_be_focused()
    page.get_by_role("button", name="Add these").click()
    expect(page.locator("[data-picked-list] > li")).to_have_count(1)
    expect(page.locator(".picker > .error")).to_have_count(0)
    expect(pasted).to_have_value("No such service")
    expect(page.locator(".pasted")).to_contain_text("No such service")


def ask_of_the_first(page: Page, action: str) -> None:
    """Choose the first operator of the list, and an action on all that are chosen."""
    log_in(page)
    page.goto("/operators/", wait_until="networkidle")
    page.locator("tbody [data-choose]").first.click()
    page.locator("#chosen").get_by_role("button", name=action).click()
    open_dialog(page)


def test_a_service_for_many_is_found_while_one_types(page: Page) -> None:
    ask_of_the_first(page, "Assign to a service")
    typed = page.locator("#id_service")
    found = page.locator("#services-found option")
    typed.press_sequentially("outside")
    expect(found).to_have_count(1)
    suggested = found.get_attribute("value")
    assert suggested == "Outside line (outbound)"
    typed.fill("nothing of the kind")
    page.locator("#dialog").get_by_role("button", name="Assign to a service").click()
    expect(page.locator("#id_service_error")).to_contain_text("There is no service nothing of the kind.")
    typed.fill(suggested)
    page.locator("#dialog").get_by_role("button", name="Assign to a service").click()
    expect(page.locator(".toast")).to_contain_text("of 1 changed.")


def test_what_was_changed_of_many_is_undone_on_the_spot(page: Page) -> None:
    ask_of_the_first(page, "Disable")
    page.locator("#dialog").get_by_role("button", name="Disable").click()
    page.locator(".toast").get_by_role("link", name="Undo").click()
    expect(page.locator(".counts")).to_contain_text("Operators")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("main .note")).to_contain_text("The entries are what they were before")


def test_a_file_is_looked_at_and_then_imported(page: Page) -> None:
    log_in(page)
    page.goto("/publish/import/", wait_until="networkidle")
    before = page.locator("#badge").text_content() or ""
    page.select_option("#what", "seats")
    rows = b"mac,extension,description\n02:00:00:00:02:02,PJSIP/202,Second row\nbad,PJSIP/203,Bad\n"
    page.set_input_files("#file", {"name": "seats.csv", "mimeType": "text/csv", "buffer": rows})
    page.get_by_role("button", name="Look what it would do").click()
    expect(page.locator("#result")).to_contain_text("A MAC address is six pairs")
    page.set_input_files(
        "#file", {"name": "seats.csv", "mimeType": "text/csv", "buffer": rows[: rows.index(b"bad")]}
    )
    page.get_by_role("button", name="Look what it would do").click()
    expect(page.locator("#result")).to_contain_text("1 new, 0 changed, 0 as they are. Nothing was stored.")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    page.locator("#result").get_by_role("button", name="Import", exact=True).dblclick()
    expect(page.locator("#result")).to_contain_text("Imported: 1 new")
    expect(page.locator("#result").get_by_role("link", name="Undo")).to_be_visible()
    expect(page.locator("#badge")).not_to_have_text(before)
    assert sent.count("POST") == 1
    page.select_option("#what", "merge")
    xml = b"<configuration><pause-reasons><reason name='Coffee'/></pause-reasons></configuration>"
    page.set_input_files("#file", {"name": "more.xml", "mimeType": "text/xml", "buffer": xml})
    page.get_by_role("button", name="Look what it would do").click()
    expect(page.locator("#result .counts")).to_contain_text("Pause reasons")
    page.locator("#result").get_by_role("button", name="Import", exact=True).click()
    expect(page.locator("#result")).to_contain_text("Imported. This changed:")
    page.locator("#result").get_by_role("link", name="Undo").click()
    expect(page.locator(".counts")).to_contain_text("Pause reasons")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("main .note")).to_contain_text("The entries are what they were before")


def test_the_way_in_is_accessible(page: Page, theme: str, axe: str) -> None:
    for name in ("login", "password-lost"):
        page.goto(f"/{name}/")
        shot(page, name, theme)
        assert violations(page, axe) == []


@pytest.mark.parametrize(
    "name", ["overview", "audit", "publish", "publish/import", "account", "account/password"]
)
def test_a_page_is_accessible(page: Page, theme: str, axe: str, name: str) -> None:
    log_in(page)
    page.goto(f"/{name}/")
    page.wait_for_load_state("networkidle")
    shot(page, name.replace("/", "-"), theme)
    assert violations(page, axe) == []


@pytest.mark.parametrize("name", ["services", "variables", "seats", "operators", "reasons", "managers"])
def test_the_list_and_the_dialogs_of_a_section_are_accessible(
    page: Page, theme: str, axe: str, name: str
) -> None:
    log_in(page)
    page.goto(f"/{name}/")
    page.wait_for_load_state("networkidle")
    shot(page, name, theme)
    found = {name: violations(page, axe)}
    for action in ("add", "edit", "remove"):
        if action != "add":
            page.locator("tbody tr").first.click()
        page.click(f"[data-action={action}]")
        open_dialog(page)
        if action == "add":
            page.locator("#dialog .dialog-foot .primary").click()
            expect(page.locator(".note.error").first).to_be_visible()
        tabs = page.locator("[role=tab]")
        for at in range(max(1, tabs.count())):
            if tabs.count():
                tabs.nth(at).click()
            page.wait_for_load_state("networkidle")
            shot(page, f"{name}-{action}-{at}", theme)
            found[f"{name} {action} {at}"] = violations(page, axe)
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)
    assert {where: said for where, said in found.items() if said} == {}


def test_a_tablet_shows_every_section_without_scrolling_sideways(page: Page) -> None:
    page.set_viewport_size({"width": 768, "height": 1024})
    log_in(page)
    for name in ("services", "operators", "audit", "publish"):
        page.goto(f"/{name}/")
        page.wait_for_load_state("networkidle")
        shot(page, f"tablet-{name}", "light")
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, name


def test_a_phone_shows_where_one_is_without_scrolling_the_page_sideways(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    log_in(page)
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    for name in ("operators", "managers", "publish"):
        page.goto(f"/{name}/")
        assert page.evaluate(wide) <= 0, name
    page.goto("/services/")
    page.click("[data-action=add]")
    open_dialog(page)
    page.fill("#id_name", "Phone")
    page.fill("#id_context", "phone")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.locator(".badge")).to_be_visible()
    page.goto("/audit/")
    expect(page.locator(".badge")).to_be_visible()
    assert page.evaluate(wide) <= 0
    expect(page.locator(".bar nav [aria-current]")).to_be_in_viewport(ratio=1)
    page.goto("/services/")
    page.locator("tbody tr", has_text="phone").click()
    page.click("[data-action=remove]")
    open_dialog(page)
    page.locator("#dialog").get_by_role("button", name="Remove", exact=True).click()
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_what_the_manager_user_lacks_is_shown_with_what_to_do(browser: Browser, tmp_path: Path) -> None:
    user = AmiUser(write=frozenset({"call", "reporting", "agent"}))
    with DemoPbx(users=[user]) as pbx:
        programs = Programs(tmp_path, pbx.address[1])
        try:
            programs.start()
            page = browser.new_context(base_url=programs.address, locale="en-GB").new_page()
            log_in(page)
            page.click("nav >> text=Publish")
            shown = page.locator("#server-status .lacking")
            deadline = time.monotonic() + PATIENCE
            while not shown.is_visible() and time.monotonic() < deadline:
                page.reload()  # the server writes its status every few seconds
            expect(shown).to_contain_text("Asterisk allows the server too little")
            expect(shown.locator("li")).to_have_text([re.compile("may not ask for Originate: add originate")])
            expect(shown).to_contain_text("manager reload")
            shot(page, "missing-rights", "light")
            page.context.close()
        finally:
            programs.stop()


def test_the_appearance_and_the_language_are_kept(page: Page) -> None:
    log_in(page)
    with page.expect_response("**/account/appearance/"):
        page.get_by_role("button", name="Light or dark").click()
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.goto("/account/")
    page.select_option("#id_language", "it")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("Il mio profilo")
    shot(page, "italian-account", "dark")
    page.goto("/publish/")
    shot(page, "italian-publish", "dark")
    page.goto("/account/")
    page.select_option("#id_language", "")
    page.select_option("#id_theme", "")
    page.get_by_role("button", name="Salva").click()
    expect(page.locator("h1")).to_have_text("My account")


def test_what_takes_away_much_is_asked_about_before_it_is_published(page: Page) -> None:
    log_in(page)
    page.goto("/seats/")
    page.locator("tbody tr", has_text="PJSIP/201").click()
    page.click("[data-action=remove]")
    open_dialog(page)
    page.locator("#dialog").get_by_role("button", name="Remove", exact=True).click()
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.goto("/publish/")
    note = page.locator(".publish-form .note")
    expect(note).to_contain_text("This takes away 1 of 1 seats of")
    publications = page.locator("table tbody tr")
    before = publications.count()
    page.locator(".publish-form button").click()  # the browser wants the answer first
    assert page.evaluate("document.querySelector('[name=takes-away]').validity.valueMissing")
    note.get_by_label("Yes, this is meant").check()
    shot(page, "takes-away", "light")
    page.locator(".publish-form button").click()
    expect(page.locator("#server-status")).to_contain_text("The server uses the last publication")
    expect(publications).to_have_count(before + 1)

    publications.nth(1).get_by_role("button", name="Roll back").click()
    with page.expect_navigation():
        answer(page, "Roll back")
    meant = page.get_by_role("button", name="Yes, this is meant")
    expect(publications.first.or_(meant)).to_be_visible()
    if meant.is_visible():  # tests before this one left a seat that the older publication does not have
        meant.click()
    expect(publications).to_have_count(before + 2)
    expect(page.locator("#server-status")).to_contain_text("The server uses the last publication")
    page.locator("table tbody tr").nth(1).get_by_role("button", name="Roll back").click()
    answer(page, "Roll back")
    expect(page.locator(".publish-form .note")).to_contain_text("This takes away 1 of 1 seats of")
    page.get_by_role("link", name="Cancel").click()
    publications.first.get_by_role("link", name="Take over").click()
    page.get_by_role("button", name="Take over").click()
    expect(page.locator(".badge")).to_be_hidden()
