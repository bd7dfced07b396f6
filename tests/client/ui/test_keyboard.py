"""Everything in every window can be reached and done without a mouse, and one sees where one is."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

import pytest
from PIL import ImageChops

from astcti_client.ui.state import seat_model
from astcti_client.ui.widgets.elided import Elided
from astcti_client.ui.windows.dialogs import Question
from tests.client.ui.tools.desktop import Desktop
from tests.client.ui.tools.hands import all_of, press, texts
from tests.client.ui.tools.window_test_bed import Desk, event

Make = Callable[..., Desk]
CONTROLS = (ttk.Button, ttk.Entry, ttk.Checkbutton, ttk.Treeview, tk.Text)
PAGE = '<trigger type="browser" os="any"><url>https://crm.example/12345</url></trigger>'
MOST_STEPS = 80


def controls(top: tk.Misc) -> set[tk.Misc]:
    """What somebody can use there now."""
    found: set[tk.Misc] = {one for one in all_of(top, CONTROLS) if not is_disabled(one)}
    return found | {one for one in all_of(top, Elided) if str(one.cget("takefocus")) in ("1", "True")}


def is_disabled(widget: tk.Misc) -> bool:
    try:
        return str(widget.cget("state")) == "disabled"
    except tk.TclError:
        return False  # a table has none


def focused(one: Desk) -> tk.Misc | None:
    return one.root.focus_get()


def activate(one: Desk, desktop: Desktop, top: tk.Misc) -> None:
    """Make it the active window, as its user would."""
    top.focus_force()
    one.pump(lambda: (focus := focused(one)) is not None and focus.winfo_toplevel() is top, "not active")


def walk(one: Desk, desktop: Desktop, top: tk.Misc, key: str = "Tab") -> list[tk.Misc]:
    """Press the key until a control comes again; what had the focus, in order."""
    activate(one, desktop, top)
    seen: list[tk.Misc] = []
    for _step in range(MOST_STEPS):
        before = focused(one)
        desktop.do("key", key)
        one.pump(lambda before=before: focused(one) is not before, f"{key} does not leave {before}")  # type: ignore[misc]
        now = focused(one)
        assert now is not None
        if now in seen:
            return seen
        seen.append(now)
    raise AssertionError("Tab finds no end")


def open_login(one: Desk) -> tk.Misc:
    one.app.sign_in.ask()
    login = one.app.windows.login
    assert login is not None
    login.fail(lambda: "This PC is unknown", macs=["00:11:22:33:44:55"])
    return login


def open_main(one: Desk) -> tk.Misc:
    peer = one.log_in("PJSIP/201 Mario Rossi", "200 astcti", "211 KO vip no such queue")
    data = "calldata=12345|customer=Rossi"
    peer.say(event("Link", "7.1", trigger=PAGE, data=data), event("Callerid", "8.1", number="222"))
    peer.say(event("Callerid", "9.1"), event("Hangup", "9.1", end="missed"))
    one.pump(lambda: len(one.app.model.calls) == 3 and one.app.model.calls["9.1"].phase == "over")
    one.app.windows.main.calls.cards["7.1"].ask_target()
    one.app.windows.notices.close_all()
    return one.root


def open_history(one: Desk) -> tk.Misc:
    one.log_in()
    one.ring("7.1")
    one.peer.say(event("Hangup", "7.1", end="missed"))
    one.pump(lambda: one.history.find())
    one.app.show_history()
    assert one.app.windows.history is not None
    return one.app.windows.history


def open_settings(one: Desk) -> tk.Misc:
    one.log_in()
    one.app.show_settings()
    assert one.app.windows.settings is not None
    return one.app.windows.settings


def open_about(one: Desk) -> tk.Misc:
    one.log_in()
    one.app.show_about()
    return one.app.windows.questions[-1]


def open_question(one: Desk) -> tk.Misc:
    one.log_in()
    return Question(one.root, one.app.windows.look, lambda: "Really?", lambda: "Yes", lambda _yes: None)


def open_password(one: Desk) -> tk.Misc:
    peer = one.log_in()
    peer.say("310 IN Lunch")
    one.pump(lambda: one.app.model.pause.phase == "in")
    one.app.ask_return()
    return one.app.windows.questions[-1]


@pytest.fixture(autouse=True)
def cards_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seat_model, "OVER_TIME", 600.0)


WINDOWS = {
    "login": open_login,
    "main": open_main,
    "history": open_history,
    "settings": open_settings,
    "about": open_about,
    "question": open_question,
    "password": open_password,
}


@pytest.mark.parametrize("name", WINDOWS)
def test_tab_reaches_everything_in_both_directions(desk: Make, desktop: Desktop, name: str) -> None:
    one = desk(pause_lock=True, triggers=False, locked=frozenset({"notices"}))
    top = WINDOWS[name](one)
    one.turn(0.3)
    there = walk(one, desktop, top)
    back = walk(one, desktop, top, "shift+Tab")
    wanted = controls(top)
    assert wanted
    assert set(there) == wanted, f"not reached: {wanted - set(there)}; no control: {set(there) - wanted}"
    assert set(back) == wanted, f"not reached: {wanted - set(back)}; no control: {set(back) - wanted}"


@pytest.mark.parametrize(
    ("name", "theme"),
    [
        ("main", "light"),
        ("main", "dark"),
        ("settings", "light"),
        ("settings", "dark"),
        ("login", "light"),
        ("history", "dark"),
    ],
)
def test_one_sees_what_has_the_focus(desk: Make, desktop: Desktop, name: str, theme: str) -> None:
    one = desk(pause_lock=True, triggers=False, theme=theme)
    top = WINDOWS[name](one)
    one.turn(0.3)
    places = walk(one, desktop, top)
    kinds = {(place.winfo_class(), style_of(place)): place for place in places if place is not top}
    for widget in kinds.values():
        widget.focus_set()
        one.turn(0.05)
        x, y = widget.winfo_rootx() - top.winfo_rootx(), widget.winfo_rooty() - top.winfo_rooty()
        box = (x - 8, y - 8, x + widget.winfo_width() + 8, y + widget.winfo_height() + 8)
        with_focus = one.picture(top).convert("RGB").crop(box)
        others = [place for place in places if place is not widget]
        top.focus_set() if name == "settings" else others[0].focus_set()
        one.turn(0.05)
        without = one.picture(top).convert("RGB").crop(box)
        changed = (
            ImageChops.difference(with_focus, without).convert("L").point(lambda value: 255 * (value > 40))
        )
        assert sum(changed.histogram()[255:]) >= 20, f"{widget} looks the same with the focus"


def style_of(widget: tk.Misc) -> str:
    return str(widget.cget("style")) if isinstance(widget, ttk.Widget) else ""


def test_a_call_is_handled_with_keys_alone(desk: Make, desktop: Desktop) -> None:
    one = desk(triggers=False)
    open_main(one)
    card = one.app.windows.main.calls.cards["7.1"]
    card._stop_asking()
    activate(one, desktop, one.root)
    card._transfer_button.focus_set()
    one.turn()
    desktop.do("key", "Return")
    one.pump(lambda: card._asking is not None)
    desktop.do("key", "Escape")
    one.pump(lambda: card._asking is None, "Escape does not end the transfer")
    assert one.root.winfo_viewable(), "Escape hid the window"
    one.pump(lambda: focused(one) is card._transfer_button, "the focus is lost")
    desktop.do("key", "space")
    one.pump(lambda: card._asking is not None)
    desktop.do("type", "20 2")
    desktop.do("key", "Return")
    assert one_hears(one) == "TRANSFER 7.1 202 astctidemo"
    (value, *_others) = [label for label in all_of(card, Elided) if label.words == "12345"]
    value.focus_set()
    one.turn()
    desktop.do("key", "ctrl+c")
    one.pump(lambda: clipboard(one) == "12345")


def one_hears(one: Desk) -> str:
    one.pump(lambda: one.app.windows.main.calls.cards["7.1"]._asking is None)
    return one.peer.hear()


def clipboard(one: Desk) -> str:
    try:
        return str(one.root.clipboard_get())
    except tk.TclError:
        return ""


def test_return_on_a_button_presses_it_and_does_nothing_else(desk: Make, desktop: Desktop) -> None:
    one = desk(password=None)
    login = open_login(one)
    activate(one, desktop, login)
    (copy,) = [each for each in all_of(login, ttk.Button) if "Copy" in str(each.cget("text"))]
    copy.focus_set()
    one.turn()
    desktop.do("key", "Return")
    one.pump(lambda: clipboard(one) == "00:11:22:33:44:55")
    one.turn()
    assert "This PC is unknown" in texts(login), "Return on the button logged in, too"


def test_the_shortcuts_work_and_the_notices_are_closed_by_one(desk: Make, desktop: Desktop) -> None:
    one = desk(notice_time=0)
    one.log_in()
    one.ring("7.1")
    windows = one.app.windows
    one.pump(lambda: windows.notices.shown)
    activate(one, desktop, one.root)
    desktop.do("key", "ctrl+w")
    one.pump(lambda: not windows.notices.shown, "Ctrl+W does not close the notices")
    desktop.do("key", "ctrl+l")
    one.pump(lambda: focused(one) is windows.main.dial_bar.number)
    for keys, opened in (("ctrl+h", lambda: windows.history), ("ctrl+comma", lambda: windows.settings)):
        activate(one, desktop, one.root)
        desktop.do("key", keys)
        one.pump(opened, f"{keys} opens nothing")
        window = opened()
        assert window is not None
        activate(one, desktop, window)
        desktop.do("key", "Escape")
        one.pump(lambda window=window: not window.winfo_exists(), "Escape does not close it")  # type: ignore[misc]
    activate(one, desktop, one.root)
    desktop.do("key", "F10")
    one.turn(0.3)
    desktop.do("key", "a")  # About, by its letter
    one.pump(lambda: windows.questions, "the menu does not listen to letters")


def test_a_button_in_the_banner_lasts_until_it_is_pressed(desk: Make) -> None:
    one = desk()
    peer = one.log_in()
    peer.say("910 BYE TAKEOVER mario logged in at 10.0.0.7")
    one.pump(lambda: "Log in again" in texts(one.app.windows.main))
    (again,) = [
        each for each in all_of(one.app.windows.main, ttk.Button) if "Log in again" in str(each.cget("text"))
    ]
    one.app._show()
    assert again.winfo_exists()
    press(one.app.windows.main, "Log in again")
    assert one.app.windows.login is not None
