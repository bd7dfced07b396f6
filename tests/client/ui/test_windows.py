"""The client's windows on a real desktop: a window manager, a tray, a mouse and a keyboard."""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from tkinter import ttk
from typing import Any

import pytest
from PIL import ImageGrab

from astcti_client.hand_over import NoHandOver, OtherClient
from astcti_client.instance import open_door, reach
from astcti_client.ui import i18n
from astcti_client.ui.desktop.tray import Tray
from astcti_client.ui.state.actions import LoginWish
from astcti_client.ui.state.history import Entry
from astcti_client.ui.theme.icons import TRAY_COLOURS
from tests.client.ui.tools.desktop import Desktop
from tests.client.ui.tools.hands import click, press, texts
from tests.client.ui.tools.window_test_bed import Desk, event
from tests.fake.cti_server import CtiServer
from tests.fake.patience import PATIENCE

Make = Callable[..., Desk]


@contextlib.contextmanager
def program(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`astcti-client` as a process of its own, which never outlives its test."""
    command = [sys.executable, "-m", "astcti_client", *arguments]
    with subprocess.Popen(command, env=os.environ.copy(), stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


# --- logging in ---


def test_the_first_start_asks_for_everything_in_one_window_and_keeps_it(
    desk: Make, desktop: Desktop, server: CtiServer
) -> None:
    one = desk(user="", password=None, host="127.0.0.1", port=5000)
    one.app.start()
    window = one.app.windows.login
    assert window is not None
    one.pump(window.winfo_viewable)
    window.server.set(f"127.0.0.1:{server.port}")
    window.user_field.focus_force()
    one.wait_for_keyboard(window.user_field)
    desktop.do("type", "mario")
    desktop.do("key", "Tab")
    desktop.do("type", "test")
    one.pump(lambda: window.password.get() == "test")
    desktop.do("key", "Return")
    one.pump(lambda: one.app.session.running)
    peer = server.accept()
    assert peer.log_in(who="PJSIP/201 Mario Rossi")
    peer.say("310 OUT", "200 astcti")
    one.pump(lambda: one.root.winfo_viewable() and "astcti" in texts(one.app.windows.main))
    assert "Mario Rossi" in texts(one.app.windows.main)
    assert "PJSIP/201" in texts(one.app.windows.main)
    kept = one.file.read_text()
    assert f"port = {server.port}" in kept
    assert 'user = "mario"' in kept
    assert "test" not in kept


def test_a_wrong_password_is_said_in_plain_words_and_can_be_typed_again(
    desk: Make, server: CtiServer
) -> None:
    one = desk(password=None)
    one.app.start()
    window = one.app.windows.login
    assert window is not None
    window.password.set("wrong")
    press(window, "Log in")
    peer = server.accept()
    peer.say("100 WELCOME")
    peer.hear()
    peer.say("100 OK")
    peer.hear()
    peer.say("101 KO unknown user or wrong password")
    one.pump(lambda: "User name or password are wrong." in texts(window))
    window.password.set("test")
    press(window, "Log in")
    peer = server.accept()
    peer.log_in(who="PJSIP/201 Mario Rossi")
    one.pump(one.root.winfo_viewable)


def test_an_unknown_pc_shows_its_address_to_copy(desk: Make, server: CtiServer) -> None:
    one = desk(password=None)
    one.app.start()
    window = one.app.windows.login
    assert window is not None
    window.password.set("test")
    press(window, "Log in")
    server.accept().log_in(macs_refused=1, who="- Mario Rossi")
    one.pump(lambda: "does not know this PC" in texts(window))
    press(window, "Copy 00:11:22:33:44:55")
    assert one.root.clipboard_get() == "00:11:22:33:44:55"


def test_a_server_that_cannot_be_reached_is_said_to_be_so(desk: Make, server: CtiServer) -> None:
    server.stop_listening()
    one = desk(password=None)
    one.app.start()
    window = one.app.windows.login
    assert window is not None
    window.password.set("test")
    press(window, "Log in")
    one.pump(lambda: "No AsteriskCTI server answers" in texts(window))


# --- calls ---


def test_a_ring_makes_a_notice_that_never_takes_the_keyboard(desk: Make, desktop: Desktop) -> None:
    one = desk()
    one.log_in()
    one.app.show_dial()
    one.wait_for_keyboard(one.app.windows.main.dial_bar.number)
    desktop.do("type", "055")
    one.pump(lambda: one.app.windows.main.dial_bar.number.get() == "055")
    one.ring("7.1")
    notice = one.app.windows.notices.shown["7.1"]
    one.pump(notice.winfo_viewable)
    assert "Anna Bianchi" in texts(notice)
    assert "12345" in texts(notice)
    assert "Demo" in texts(notice)
    desktop.do("type", "123")
    one.pump(lambda: one.app.windows.main.dial_bar.number.get() == "055123", "the notice took the keyboard")
    one.pump(lambda: notice.winfo_rootx() + notice.winfo_width() > notice.winfo_screenwidth() - 40)
    one.pump(lambda: notice.winfo_rooty() + notice.winfo_height() > notice.winfo_screenheight() - 80)


def test_a_question_before_a_page_is_opened_never_takes_the_keyboard(desk: Make, desktop: Desktop) -> None:
    one = desk(confirm_triggers=True)
    peer = one.log_in()
    one.app.show_dial()
    one.wait_for_keyboard(one.app.windows.main.dial_bar.number)
    done = one.folder / "done"
    trigger = (
        f'<trigger type="application" os="any"><application>{sys.executable}</application>'
        f"<argument>-c</argument><argument>open({str(done)!r}, 'a').write('x')</argument></trigger>"
    )
    peer.say(event("Link", "7.1", trigger=trigger))
    one.pump(lambda: one.app.windows.questions and one.app.windows.questions[-1].winfo_viewable())
    question = one.app.windows.questions[-1]
    assert not done.exists()
    desktop.do("type", "123 ")
    one.pump(lambda: one.app.windows.main.dial_bar.number.get() == "123 ", "the question took the keyboard")
    click(desktop, one, question.yes)
    one.pump(done.exists)


def test_many_queues_leave_room_for_what_is_beside_them(desk: Make) -> None:
    one = desk()
    peer = one.log_in("PJSIP/201 Mario Rossi", *(f"200 customer-service-number-{n}-north" for n in range(12)))
    one.pump(lambda: len(one.app.model.queues) == 12)
    place, marks = one.app.windows.main._body, one.app.windows.main._queues
    empty = one.app.windows.main.calls._empty
    one.pump(
        lambda: (
            place.inner.winfo_height() > marks.winfo_height() > 5 * marks.winfo_children()[0].winfo_height()
        )
    )
    one.turn()
    below = marks.winfo_rooty() + marks.winfo_height()
    assert not empty.winfo_ismapped() or empty.winfo_rooty() >= below
    assert {chip.winfo_height() for chip in marks.winfo_children()} == {
        marks.winfo_children()[0].winfo_height()
    }
    one.ring("7.1")
    card = one.app.windows.main.calls.cards["7.1"]
    end = place.winfo_rooty() + place.winfo_height()
    one.pump(lambda: card.winfo_ismapped() and card.winfo_rooty() + card.winfo_height() <= end)
    peer.say(event("Hangup", "7.1", end="missed"))


def test_several_rings_stack_and_each_ends_in_its_own_way(desk: Make) -> None:
    one = desk(notice_time=5.0)
    peer = one.log_in()
    for key, name in (("7.1", "Anna"), ("8.1", "Berta"), ("9.1", "Carla")):
        one.ring(key, name=name)
    shown = one.app.windows.notices.shown

    def stacked() -> bool:
        places = sorted((notice.winfo_rooty(), notice.winfo_height()) for notice in shown.values())
        apart = all(top + height <= below for (top, height), (below, _high) in itertools.pairwise(places))
        return apart and len(places) == 3

    one.pump(stacked, "the notices cover one another")
    peer.say(
        event("Hangup", "7.1", end="answered-elsewhere"),
        event("Hangup", "8.1", end="missed"),
        event("Link", "9.1"),
    )
    one.pump(lambda: "Answered elsewhere" in texts(shown["7.1"]) and "Missed" in texts(shown["8.1"]))
    assert "Answered" in texts(shown["9.1"])
    one.pump(lambda: not shown, "the notices stay")
    one.pump(lambda: "In conversation" in texts(one.app.windows.main))


def test_the_trigger_runs_at_the_moment_of_its_event_and_once(desk: Make) -> None:
    one = desk()
    peer = one.log_in()
    done = one.folder / "done"
    trigger = (
        f'<trigger type="application" os="any"><application>{sys.executable}</application>'
        f"<argument>-c</argument><argument>open({str(done)!r}, 'a').write('x')</argument></trigger>"
    )
    one.ring("7.1")
    assert not done.exists()
    peer.say(event("Link", "7.1", trigger=trigger), event("Link", "7.1", trigger=trigger), "901 PBX DOWN")
    one.pump(lambda: not one.app.model.pbx_up)
    one.pump(lambda: done.exists() and done.read_text())
    one.turn(0.3)
    assert done.read_text() == "x"


def test_hanging_up_and_transferring_name_the_call_of_their_card(desk: Make, desktop: Desktop) -> None:
    one = desk()
    peer = one.log_in()
    for key in ("7.1", "8.1"):
        peer.say(event("Link", key, other=f"o{key}"))
    one.pump(lambda: len(one.app.model.calls) == 2)
    cards = {card.call.key: card for card in one.app.windows.main.calls.cards.values()}
    press(cards["7.1"], "Transfer")
    (field,) = [part for part in cards["7.1"]._asking.winfo_children() if type(part) is ttk.Entry]
    one.wait_for_keyboard(field)
    desktop.do("type", "20-2")
    desktop.do("key", "Return")
    one.pump(lambda: cards["7.1"]._asking is None)
    assert peer.hear() == "TRANSFER 7.1 202 astctidemo"
    peer.say("101 KO not your call")
    one.pump(lambda: "not your call" in texts(one.app.windows.main))
    press(cards["8.1"], "Hang up")
    assert peer.hear() == "HANGUP 8.1"
    peer.say("100 OK", event("Hangup", "8.1", end="answered"))
    one.pump(lambda: one.app.model.calls["8.1"].phase == "over")
    assert [entry.kind for entry in one.history.find()] == ["answered"]


# --- pause ---


def test_a_pause_with_a_reason_is_requested_until_the_server_confirms(desk: Make, desktop: Desktop) -> None:
    one = desk()
    peer = one.log_in()
    click(desktop, one, one.app.windows.main.pause.button)
    one.wait_for_menu()
    desktop.do("key", "Down")
    desktop.do("key", "Return")
    one.pump(lambda: one.app.model.pause.phase == "requested")
    assert peer.hear() == "PAUSE IN Lunch break"
    one.pump(lambda: "Pause requested" in texts(one.app.windows.main))
    peer.say("301 PAUSE PENDING", "300 OK")
    one.pump(lambda: "In pause: Lunch break" in texts(one.app.windows.main))
    press(one.app.windows.main, "Come back")
    assert peer.hear() == "PAUSE OUT"
    peer.say("300 OK")
    one.pump(lambda: "Available" in texts(one.app.windows.main))


def test_a_locked_pause_asks_for_the_password(desk: Make) -> None:
    one = desk(pause_lock=True)
    peer = one.log_in()
    peer.say("310 IN Lunch")
    one.pump(lambda: "In pause: Lunch" in texts(one.app.windows.main))
    press(one.app.windows.main, "Come back")
    question: Any = one.app.windows.questions[-1]
    question.password.insert(0, "wrong")
    press(question, "Come back")
    one.pump(lambda: "This is not your password." in texts(question))
    question.password.insert(0, "test")
    press(question, "Come back")
    assert peer.hear() == "PAUSE OUT"


# --- dialling ---


def test_the_lock_of_a_pause_cannot_be_switched_off_in_the_pause(desk: Make) -> None:
    one = desk(pause_lock=True)
    peer = one.log_in()
    peer.say("310 IN Lunch break")
    one.pump(lambda: one.app.model.pause.phase == "in")
    assert "Come back from the pause first" in one.app.change_settings({"pause-lock": False})
    assert not one.file.exists()
    peer.say("310 OUT")
    one.pump(lambda: one.app.model.pause.phase == "out")
    assert one.app.change_settings({"pause-lock": False}) == ""


def test_pasted_numbers_are_cleaned_and_words_are_refused(desk: Make, desktop: Desktop) -> None:
    one = desk()
    peer = one.log_in()
    bar = one.app.windows.main.dial_bar
    bar.number.set("call me")
    bar._dial()
    one.pump(lambda: "not a telephone number" in texts(bar))
    bar.number.set("(055) 123-45.67")
    bar.number.focus_force()
    one.wait_for_keyboard(bar.number)
    desktop.do("key", "Return")
    one.pump(lambda: bar.number.get() == "")
    assert peer.hear() == "ORIG 0551234567 outbound 1"
    peer.say("101 KO PBX down")
    one.pump(lambda: "The call was not made" in texts(one.app.windows.main))


def test_calling_back_who_hides_the_number_says_why_it_cannot_be(desk: Make) -> None:
    one = desk()
    peer = one.log_in()
    one.ring("7.1", number="anonymous", name="")
    peer.say(event("Hangup", "7.1", number="anonymous", name="", end="missed"))
    one.pump(lambda: one.app.model.calls["7.1"].phase == "over")
    card = one.app.windows.main.calls.cards["7.1"]
    press(card, "Call back")
    one.pump(lambda: "This is not a telephone number." in texts(card))


def test_a_number_that_the_server_refuses_can_be_tried_again(desk: Make) -> None:
    one = desk()
    peer = one.log_in()
    bar = one.app.windows.main.dial_bar
    bar.number.set("055 123")
    press(bar, "Call")
    assert peer.hear() == "ORIG 055123 outbound 1"
    assert bar.number.get() == ""
    peer.say("101 KO PBX down")
    one.pump(lambda: bar.number.get() == "055123")
    bar.number.set("")
    failed = '<originate exten="055123" response="Failure" reason="3"/>'
    peer.say(event("OriginateResponse", "7.1", direction="outbound", trigger=failed))
    one.pump(lambda: "your phone was not picked up" in texts(one.app.windows.main))
    assert bar.number.get() == "055123"


def test_the_dial_box_is_locked_with_the_reason_while_an_inbound_service_is_chosen(desk: Make) -> None:
    one = desk()
    one.log_in()
    bar = one.app.windows.main.dial_bar
    bar._service.current(0)
    bar._service.event_generate("<<ComboboxSelected>>")
    one.pump(lambda: "inbound service" in texts(bar))
    assert str(bar.number.cget("state")) == "disabled"


def test_a_second_client_shows_the_first_and_a_link_is_dialled_by_it(desk: Make) -> None:
    one = desk()
    peer = one.log_in()
    one.root.withdraw()
    with pytest.raises(OtherClient):
        open_door(lambda _number, _answer: None)
    with program() as second:
        one.pump(lambda: second.poll() is not None)
    assert second.returncode == 0
    one.pump(one.root.winfo_viewable)
    with program("dial", "tel:+39-055-1234567") as link:
        one.pump(lambda: one.app.session._dialler._open)
        assert peer.hear() == "ORIG +390551234567 outbound 1"
        peer.say("100 OK")
        one.pump(lambda: link.poll() is not None)
        assert link.stdout
        assert link.stdout.read() == "calling +390551234567\n"


# --- the connection ---


def test_a_lost_connection_comes_back_without_a_second_notice(desk: Make, server: CtiServer) -> None:
    one = desk()
    peer = one.log_in()
    one.ring("7.1")
    peer.close()
    one.pump(lambda: "The server closed the connection." in texts(one.app.windows.main))
    assert one.app.model.tray_state == "offline"
    again = server.accept()
    again.log_in(who="PJSIP/201 Mario Rossi")
    again.say(event("Link", "7.1", repeat=True))
    one.pump(lambda: one.app.model.calls["7.1"].phase == "talking" and one.app.model.up)
    assert len(one.app.windows.notices.shown) <= 1


def test_a_notice_does_not_insist_on_a_ring_that_a_lost_connection_hides(
    desk: Make, server: CtiServer
) -> None:
    one = desk(notice_time=0.1)
    peer = one.log_in()
    one.ring("7.1")
    one.pump(lambda: "7.1" in one.app.windows.notices.shown)
    notice = one.app.windows.notices.shown["7.1"]
    one.pump(lambda: "Incoming call" in texts(notice))
    peer.close()
    one.pump(lambda: "Not confirmed" in texts(notice))
    one.pump(lambda: not one.app.windows.notices.shown, "the notice stays for as long as the server is away")


def test_a_call_that_was_there_before_the_services_can_be_transferred(desk: Make) -> None:
    one = desk()
    peer = one.log_in()

    def offered(count: int) -> bool:
        return len(one.app.model.services) == count

    for services in ((), ("220 inbound astctidemo Demo",)):
        peer.say("221 SERVICES")
        assert peer.hear() == "SERVICES"
        peer.say(*services, "220 END", event("Link", "7.1"))
        one.pump(partial(offered, len(services)))
        one.pump(lambda: "7.1" in one.app.windows.main.calls.cards)
    press(one.app.windows.main.calls.cards["7.1"], "Transfer")


def test_a_takeover_is_shown_and_not_fought(desk: Make) -> None:
    one = desk()
    peer = one.log_in()
    peer.say("910 BYE TAKEOVER mario logged in at 10.0.0.7")
    one.pump(lambda: "Somebody logged in with your user name" in texts(one.app.windows.main))
    assert not one.app.session.running
    press(one.app.windows.main, "Log in again")
    assert one.app.windows.login is not None


# --- the tray ---


def tray_icon_place(desktop: Desktop) -> tuple[int, int]:
    """The middle of the icon on the screen, once the tray does not move it any more."""
    until, before = time.monotonic() + PATIENCE, {}
    while time.monotonic() < until:
        found = desktop.do("search", "--classname", "astctiSystemTrayIcon").split()
        if found:
            words_of_it = desktop.do("getwindowgeometry", "--shell", found[0]).split()
            values = dict(one.split("=") for one in words_of_it)
            x, y, width, height = (int(values.get(name, 0)) for name in ("X", "Y", "WIDTH", "HEIGHT"))
            if values == before and width > 1:
                return x + width // 2, y + height // 2
            before = values
        time.sleep(0.1)
    raise AssertionError("no icon in the tray")


def test_closing_the_window_keeps_it_in_the_tray_whose_click_brings_it_back(
    desk: Make, desktop: Desktop
) -> None:
    one = desk()
    one.log_in()
    one.pump(lambda: one.app.tray.present)
    x, y = tray_icon_place(desktop)
    one.app.hide_window()
    one.pump(lambda: not one.root.winfo_viewable())
    desktop.do("mousemove", str(x), str(y), "click", "1")
    one.pump(one.root.winfo_viewable, "a click at the icon does not show the window")


def test_the_trays_menu_pauses(desk: Make, desktop: Desktop) -> None:
    one = desk()
    peer = one.log_in()
    one.pump(lambda: one.app.tray.present)
    x, y = tray_icon_place(desktop)
    desktop.do("mousemove", str(x), str(y), "click", "3")
    one.wait_for_menu()
    for key in ("Down", "Down", "Right", "Return"):
        desktop.do("key", key)
        one.turn(0.1)
    one.pump(lambda: one.app.model.pause.phase == "requested", "the menu does not pause")
    assert peer.hear() == "PAUSE IN Lunch break"


def colour_of_the_icon(desktop: Desktop) -> str:
    """What the screen shows beside the sign in the icon."""
    x, y = tray_icon_place(desktop)
    red, green, blue = ImageGrab.grab(xdisplay=desktop.display).convert("RGB").getpixel((x - 9, y))
    return f"#{red:02x}{green:02x}{blue:02x}"


def test_the_icon_tells_the_state_in_colour_and_words(desk: Make, desktop: Desktop) -> None:
    one = desk()
    peer = one.log_in()
    peer.say("901 PBX DOWN")
    one.pump(lambda: one.app.tray._content.state == "pbx-down")
    peer.say("902 PBX UP", "310 IN Lunch")
    one.pump(lambda: one.app.tray._content.state == "paused")
    assert "in pause (Lunch)" in one.app.tray._content.text
    one.ring("7.1")
    one.pump(lambda: one.app.tray._content.state == "ringing")
    assert one.app.tray._icon.title == one.app.tray._content.text
    one.pump(lambda: colour_of_the_icon(desktop) == TRAY_COLOURS["ringing"], "the tray shows another colour")


def test_a_hidden_start_waits_for_a_tray_that_takes_its_time(
    desk: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = itertools.count()
    monkeypatch.setattr(Tray, "present", property(lambda _tray: next(looks) >= 3))
    one = desk(start_hidden=True)
    one.app.start()
    one.pump(lambda: next(looks) > 5)
    one.turn(0.3)
    assert not one.root.winfo_viewable()


def test_a_hidden_start_without_a_tray_shows_the_window(desk: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tray, "present", property(lambda _tray: False))
    monkeypatch.setattr("astcti_client.ui.app.open_windows.TRAY_TIME", 0.2)
    one = desk(start_hidden=True)
    one.app.start()
    one.pump(one.root.winfo_viewable)


def test_without_a_tray_the_window_stays_within_reach(
    desk: Make, bare_desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", bare_desktop.display)
    one = desk()
    one.log_in()
    one.turn(0.5)
    assert not one.app.tray.present
    one.app.hide_window()
    one.pump(lambda: one.root.state() == "iconic")
    one.app.show_window()
    one.pump(one.root.winfo_viewable)
    bare_desktop.start_tray()
    one.pump(lambda: one.app.tray.present, "the icon does not find a tray that came later")


# --- settings, history, bad data ---


def test_settings_are_written_and_used_and_locked_ones_stay(desk: Make) -> None:
    one = desk(locked=frozenset({"notices"}))
    one.log_in()
    one.app.show_settings()
    window = one.app.windows.settings
    assert window is not None
    assert "notices" not in window._given
    window._given["theme"] = lambda: "dark"
    press(window, "Save")
    assert one.file.read_text() == 'theme = "dark"\n'
    one.pump(lambda: one.app.windows.look.palette.dark and "Mario Rossi" in texts(one.app.windows.main))


def test_a_setting_that_cannot_be_is_said_and_nothing_is_written(desk: Make) -> None:
    one = desk()
    one.log_in()
    one.app.show_settings()
    window = one.app.windows.settings
    assert window is not None
    window._given["mac"] = lambda: "no address"
    press(window, "Save")
    one.pump(lambda: "Address (MAC) to be known by, instead of this PC's: a MAC address" in texts(window))
    assert not one.file.exists()


def test_what_is_wrong_is_said_in_the_language_of_the_window(desk: Make) -> None:
    i18n.use("it")
    one = desk(language="it")
    peer = one.log_in()
    one.app.show_settings()
    window = one.app.windows.settings
    assert window is not None
    window._given["hot-key"] = lambda: "D"
    window._save()
    one.pump(lambda: "almeno uno tra Ctrl, Alt e Win" in texts(window))
    missing = '<trigger type="application" os="any"><application>no-such-crm</application></trigger>'
    peer.say(event("Link", "7.1", trigger=missing))
    one.pump(lambda: "il programma non si trova nel PATH di questo PC" in texts(one.app.windows.main))
    one.app.hang_up("7.1")
    assert peer.hear() == "HANGUP 7.1"
    peer.say("101 KO not a call of yours")
    one.pump(lambda: "questa non è una tua chiamata" in texts(one.app.windows.main))


def test_what_is_told_while_the_window_is_hidden_waits_until_it_is_seen(
    desk: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("astcti_client.ui.windows.main.MESSAGE_TIME", 50)
    one = desk()
    one.log_in()
    one.app.hide_window()
    main = one.app.windows.main
    main.tell("no such program")
    one.pump(lambda: not main.winfo_viewable())
    main.show_times()
    one.turn(0.2)
    assert main._message.winfo_manager()
    one.app.show_window()
    one.pump(lambda: "no such program" in texts(main))
    one.pump(lambda: not main._message.winfo_manager(), "the message stays for ever")


def test_a_history_that_fails_is_told_and_the_window_goes_on(desk: Make) -> None:
    one = desk()
    peer = one.log_in()
    (pages,) = one.history._database.execute("PRAGMA page_count").fetchone()
    one.history._database.execute(f"PRAGMA max_page_count = {pages}")
    done = one.folder / "done"
    trigger = (
        f'<trigger type="application" os="any"><application>{sys.executable}</application>'
        f"<argument>-c</argument><argument>open({str(done)!r}, 'a').write('x')</argument></trigger>"
    )
    name = "x" * 10_000
    one.ring("7.1", name=name)
    peer.say(
        event("Link", "7.1", name=name), event("Hangup", "7.1", name=name, end="answered", trigger=trigger)
    )
    one.pump(lambda: "The history cannot be written" in texts(one.app.windows.main))
    one.pump(lambda: "Ended" in texts(one.app.windows.main))
    one.pump(lambda: done.exists() and done.read_text(), "the hangup's trigger was lost with the entry")


def test_a_shorter_history_is_kept_at_once(desk: Make) -> None:
    one = desk()
    one.log_in()
    assert one.app.change_settings({"history-days": 0}) == ""
    assert not (one.folder / "history.sqlite").exists()


def test_who_does_not_want_to_be_remembered_is_not_asked_again_to_be(desk: Make) -> None:
    one = desk()
    one.log_in()
    one.app.preferences.keep_login(LoginWish("127.0.0.1", 5000, False, "mario", "", remember=False))
    assert not one.app.preferences.now.remember


def test_a_port_that_the_administrator_fixed_cannot_be_typed_over(desk: Make, server: CtiServer) -> None:
    one = desk(locked=frozenset({"port"}))
    one.app.log_in(LoginWish("127.0.0.1", 1, False, "mario", "test", remember=False))
    server.accept().log_in()
    one.pump(lambda: one.app.model.up)


def test_a_certificate_file_can_be_taken_out_of_the_settings(desk: Make) -> None:
    (one := desk(ca_file="/etc/old.pem")).log_in()
    assert one.app.change_settings({"theme": "dark"}) == ""
    assert one.app.preferences.now.ca_file == "/etc/old.pem"
    assert one.app.change_settings({"ca-file": ""}) == ""
    assert one.app.preferences.now.ca_file == ""


def test_the_history_is_searched_called_again_and_exported(desk: Make) -> None:
    one = desk()
    peer = one.log_in()
    for key, name, number, end in (
        ("7.1", "Anna", "111", "missed"),
        ("8.1", "Berta", "222", "answered-elsewhere"),
    ):
        one.ring(key, name=name, number=number)
        peer.say(event("Hangup", key, name=name, number=number, end=end))
    one.pump(lambda: len(one.history.find()) == 2)
    one.app.show_history()
    window = one.app.windows.history
    assert window is not None
    one.pump(lambda: len(window.table.get_children()) == 2)
    window.search.insert(0, "berta")
    window.refresh()
    (row,) = window.table.get_children()
    assert "Answered elsewhere" in window.table.item(row, "values")
    window.table.selection_set(row)
    press(window, "Call")
    assert peer.hear() == "ORIG 222 outbound 1"
    window.export_to(one.folder / "calls.csv")
    assert "Berta" in (one.folder / "calls.csv").read_text(encoding="utf-8-sig")


def test_what_is_too_long_for_a_column_of_the_history_ends_in_an_ellipsis(desk: Make) -> None:
    one = desk()
    one.log_in()
    number = "+39055123456789012345"
    one.history.add(Entry(time.time(), "missed", number, "Maximiliane Alexandra von Hohenlohe"))
    one.app.show_history()
    window = one.app.windows.history
    assert window is not None
    (row,) = window.table.get_children()
    one.pump(lambda: window.table.set(row, "number").endswith("…"))
    assert window.table.set(row, "name").endswith("…")
    window.table.column("number", width=400)
    window.table.event_generate("<ButtonRelease-1>", x=1, y=1)
    one.pump(lambda: window.table.set(row, "number") == number)


def test_quitting_logs_out_and_leaves_nothing_behind(desk: Make) -> None:
    one = desk()
    peer = one.log_in()
    one.app.quit()
    one.pump(lambda: one.app.session.ended() is False or True)
    assert peer.hear() == "QUIT"
    peer.say("900 OK")
    one.pump(one.app.session.ended)
    one.app.door.close()
    one.app.door = None
    with pytest.raises(NoHandOver):
        reach("show")
