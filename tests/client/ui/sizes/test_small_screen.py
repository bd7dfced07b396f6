"""Every window can be used on a small screen and with large letters: what does not fit scrolls."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from astcti_client.ui import i18n
from astcti_client.ui.windows.dialogs import PasswordDialog, QuestionDialog
from astcti_client.ui.windows.side_window import SideWindow
from tests.client.ui.tools.widgets import assert_usable, button, inside, is_seen
from tests.client.ui.tools.window_test_bed import WindowTestBed, event

Make = Callable[..., WindowTestBed]
small_screens = pytest.mark.parametrize(
    ("desktop", "scale", "language"),
    [("800x480", 1.0, "en"), ("800x480", 2.0, "it"), ("1366x768", 2.0, "it"), ("1366x768", 2.0, "en")],
    indirect=["desktop"],
)


def opened(open_client: Make, scale: float, language: str) -> WindowTestBed:
    i18n.use_language(language)
    return open_client(scale=scale, language=language)


def assert_reachable(bed: WindowTestBed, window: SideWindow) -> None:
    """Nothing sticks out, and what gets the keyboard comes into view."""
    bed.pump(window.winfo_viewable)
    bed.turn()
    assert_usable(window)
    for part in list(inside(window)):
        if part.winfo_class() in ("TButton", "TEntry", "TCombobox", "TCheckbutton") and part.winfo_viewable():
            part.focus_force()
            bed.pump(lambda: is_seen(part), f"{part} stays out of sight")  # noqa: B023


@small_screens
def test_who_logs_in_sees_password_and_button(open_client: Make, scale: float, language: str) -> None:
    bed = opened(open_client, scale, language)
    bed.app.sign_in.ask()
    login = bed.login()
    bed.pump(lambda: is_seen(login.password_field) and is_seen(button(login, i18n._("Log in"))))
    wrong = "User name or password are wrong."
    login.fail(lambda: i18n._(wrong))
    said = next(part for part in inside(login) if getattr(part, "words", "") == i18n._(wrong))
    bed.pump(lambda: is_seen(said))
    login.password_field.event_generate("<Key-a>")
    bed.pump(lambda: is_seen(login.password_field))
    assert_reachable(bed, login)


@small_screens
def test_small_windows_are_no_larger_than_the_screen(open_client: Make, scale: float, language: str) -> None:
    bed = opened(open_client, scale, language)
    bed.log_in()
    windows, look = bed.app.windows, bed.app.windows.look
    windows.show_about()
    about = windows.dialogs[-1]
    assert isinstance(about, SideWindow)
    question = QuestionDialog(
        bed.root,
        look,
        lambda: i18n._("Open this page?"),
        lambda: i18n._("Yes"),
        lambda _yes: None,
        detail="https://crm.example/" + "contract/" * 30,
    )
    password = PasswordDialog(bed.root, look, lambda _text: False, lambda: None)
    for window in (about, question, password):
        assert_reachable(bed, window)
        window.destroy()


@small_screens
def test_lists_and_settings_are_no_larger_than_the_screen(
    open_client: Make, scale: float, language: str
) -> None:
    bed = opened(open_client, scale, language)
    peer = bed.log_in("PJSIP/201 Mario Rossi", "200 astcti", targets=["phones phones"], colleagues=True)
    bed.ring("1.1", name="Siobhán O'Brien", number="+35315550123")
    peer.say(event("Hangup", "1.1", name="Siobhán O'Brien", number="+35315550123", end="missed"))
    bed.pump(lambda: bed.history.find())
    history = bed.open_history()
    bed.pump(lambda: history.table.get_children() and history.table.winfo_viewable())
    bed.turn()
    (row,) = history.table.get_children()
    cells = history.table.item(row, "values")
    shown = dict(zip(history.table.cget("columns"), cells, strict=True))
    visible = history.table.cget("displaycolumns")
    assert {"time", "number"} <= set(visible)
    assert [name for name in visible if shown[name].endswith("…")] == []
    assert_reachable(bed, history)
    assert history.table.bbox(row), "the call is in view"
    history.destroy()
    bed.app.windows.show_colleagues()
    assert bed.hears() == "COLLEAGUES"
    peer.say("242 anna PJSIP/300 ready Anna Bianchi", "242 END")
    colleagues = bed.app.windows.colleagues
    assert colleagues is not None
    bed.pump(lambda: colleagues.table.get_children())
    assert_reachable(bed, colleagues)
    assert colleagues.table.bbox("anna"), "the colleague is in view"
    colleagues.destroy()
    assert_reachable(bed, bed.open_settings())
