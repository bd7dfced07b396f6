"""The client's windows on a real desktop: a window manager, a tray, a mouse and a keyboard."""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import sys
import time
import tkinter as tk
from collections.abc import Callable, Iterator
from functools import partial
from tkinter import ttk
from typing import IO, Any

import pytest
from PIL import ImageGrab

from astcti_client.hand_over.requests import NoHandOver, OtherClient
from astcti_client.hand_over.running_client import ask_running_client, listen_for_requests
from astcti_client.net import conversation
from astcti_client.net.messages import OfferedService, ServerReply, Services
from astcti_client.ui import i18n
from astcti_client.ui.desktop.tray import Tray
from astcti_client.ui.state.actions import LoginRequest
from astcti_client.ui.state.history import HistoryEntry
from astcti_client.ui.theme.icons import TRAY_COLOURS
from astcti_client.ui.widgets.controls import ScrolledFrame
from astcti_client.ui.widgets.message_banner import MessageBanner
from astcti_client.ui.widgets.queue_marks import QueueMarks
from astcti_client.ui.windows.call_notices import overlap
from astcti_client.ui.windows.dialogs import QuestionDialog
from schemas.wire import Reply
from tests.client.ui.tools.desktop import Desktop, tray_icon_name
from tests.client.ui.tools.widgets import all_of, button, choose, click, control, inside, press, texts, write
from tests.client.ui.tools.window_test_bed import WindowTestBed, event
from tests.fake.cti_server import CtiServer
from tests.fake.patience import until

Make = Callable[..., WindowTestBed]


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
    open_client: Make, desktop: Desktop, server: CtiServer
) -> None:
    bed = open_client(user="", password=None, host="127.0.0.1", port=5000)
    bed.app.start()
    window = bed.login()
    bed.pump(window.winfo_viewable)
    window.server.set(f"127.0.0.1:{server.port}")
    window.user_field.focus_force()
    bed.wait_for_keyboard(window.user_field)
    desktop.do("type", "mario")
    desktop.do("key", "Tab")
    desktop.do("type", "test")
    bed.pump(lambda: window.password.get() == "test")
    desktop.do("key", "Return")
    bed.pump(lambda: "Logging in …" in texts(window), "Return does not log in")
    peer = server.accept()
    assert peer.log_in(who="PJSIP/201 Mario Rossi")
    peer.say("310 OUT", "200 astcti")
    bed.pump(lambda: bed.root.winfo_viewable() and "astcti" in texts(bed.app.windows.main))
    assert "Mario Rossi" in texts(bed.app.windows.main)
    assert "PJSIP/201" in texts(bed.app.windows.main)
    kept = bed.file.read_text()
    assert f"port = {server.port}" in kept
    assert 'user = "mario"' in kept
    assert "test" not in kept


def test_a_wrong_password_is_said_in_plain_words_and_can_be_typed_again(
    open_client: Make, server: CtiServer
) -> None:
    bed = open_client(password=None)
    bed.app.start()
    window = bed.login()
    window.password.set("wrong")
    press(window, "Log in")
    peer = server.accept()
    peer.say("100 WELCOME")
    for reply in ("110 CAPA MAC", "100 OK", "101 KO unknown user or wrong password"):  # to CAPA, USER, PASS
        peer.hear()
        peer.say(reply)
    bed.pump(lambda: "User name or password are wrong." in texts(window))
    window.password.set("test")
    press(window, "Log in")
    peer = server.accept()
    peer.log_in(who="PJSIP/201 Mario Rossi")
    bed.pump(bed.root.winfo_viewable)


def test_an_unknown_pc_shows_its_address_to_copy(open_client: Make, server: CtiServer) -> None:
    bed = open_client(password=None)
    bed.app.start()
    window = bed.login()
    window.password.set("test")
    press(window, "Log in")
    server.accept().log_in(macs_refused=1, who="- Mario Rossi")
    bed.pump(lambda: "does not know this PC" in texts(window))
    press(window, "Copy 00:11:22:33:44:55")
    assert bed.root.clipboard_get() == "00:11:22:33:44:55"


def test_a_server_that_cannot_be_reached_is_said_to_be_so(open_client: Make, server: CtiServer) -> None:
    server.stop_listening()
    bed = open_client(password=None)
    bed.app.start()
    window = bed.login()
    window.password.set("test")
    press(window, "Log in")
    bed.pump(lambda: "No AsteriskCTI server answers" in texts(window))


@pytest.mark.parametrize("language", ["en", "it"])
def test_a_server_that_waits_for_asterisk_is_said_to_be_there(
    open_client: Make, server: CtiServer, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    """At its first start the server accepts nobody before it has reached Asterisk."""
    monkeypatch.setattr(conversation, "WELCOME_TIME", 0.3)
    bed = open_client(password=None)
    i18n.use_language(language)
    bed.app.start()
    window = bed.login()
    window.password.set("test")
    press(window, i18n._("Log in"))
    said = {
        "en": "The server is there but says nothing. It may be waiting for the telephone system.",
        "it": "Il server c'è ma non dice nulla. Forse attende il centralino.",
    }
    bed.pump(lambda: said[language] in texts(window))


ELSEWHERE = "0.0.0.0"  # no loopback address, but on Linux this machine answers


def test_an_unencrypted_connection_of_an_older_installation_is_allowed_by_one_click(
    open_client: Make, server: CtiServer
) -> None:
    bed = open_client(host=ELSEWHERE)
    bed.app.start()
    bed.pump(lambda: bed.app.windows.login is not None)
    window = bed.login()
    bed.pump(lambda: "would not be encrypted" in texts(window))
    press(window, "Allow without encryption")
    peer = server.accept()
    peer.log_in(who="PJSIP/201 Mario Rossi")
    main = bed.app.windows.main
    bed.pump(lambda: bed.root.winfo_viewable() and "The connection is not encrypted" in texts(main))
    assert "plain = true" in bed.file.read_text()
    program = '<trigger type="application" os="any"><application>crm</application></trigger>'
    peer.say(event("Newchannel", "7.1"), event("Link", "7.1", trigger=program))
    bed.pump(lambda: "it is not allowed on this PC" in texts(main))
    press(main, "Details")
    bed.pump(lambda: "nothing proves that the server is the right one" in texts(main))


def test_the_login_window_stays_on_the_screen_when_it_grows(open_client: Make) -> None:
    bed = open_client(host=ELSEWHERE, scale=1.1, password=None)
    bed.app.start()
    window = bed.login()
    bed.pump(window.winfo_viewable)
    window.withdraw()
    bed.pump(lambda: not window.winfo_viewable())
    window.overrideredirect(True)  # this window manager would move it up by itself, others do not
    window.deiconify()
    bed.pump(window.winfo_viewable)
    window.password.set("test")
    press(window, "Log in")
    bed.pump(lambda: "would not be encrypted" in texts(window))
    (foot,) = (part for part in all_of(window, ttk.Button) if part.cget("text") == "Log in")
    bed.pump(lambda: window.winfo_height() == window.winfo_reqheight())
    edge = window.winfo_screenheight()
    bed.pump(lambda: foot.winfo_rooty() + foot.winfo_height() < edge, "the button is below the screen")
    assert window.winfo_y() >= 0


def test_nobody_is_asked_before_a_program_that_is_refused_anyway(open_client: Make) -> None:
    bed = open_client(host=ELSEWHERE, plain=True, confirm_triggers=True)
    peer = bed.log_in()
    program = '<trigger type="application" os="any"><application>crm</application></trigger>'
    peer.say(event("Newchannel", "7.1"), event("Link", "7.1", trigger=program))
    bed.pump(lambda: "it is not allowed on this PC" in texts(bed.app.windows.main))
    assert not bed.app.windows.dialogs


def test_encryption_is_switched_on_by_one_click(open_client: Make, server: CtiServer) -> None:
    bed = open_client(host=ELSEWHERE)
    bed.app.start()
    bed.pump(lambda: bed.app.windows.login is not None)
    press(bed.login(), "Log in with encryption")
    server.accept().say("100 WELCOME")  # it is none of TLS
    bed.pump(lambda: "does not speak TLS" in texts(bed.login()))
    assert bed.app.preferences.now.tls
    assert not bed.app.preferences.now.plain


@pytest.mark.parametrize(
    ("locked", "offered"),
    [
        ({"plain"}, ["Log in with encryption"]),
        ({"tls"}, ["Allow without encryption"]),
        ({"tls", "plain"}, []),
    ],
)
def test_what_the_administrator_fixed_is_not_offered(
    open_client: Make, locked: set[str], offered: list[str]
) -> None:
    bed = open_client(host=ELSEWHERE, locked=frozenset(locked))
    bed.app.start()
    bed.pump(lambda: bed.app.windows.login is not None)
    window = bed.login()
    bed.pump(lambda: "would not be encrypted" in texts(window))
    both = ("Log in with encryption", "Allow without encryption")
    assert [text for text in both if text in texts(window)] == offered


def test_the_log_in_window_says_what_is_not_encrypted_and_the_settings_take_it_back(
    open_client: Make,
) -> None:
    bed = open_client(host="cti.example", plain=True, password=None)
    bed.app.start()
    window = bed.login()

    def note() -> bool:
        return any(
            label.winfo_manager() and "Not encrypted" in str(label.cget("text"))
            for label in inside(window)
            if isinstance(label, ttk.Label)
        )

    assert note()
    window.tls.set(True)
    assert not note()
    window.tls.set(False)
    for here in ("localhost:5000", "127.0.0.1", "[::1]:5000"):
        window.server.set(here)
        assert not note()
    assert bed.app.change_settings({"plain": False}) == ""
    assert not bed.app.preferences.now.plain


# --- calls ---

# A program of somebody else's: a field with the keyboard, whose content is printed at Return.
FIELD = """
import tkinter
root = tkinter.Tk()
root.geometry("200x60+5+5")
field = tkinter.Entry(root)
field.pack()
field.bind("<Return>", lambda _event: print(field.get(), flush=True))
field.bind("<FocusIn>", lambda _event: print("ready", flush=True))
field.bind("<Map>", lambda _event: field.focus_force())
root.mainloop()
"""


@contextlib.contextmanager
def other_program(desktop: Desktop) -> Iterator[IO[str]]:
    """A window of another program, which has the keyboard; gives what it prints."""
    process = subprocess.Popen(
        [sys.executable, "-c", FIELD], stdout=subprocess.PIPE, text=True, env=desktop.environ
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        yield process.stdout
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_ring_makes_a_notice_that_never_takes_the_keyboard(open_client: Make, desktop: Desktop) -> None:
    bed = open_client()
    bed.log_in()
    bed.app.windows.show_dial()
    bed.wait_for_keyboard(bed.app.windows.main.dial_bar.number)
    desktop.do("type", "055")
    bed.pump(lambda: bed.app.windows.main.dial_bar.number.get() == "055")
    bed.ring("7.1")
    notice = bed.app.windows.notices.shown["7.1"]
    bed.pump(notice.winfo_viewable)
    assert "Anna Bianchi" in texts(notice)
    assert "12345" in texts(notice)
    assert "Demo" in texts(notice)
    desktop.do("type", "123")
    bed.pump(lambda: bed.app.windows.main.dial_bar.number.get() == "055123", "the notice took the keyboard")
    bed.pump(lambda: notice.winfo_rootx() + notice.winfo_width() > notice.winfo_screenwidth() - 40)
    bed.pump(lambda: notice.winfo_rooty() + notice.winfo_height() > notice.winfo_screenheight() - 80)


def test_the_buttons_of_a_notice_keep_their_places_and_take_no_second_press(open_client: Make) -> None:
    bed = open_client()
    peer = bed.log_in()
    page = '<trigger type="browser" os="any"><url>https://crm.example/1</url></trigger>'
    bed.ring("7.1")
    notice = bed.app.windows.notices.shown["7.1"]
    bed.pump(lambda: button(notice, "Decline").winfo_viewable())
    peer.say(event("Callerid", "7.1", trigger=page))
    bed.pump(lambda: button(notice, "Open page").winfo_viewable())
    place = button(notice, "Open page").winfo_x()
    press(notice, "Decline")
    press(notice, "Decline")
    assert bed.hears() == "HANGUP 7.1"
    peer.say("101 KO PBX down")
    bed.pump(lambda: button(notice, "Decline").instate(["!disabled"]))
    peer.say(event("Link", "7.1"))
    bed.pump(lambda: not button(notice, "Decline").winfo_viewable())
    assert button(notice, "Open page").winfo_x() == place
    bed.app.commands.ask_pause("")
    assert bed.hears() == "PAUSE IN", "it was declined once"


def test_a_notice_rests_while_its_call_is_declined_in_the_window(open_client: Make) -> None:
    bed = open_client()
    peer = bed.log_in()
    bed.ring("7.1")
    notice = bed.app.windows.notices.shown["7.1"]
    bed.pump(lambda: button(notice, "Decline").winfo_viewable())
    press(bed.app.windows.main.calls.cards["7.1"], "Decline")
    assert button(notice, "Decline").instate(["disabled"])
    assert bed.hears() == "HANGUP 7.1"
    peer.say("101 KO PBX down")
    bed.pump(lambda: button(notice, "Decline").instate(["!disabled"]))


def test_a_notice_that_has_just_come_takes_no_click(open_client: Make, desktop: Desktop) -> None:
    bed = open_client(rest=1.0)
    bed.log_in()
    bed.ring("7.1")
    notice = bed.app.windows.notices.shown["7.1"]
    bed.pump(lambda: button(notice, "Decline").winfo_viewable())
    click(desktop, button(notice, "Decline"))
    bed.turn(1.3)
    click(desktop, button(notice, "Decline"))
    assert bed.hears() == "HANGUP 7.1"
    bed.app.commands.ask_pause("")
    assert bed.hears() == "PAUSE IN", "the first click counted"


@pytest.mark.parametrize("corner", ["bottom-right", "top-left"])
def test_a_notice_does_not_cover_the_programs_own_window(open_client: Make, corner: str) -> None:
    bed = open_client(notice_corner=corner)
    bed.log_in()
    root = bed.root
    x = root.winfo_screenwidth() - 450 if corner.endswith("right") else 10
    y = root.winfo_screenheight() - 700 if corner.startswith("bottom") else 10
    root.geometry(f"430x640+{x}+{y}")
    bed.pump(lambda: abs(root.winfo_rootx() - x) < 40)
    bed.ring("7.1")
    notice = bed.app.windows.notices.shown["7.1"]
    bed.pump(notice.winfo_viewable)
    bed.turn()
    rectangles = [
        (each.winfo_rootx(), each.winfo_rooty(), each.winfo_rootx() + each.winfo_width(),
         each.winfo_rooty() + each.winfo_height())
        for each in (root, notice)
    ]  # fmt: skip
    assert not overlap(*rectangles)


def _area_of(window: tk.Tk | tk.Toplevel) -> tuple[int, int, int, int]:
    x, y = window.winfo_rootx(), window.winfo_rooty()
    return x, y, x + window.winfo_width(), y + window.winfo_height()


def test_a_notice_makes_way_for_the_window_that_a_click_on_it_opens(
    open_client: Make, desktop: Desktop
) -> None:
    bed = open_client()
    bed.log_in()
    root, corner = bed.root, (bed.root.winfo_screenwidth() - 450, bed.root.winfo_screenheight() - 700)
    root.geometry(f"430x640+{corner[0]}+{corner[1]}")
    bed.pump(lambda: abs(root.winfo_rootx() - corner[0]) < 40)
    bed.app.windows.hide()
    bed.pump(lambda: not root.winfo_viewable())
    bed.peer.say(event("Newchannel", "7.1", state="Down"), event("Callerid", "7.1"))
    shown = bed.app.windows.notices.shown
    bed.pump(lambda: "7.1" in shown and shown["7.1"].winfo_viewable())
    notice = shown["7.1"]
    name = next(part for part in all_of(notice, ttk.Label) if "Anna Bianchi" in str(part.cget("text")))
    click(desktop, name)
    bed.pump(root.winfo_viewable)
    bed.pump(lambda: not overlap(_area_of(root), _area_of(notice)), "the notice stays above the window")
    assert notice.winfo_viewable()


def test_a_notice_makes_way_for_a_window_that_is_moved_below_it(open_client: Make) -> None:
    bed = open_client()
    bed.log_in()
    root, right = bed.root, bed.root.winfo_screenwidth() - 450
    root.geometry("430x640+10+40")
    bed.pump(lambda: abs(root.winfo_rootx() - 10) < 40)
    bed.ring("7.1")
    notice = bed.app.windows.notices.shown["7.1"]
    bed.pump(notice.winfo_viewable)
    bed.pump(lambda: notice.winfo_rootx() > right, "the notice is in its corner")
    root.geometry(f"430x640+{right}+{root.winfo_screenheight() - 700}")
    bed.pump(lambda: abs(root.winfo_rootx() - right) < 40)
    bed.pump(lambda: not overlap(_area_of(root), _area_of(notice)), "the notice stays above the window")
    assert notice.winfo_viewable()


def test_where_there_is_no_room_a_notice_waits_until_its_user_works_elsewhere(
    open_client: Make, desktop: Desktop
) -> None:
    bed = open_client()
    bed.log_in()
    root = bed.root
    root.geometry(f"{root.winfo_screenwidth() - 20}x{root.winfo_screenheight() - 80}+5+40")
    bed.pump(lambda: root.winfo_width() > 1000)
    bed.app.windows.show_dial()
    bed.wait_for_keyboard(bed.app.windows.main.dial_bar.number)
    bed.ring("7.1")
    bed.turn(0.5)
    notice = bed.app.windows.notices.shown["7.1"]
    assert not notice.winfo_viewable()
    with other_program(desktop):
        bed.pump(notice.winfo_viewable)


def test_another_program_keeps_the_keyboard_while_calls_ring_and_are_declined(
    open_client: Make, desktop: Desktop
) -> None:
    bed = open_client()
    bed.log_in()
    with other_program(desktop) as lines:
        desktop.do("type", "ab")
        bed.ring("7.1")
        notice = bed.app.windows.notices.shown["7.1"]
        bed.pump(notice.winfo_viewable)
        desktop.do("type", "cd")
        bed.turn()
        click(desktop, button(notice, "Decline"))
        assert bed.hears() == "HANGUP 7.1"
        desktop.do("type", "ef")
        desktop.do("key", "Return")
        assert lines.readline() == "abcdef\n"


def test_a_question_before_a_page_is_opened_never_takes_the_keyboard(
    open_client: Make, desktop: Desktop
) -> None:
    bed = open_client(confirm_triggers=True)
    peer = bed.log_in()
    bed.app.windows.show_dial()
    bed.wait_for_keyboard(bed.app.windows.main.dial_bar.number)
    done = bed.folder / "done"
    trigger = (
        f'<trigger type="application" os="any"><application>{sys.executable}</application>'
        f"<argument>-c</argument><argument>open({str(done)!r}, 'a').write('x')</argument></trigger>"
    )
    peer.say(event("Link", "7.1", trigger=trigger))
    bed.pump(lambda: bed.app.windows.dialogs and bed.app.windows.dialogs[-1].winfo_viewable())
    question = bed.app.windows.dialogs[-1]
    assert isinstance(question, QuestionDialog)
    assert not done.exists()
    desktop.do("type", "123 ")
    bed.pump(lambda: bed.app.windows.main.dial_bar.number.get() == "123 ", "the question took the keyboard")
    click(desktop, question.yes)
    bed.pump(done.exists)


def test_many_queues_leave_room_for_what_is_beside_them(open_client: Make) -> None:
    bed = open_client()
    peer = bed.log_in("PJSIP/201 Mario Rossi", *(f"200 customer-service-number-{n}-north" for n in range(12)))
    bed.pump(lambda: len(bed.app.model.queues) == 12)
    (place,) = all_of(bed.app.windows.main, ScrolledFrame)
    (marks,) = all_of(bed.app.windows.main, QueueMarks)
    labels = [part for part in inside(bed.app.windows.main) if isinstance(part, ttk.Label)]
    (empty,) = [label for label in labels if str(label.cget("text")) == "No calls"]
    bed.turn()
    assert place.winfo_height() > 5 * marks.winfo_height(), "they are one line"
    marks.toggle()
    bed.pump(lambda: place.inner.winfo_height() > marks.winfo_height() > 200)
    bed.turn()
    below = marks.winfo_rooty() + marks.winfo_height()
    assert not empty.winfo_ismapped() or empty.winfo_rooty() >= below
    bed.ring("7.1")
    card = bed.app.windows.main.calls.cards["7.1"]
    end = place.winfo_rooty() + place.winfo_height()
    bed.pump(lambda: card.winfo_ismapped() and card.winfo_rooty() + card.winfo_height() <= end)
    peer.say(event("Hangup", "7.1", end="missed"))


def test_several_rings_stack_and_each_ends_in_its_own_way(open_client: Make) -> None:
    bed = open_client(notice_time=5.0)
    peer = bed.log_in()
    for key, name in (("7.1", "Anna"), ("8.1", "Berta"), ("9.1", "Carla")):
        bed.ring(key, name=name)
    shown = bed.app.windows.notices.shown

    def stacked() -> bool:
        places = sorted((notice.winfo_rooty(), notice.winfo_height()) for notice in shown.values())
        apart = all(top + height <= below for (top, height), (below, _high) in itertools.pairwise(places))
        return apart and len(places) == 3

    bed.pump(stacked, "the notices cover one another")
    peer.say(
        event("Hangup", "7.1", end="answered-elsewhere"),
        event("Hangup", "8.1", end="missed"),
        event("Link", "9.1"),
    )
    bed.pump(lambda: "Answered elsewhere" in texts(shown["7.1"]) and "Missed" in texts(shown["8.1"]))
    assert "Answered" in texts(shown["9.1"])
    bed.pump(lambda: not shown, "the notices stay")
    bed.pump(lambda: "In conversation" in texts(bed.app.windows.main))


def test_the_trigger_runs_at_the_moment_of_its_event_and_once(open_client: Make) -> None:
    bed = open_client()
    peer = bed.log_in()
    done = bed.folder / "done"
    trigger = (
        f'<trigger type="application" os="any"><application>{sys.executable}</application>'
        f"<argument>-c</argument><argument>open({str(done)!r}, 'a').write('x')</argument></trigger>"
    )
    bed.ring("7.1")
    assert not done.exists()
    peer.say(event("Link", "7.1", trigger=trigger), event("Link", "7.1", trigger=trigger), "901 PBX DOWN")
    bed.pump(lambda: not bed.app.model.pbx_up)
    bed.pump(lambda: done.exists() and done.read_text())
    bed.turn(0.3)
    assert done.read_text() == "x"


def test_hanging_up_and_transferring_name_the_call_of_their_card(open_client: Make, desktop: Desktop) -> None:
    bed = open_client()
    peer = bed.log_in()
    for key in ("7.1", "8.1"):
        peer.say(event("Link", key, other=f"o{key}"))
    bed.pump(lambda: len(bed.app.model.calls) == 2)
    cards = {card.call.key: card for card in bed.app.windows.main.calls.cards.values()}
    press(cards["7.1"], "Transfer")
    bed.turn()
    (field,) = [part for part in all_of(cards["7.1"], ttk.Entry) if type(part) is ttk.Entry]
    bed.wait_for_keyboard(field)
    desktop.do("type", "20-2")
    desktop.do("key", "Return")
    assert bed.hears() == "TRANSFER 7.1 202 astctidemo"
    peer.say("101 KO not your call")
    bed.pump(lambda: "Not your call" in texts(cards["7.1"]))
    press(cards["8.1"], "Hang up")
    assert peer.hear() == "HANGUP 8.1"
    peer.say("100 OK", event("Hangup", "8.1", end="answered"))
    bed.pump(lambda: bed.app.model.calls["8.1"].phase == "over")
    assert [entry.kind for entry in bed.history.find()] == ["answered"]


# --- pause ---


def test_a_pause_with_a_reason_is_requested_until_the_server_confirms(
    open_client: Make, desktop: Desktop
) -> None:
    bed = open_client()
    peer = bed.log_in("PJSIP/201 Mario Rossi", "200 astcti")
    click(desktop, bed.app.windows.main.pause.button)
    bed.wait_for_menu()
    desktop.do("key", "Down")
    desktop.do("key", "Return")
    bed.pump(lambda: bed.app.model.pause.phase == "requested")
    assert peer.hear() == "PAUSE IN Lunch break"
    bed.pump(lambda: "Pause requested" in texts(bed.app.windows.main))
    peer.say("301 PAUSE PENDING", "300 OK")
    bed.pump(lambda: "In pause: Lunch break" in texts(bed.app.windows.main))
    press(bed.app.windows.main, "Come back")
    assert peer.hear() == "PAUSE OUT"
    peer.say("300 OK")
    bed.pump(lambda: "Available" in texts(bed.app.windows.main))


def test_a_locked_pause_asks_for_the_password(open_client: Make) -> None:
    bed = open_client(pause_lock=True)
    peer = bed.log_in()
    peer.say("310 IN Lunch")
    bed.pump(lambda: "In pause: Lunch" in texts(bed.app.windows.main))
    press(bed.app.windows.main, "Come back")
    question: Any = bed.app.windows.dialogs[-1]
    question.password.insert(0, "wrong")
    press(question, "Come back")
    bed.pump(lambda: "This is not your password." in texts(question))
    question.password.insert(0, "test")
    press(question, "Come back")
    assert peer.hear() == "PAUSE OUT"


# --- dialling ---


def test_the_lock_of_a_pause_cannot_be_switched_off_in_the_pause(open_client: Make) -> None:
    bed = open_client(pause_lock=True)
    peer = bed.log_in()
    peer.say("310 IN Lunch break")
    bed.pump(lambda: bed.app.model.pause.phase == "in")
    assert "Come back from the pause first" in bed.app.change_settings({"pause-lock": False})
    assert not bed.file.exists()
    peer.say("310 OUT")
    bed.pump(lambda: bed.app.model.pause.phase == "out")
    assert bed.app.change_settings({"pause-lock": False}) == ""


def test_pasted_numbers_are_cleaned_and_words_are_refused(open_client: Make, desktop: Desktop) -> None:
    bed = open_client()
    peer = bed.log_in()
    bar = bed.app.windows.main.dial_bar
    bar.number.set("call me")
    press(bar, "Call")
    bed.pump(lambda: "not a telephone number" in texts(bar))
    bar.number.set("(055) 123-45.67")
    bar.number.focus_force()
    bed.wait_for_keyboard(bar.number)
    desktop.do("key", "Return")
    assert bed.hears() == "ORIG 0551234567 outbound 1"
    peer.say("101 KO PBX down")
    bed.pump(lambda: "The call was not made" in texts(bed.app.windows.main))


def test_calling_back_who_hides_the_number_says_why_it_cannot_be(open_client: Make) -> None:
    bed = open_client()
    peer = bed.log_in()
    bed.ring("7.1", number="anonymous", name="")
    peer.say(event("Hangup", "7.1", number="anonymous", name="", end="missed"))
    bed.pump(lambda: bed.app.model.calls["7.1"].phase == "over")
    card = bed.app.windows.main.calls.cards["7.1"]
    press(card, "Call back")
    bed.pump(lambda: "This is not a telephone number." in texts(card))


def test_a_number_that_the_server_refuses_can_be_tried_again(open_client: Make) -> None:
    bed = open_client()
    peer = bed.log_in()
    bar = bed.app.windows.main.dial_bar
    bar.number.set("055 123")
    press(bar, "Call")
    assert peer.hear() == "ORIG 055123 outbound 1"
    assert bar.number.get() == "055 123"
    peer.say("101 KO PBX down")
    bed.pump(lambda: "The call was not made" in texts(bed.app.windows.main))
    assert bar.number.get() == "055 123"
    press(bar, "Call")
    assert peer.hear() == "ORIG 055123 outbound 1"
    peer.say("100 OK")
    bed.pump(lambda: "Pick up your phone" in texts(bed.app.windows.main))
    bar.number.set("")
    failed = '<originate exten="055123" response="Failure" reason="3"/>'  # a server that says no more
    peer.say(event("OriginateResponse", "7.1", direction="outbound", trigger=failed))
    bed.pump(lambda: "your phone was not picked up" in texts(bed.app.windows.main))
    assert bar.number.get() == "055123"


def test_a_double_click_calls_once_and_the_number_stays_until_somebody_answers(
    open_client: Make, desktop: Desktop
) -> None:
    bed = open_client()
    peer = bed.log_in()
    main = bed.app.windows.main
    bar = main.dial_bar
    bar.number.set("055 123")
    bed.app.windows.show()
    bed.pump(lambda: button(bar, "Call").winfo_viewable())
    bed.turn(1.2)
    click(desktop, button(bar, "Call"), repeat=2)
    assert bed.hears() == "ORIG 055123 outbound 1"
    assert bed.app.commands.dial("055123") == ""
    assert "Another call" in bed.app.commands.dial("0559999")
    peer.say("100 OK")
    bed.pump(lambda: "Pick up your phone" in texts(main))
    told = '<originate exten="055123" response="Success" reason="4"/>'
    more: dict[str, Any] = {"direction": "outbound", "number": "055123", "name": "", "queue": "", "data": ""}
    peer.say(
        event("Newstate", "7.1", state="Up", **more), event("OriginateResponse", "7.1", trigger=told, **more)
    )
    bed.pump(lambda: "Calling …" in texts(main))
    assert not main.calls.cards, "one call has one card"
    assert bar.number.get() == "055 123"
    peer.say(event("Link", "7.1", **more))
    bed.pump(lambda: "7.1" in main.calls.cards)
    assert bar.number.get() == ""
    bed.app.commands.ask_pause("")
    assert bed.hears() == "PAUSE IN", "nothing else was asked for"


def test_a_dialled_call_is_shown_among_the_notices_while_the_window_is_out_of_sight(
    open_client: Make, desktop: Desktop
) -> None:
    bed = open_client()
    peer = bed.log_in()
    bed.root.withdraw()
    bed.pump(lambda: not bed.root.winfo_viewable())
    with other_program(desktop) as lines:
        bed.app.commands.dial("055123")
        assert bed.hears() == "ORIG 055123 outbound 1"
        peer.say("100 OK")
        notices = bed.app.windows.notices
        bed.pump(lambda: notices.dialled is not None and notices.dialled.winfo_viewable())
        assert notices.dialled is not None
        assert "Pick up your phone" in texts(notices.dialled)
        desktop.do("type", "ab")
        failed = '<originate exten="055123" response="Failure" reason="0" phone="refused"/>'
        peer.say(event("OriginateResponse", "7.1", direction="outbound", trigger=failed))
        bed.pump(lambda: notices.dialled is not None and "Your phone refused" in texts(notices.dialled))
        desktop.do("key", "Return")
        assert lines.readline() == "ab\n"
    press(notices.dialled, "Close")
    bed.pump(lambda: notices.dialled is None)
    bed.app.windows.show()
    bed.pump(bed.root.winfo_viewable)
    assert bed.app.windows.main.dial_bar.number.get() == "055123"


def test_calling_again_goes_through_the_same_service(open_client: Make) -> None:
    bed = open_client()
    peer = bed.log_in()
    first, second = (
        OfferedService("outbound", "outbound", "Sales"),
        OfferedService("outbound", "help", "Help"),
    )
    bed.tell(Services((first, second)))
    bed.pump(lambda: bed.app.model.outbound == (first, second))
    bed.app.commands.dial("055123", "help")
    assert bed.hears() == "ORIG 055123 help 1"
    peer.say("101 KO no")
    main = bed.app.windows.main
    bed.pump(lambda: "Call again" in texts(main))
    press(main, "Call again")
    assert bed.hears() == "ORIG 055123 help 1"


def test_a_call_is_cancelled_while_the_own_phone_rings(open_client: Make) -> None:
    bed = open_client()
    peer = bed.log_in()
    bed.tell(ServerReply("", Reply(110, "CAPA", "MAC DIALLING"), None))
    main = bed.app.windows.main
    bed.app.commands.dial("055123")
    assert peer.hear() == "ORIG 055123 outbound 1"
    peer.say("100 OK")
    bed.pump(lambda: "Pick up your phone" in texts(main))
    press(main, "Cancel")
    press(main, "Cancel")
    assert peer.hear() == "HANGUP ORIG"
    failed = '<originate exten="055123" response="Failure" reason="0" phone="cancelled"/>'
    peer.say("100 OK", event("OriginateResponse", "7.1", direction="outbound", trigger=failed))
    bed.pump(lambda: bed.app.model.dialling.call is None)
    assert main.dial_bar.number.get() == "055123", "to try again"
    bed.app.commands.ask_pause("")
    assert bed.hears() == "PAUSE IN", "it was asked for once"


def test_only_outbound_services_are_offered_to_call_with_and_without_one_the_reason_is_said(
    open_client: Make,
) -> None:
    bed = open_client()
    bed.log_in()
    bar = bed.app.windows.main.dial_bar
    lines = (
        OfferedService("inbound", "c0", "Line 0"),
        OfferedService("outbound", "c1", "Line 1"),
        OfferedService("inbound", "c2", "Line 2"),
        OfferedService("outbound", "c3", "Line 3"),
    )
    bed.tell(Services(lines))
    bed.pump(lambda: any(box is not bar.number for box in all_of(bar, ttk.Combobox)))
    (service,) = [box for box in all_of(bar, ttk.Combobox) if box is not bar.number]
    assert list(service.cget("values")) == ["Line 1", "Line 3"]
    choose(service, 1)
    assert bar.chosen == lines[3]
    bed.tell(Services((lines[0],)))
    bed.pump(lambda: "You have no outbound service" in texts(bar))
    assert str(bar.number.cget("state")) == "disabled"


def test_the_number_is_selected_and_replaced_as_anywhere_else(open_client: Make, desktop: Desktop) -> None:
    bed = open_client()
    peer = bed.log_in()
    number = bed.app.windows.main.dial_bar.number
    bed.app.windows.show_dial()
    bed.wait_for_keyboard(number)
    desktop.do("type", "0551")
    bed.pump(lambda: number.get() == "0551")
    desktop.do("key", "ctrl+a")
    bed.pump(number.selection_present)
    desktop.do("type", "7")
    bed.pump(lambda: number.get() == "7")
    desktop.do("key", "ctrl+l")
    bed.pump(number.selection_present)
    bed.app.windows.copy("055 123")
    desktop.do("key", "ctrl+v")
    bed.pump(lambda: number.get() == "055 123")
    desktop.do("key", "Return")
    assert bed.hears() == "ORIG 055123 outbound 1"
    peer.say("101 KO PBX down")
    bed.app.windows.copy("0559999")
    desktop.do("key", "ctrl+v")  # the one in the field was dialled already
    bed.pump(lambda: number.get() == "0559999")
    desktop.do("key", "ctrl+v")
    bed.pump(lambda: number.get() == "05599990559999")


def test_a_second_client_shows_the_first_and_a_link_is_dialled_by_it(open_client: Make) -> None:
    bed = open_client()
    peer = bed.log_in()
    bed.root.withdraw()
    with pytest.raises(OtherClient):
        listen_for_requests(lambda _number, _answer: None)
    with program() as second:
        bed.pump(lambda: second.poll() is not None)
    assert second.returncode == 0
    bed.pump(bed.root.winfo_viewable)
    with program("dial", "tel:+39-055-1234567") as link:
        assert bed.hears() == "ORIG +390551234567 outbound 1"
        peer.say("100 OK")
        bed.pump(lambda: link.poll() is not None)
        assert link.stdout
        assert link.stdout.read() == "calling +390551234567\n"


# --- the connection ---


def test_a_lost_connection_comes_back_without_a_second_notice(open_client: Make, server: CtiServer) -> None:
    bed = open_client()
    peer = bed.log_in()
    bed.ring("7.1")
    peer.close()
    bed.pump(lambda: "The server closed the connection." in texts(bed.app.windows.main))
    assert bed.app.model.tray_state == "offline"
    again = server.accept()
    again.log_in(who="PJSIP/201 Mario Rossi")
    again.say(event("Link", "7.1", repeat=True))
    bed.pump(lambda: bed.app.model.calls["7.1"].phase == "talking" and bed.app.model.up)
    assert len(bed.app.windows.notices.shown) <= 1


def test_a_notice_does_not_insist_on_a_ring_that_a_lost_connection_hides(
    open_client: Make, server: CtiServer
) -> None:
    bed = open_client(notice_time=0.1)
    peer = bed.log_in()
    bed.ring("7.1")
    bed.pump(lambda: "7.1" in bed.app.windows.notices.shown)
    notice = bed.app.windows.notices.shown["7.1"]
    bed.pump(lambda: "Incoming call" in texts(notice))
    peer.close()
    bed.pump(lambda: "Not confirmed" in texts(notice))
    bed.pump(lambda: not bed.app.windows.notices.shown, "the notice stays for as long as the server is away")


def test_a_call_that_was_there_before_the_services_can_be_transferred(open_client: Make) -> None:
    bed = open_client()
    peer = bed.log_in()

    def offered(count: int) -> bool:
        return len(bed.app.model.services) == count

    for services in ((), ("220 inbound astctidemo Demo",)):
        peer.say("221 SERVICES")
        assert peer.hear() == "SERVICES"
        peer.say(*services, "220 END", event("Link", "7.1"))
        bed.pump(partial(offered, len(services)))
        bed.pump(lambda: "7.1" in bed.app.windows.main.calls.cards)
    press(bed.app.windows.main.calls.cards["7.1"], "Transfer")


def transfer_targets(bed: WindowTestBed, key: str) -> list[str]:
    """What the card of this call offers after *Transfer* is pressed."""
    return list(bed.root.splitlist(target_box(bed, key).cget("values")))


def target_box(bed: WindowTestBed, key: str) -> ttk.Combobox:
    """The choice of the service; it is there once *Transfer* is pressed, hidden where there is but one."""
    card = bed.app.windows.main.calls.cards[key]
    if card.transfer is None:
        press(card, "Transfer")
    (box,) = [part for part in inside(card) if isinstance(part, ttk.Combobox)]
    return box


def test_a_transfer_offers_what_the_server_takes_and_no_outbound_service_beside(open_client: Make) -> None:
    bed = open_client()
    peer = bed.log_in(targets=["astctidemo Demo", "backoffice Back office"])
    peer.say(event("Link", "7.1"))
    bed.pump(lambda: "7.1" in bed.app.windows.main.calls.cards)
    assert len(bed.app.model.services) == 2, "one of them is outbound"
    assert transfer_targets(bed, "7.1") == ["Demo", "Back office"]
    card = bed.app.windows.main.calls.cards["7.1"]
    choose(target_box(bed, "7.1"), 1)
    bed.pump(lambda: target_box(bed, "7.1").winfo_ismapped())
    (field,) = [part for part in all_of(card, ttk.Entry) if type(part) is ttk.Entry]
    bed.wait_for_keyboard(field)
    write(field, "202")
    field.event_generate("<Return>")
    assert bed.hears() == "TRANSFER 7.1 202 backoffice"


def test_of_a_server_that_cannot_tell_a_transfer_offers_inbound_services_alone(open_client: Make) -> None:
    bed = open_client()
    bed.log_in().say(event("Link", "7.1"))
    bed.pump(lambda: "7.1" in bed.app.windows.main.calls.cards)
    assert transfer_targets(bed, "7.1") == ["Demo"]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "The call was handed over. Asterisk could not say whether the number exists."),
        ("it", "La chiamata è stata passata. Asterisk non ha potuto dire se il numero esiste."),
    ],
)
def test_a_transfer_that_asterisk_could_not_check_is_said_to_be(
    open_client: Make, language: str, said: str
) -> None:
    i18n.use_language(language)
    bed = open_client(language=language)
    peer = bed.log_in()
    peer.say(event("Link", "7.1"))
    bed.pump(lambda: "7.1" in bed.app.windows.main.calls.cards)
    bed.app.commands.transfer("7.1", "202", "astctidemo", lambda _problem: True)
    assert bed.hears() == "TRANSFER 7.1 202 astctidemo"
    assert said not in texts(bed.app.windows.main)
    peer.say("100 OK unchecked")
    bed.pump(lambda: said in texts(bed.app.windows.main))


def test_a_takeover_is_shown_and_not_fought(open_client: Make) -> None:
    bed = open_client()
    peer = bed.log_in()
    peer.say("910 BYE TAKEOVER mario logged in at 10.0.0.7")
    bed.pump(lambda: "Somebody logged in with your user name" in texts(bed.app.windows.main))
    assert bed.app.session.ended()
    press(bed.app.windows.main, "Log in again")
    assert bed.app.windows.login is not None


# --- the tray ---


def tray_icon_place(desktop: Desktop) -> tuple[int, int]:
    """The middle of the icon on the screen, once the tray does not move it any more."""
    seen: list[dict[str, str]] = [{}]

    def rests() -> bool:
        found = desktop.do("search", "--classname", "astctiSystemTrayIcon").split()
        geometry = desktop.do("getwindowgeometry", "--shell", found[0]).split() if found else []
        seen.append(dict(word.split("=") for word in geometry))
        return seen[-1] == seen[-2] and int(seen[-1].get("WIDTH", 0)) > 1

    until(rests, "no icon in the tray", every=0.1)  # the tray moves it a few times while it makes room
    x, y, width, height = (int(seen[-1].get(name, 0)) for name in ("X", "Y", "WIDTH", "HEIGHT"))
    return x + width // 2, y + height // 2


def test_closing_the_window_keeps_it_in_the_tray_whose_click_brings_it_back(
    open_client: Make, desktop: Desktop
) -> None:
    bed = open_client()
    bed.log_in()
    bed.pump(lambda: bed.app.tray.present)
    x, y = tray_icon_place(desktop)
    bed.app.windows.hide()
    bed.pump(lambda: not bed.root.winfo_viewable())
    desktop.do("mousemove", str(x), str(y), "click", "1")
    bed.pump(bed.root.winfo_viewable, "a click at the icon does not show the window")


def test_the_trays_menu_pauses(open_client: Make, desktop: Desktop) -> None:
    bed = open_client()
    peer = bed.log_in()
    bed.pump(lambda: bed.app.tray.present)
    x, y = tray_icon_place(desktop)
    desktop.do("mousemove", str(x), str(y), "click", "3")
    bed.wait_for_menu()
    for key in ("Down", "Down", "Right", "Return"):
        desktop.do("key", key)
        bed.turn(0.1)
    bed.pump(lambda: bed.app.model.pause.phase == "requested", "the menu does not pause")
    assert peer.hear() == "PAUSE IN Lunch break"


def colour_of_the_icon(desktop: Desktop) -> str:
    """What the screen shows beside the sign in the icon."""
    x, y = tray_icon_place(desktop)
    pixel = ImageGrab.grab(xdisplay=desktop.display).convert("RGB").getpixel((x - 9, y))
    assert isinstance(pixel, tuple)
    red, green, blue = pixel
    return f"#{red:02x}{green:02x}{blue:02x}"


def test_the_icon_tells_the_state_in_colour_and_words(open_client: Make, desktop: Desktop) -> None:
    bed = open_client()
    peer = bed.log_in()
    peer.say("901 PBX DOWN")
    bed.pump(lambda: bed.app.tray.content.state == "pbx-down")
    peer.say("902 PBX UP", "310 IN Lunch")
    bed.pump(lambda: bed.app.tray.content.state == "paused")
    assert "in pause (Lunch)" in bed.app.tray.content.text
    bed.ring("7.1")
    bed.pump(lambda: bed.app.tray.content.state == "ringing")
    bed.pump(lambda: tray_icon_name(desktop) == bed.app.tray.content.text, "the tray has another name")
    bed.pump(lambda: colour_of_the_icon(desktop) == TRAY_COLOURS["ringing"], "the tray shows another colour")


def test_a_hidden_start_waits_for_a_tray_that_takes_its_time(
    open_client: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = itertools.count()
    monkeypatch.setattr(Tray, "present", property(lambda _tray: next(looks) >= 3))
    bed = open_client(start_hidden=True)
    bed.app.start()
    bed.pump(lambda: next(looks) > 5)
    bed.turn(0.3)
    assert not bed.root.winfo_viewable()


def test_a_hidden_start_without_a_tray_shows_the_window(
    open_client: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Tray, "present", property(lambda _tray: False))
    monkeypatch.setattr("astcti_client.ui.app.open_windows.TRAY_TIME", 0.2)
    bed = open_client(start_hidden=True)
    bed.app.start()
    bed.pump(bed.root.winfo_viewable)


def test_without_a_tray_the_window_stays_within_reach(
    open_client: Make, bare_desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", bare_desktop.display)
    bed = open_client()
    bed.log_in()
    bed.turn(0.5)
    assert not bed.app.tray.present
    bed.app.windows.hide()
    bed.pump(lambda: bed.root.state() == "iconic")
    bed.app.windows.show()
    bed.pump(bed.root.winfo_viewable)
    bare_desktop.start_tray()
    bed.pump(lambda: bed.app.tray.present, "the icon does not find a tray that came later")


# --- settings, history, bad data ---


def test_settings_are_written_and_used_and_locked_ones_stay(open_client: Make) -> None:
    bed = open_client(locked=frozenset({"notices"}))
    bed.log_in()
    window = bed.open_settings()
    assert control(window, "Show a notice when the phone rings", ttk.Checkbutton).instate(["disabled"])
    colours = control(window, "Colours", ttk.Combobox)
    choose(colours, list(colours.cget("values")).index("Dark"))
    press(window, "Save")
    assert bed.file.read_text() == 'theme = "dark"\n'
    bed.pump(lambda: bed.app.windows.look.palette.dark and "Mario Rossi" in texts(bed.app.windows.main))


def test_a_setting_that_cannot_be_is_said_and_nothing_is_written(open_client: Make) -> None:
    bed = open_client()
    bed.log_in()
    window = bed.open_settings()
    write(control(window, "Address (MAC) to be known by, instead of this PC's", ttk.Entry), "no address")
    press(window, "Save")
    bed.pump(lambda: "Address (MAC) to be known by, instead of this PC's: a MAC address" in texts(window))
    assert not bed.file.exists()


def test_what_is_wrong_is_said_in_the_language_of_the_window(open_client: Make) -> None:
    i18n.use_language("it")
    bed = open_client(language="it")
    peer = bed.log_in()
    window = bed.open_settings()
    hot_key = i18n._("Hot key that calls the selected number, such as Ctrl+Alt+D (empty: off)")
    write(control(window, hot_key, ttk.Entry), "D")
    press(window, i18n._("Save"))
    bed.pump(lambda: "almeno uno tra Ctrl, Alt e Win" in texts(window))
    missing = '<trigger type="application" os="any"><application>no-such-crm</application></trigger>'
    peer.say(event("Link", "7.1", trigger=missing))
    main = bed.app.windows.main
    bed.pump(lambda: "Anna Bianchi non è stato avviato: non è presente su questo PC" in texts(main))
    press(main, i18n._("Details"))
    bed.pump(lambda: "il programma non si trova nel PATH di questo PC" in texts(main))
    bed.app.commands.hang_up("7.1")
    assert peer.hear() == "HANGUP 7.1"
    peer.say("101 KO not a call of yours")
    bed.pump(lambda: "questa non è una tua chiamata" in texts(bed.app.windows.main))


def test_what_is_told_while_the_window_is_hidden_waits_until_it_is_seen(
    open_client: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("astcti_client.ui.windows.main.MESSAGE_TIME", 50)
    bed = open_client()
    bed.log_in()
    bed.app.windows.hide()
    main = bed.app.windows.main
    main.tell("no such program")
    bed.pump(lambda: not main.winfo_viewable())
    main.show_times()
    bed.turn(0.2)
    (message,) = [part for part in main.winfo_children() if isinstance(part, MessageBanner)]
    assert message.winfo_manager()
    bed.app.windows.show()
    bed.pump(lambda: "no such program" in texts(main))
    bed.pump(lambda: not message.winfo_manager(), "the message stays for ever")


@pytest.mark.usefixtures("full_disk")
def test_a_history_that_fails_is_told_and_the_window_goes_on(open_client: Make) -> None:
    bed = open_client()
    peer = bed.log_in()
    done = bed.folder / "done"
    trigger = (
        f'<trigger type="application" os="any"><application>{sys.executable}</application>'
        f"<argument>-c</argument><argument>open({str(done)!r}, 'a').write('x')</argument></trigger>"
    )
    name = "x" * 10_000
    bed.ring("7.1", name=name)
    peer.say(
        event("Link", "7.1", name=name), event("Hangup", "7.1", name=name, end="answered", trigger=trigger)
    )
    bed.pump(lambda: "The history cannot be written" in texts(bed.app.windows.main))
    bed.pump(lambda: "Ended" in texts(bed.app.windows.main))
    bed.pump(lambda: done.exists() and done.read_text(), "the hangup's trigger was lost with the entry")


def test_a_shorter_history_is_kept_at_once(open_client: Make) -> None:
    bed = open_client()
    bed.log_in()
    assert bed.app.change_settings({"history-days": 0}) == ""
    assert not (bed.folder / "history.sqlite").exists()


def test_who_does_not_want_to_be_remembered_is_not_asked_again_to_be(open_client: Make) -> None:
    bed = open_client()
    bed.log_in()
    bed.app.preferences.keep_login(LoginRequest("127.0.0.1", 5000, False, "mario", "", remember=False))
    assert not bed.app.preferences.now.remember


def test_a_port_that_the_administrator_fixed_cannot_be_typed_over(
    open_client: Make, server: CtiServer
) -> None:
    bed = open_client(locked=frozenset({"port"}))
    bed.app.sign_in.log_in(LoginRequest("127.0.0.1", 1, False, "mario", "test", remember=False))
    server.accept().log_in()
    bed.pump(lambda: bed.app.model.up)


def test_a_certificate_file_can_be_taken_out_of_the_settings(open_client: Make) -> None:
    (bed := open_client(ca_file="/etc/old.pem")).log_in()
    assert bed.app.change_settings({"theme": "dark"}) == ""
    assert bed.app.preferences.now.ca_file == "/etc/old.pem"
    assert bed.app.change_settings({"ca-file": ""}) == ""
    assert bed.app.preferences.now.ca_file == ""


def test_the_history_is_searched_called_again_and_exported(open_client: Make) -> None:
    bed = open_client()
    peer = bed.log_in()
    for key, name, number, end in (
        ("7.1", "Anna", "111", "missed"),
        ("8.1", "Berta", "222", "answered-elsewhere"),
    ):
        bed.ring(key, name=name, number=number)
        peer.say(event("Hangup", key, name=name, number=number, end=end))
    bed.pump(lambda: len(bed.history.find()) == 2)
    window = bed.open_history()
    bed.pump(lambda: len(window.table.get_children()) == 2)
    window.search.insert(0, "berta")
    window.refresh()
    (row,) = window.table.get_children()
    assert "Answered elsewhere" in window.table.item(row, "values")
    window.table.selection_set(row)
    press(window, "Call")
    assert peer.hear() == "ORIG 222 outbound 1"
    window.export_to(bed.folder / "calls.csv")
    assert "Berta" in (bed.folder / "calls.csv").read_text(encoding="utf-8-sig")


def test_the_history_says_in_the_users_language_why_a_call_did_not_pop_up(
    open_client: Make, request: pytest.FixtureRequest
) -> None:
    bed = open_client()
    peer = bed.log_in()
    i18n.use_language("it")
    request.addfinalizer(lambda: i18n.use_language("en"))
    bed.tell(ServerReply("", Reply(110, "CAPA", "MAC WHY"), None))
    bed.ring("7.1", name="Anna", number="111")
    peer.say(event("Hangup", "7.1", name="Anna", number="111", end="missed"))
    assert bed.hears() == "WHY 7.1"
    peer.say(
        "250 nobody-answered 1795430727.120 PJSIP/201",
        "250 .rung-by 1795430724.004 PJSIP/201 PJSIP/caller 111 1.0",
        "250 END",
    )
    bed.pump(lambda: any(entry.why for entry in bed.history.find()))
    window = bed.open_history()
    (row,) = window.table.get_children()
    window.table.selection_set(row)
    bed.pump(lambda: window.reason.cget("text"))
    bed.pump(lambda: "Il telefono ha squillato e nessuno ha risposto." in texts(window))


def test_what_is_too_long_for_a_column_of_the_history_ends_in_an_ellipsis(open_client: Make) -> None:
    bed = open_client()
    bed.log_in()
    number = "+39055123456789012345"
    bed.history.add(HistoryEntry(time.time(), "missed", number, "Maximiliane Alexandra von Hohenlohe"))
    window = bed.open_history()
    (row,) = window.table.get_children()
    bed.pump(lambda: window.table.set(row, "number").endswith("…"))
    assert window.table.set(row, "name").endswith("…")
    window.table.column("number", width=400)
    window.table.event_generate("<ButtonRelease-1>", x=1, y=1)
    bed.pump(lambda: window.table.set(row, "number") == number)


def test_quitting_logs_out_and_leaves_nothing_behind(open_client: Make) -> None:
    bed = open_client()
    peer = bed.log_in()
    bed.app.quit()
    assert bed.hears() == "QUIT"
    peer.say("900 OK")
    bed.pump(bed.app.session.ended)
    bed.close()
    with pytest.raises(NoHandOver):
        ask_running_client("show")
