"""Colleagues, the line of queues, missed calls: what is known of them, and how windows are used."""

from __future__ import annotations

import time
import tkinter as tk
from collections.abc import Callable
from functools import partial

import pytest

from astcti_client.net.messages import IssuedCommand, OwnQueue
from astcti_client.ui.state.colleagues import Colleague, Colleagues, found, in_order
from astcti_client.ui.state.seat_queues import queue_lines
from astcti_client.ui.state.seat_state import SeatQueue
from astcti_client.ui.widgets.press_guard import INERT
from astcti_client.ui.widgets.seat_header import SeatHeader
from astcti_client.ui.windows.colleagues import ColleaguesWindow
from schemas.protocol import ColleagueState
from schemas.wire import Reply
from tests.client.ui.tools.desktop import Desktop
from tests.client.ui.tools.widgets import all_of, click, write
from tests.client.ui.tools.window_test_bed import WindowTestBed, event

Make = Callable[..., WindowTestBed]
ROWS = ("242 anna PJSIP/202 ready Anna Verdi", "242 zoe PJSIP/203 offline Zoë Müller", "242 END")
REST = 1.0
"""Seconds that buttons are inert in the tests of that, as in the program."""


def colleague(username: str, full_name: str = "", extension: str = "PJSIP/202") -> Colleague:
    return Colleague(username, extension, ColleagueState.READY, full_name)


# --- without a window ---


def told(colleagues: Colleagues, line: str, number: int | None = None) -> None:
    """A line of the server, as an announcement or in answer to a command."""
    code, token, *rest = line.split(" ", 2)
    answers = None if number is None else IssuedCommand(number, "COLLEAGUES")
    colleagues.hear(Reply(int(code), token, rest[0] if rest else ""), answers)


def test_a_whole_answer_takes_the_place_of_what_was_known() -> None:
    colleagues = Colleagues()
    for line in ROWS:
        told(colleagues, line, 1)
    assert list(colleagues.known) == ["anna", "zoe"]
    told(colleagues, "242 luca - unreachable", 2)
    assert list(colleagues.known) == ["anna", "zoe"], "half an answer says nothing yet"
    told(colleagues, "242 END", 2)
    assert colleagues.known == {"luca": Colleague("luca", "", ColleagueState.UNREACHABLE, "")}


def test_a_change_is_taken_over_and_only_a_change_counts() -> None:
    colleagues = Colleagues()
    for line in ROWS:
        told(colleagues, line, 1)
    before = colleagues.changes
    told(colleagues, "242 anna PJSIP/202 ready Anna Verdi")
    told(colleagues, "242 anna PJSIP/202 asleep Anna Verdi")
    told(colleagues, "243 nobody")
    assert colleagues.changes == before
    told(colleagues, "242 anna PJSIP/202 talking Anna Verdi")
    told(colleagues, "243 zoe")
    assert colleagues.changes == before + 2
    assert [one.state for one in colleagues.known.values()] == [ColleagueState.TALKING]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ["anna", "luca", "zoe"]),
        ("zoe", ["zoe"]),
        ("MULL", ["zoe"]),
        ("ve an", ["anna"]),
        ("203", ["zoe"]),
        ("luca", ["luca"]),
        ("nobody", []),
    ],
)
def test_a_search_finds_names_user_names_and_phones_without_accents(text: str, names: list[str]) -> None:
    people = [colleague("zoe", "Zoë Müller", "PJSIP/203"), colleague("luca"), colleague("anna", "Anna Verdi")]
    assert [one.username for one in found(in_order(people), text)] == names


@pytest.mark.parametrize(
    ("extension", "number"),
    [("PJSIP/202", "202"), ("Local/202@agents", "202"), ("SIP/anna", ""), ("", ""), ("DAHDI/g1/12", "12")],
)
def test_the_number_is_what_the_phone_is_called_if_that_is_one(extension: str, number: str) -> None:
    assert colleague("anna", extension=extension).number == number


def test_queues_have_the_names_of_their_services() -> None:
    own = (OwnQueue("q-sales", True, "Sales"), OwnQueue("q-vip", False, "VIP, Support"))
    lines = queue_lines([SeatQueue("Q-Sales", "joined"), SeatQueue("other", "joined")], own)
    assert [(line.label, line.queue.state, line.may_leave) for line in lines] == [
        ("Sales", "joined", True),
        ("VIP, Support", "left", False),
        ("other", "joined", False),
    ]


# --- in the window ---


def open_colleagues(bed: WindowTestBed, *rows: str) -> ColleaguesWindow:
    """Log in at a server that tells, and open the list; it has these rows."""
    bed.log_in(colleagues=True)
    bed.app.windows.show_colleagues()
    assert bed.hears() == "COLLEAGUES"
    bed.peer.say(*(rows or ROWS))
    window = bed.app.windows.colleagues
    assert window is not None
    bed.pump(lambda: window.table.get_children())
    return window


def rows(window: ColleaguesWindow) -> list[tuple[str, ...]]:
    return [tuple(window.table.item(row, "values")) for row in window.table.get_children()]


def test_the_list_shows_who_does_what_and_follows(open_client: Make) -> None:
    bed = open_client()
    window = open_colleagues(bed)
    assert rows(window) == [("Anna Verdi", "Ready", "202"), ("Zoë Müller", "Not logged in", "203")]
    bed.peer.say("242 zoe PJSIP/203 paused Zoë Müller", "242 anna PJSIP/202 talking Anna Verdi")
    bed.pump(lambda: rows(window)[1][1] == "In pause")
    assert rows(window)[0] == ("Anna Verdi", "In a call", "202")
    window.destroy()
    assert bed.hears() == "COLLEAGUES OFF"
    bed.peer.say("100 OK")


def test_who_is_chosen_stays_chosen_whatever_changes_and_however_it_is_drawn(open_client: Make) -> None:
    bed = open_client()
    window = open_colleagues(bed)
    window.table.selection_set("zoe")
    bed.peer.say("242 bruno PJSIP/204 ready Bruno Neri", "242 zoe PJSIP/203 ringing Zoë Müller")
    bed.pump(lambda: len(rows(window)) == 3)
    assert window.table.selection() == ("zoe",)
    assert bed.app.change_settings({"language": "it", "theme": "dark"}) == ""
    assert rows(window)[2] == ("Zoë Müller", "Squilla", "203")
    assert window.table.selection() == ("zoe",)


def test_a_colleague_is_found_and_called_with_the_keyboard_alone(open_client: Make, desktop: Desktop) -> None:
    bed = open_client()
    window = open_colleagues(bed)
    bed.wait_for_keyboard(window.search)
    desktop.do("type", "mul")
    bed.pump(lambda: len(rows(window)) == 1)
    desktop.do("key", "Down")
    bed.wait_for_keyboard(window.table)
    desktop.do("key", "Return")
    assert bed.hears() == "ORIG 203 outbound 1"
    bed.peer.say("100 OK")


def test_a_click_too_many_calls_nobody_twice(open_client: Make, desktop: Desktop) -> None:
    bed = open_client(rest=REST)
    window = open_colleagues(bed)
    window.table.selection_set("anna")
    bed.pump(lambda: window.call.instate(["!disabled", f"!{INERT}"]))
    click(desktop, window.call)
    click(desktop, window.call)
    assert bed.hears() == "ORIG 202 outbound 1"
    bed.turn(0.3)
    assert not bed.peer.would_hear()
    bed.peer.say("100 OK")


def test_two_double_clicks_on_a_colleague_call_him_once(open_client: Make, desktop: Desktop) -> None:
    bed = open_client(rest=REST)
    window = open_colleagues(bed)
    bed.turn(0.3)
    box = window.table.bbox("anna", "name")
    assert not isinstance(box, str), "the row is not to be seen"
    left, top, width, height = box
    place = window.table.winfo_rootx() + left + width // 2, window.table.winfo_rooty() + top + height // 2
    desktop.do("mousemove", *map(str, place), "click", "--repeat", "4", "--delay", "60", "1")
    assert bed.hears() == "ORIG 202 outbound 1", "the row was there to be seen: it does not rest"
    bed.turn(0.3)
    assert not bed.peer.would_hear()
    bed.peer.say("100 OK")


def test_a_colleague_without_a_number_is_not_called(open_client: Make) -> None:
    bed = open_client()
    window = open_colleagues(bed, "242 anna SIP/anna ready Anna Verdi", "242 END")
    window.table.selection_set("anna")
    bed.turn()
    assert window.call.instate(["disabled"])


def test_a_call_that_is_up_is_handed_to_a_colleague_who_was_chosen(open_client: Make) -> None:
    bed = open_client()
    window = open_colleagues(bed)
    window.table.selection_set("anna")
    bed.turn()
    assert window.transfer.instate(["disabled"]), "there is no call"
    bed.peer.say(event("Link", "7.1"))
    bed.pump(lambda: window.transfer.instate(["!disabled"]))
    window.transfer.invoke()
    assert bed.app.windows.main.calls.transfers() == {"7.1": ("202", 0)}
    assert not bed.peer.would_hear(), "the agent has the last word"


def test_three_hundred_colleagues_are_searched_and_scrolled_at_once(open_client: Make) -> None:
    bed = open_client()
    people = [f"242 user{n} PJSIP/{1000 + n} ready Name{n} Surname{n}" for n in range(300)]
    window = open_colleagues(bed, *people, "242 END")
    began = time.perf_counter()
    for n in range(30):
        window.table.yview_scroll(3, "units")
        window.search.delete(0, "end")
        window.search.insert(0, str(n))
        bed.root.update()
    assert time.perf_counter() - began < 5.0
    assert len(window.table.get_children()) < 300


def test_after_a_reconnection_the_open_list_is_asked_for_again(open_client: Make) -> None:
    bed = open_client()
    window = open_colleagues(bed)
    bed.peer.close()
    bed.peer = bed.server.accept()
    bed.peer.log_in(who="PJSIP/201 Mario Rossi", colleagues=True)
    bed.peer.say("310 OUT")
    assert bed.hears() == "COLLEAGUES"
    bed.peer.say("242 anna PJSIP/202 paused Anna Verdi", "242 END")
    bed.pump(lambda: len(rows(window)) == 1)


def test_an_old_server_is_not_asked(open_client: Make) -> None:
    bed = open_client()
    bed.log_in()
    bed.app.windows.show_colleagues()
    bed.turn(0.3)
    assert not bed.peer.would_hear()


# --- the queues' line ---


def test_queues_are_one_line_until_it_is_opened(open_client: Make, desktop: Desktop) -> None:
    bed = open_client()
    bed.log_in(
        "PJSIP/201 Mario Rossi",
        "200 q1",
        "210 q3",
        queues=("may-leave q1 Sales", "stays q2 VIP", "may-leave q3 Night"),
    )
    marks = bed.app.windows.main.queues
    bed.pump(lambda: "1 of 3 queues" in str(marks.summary.cget("text")))
    assert not marks.rows
    click(desktop, marks.summary)
    bed.pump(lambda: len(marks.rows) == 3)
    bed.turn()
    assert [marks.rows[name].change.winfo_ismapped() for name in ("q1", "q2", "q3")] == [1, 0, 1]


def test_a_queue_is_left_and_joined_and_its_button_rests_in_between(
    open_client: Make, desktop: Desktop
) -> None:
    bed = open_client(rest=REST)
    bed.log_in("PJSIP/201 Mario Rossi", "200 q1", queues=("may-leave q1 Sales",))
    marks = bed.app.windows.main.queues
    bed.pump(lambda: "Sales" in str(marks.summary.cget("text")))
    marks.toggle()
    bed.pump(lambda: marks.rows["q1"].change.winfo_ismapped())
    button = marks.rows["q1"].change
    bed.pump(lambda: button.cget("text") == "Leave" and button.instate([f"!{INERT}"]))
    bed.turn()
    click(desktop, button)
    click(desktop, button)
    assert bed.hears() == "QUEUE q1 OUT"
    bed.turn(0.3)
    assert not bed.peer.would_hear(), "once is enough"
    bed.peer.say("100 OK", "210 q1")
    bed.pump(lambda: button.cget("text") == "Join")
    click(desktop, button)
    bed.turn(0.3)
    assert not bed.peer.would_hear(), "it means something else than a moment ago"
    bed.pump(lambda: button.instate([f"!{INERT}"]))
    write(bed.app.windows.main.dial_bar.number, "123")
    click(desktop, button)
    assert bed.hears() == "QUEUE q1 IN"
    bed.peer.say("101 KO this queue may not be left")


# --- missed calls ---


def test_missed_calls_are_counted_until_somebody_looks(open_client: Make) -> None:
    bed = open_client()
    bed.log_in()
    header = next(all_of(bed.app.windows.main, SeatHeader))
    for key, end in (("1.1", "missed"), ("2.1", "answered-elsewhere"), ("3.1", "cancelled")):
        bed.ring(key)
        bed.peer.say(event("Hangup", key, end=end))
    bed.pump(lambda: bed.app.model.missed == 2)
    bed.pump(lambda: str(header.history.cget("text")).strip() == "2")
    assert bed.app.tray.content.missed == 2
    assert "2 missed calls" in bed.app.tray.content.text
    bed.app.windows.show_history()
    bed.pump(lambda: str(header.history.cget("text")) == "")
    assert bed.app.tray.content.missed == 0
    assert "missed" not in bed.app.tray.content.text
    assert len(bed.history.find()) == 3, "they stay in the history"


# --- where the windows are ---


def is_at(window: tk.Toplevel, geometry: str) -> bool:
    return window.geometry().startswith(geometry)


def test_a_window_opens_where_it_was_and_as_large(open_client: Make) -> None:
    bed = open_client()
    bed.log_in(colleagues=True)
    bed.app.windows.show_colleagues()
    assert bed.hears() == "COLLEAGUES"
    window = bed.app.windows.colleagues
    assert window is not None
    bed.pump(window.winfo_viewable)
    window.geometry("500x400+60+70")
    bed.pump(partial(is_at, window, "500x400+"))
    bed.turn()
    for _second in range(2):
        bed.app.windows.tick()
    before = window.geometry()
    for _time in range(3):  # it does not wander by its frame
        window.destroy()
        bed.app.windows.show_colleagues()
        window = bed.app.windows.colleagues
        assert window is not None
        bed.pump(window.winfo_viewable)
        bed.pump(partial(is_at, window, before), "it is elsewhere")
        for _second in range(2):
            bed.app.windows.tick()


def test_the_window_stays_above_all_others_if_wanted(open_client: Make) -> None:
    bed = open_client()
    bed.log_in()
    assert bed.app.change_settings({"on-top": True}) == ""
    bed.pump(lambda: bed.root.attributes("-topmost"))
    assert bed.app.change_settings({"on-top": False}) == ""
    bed.pump(lambda: not bed.root.attributes("-topmost"))
