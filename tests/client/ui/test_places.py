"""No place of the window changes its meaning under the pointer: what was aimed at is done, or nothing."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

import pytest

from astcti_client.ui.state.calls import seat_calls
from astcti_client.ui.state.history import HistoryEntry
from astcti_client.ui.state.seat_call import SeatCall
from astcti_client.ui.widgets.call_card import CallCard
from astcti_client.ui.widgets.call_list import arranged
from astcti_client.ui.widgets.press_guard import INERT
from astcti_client.ui.windows.history import HistoryWindow
from tests.client.ui.tools.desktop import Desktop
from tests.client.ui.tools.widgets import all_of, button, click, write
from tests.client.ui.tools.window_test_bed import WindowTestBed, event

Make = Callable[..., WindowTestBed]
PAGE = '<trigger type="browser" os="any"><url>https://crm.example/12345</url></trigger>'
REST = 1.0
"""Seconds that buttons are inert here, as in the program."""
LATER = 4e9
"""Seconds since 1970: nothing of then is too old to be kept."""


def card_of(bed: WindowTestBed, key: str) -> CallCard:
    bed.pump(lambda: key in bed.app.windows.main.calls.cards)
    return bed.app.windows.main.calls.cards[key]


def place(widget: tk.Misc) -> tuple[int, int, int, int]:
    """Where it is on the screen: left, top, right, bottom."""
    x, y = widget.winfo_rootx(), widget.winfo_rooty()
    return x, y, x + widget.winfo_width(), y + widget.winfo_height()


def until_awake(bed: WindowTestBed, *buttons: ttk.Button) -> None:
    """Until these buttons can be pressed."""
    bed.pump(
        lambda: all(one.winfo_viewable() and one.instate([f"!{INERT}", "!disabled"]) for one in buttons),
        "a button stays inert",
    )


def talking(bed: WindowTestBed, key: str = "7.1") -> ttk.Button:
    """A call that is talked to, for long; its *Hang up*."""
    bed.peer.say(event("Callerid", key), event("Link", key))
    bed.pump(lambda: key in bed.app.model.calls and bed.app.model.calls[key].phase == "talking")
    bed.app.windows.notices.close_all()
    hang_up = button(card_of(bed, key), "Hang up")
    until_awake(bed, hang_up)
    return hang_up


def over(bed: WindowTestBed, key: str) -> None:
    bed.pump(lambda: bed.app.model.calls[key].phase == "over")
    bed.pump(lambda: button(card_of(bed, key), "Call back").winfo_viewable())


def nothing_is_said(bed: WindowTestBed) -> None:
    """What was clicked has been handled, and the server heard nothing of it."""
    bed.turn(0.3)
    assert not bed.peer.would_hear()


# --- the three accidents ---


def test_a_double_click_on_hang_up_hangs_up_once_and_calls_nobody(
    open_client: Make, desktop: Desktop
) -> None:
    bed = open_client(rest=REST)
    bed.log_in()
    hang_up = talking(bed)
    click(desktop, hang_up)
    assert bed.hears() == "HANGUP 7.1"
    bed.peer.say("100 OK", event("Hangup", "7.1", end="answered"))
    over(bed, "7.1")
    desktop.do("click", "1")
    nothing_is_said(bed)
    call_back = button(card_of(bed, "7.1"), "Call back")
    click(desktop, call_back)
    nothing_is_said(bed)
    until_awake(bed, call_back)
    click(desktop, call_back)
    assert bed.hears() == "ORIG 3331234567 outbound 1"


def test_both_clicks_before_the_reply_ask_once(open_client: Make, desktop: Desktop) -> None:
    bed = open_client(rest=REST)
    bed.log_in()
    hang_up = talking(bed)
    click(desktop, hang_up)
    desktop.do("click", "--repeat", "2", "--delay", "60", "1")
    assert bed.hears() == "HANGUP 7.1"
    nothing_is_said(bed)
    assert hang_up.instate(["disabled"])
    bed.peer.say("101 KO PBX down")
    until_awake(bed, hang_up)
    click(desktop, hang_up)
    assert bed.hears() == "HANGUP 7.1"


def test_the_caller_hangs_up_as_the_agent_clicks(open_client: Make, desktop: Desktop) -> None:
    bed = open_client(rest=REST)
    bed.log_in()
    hang_up = talking(bed)
    desktop.do("mousemove", *(str(dots) for dots in middle(hang_up)))
    bed.peer.say(event("Hangup", "7.1", end="answered"))
    over(bed, "7.1")
    desktop.do("click", "--repeat", "2", "--delay", "100", "1")
    nothing_is_said(bed)


def middle(widget: tk.Misc) -> tuple[int, int]:
    left, top, right, bottom = place(widget)
    return (left + right) // 2, (top + bottom) // 2


def test_a_new_ring_comes_below_the_call_that_is_hung_up(open_client: Make, desktop: Desktop) -> None:
    bed = open_client(rest=REST)
    bed.log_in()
    hang_up = talking(bed)
    before = place(hang_up)
    desktop.do("mousemove", *(str(dots) for dots in middle(hang_up)))
    bed.ring("8.1")
    decline = button(card_of(bed, "8.1"), "Decline")
    bed.pump(decline.winfo_viewable)
    assert place(hang_up) == before
    assert place(decline)[1] > before[3]
    desktop.do("click", "1")
    assert bed.hears() == "HANGUP 7.1"


def test_a_click_on_decline_does_not_end_the_call_that_was_just_answered(
    open_client: Make, desktop: Desktop
) -> None:
    bed = open_client(rest=REST)
    bed.log_in()
    bed.ring("7.1")
    decline = button(card_of(bed, "7.1"), "Decline")
    until_awake(bed, decline)
    bed.peer.say(event("Link", "7.1"))
    bed.pump(lambda: bed.app.model.calls["7.1"].phase == "talking")
    click(desktop, decline)
    nothing_is_said(bed)
    until_awake(bed, decline)
    click(desktop, decline)
    assert bed.hears() == "HANGUP 7.1"


# --- places ---


def test_a_calls_buttons_keep_their_places_until_its_card_goes(open_client: Make) -> None:
    bed = open_client(triggers=False)
    bed.log_in(targets=["astctidemo Demo"])
    bed.ring("7.1")
    card = card_of(bed, "7.1")
    bed.pump(lambda: button(card, "Decline").winfo_viewable())
    places: dict[tk.Misc, set[tuple[int, int]]] = {}
    boxes: dict[tk.Misc, tuple[int, int, int, int]] = {}

    def note() -> None:
        bed.turn()
        for part in all_of(card, ttk.Button):
            places.setdefault(part, set()).add(place(part)[:2])
            boxes[part] = place(part)

    note()
    for line in (event("Link", "7.1", trigger=PAGE), event("Unlink", "7.1"), event("Hangup", "7.1")):
        bed.peer.say(line)
        bed.pump(lambda: not bed.peer.would_hear())
        note()
    bed.pump(lambda: bed.app.model.calls["7.1"].phase == "over")
    note()
    assert len(places) == 4  # hang up, transfer, page, call back
    assert [found for found in places.values() if len(found) > 1] == [], "a button moved"
    call_back = boxes.pop(button(card, "Call back"))
    for box in boxes.values():
        assert call_back[0] >= box[2] or call_back[2] <= box[0] or call_back[3] <= box[1]


def test_a_card_that_goes_moves_no_button_under_the_pointer(
    open_client: Make, desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seat_calls, "OVER_TIME", 1.5)
    bed = open_client(rest=REST)
    bed.log_in()
    bed.ring("7.1")
    bed.ring("8.1")
    decline = button(card_of(bed, "8.1"), "Decline")
    until_awake(bed, decline)
    bed.peer.say(event("Hangup", "7.1", end="missed"))
    over(bed, "7.1")
    before = place(decline)
    bed.pump(lambda: "7.1" not in bed.app.windows.main.calls.cards)
    bed.pump(lambda: place(decline) != before)
    click(desktop, decline)
    nothing_is_said(bed)
    until_awake(bed, decline)
    click(desktop, decline)
    assert bed.hears() == "HANGUP 8.1"


def test_what_was_scrolled_under_the_pointer_is_inert(open_client: Make, desktop: Desktop) -> None:
    bed = open_client(rest=REST)
    bed.log_in()
    for key in ("1.1", "2.1", "3.1", "4.1", "5.1"):
        bed.ring(key)
    bed.app.windows.notices.close_all()
    decline = button(card_of(bed, "1.1"), "Decline")
    bed.app.windows.main.calls.cards["1.1"].focus_set()  # brought into view
    until_awake(bed, decline)
    before = place(decline)
    desktop.do("mousemove", *(str(dots) for dots in middle(decline)), "click", "5")
    bed.pump(lambda: place(decline) != before)
    assert before[1] != place(decline)[1]
    target = button(card_of(bed, "2.1"), "Decline")
    click(desktop, target)
    nothing_is_said(bed)
    until_awake(bed, target)
    click(desktop, target)
    assert bed.hears() == "HANGUP 2.1"


def test_what_moved_with_the_windows_size_is_inert(open_client: Make, desktop: Desktop) -> None:
    bed = open_client(rest=REST)
    bed.log_in()
    bar = bed.app.windows.main.dial_bar
    write(bar.number, "055123")
    call = button(bar, "Call")
    until_awake(bed, call)
    before = place(call)
    bed.root.geometry(f"{bed.root.winfo_width() + 60}x{bed.root.winfo_height() - 40}")
    bed.pump(lambda: place(call) != before)
    click(desktop, call)
    nothing_is_said(bed)
    until_awake(bed, call)
    click(desktop, call)
    assert bed.hears() == "ORIG 055123 outbound 1"


@pytest.mark.parametrize(
    ("setting", "value", "words"), [("theme", "dark", "Hang up"), ("language", "it", "Riaggancia")]
)
def test_another_look_keeps_the_places_and_is_inert_at_first(
    open_client: Make, desktop: Desktop, setting: str, value: str, words: str
) -> None:
    bed = open_client(rest=REST, language="en")
    bed.log_in()
    hang_up = talking(bed)
    bed.ring("8.1")
    before, order = place(hang_up), bed.app.windows.main.calls.order
    desktop.do("mousemove", *(str(dots) for dots in middle(hang_up)))
    assert bed.app.change_settings({setting: value}) == ""
    hang_up = button(card_of(bed, "7.1"), words)
    bed.pump(hang_up.winfo_viewable)
    desktop.do("click", "1")
    nothing_is_said(bed)
    assert bed.app.windows.main.calls.order == order
    assert abs(place(hang_up)[1] - before[1]) < 10  # other words may be higher
    until_awake(bed, hang_up)
    desktop.do("click", "1")
    assert bed.hears() == "HANGUP 7.1"


def test_keys_wait_as_clicks_do(open_client: Make, desktop: Desktop) -> None:
    bed = open_client(rest=REST)
    bed.log_in()
    bed.ring("7.1")
    decline = button(card_of(bed, "7.1"), "Decline")
    until_awake(bed, decline)
    decline.focus_force()
    bed.wait_for_keyboard(decline)
    bed.peer.say(event("Link", "7.1"))
    bed.pump(lambda: bed.app.model.calls["7.1"].phase == "talking")
    desktop.do("key", "Return", "space")
    nothing_is_said(bed)
    bed.wait_for_keyboard(decline)  # it has it still
    until_awake(bed, decline)
    desktop.do("key", "Return")
    assert bed.hears() == "HANGUP 7.1"


def test_a_pause_is_not_ended_by_the_second_click_that_began_it(open_client: Make, desktop: Desktop) -> None:
    bed = open_client(rest=REST)
    peer = bed.log_in()
    bed.app.model.reasons = ()
    pause = bed.app.windows.main.pause.button
    until_awake(bed, pause)
    click(desktop, pause)
    assert bed.hears() == "PAUSE IN"
    peer.say("300 OK")
    bed.pump(lambda: bed.app.model.pause.phase == "in")
    desktop.do("click", "1")
    pause.focus_force()
    desktop.do("key", "ctrl+p")
    nothing_is_said(bed)


# --- the order, without a window ---


def call(key: str, phase: str, *, answered: bool = False) -> SeatCall:
    since = float(key)
    return SeatCall(key, phase, "inbound", since, talking_since=since if answered else None)  # type: ignore[arg-type]


def order(before: list[str], *calls: SeatCall) -> list[str]:
    return arranged(before, {one.key: one for one in calls})


def test_new_rings_come_below_the_older_ones_and_above_what_is_over() -> None:
    assert order([], call("1", "ringing"), call("2", "ringing")) == ["1", "2"]
    calls = call("1", "talking", answered=True), call("2", "over"), call("3", "ringing")
    assert order(["1", "2"], *calls) == ["1", "3", "2"]


def test_the_first_card_keeps_its_place_when_its_call_is_over() -> None:
    calls = call("1", "over", answered=True), call("2", "over"), call("3", "ringing")
    assert order(["1", "2"], *calls) == ["1", "3", "2"]


def test_who_is_talked_to_comes_first_and_stays_there() -> None:
    calls = call("1", "ringing"), call("2", "talking", answered=True)
    assert order(["1", "2"], *calls) == ["2", "1"]
    calls = call("1", "talking", answered=True), call("2", "parted", answered=True)
    assert order(["2", "1"], *calls) == ["2", "1"]
    calls = call("1", "ringing"), call("2", "over", answered=True)
    assert order(["2", "1"], *calls) == ["2", "1"]
    three = call("1", "ringing"), call("2", "talking", answered=True), call("3", "talking", answered=True)
    assert order(["2", "1"], *three) == ["2", "3", "1"]


def test_cards_that_went_leave_the_others_in_order() -> None:
    assert order(["1", "2", "3"], call("1", "ringing"), call("3", "over")) == ["1", "3"]
    assert order(["1", "2"]) == []


# --- the history ---


def history_of(bed: WindowTestBed, calls: int) -> HistoryWindow:
    """Opened, with so many calls in it: 1000 is the oldest number."""
    for number in range(1000, 1000 + calls):
        bed.history.add(HistoryEntry(LATER + number, "missed", str(number)))
    window = bed.open_history()
    bed.pump(
        lambda: window.table.winfo_viewable() and isinstance(window.table.bbox(row_of(window, 0)), tuple)
    )
    bed.wait_for_keyboard(window.search)
    return window


def row_of(window: HistoryWindow, place: int) -> str:
    return window.table.get_children()[place]


def number_of(window: HistoryWindow, row: str) -> str:
    return str(window.table.set(row, "number"))


def double_click(desktop: Desktop, window: HistoryWindow, y: int) -> None:
    """In the middle of the list, so far below its top."""
    table = window.table
    x = table.winfo_rootx() + table.winfo_width() // 2
    desktop.do(
        "mousemove", str(x), str(table.winfo_rooty() + y), "click", "--repeat", "2", "--delay", "60", "1"
    )


def below_row(window: HistoryWindow, row: str) -> int:
    box = window.table.bbox(row)
    assert not isinstance(box, str), "the row is not to be seen"
    return box[1] + box[3] // 2


def test_a_double_click_beside_the_calls_of_the_history_calls_nobody(
    open_client: Make, desktop: Desktop
) -> None:
    bed = open_client()
    bed.log_in()
    window = history_of(bed, calls=3)
    heading, empty = 10, window.table.winfo_height() - 10
    assert not window.table.identify_row(empty), "there is room below the calls"
    clicked: list[object] = []
    window.table.bind("<Double-ButtonRelease-1>", clicked.append)
    window.table.selection_set(row_of(window, 0))
    double_click(desktop, window, heading)
    bed.pump(lambda: len(clicked) == 1, "the double click does not come")
    double_click(desktop, window, empty)
    bed.pump(lambda: len(clicked) == 2, "the double click does not come")
    assert window.table.selection()
    double_click(desktop, window, below_row(window, row_of(window, 1)))
    assert bed.hears() == "ORIG 1001 outbound 1", "the first that is called"
    bed.peer.say("100 OK")


def test_a_call_that_comes_into_the_history_leaves_what_was_chosen_and_is_in_sight(open_client: Make) -> None:
    bed = open_client()
    bed.log_in()
    window = history_of(bed, calls=60)
    table = window.table
    table.selection_set(row_of(window, 30))
    table.yview_moveto(0.5)
    bed.pump(lambda: table.yview()[0] > 0.4)
    before = below_row(window, row_of(window, 32))
    bed.history.add(HistoryEntry(LATER + 5000, "missed", "5000"))
    bed.app.windows.history_changed()
    bed.app.windows.show_model()
    bed.pump(lambda: number_of(window, row_of(window, 0)) == "5000")
    assert [number_of(window, row) for row in table.selection()] == ["1029"]
    assert below_row(window, row_of(window, 33)) == before, "it is where it was"


def test_rows_that_moved_take_no_double_click_at_first(open_client: Make, desktop: Desktop) -> None:
    bed = open_client(rest=30)
    bed.log_in()
    window = history_of(bed, calls=3)
    y = below_row(window, row_of(window, 0))
    bed.history.add(HistoryEntry(LATER + 5000, "missed", "5000"))
    bed.app.windows.history_changed()
    bed.app.windows.show_model()
    bed.pump(lambda: number_of(window, row_of(window, 0)) == "5000")
    double_click(desktop, window, y)
    bed.pump(lambda: [number_of(window, row) for row in window.table.selection()] == ["5000"])
    bed.app.commands.ask_pause("")
    assert bed.hears() == "PAUSE IN", "nobody is called"
