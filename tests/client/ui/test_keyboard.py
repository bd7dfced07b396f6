"""Everything in every window can be reached and done without a mouse, and one sees where one is."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

import pytest
from PIL import ImageChops

from astcti_client.net.messages import ConnectionState
from astcti_client.ui.state.calls import seat_calls
from astcti_client.ui.state.prompts import LoginFailed
from astcti_client.ui.widgets.elided_label import ElidedLabel
from astcti_client.ui.windows.dialogs import QuestionDialog
from tests.client.ui.tools.desktop import Desktop
from tests.client.ui.tools.widgets import all_of, button, press, texts
from tests.client.ui.tools.window_test_bed import WindowTestBed, event

Make = Callable[..., WindowTestBed]
CONTROLS = (ttk.Button, ttk.Entry, ttk.Checkbutton, ttk.Treeview, tk.Text)
PAGE = '<trigger type="browser" os="any"><url>https://crm.example/12345</url></trigger>'
MOST_STEPS = 80


def controls(top: tk.Misc) -> set[tk.Misc]:
    """What somebody can use there now."""
    found: set[tk.Misc] = {part for part in all_of(top, CONTROLS) if not is_disabled(part)}
    return found | {
        label for label in all_of(top, ElidedLabel) if str(label.cget("takefocus")) in ("1", "True")
    }


def is_disabled(widget: tk.Misc) -> bool:
    try:
        return str(widget.cget("state")) == "disabled"
    except tk.TclError:
        return False  # a table has none


def focused(bed: WindowTestBed) -> tk.Misc | None:
    return bed.root.focus_get()


def activate(bed: WindowTestBed, desktop: Desktop, top: tk.Misc) -> None:
    """Make it the active window, as its user would."""
    top.focus_force()
    bed.pump(lambda: (focus := focused(bed)) is not None and focus.winfo_toplevel() is top, "not active")


def walk(bed: WindowTestBed, desktop: Desktop, top: tk.Misc, key: str = "Tab") -> list[tk.Misc]:
    """Press the key until a control comes again; what had the focus, in order."""
    activate(bed, desktop, top)
    seen: list[tk.Misc] = []
    for _step in range(MOST_STEPS):
        before = focused(bed)
        desktop.do("key", key)
        bed.pump(lambda before=before: focused(bed) is not before, f"{key} does not leave {before}")  # type: ignore[misc]
        now = focused(bed)
        assert now is not None
        if now in seen:
            return seen
        seen.append(now)
    raise AssertionError("Tab finds no end")


def open_login(bed: WindowTestBed) -> tk.Misc:
    bed.app.sign_in.ask()
    login = bed.login()
    login.show_failure(LoginFailed(lambda: "This PC is unknown", macs=("00:11:22:33:44:55",)))
    return login


def open_main(bed: WindowTestBed) -> tk.Misc:
    peer = bed.log_in("PJSIP/201 Mario Rossi", "200 astcti", "211 KO vip no such queue")
    data = "calldata=12345|customer=Rossi"
    peer.say(event("Link", "7.1", trigger=PAGE, data=data), event("Callerid", "8.1", number="222"))
    peer.say(event("Callerid", "9.1"), event("Hangup", "9.1", end="missed"))
    bed.pump(lambda: len(bed.app.model.calls) == 3 and bed.app.model.calls["9.1"].phase == "over")
    cards = bed.app.windows.main.calls.cards
    bed.pump(lambda: len(cards) == 3)
    cards["7.1"].ask_target()
    bed.app.windows.notices.close_all()
    return bed.root


def open_history(bed: WindowTestBed) -> tk.Misc:
    bed.log_in()
    bed.ring("7.1")
    bed.peer.say(event("Hangup", "7.1", end="missed"))
    bed.pump(lambda: bed.history.find())
    return bed.open_history()


def open_colleagues(bed: WindowTestBed) -> tk.Misc:
    peer = bed.log_in(colleagues=True)
    bed.app.windows.show_colleagues()
    peer.expect("COLLEAGUES")
    peer.say("242 anna PJSIP/202 ready Anna Verdi", "242 END", event("Link", "7.1"))
    window = bed.app.windows.colleagues
    assert window is not None
    bed.pump(window.table.get_children)
    window.table.selection_set("anna")
    bed.pump(lambda: window.transfer.instate(["!disabled"]))
    return window


def open_busy(bed: WindowTestBed) -> tk.Misc:
    """A colleague is asked, another call rings, and the queues are open."""
    peer = bed.log_in(
        "PJSIP/201 Mario Rossi",
        "200 sales",
        "211 KO vip no such queue",
        queues=("may-leave sales Sales", "may-leave vip VIP"),
        targets=["phones phones"],
        phone=["224 PHONE CONSULT ANSWER"],
    )
    peer.say(event("Link", "7.1"), "225 CONSULT 7.1 talking 203 phones")
    bed.ring("8.1")
    main = bed.app.windows.main
    main.queues.toggle()
    bed.pump(lambda: "7.1" in bed.app.model.consults.by_call and "8.1" in main.calls.cards)
    bed.app.windows.notices.close_all()
    return bed.root


def open_low(bed: WindowTestBed) -> tk.Misc:
    """The same in the mini view."""
    open_busy(bed)
    bed.app.windows.toggle_mini_view()
    bed.app.windows.notices.close_all()
    return bed.root


def open_lost(bed: WindowTestBed) -> tk.Misc:
    bed.log_in("PJSIP/201 Mario Rossi", "200 astcti")
    bed.tell(ConnectionState("waiting", "the server closed the connection", retry_in=9.0))
    bed.pump(lambda: not bed.app.model.up)
    return bed.root


def open_settings(bed: WindowTestBed) -> tk.Misc:
    bed.log_in()
    return bed.open_settings()


def open_about(bed: WindowTestBed) -> tk.Misc:
    bed.log_in()
    bed.app.windows.show_about()
    return bed.app.windows.dialogs[-1]


def open_question(bed: WindowTestBed) -> tk.Misc:
    bed.log_in()
    return QuestionDialog(bed.root, bed.app.windows.look, lambda: "Really?", lambda: "Yes", lambda _yes: None)


def open_password(bed: WindowTestBed) -> tk.Misc:
    peer = bed.log_in()
    peer.say("310 IN Lunch")
    bed.pump(lambda: bed.app.model.pause.phase == "in")
    bed.app.commands.ask_return()
    return bed.app.windows.dialogs[-1]


@pytest.fixture(autouse=True)
def cards_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seat_calls, "OVER_TIME", 600.0)


WINDOWS = {
    "login": open_login,
    "main": open_main,
    "busy": open_busy,
    "mini": open_low,
    "lost": open_lost,
    "history": open_history,
    "colleagues": open_colleagues,
    "settings": open_settings,
    "about": open_about,
    "question": open_question,
    "password": open_password,
}


@pytest.mark.parametrize("name", WINDOWS)
def test_tab_reaches_everything_in_both_directions(open_client: Make, desktop: Desktop, name: str) -> None:
    bed = open_client(pause_lock=True, triggers=False, locked=frozenset({"notices"}))
    top = WINDOWS[name](bed)
    bed.turn(0.3)
    there = walk(bed, desktop, top)
    back = walk(bed, desktop, top, "shift+Tab")
    wanted = controls(top)
    assert wanted
    assert set(there) == wanted, f"not reached: {wanted - set(there)}; no control: {set(there) - wanted}"
    assert set(back) == wanted, f"not reached: {wanted - set(back)}; no control: {set(back) - wanted}"


@pytest.mark.parametrize(
    ("name", "theme"),
    [
        ("main", "light"),
        ("main", "dark"),
        ("busy", "light"),
        ("mini", "dark"),
        ("lost", "light"),
        ("settings", "light"),
        ("settings", "dark"),
        ("login", "light"),
        ("history", "dark"),
    ],
)
def test_one_sees_what_has_the_focus(open_client: Make, desktop: Desktop, name: str, theme: str) -> None:
    bed = open_client(pause_lock=True, triggers=False, theme=theme)
    top = WINDOWS[name](bed)
    bed.turn(0.3)
    places = walk(bed, desktop, top)
    kinds = {(place.winfo_class(), style_of(place)): place for place in places if place is not top}
    for widget in kinds.values():
        widget.focus_set()
        bed.turn(0.05)
        x, y = widget.winfo_rootx() - top.winfo_rootx(), widget.winfo_rooty() - top.winfo_rooty()
        box = (x - 8, y - 8, x + widget.winfo_width() + 8, y + widget.winfo_height() + 8)
        with_focus = bed.picture(top).convert("RGB").crop(box)
        others = [place for place in places if place is not widget]
        top.focus_set() if name == "settings" else others[0].focus_set()
        bed.turn(0.05)
        without = bed.picture(top).convert("RGB").crop(box)
        changed = (
            ImageChops.difference(with_focus, without).convert("L").point(lambda value: 255 * (value > 40))
        )
        assert sum(changed.histogram()[255:]) >= 20, f"{widget} looks the same with the focus"


@pytest.mark.parametrize("name", ["login", "main", "history", "colleagues", "settings", "password"])
def test_in_every_field_all_is_selected_and_what_is_pasted_takes_its_place(
    open_client: Make, desktop: Desktop, name: str
) -> None:
    bed = open_client(pause_lock=True, triggers=False)
    top = WINDOWS[name](bed)
    activate(bed, desktop, top)
    fields: list[ttk.Entry | tk.Text] = [*all_of(top, ttk.Entry), *all_of(top, tk.Text)]
    fields = [field for field in fields if str(field.cget("state")) == "normal" and field.winfo_viewable()]
    assert fields
    bed.app.windows.copy("+39 055 765")
    for field in fields:
        field.insert("end", "0123 456")
        field.focus_set()
        bed.wait_for_keyboard(field)
        desktop.do("key", "ctrl+a", "ctrl+v")
        bed.pump(lambda: content_of(field) == "+39 055 765", f"{field}: {content_of(field)!r}")  # noqa: B023


def content_of(field: ttk.Entry | tk.Text) -> str:
    return field.get("1.0", "end-1c") if isinstance(field, tk.Text) else field.get()


def style_of(widget: tk.Misc) -> str:
    return str(widget.cget("style")) if isinstance(widget, ttk.Widget) else ""


def test_a_call_is_handled_with_keys_alone(open_client: Make, desktop: Desktop) -> None:
    bed = open_client(triggers=False)
    open_main(bed)
    card = bed.app.windows.main.calls.cards["7.1"]
    press(card, "Transfer")  # a second time: it goes away
    activate(bed, desktop, bed.root)
    transfer = button(card, "Transfer")
    transfer.focus_set()
    bed.turn()
    desktop.do("key", "Return")
    bed.pump(lambda: card.transfer is not None)
    desktop.do("key", "Escape")
    bed.pump(lambda: card.transfer is None, "Escape does not end the transfer")
    assert bed.root.winfo_viewable(), "Escape hid the window"
    bed.pump(lambda: focused(bed) is transfer, "the focus is lost")
    desktop.do("key", "space")
    bed.pump(lambda: card.transfer is not None)
    desktop.do("type", "20 2")
    desktop.do("key", "Return")
    assert next_command(bed) == "TRANSFER 7.1 202 astctidemo"
    (value, *_others) = [label for label in all_of(card, ElidedLabel) if label.words == "12345"]
    value.focus_set()
    bed.turn()
    desktop.do("key", "ctrl+c")
    bed.pump(lambda: clipboard(bed) == "12345")


def next_command(bed: WindowTestBed) -> str:
    bed.pump(lambda: bed.app.windows.main.calls.cards["7.1"].transfer is None)
    return bed.peer.hear()


def clipboard(bed: WindowTestBed) -> str:
    try:
        return str(bed.root.clipboard_get())
    except tk.TclError:
        return ""


def test_return_on_a_button_presses_it_and_does_nothing_else(open_client: Make, desktop: Desktop) -> None:
    bed = open_client(password=None)
    login = open_login(bed)
    activate(bed, desktop, login)
    (copy,) = [each for each in all_of(login, ttk.Button) if "Copy" in str(each.cget("text"))]
    copy.focus_set()
    bed.turn()
    desktop.do("key", "Return")
    bed.pump(lambda: clipboard(bed) == "00:11:22:33:44:55")
    bed.turn()
    assert "This PC is unknown" in texts(login), "Return on the button logged in, too"


def test_the_shortcuts_work_and_the_notices_are_closed_by_one(open_client: Make, desktop: Desktop) -> None:
    bed = open_client(notice_time=0)
    bed.log_in()
    bed.ring("7.1")
    windows = bed.app.windows
    bed.pump(lambda: windows.notices.shown)
    activate(bed, desktop, bed.root)
    desktop.do("key", "ctrl+w")
    bed.pump(lambda: not windows.notices.shown, "Ctrl+W does not close the notices")
    desktop.do("key", "ctrl+l")
    bed.pump(lambda: focused(bed) is windows.main.dial_bar.number)
    for keys, opened in (("ctrl+h", lambda: windows.history), ("ctrl+comma", lambda: windows.settings)):
        activate(bed, desktop, bed.root)
        desktop.do("key", keys)
        bed.pump(opened, f"{keys} opens nothing")
        window = opened()
        assert window is not None
        activate(bed, desktop, window)
        desktop.do("key", "Escape")
        bed.pump(lambda window=window: not window.winfo_exists(), "Escape does not close it")  # type: ignore[misc]
    activate(bed, desktop, bed.root)
    desktop.do("key", "F10")
    bed.turn(0.3)
    desktop.do("key", "a")  # About, by its letter
    bed.pump(lambda: windows.dialogs, "the menu does not listen to letters")


def test_a_button_in_the_banner_lasts_until_it_is_pressed(open_client: Make) -> None:
    bed = open_client()
    peer = bed.log_in()
    peer.say("910 BYE TAKEOVER mario logged in at 10.0.0.7")
    bed.pump(lambda: "Log in again" in texts(bed.app.windows.main))
    (again,) = [
        each for each in all_of(bed.app.windows.main, ttk.Button) if "Log in again" in str(each.cget("text"))
    ]
    bed.app.windows.show_model()
    assert again.winfo_exists()
    press(bed.app.windows.main, "Log in again")
    assert bed.app.windows.login is not None
