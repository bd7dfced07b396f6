"""A ring has its notice at once: the window for it is there already, and the main window comes after it."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable

from astcti_client.ui.windows.call_notices import PACE
from tests.client.ui.tools.widgets import button, texts
from tests.client.ui.tools.window_test_bed import WindowTestBed, event

Make = Callable[..., WindowTestBed]


def notice_windows(bed: WindowTestBed) -> list[tk.Misc]:
    return [child for child in bed.root.winfo_children() if child.winfo_class() == "AstctiNotice"]


def test_the_notice_is_on_the_screen_before_the_card_is_made(open_client: Make) -> None:
    bed = open_client()
    bed.log_in()
    cards, with_card = bed.app.windows.main.calls.cards, list[bool]()
    newest = ""
    bed.root.bind_class("AstctiNotice", "<Map>", lambda _event: with_card.append(newest in cards))
    for key in ("7.1", "8.1"):
        newest = key
        bed.turn(PACE)
        # Nor does it wait for the one before, which goes in this moment.
        bed.app.windows.notices.close_all()
        bed.ring(key)
        bed.pump(lambda: with_card)
        assert with_card == [False]
        with_card.clear()


def test_a_window_waits_for_the_next_ring_and_is_used_again(open_client: Make) -> None:
    bed = open_client(notice_time=0)
    peer = bed.log_in()
    bed.pump(lambda: notice_windows(bed), "none is made ready")
    (ready,) = notice_windows(bed)
    assert not ready.winfo_viewable()

    bed.ring("7.1", name="Anna Bianchi", data="calldata=98989")
    notices = bed.app.windows.notices
    assert notices.shown["7.1"] is ready
    peer.say(event("Hangup", "7.1", name="Anna Bianchi", end="missed"))
    bed.pump(lambda: "Missed" in texts(ready))
    notices.close_all()
    bed.pump(lambda: not ready.winfo_viewable())

    bed.ring("8.1", name="Marie Lefèvre", data="")
    bed.pump(lambda: "8.1" in notices.shown and notices.shown["8.1"].winfo_viewable())
    assert notices.shown["8.1"] is ready
    said = texts(ready)
    assert "Marie" in said
    assert "Incoming call" in said
    assert "Anna" not in said
    assert "98989" not in said
    assert button(ready, "Decline").winfo_viewable()
    assert notice_windows(bed) == [ready]


def test_who_wants_no_notices_has_no_window_for_them(open_client: Make) -> None:
    bed = open_client(notices=False)
    bed.log_in()
    bed.turn(1.3)  # a window would have been made ready within a second
    assert notice_windows(bed) == []
