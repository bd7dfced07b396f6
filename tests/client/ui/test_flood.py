"""Many calls at one time: the window answers meanwhile, and the screen is not filled with notices."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import tkinter as tk
from collections.abc import Callable, Iterator
from tkinter import ttk
from typing import Any

import pytest

from astcti_client.net.messages import ServerEvent
from astcti_client.stop_signals import StopRequest, stop_requests
from astcti_client.ui.app.inbox import Inbox, InboxReader
from astcti_client.ui.widgets import call_list
from astcti_client.ui.widgets.seat_header import SeatHeader
from astcti_client.ui.windows.call_notices import MOST_NOTICES
from schemas.events import Call, CallEvent, Cause, EventId
from tests.client.ui.tools.desktop import Desktop
from tests.client.ui.tools.widgets import all_of, assert_usable, texts
from tests.client.ui.tools.window_test_bed import WindowTestBed, event
from tests.fake.patience import PATIENCE

Make = Callable[..., WindowTestBed]
CALLS = 250


def windows_of(widget: tk.Misc) -> int:
    """How many windows the program has open."""
    children = list(widget.children.values())
    return sum(isinstance(child, tk.Toplevel) for child in children) + sum(map(windows_of, children))


def rings(count: int, first: int = 0) -> list[str]:
    lines = []
    for number in range(first, first + count):
        key = f"{number}.1"
        who: dict[str, Any] = {"name": f"Caller {number}", "number": str(1000 + number)}
        lines += [
            event("Newchannel", key, state="Down", **who),
            event("Callerid", key, **who),
            event("Newexten", key, data=f"calldata={number}|more=x", **who),
        ]
    return lines


def test_a_thousand_events_leave_a_bounded_number_of_windows_and_every_call_in_the_history(
    open_client: Make,
) -> None:
    bed = open_client(notice_time=0)
    peer = bed.log_in()
    most_windows = most_cards = 0

    def done() -> bool:
        nonlocal most_windows, most_cards
        most_windows = max(most_windows, windows_of(bed.root))
        most_cards = max(most_cards, len(bed.app.windows.main.calls.cards))
        return len(bed.history.find(most=CALLS + 1)) == CALLS

    hangups = [event("Hangup", f"{number}.1", end="missed") for number in range(CALLS)]
    peer.say(*rings(CALLS), *hangups)
    bed.pump(done, "not every call reached the history")
    assert most_windows <= MOST_NOTICES + 1
    assert most_cards <= call_list.MOST_CARDS
    bed.pump(lambda: "Missed" in texts(bed.app.windows.main), "the last calls are not shown as missed")
    notices = bed.app.windows.notices
    bed.pump(lambda: not notices.waiting and notices.more is None, "notices of calls that are over")


def test_calls_without_a_notice_are_counted_and_get_one_when_there_is_room(open_client: Make) -> None:
    bed = open_client(notice_time=0)
    peer = bed.log_in()
    peer.say(*rings(40))
    shown = bed.app.windows.notices.shown
    bed.pump(lambda: len(shown) + len(bed.app.windows.notices.waiting) == 40)
    bed.turn(0.3)
    assert 1 <= len(shown) <= MOST_NOTICES
    more = bed.app.windows.notices.more
    assert more is not None
    assert more.winfo_viewable()
    assert f"+{40 - len(shown)} more calls" in texts(more)
    assert f"{40 - call_list.MOST_CARDS} more calls" in texts(bed.app.windows.main)
    for window in (*shown.values(), more):
        assert window.winfo_rooty() >= 0
        assert_usable(window)
    (first, *_others) = shown
    before = set(shown)
    next(all_of(shown[first], ttk.Button)).invoke()
    bed.pump(lambda: set(shown) - before, "no call took the free place")
    peer.say(*(event("Hangup", f"{number}.1", end="cancelled") for number in range(40)))
    bed.pump(lambda: bed.app.windows.notices.more is None, "the others are still counted")


def test_a_click_is_answered_before_a_flood_is_over(open_client: Make, desktop: Desktop) -> None:
    bed = open_client(notice_time=0, triggers=False)
    bed.log_in()
    button = next(all_of(bed.app.windows.main, SeatHeader)).menu_button
    place = (
        button.winfo_rootx() + button.winfo_width() // 2,
        button.winfo_rooty() + button.winfo_height() // 2,
    )
    desktop.do("mousemove", *map(str, place))
    bed.turn()
    waiting_at_click: list[int] = []

    def clicked(_event: object) -> str:
        waiting_at_click.append(bed.app.inbox.qsize())
        return "break"

    button.bind("<ButtonPress-1>", clicked)
    kinds: tuple[EventId, ...] = ("Callerid", "Newexten", "Link", "Hangup")
    for number in range(1000):
        for kind in kinds:
            bed.tell(ServerEvent("", told(kind, number)))
    with subprocess.Popen(["xdotool", "click", "1"], env=desktop.environ):
        bed.pump(lambda: waiting_at_click, "the click was not heard")
    assert waiting_at_click[0] > 0, "the flood was over before"


def told(kind: EventId, number: int) -> CallEvent:
    call = Call(
        f"{number}.1",
        f"PJSIP/201-{number}",
        str(number),
        f"Caller {number}",
        "astctidemo",
        (("calldata", str(number)),),
        "Ringing",
        f"l{number}",
        "inbound",
        "astcti",
        None,
    )
    return CallEvent(kind, call, "Demo", (), Cause(16, "answered", "") if kind == "Hangup" else None, None)


def test_one_message_that_cannot_be_taken_does_not_end_the_rest(open_client: Make) -> None:
    bed = open_client()
    peer = bed.log_in()
    bed.tell(ServerEvent("", None))  # type: ignore[arg-type]
    peer.say(event("Callerid", "7.1"))
    bed.pump(lambda: "7.1" in bed.app.model.calls)
    bed.pump(lambda: "Anna Bianchi" in texts(bed.app.windows.main))


@pytest.fixture
def bare_root(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> Iterator[tk.Tk]:
    """Tk without the client: nothing wakes it but what the test puts into an inbox."""
    monkeypatch.setenv("DISPLAY", desktop.display)
    root = tk.Tk()
    root.withdraw()
    yield root
    root.destroy()


def never(root: tk.Tk) -> None:
    """End the main loop if nothing else does."""
    root.after(int(PATIENCE * 1000), root.quit)


@pytest.mark.parametrize("poll", [False, True])
def test_what_threads_put_while_tk_sleeps_is_taken_whole_and_in_order(bare_root: tk.Tk, poll: bool) -> None:
    inbox, taken = Inbox(), list[tuple[int, int]]()
    threads, each = 4, 3000

    def take(item: tuple[int, int]) -> None:
        taken.append(item)
        if len(taken) == threads * each:
            bare_root.quit()

    reader = InboxReader(bare_root, inbox, take, lambda: None, poll=poll)

    def put(thread: int) -> None:
        for number in range(each):
            inbox.put((thread, number))

    writers = [threading.Thread(target=put, args=(thread,)) for thread in range(threads)]
    for writer in writers:
        writer.start()
    never(bare_root)
    bare_root.mainloop()
    reader.stop()
    for writer in writers:
        writer.join()
    inbox.close()
    for thread in range(threads):
        assert [number for of, number in taken if of == thread] == list(range(each))


def test_each_item_wakes_a_tk_that_sleeps(bare_root: tk.Tk) -> None:
    inbox, taken, said = Inbox(), list[int](), threading.Semaphore(1)

    def take(item: int) -> None:
        taken.append(item)
        said.release()
        if item == 199:
            bare_root.quit()

    def put() -> None:
        for number in range(200):
            if not said.acquire(timeout=PATIENCE):
                return
            inbox.put(number)

    reader = InboxReader(bare_root, inbox, take, lambda: None, poll=False)
    writer = threading.Thread(target=put)
    writer.start()
    never(bare_root)
    bare_root.mainloop()
    reader.stop()
    writer.join()
    inbox.close()
    inbox.put("too late")  # a thread that ends later
    assert taken == list(range(200))


def test_a_signal_wakes_a_tk_that_sleeps(bare_root: tk.Tk) -> None:
    inbox, taken = Inbox(), list[object]()

    def take(item: object) -> None:
        taken.append(item)
        bare_root.quit()

    reader = InboxReader(bare_root, inbox, take, lambda: None, poll=False)
    with stop_requests((signal.SIGTERM,), inbox.put, inbox.signal_descriptor):
        sender = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM))
        bare_root.after_idle(sender.start)
        never(bare_root)
        bare_root.mainloop()
    reader.stop()
    sender.join()
    inbox.close()
    assert taken == [StopRequest()]
    assert signal.set_wakeup_fd(-1) == -1
