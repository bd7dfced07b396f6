"""Where there is little height the calls have it: what rings, and what has to be pressed, is seen at once."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

import pytest

from astcti_client.net.messages import ConnectionState
from astcti_client.ui import i18n
from astcti_client.ui.widgets.press_guard import INERT
from astcti_client.ui.widgets.seat_header import RingingButtons, SeatHeader
from tests.client.ui.tools.desktop import Desktop
from tests.client.ui.tools.widgets import all_of, assert_usable, button, click, is_seen, press, texts, write
from tests.client.ui.tools.window_test_bed import WindowTestBed, event

Make = Callable[..., WindowTestBed]
QUEUES = ("200 astcti", "200 support", "211 KO vip no such queue")
TARGETS = ("astctidemo Demo", "phones Colleagues")
DATA = "calldata=12345|customer=Rossi & Figli|contract=77"
REST = 1.0
little_room = pytest.mark.parametrize(
    ("desktop", "scale"), [("800x480", 1.0), ("800x480", 2.0), ("1366x768", 2.0)], indirect=["desktop"]
)
in_each_language = pytest.mark.parametrize("language", ["en", "it"])


def log_in(bed: WindowTestBed) -> None:
    bed.log_in("PJSIP/201 Mario Rossi", *QUEUES, targets=TARGETS, phone=["224 PHONE CONSULT"])


def talk(bed: WindowTestBed, key: str = "7.1") -> None:
    bed.peer.say(event("Link", key, data=DATA))
    bed.pump(lambda: key in bed.app.model.calls and bed.app.model.calls[key].phase == "talking")
    bed.app.windows.notices.close_all()
    bed.turn()


@little_room
@in_each_language
def test_a_ringing_calls_buttons_are_seen_without_scrolling(
    open_client: Make, scale: float, language: str
) -> None:
    i18n.use_language(language)
    bed = open_client(scale=scale, language=language)
    log_in(bed)
    bed.ring("7.1", data=DATA)
    card = bed.app.windows.main.calls.cards["7.1"]
    bed.pump(lambda: is_seen(button(card, i18n._("Decline"))))
    assert is_seen(bed.app.windows.main.pause.button)
    assert_usable(bed.root)


@little_room
@in_each_language
def test_whoever_is_to_be_asked_first_is_asked_without_scrolling(
    open_client: Make, scale: float, language: str
) -> None:
    i18n.use_language(language)
    bed = open_client(scale=scale, language=language)
    log_in(bed)
    talk(bed)
    card = bed.app.windows.main.calls.cards["7.1"]
    bed.pump(lambda: is_seen(button(card, i18n._("Hang up"))))
    press(card, i18n._("Transfer"))
    bed.pump(lambda: is_seen(button(card, i18n._("Ask first"))))
    press(card, i18n._("Ask first"))  # nothing was typed: that is said, and the row is higher
    bed.pump(lambda: i18n._("Type a telephone number.") in texts(card))
    bed.pump(lambda: is_seen(button(card, i18n._("Ask first"))))
    assert_usable(bed.root)


@little_room
@in_each_language
def test_of_a_call_that_is_made_the_first_line_and_the_buttons_are_seen(
    open_client: Make, scale: float, language: str
) -> None:
    i18n.use_language(language)
    bed = open_client(scale=scale, language=language)
    log_in(bed)
    bed.app.commands.dial("055123")
    assert bed.hears() == "ORIG 055123 outbound 1"
    bed.peer.say("100 OK")
    bed.pump(lambda: sees_all(bed.root, "Pick up your phone", "Cancel"))
    refused = '<originate exten="055123" response="Failure" reason="0" phone="refused"/>'
    bed.peer.say(event("OriginateResponse", "7.1", direction="outbound", trigger=refused))
    bed.pump(lambda: sees_all(bed.root, "Your phone refused the call", "Call again", "Close"))
    assert_usable(bed.root)


def sees_all(top: tk.Misc, *texts: str) -> bool:
    """Whether all of them are to be seen at the same time, whole, in the language that is spoken."""
    wanted = {i18n._(text) for text in texts}
    parts = all_of(top, (ttk.Label, ttk.Button))
    return wanted <= {str(part.cget("text")).strip() for part in parts if is_seen(part)}


@little_room
@in_each_language
@pytest.mark.parametrize("phase", ["nothing", "talking"])
def test_the_connection_is_tried_now_without_scrolling(
    open_client: Make, scale: float, language: str, phase: str
) -> None:
    i18n.use_language(language)
    bed = open_client(scale=scale, language=language)
    log_in(bed)
    if phase == "talking":
        talk(bed)
    lost = "the server cti.example.com:5000 cannot be reached: the connection was refused"
    bed.tell(ConnectionState("waiting", lost, retry_in=9.0))
    bed.pump(lambda: not bed.app.model.up)
    bed.pump(lambda: is_seen(button(bed.root, i18n._("Try now"))))
    bed.turn()
    assert is_seen(button(bed.root, i18n._("Try now")))
    assert_usable(bed.root)


def test_a_ring_beside_the_call_that_is_talked_to_is_said_where_its_card_is_not_seen(
    open_client: Make, desktop: Desktop
) -> None:
    bed = open_client(scale=2.0)
    log_in(bed)
    talk(bed)
    main = bed.app.windows.main
    hang_up = button(main.calls.cards["7.1"], "Hang up")
    before = hang_up.winfo_rooty()
    bed.ring("8.1", name="Jürgen Groß")
    bed.pump(lambda: "Jürgen Groß" in texts(header_of(bed)))
    bed.turn()
    decline = button(main.calls.cards["8.1"], "Decline")
    assert not is_seen(decline)
    assert hang_up.winfo_rooty() == before, "nothing moves the call that is talked to"
    said = next(part for part in header_of(bed).winfo_children() if "Groß" in str(part_text(part)))
    click(desktop, said)
    bed.pump(lambda: is_seen(decline))
    bed.peer.say(event("Hangup", "8.1", end="missed"))
    bed.pump(lambda: "Groß" not in texts(header_of(bed)))


@little_room
@in_each_language
def test_what_rings_beside_the_call_that_is_talked_to_is_declined_or_answered_at_once(
    open_client: Make, desktop: Desktop, scale: float, language: str
) -> None:
    i18n.use_language(language)
    bed = open_client(scale=scale, language=language, rest=REST)
    bed.log_in("PJSIP/201 Mario Rossi", *QUEUES, targets=TARGETS, phone=["224 PHONE CONSULT ANSWER"])
    talk(bed)
    header = header_of(bed)
    main = bed.app.windows.main
    still = [
        main.pause.button,
        *all_of(header, ttk.Button),
        button(main.calls.cards["7.1"], i18n._("Hang up")),
    ]
    before = [(part.winfo_rootx(), part.winfo_rooty()) for part in still]
    bed.ring("8.1", name="Jürgen Groß")
    bed.pump(lambda: len(list(all_of(header, RingingButtons))) == 1)
    bed.turn()
    assert [(part.winfo_rootx(), part.winfo_rooty()) for part in still] == before, "nothing moves"
    assert_usable(bed.root)
    (buttons,) = all_of(header, RingingButtons)
    decline, answer = all_of(buttons, ttk.Button)
    click(desktop, answer)  # it has just come: nobody can have meant it
    bed.pump(lambda: answer.instate([f"!{INERT}"]))
    click(desktop, answer, repeat=2)
    assert bed.hears() == "ANSWER 8.1"
    bed.pump(lambda: decline.instate(["disabled"]))
    bed.peer.say("100 OK", event("Hangup", "8.1", end="missed"))
    bed.ring("9.1", name="Zoë Müller")
    bed.pump(lambda: buttons not in list(all_of(header, RingingButtons)) and "Müller" in texts(header))
    (others,) = all_of(header, RingingButtons)
    decline = next(all_of(others, ttk.Button))
    assert decline.instate([INERT]), "another call's button rests, wherever it stands"
    bed.pump(lambda: decline.instate([f"!{INERT}"]))
    click(desktop, decline)
    assert bed.hears() == "HANGUP 9.1"


def header_of(bed: WindowTestBed) -> SeatHeader:
    return next(all_of(bed.app.windows.main, SeatHeader))


def part_text(widget: tk.Misc) -> object:
    return widget.cget("text") if "text" in widget.keys() else ""  # noqa: SIM118


@pytest.mark.parametrize("desktop", ["1366x768"], indirect=True)
@pytest.mark.parametrize(("before", "after"), [(420, 640), (640, 420)])
def test_a_place_that_came_to_mean_something_else_is_inert(
    open_client: Make, desktop: Desktop, before: int, after: int
) -> None:
    bed = open_client(rest=REST)
    log_in(bed)
    bed.root.geometry(f"430x{before}")
    bed.pump(lambda: bed.root.winfo_height() == before)
    talk(bed)
    hang_up = button(bed.app.windows.main.calls.cards["7.1"], "Hang up")
    awake = [f"!{INERT}", "!disabled"]
    bed.pump(lambda: hang_up.winfo_viewable() and hang_up.instate(awake))
    place = hang_up.winfo_rooty()
    bed.root.geometry(f"430x{after}")
    bed.pump(lambda: hang_up.winfo_rooty() != place)
    click(desktop, hang_up)
    bed.turn(0.3)
    assert not bed.peer.would_hear()
    bed.pump(lambda: hang_up.instate(awake))
    click(desktop, hang_up)
    assert bed.hears() == "HANGUP 7.1"


def test_calls_that_come_and_go_change_nothing_of_the_form(open_client: Make) -> None:
    bed = open_client()
    log_in(bed)
    pause = bed.app.windows.main.pause.button
    bed.turn()
    before = (pause.winfo_rootx(), pause.winfo_rooty())
    for key in ("1.1", "2.1", "3.1", "4.1"):
        bed.ring(key, data=DATA)
    bed.turn()
    assert (pause.winfo_rootx(), pause.winfo_rooty()) == before
    bed.tell(ConnectionState("waiting", "the server closed the connection", retry_in=9.0))
    bed.pump(lambda: not bed.app.model.up)
    bed.turn()
    assert pause.winfo_rooty() == before[1], "a state of two lines is no higher than one of one"


@pytest.mark.parametrize("desktop", ["800x480", "1366x768"], indirect=True)
def test_a_text_of_two_lines_beside_a_picture_is_one_block(open_client: Make, desktop: Desktop) -> None:
    bed = open_client()
    log_in(bed)
    bed.peer.say("310 IN Lunch break with all colleagues")
    bed.pump(lambda: "Lunch break" in texts(bed.root))
    labels = [label for label in all_of(bed.root, ttk.Label) if str(label.cget("compound")) == "left"]
    long = [str(label.cget("text")) for label in labels if "Lunch break" in str(label.cget("text"))]
    assert long
    assert not any(text.startswith(" ") for text in long), "a blank shifts the first line alone"


def test_the_dial_bar_is_folded_and_opens_for_a_number(open_client: Make, desktop: Desktop) -> None:
    bed = open_client()
    log_in(bed)
    main = bed.app.windows.main
    bar = main.dial_bar
    bed.turn()
    assert not bar.winfo_viewable()
    bed.root.focus_force()
    bed.wait_for_keyboard(bed.root)
    desktop.do("key", "ctrl+l")
    bed.wait_for_keyboard(bar.number)
    bed.pump(lambda: is_seen(bar.number))
    write(bar.number, "055123")
    desktop.do("key", "Escape")
    bed.pump(lambda: not bar.winfo_viewable())
    assert bed.root.winfo_viewable(), "the field is closed, not the window"
    desktop.do("key", "ctrl+l")
    bed.wait_for_keyboard(bar.number)
    assert bar.number.get() == "055123"
    desktop.do("key", "Return")
    assert bed.hears() == "ORIG 055123 outbound 1"
    bed.pump(lambda: not bar.winfo_viewable())
    bed.pump(lambda: is_seen(button(main, "Cancel")))


def test_what_is_typed_and_open_stays_in_another_look(open_client: Make) -> None:
    bed = open_client()
    log_in(bed)
    bed.app.windows.show_dial()
    write(bed.app.windows.main.dial_bar.number, "055123")
    assert bed.app.change_settings({"theme": "dark"}) == ""
    bar = bed.app.windows.main.dial_bar
    bed.pump(bar.winfo_viewable)
    assert bar.number.get() == "055123"
