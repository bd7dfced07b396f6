"""While somebody types in another program nothing of the client takes the keyboard away."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Iterator

import pytest

from tests.client.ui.tools.desktop import Desktop
from tests.client.ui.tools.elsewhere import Elsewhere
from tests.client.ui.tools.widgets import press, texts
from tests.client.ui.tools.window_test_bed import WindowTestBed, event
from tests.fake.cti_server import CtiServer

Make = Callable[..., WindowTestBed]


@pytest.fixture
def elsewhere(desktop: Desktop) -> Iterator[Elsewhere]:
    window = Elsewhere(desktop)
    yield window
    window.close()


def hide(bed: WindowTestBed, how: str) -> None:
    """Into the tray, into the panel, or not at all."""
    if how == "tray":
        bed.root.withdraw()
    elif how == "panel":
        bed.root.iconify()
    bed.pump(lambda: bool(bed.root.winfo_viewable()) is (how == "behind"))


def wants_attention(desktop: Desktop, title: str) -> bool:
    found = desktop.do("search", "--onlyvisible", "--name", title).split()
    return any("DEMANDS_ATTENTION" in desktop.run("xprop", "-id", one, "_NET_WM_STATE") for one in found)


@pytest.mark.parametrize("how", ["behind", "tray", "panel"])
def test_a_take_over_is_shown_and_the_typing_goes_on(
    open_client: Make, desktop: Desktop, elsewhere: Elsewhere, how: str
) -> None:
    bed = open_client()
    peer = bed.log_in()
    hide(bed, how)
    elsewhere.take()
    elsewhere.type("before")
    peer.say("910 BYE TAKEOVER mario logged in at 10.0.0.7")

    def shown() -> bool:
        return bool(bed.root.winfo_viewable()) and "Somebody logged in" in texts(bed.app.windows.main)

    elsewhere.type_through(shown, bed.root.update)
    bed.pump(lambda: wants_attention(desktop, "^AsteriskCTI$"), "it does not flash")
    desktop.do("mousemove", str(bed.root.winfo_rootx() + 60), str(bed.root.winfo_rooty() + 20), "click", "1")
    bed.pump(lambda: not elsewhere.has_keyboard(), "a click does not give it the keyboard")
    bed.pump(lambda: not wants_attention(desktop, "^AsteriskCTI$"), "it goes on flashing")


def test_a_password_that_is_refused_later_asks_for_another_and_the_typing_goes_on(
    open_client: Make, desktop: Desktop, elsewhere: Elsewhere, server: CtiServer
) -> None:
    bed = open_client()
    peer = bed.log_in()
    bed.root.withdraw()
    elsewhere.take()
    peer.close()
    again = []
    elsewhere.type_through(lambda: again or again.append(server.accept()), bed.root.update)
    again[0].say("100 WELCOME")
    for reply in ("110 CAPA MAC", "100 OK", "101 KO unknown user or wrong password"):
        bed.pump(again[0].would_hear)
        again[0].hear()
        again[0].say(reply)

    def asks() -> bool:
        login = bed.app.windows.login
        return login is not None and bool(login.winfo_viewable())

    elsewhere.type_through(asks, bed.root.update)
    login = bed.login()
    desktop.do("mousemove", str(login.winfo_rootx() + 8), str(login.winfo_rooty() + 8), "click", "1")
    bed.pump(lambda: not elsewhere.has_keyboard(), "a click does not give it the keyboard")


def test_a_ring_its_answer_and_an_error_leave_the_typing_alone(
    open_client: Make, elsewhere: Elsewhere
) -> None:
    bed = open_client()
    peer = bed.log_in()
    elsewhere.take()
    peer.say(event("Newchannel", "7.1", state="Down"), event("Callerid", "7.1"))
    elsewhere.type_through(lambda: "7.1" in bed.app.windows.notices.shown, bed.root.update)
    missing = '<trigger type="application" os="any"><application>no-such-crm</application></trigger>'
    peer.say(event("Link", "7.1", trigger=missing))
    elsewhere.type_through(lambda: "no such program" in texts(bed.app.windows.main), bed.root.update)
    peer.say(event("Hangup", "7.1", end="answered"), "901 PBX DOWN", "310 IN Lunch")
    elsewhere.type_through(lambda: bed.app.model.pause.phase == "in", bed.root.update)


def test_who_logs_in_and_goes_on_typing_elsewhere_is_not_interrupted(
    open_client: Make, elsewhere: Elsewhere, server: CtiServer
) -> None:
    bed = open_client(password=None)
    bed.app.start()
    login = bed.login()
    bed.pump(login.winfo_viewable)
    login.password.set("test")
    press(login, "Log in")
    peer = server.accept()
    elsewhere.take()
    bed.pump(elsewhere.has_keyboard)
    peer.log_in(who="PJSIP/201 Mario Rossi")
    elsewhere.type_through(bed.root.winfo_viewable, bed.root.update)


def test_who_logs_in_and_waits_has_the_keyboard_in_the_main_window(
    open_client: Make, server: CtiServer
) -> None:
    bed = open_client(password=None)
    bed.app.start()
    login = bed.login()
    bed.pump(login.winfo_viewable)
    login.password_field.focus_force()
    bed.wait_for_keyboard(login.password_field)
    login.password.set("test")
    press(login, "Log in")
    server.accept().log_in(who="PJSIP/201 Mario Rossi")
    bed.pump(bed.root.winfo_viewable)

    def focused() -> tk.Misc | None:
        return bed.root.focus_get()

    bed.pump(lambda: focused() is not None, "the main window has no keyboard")
