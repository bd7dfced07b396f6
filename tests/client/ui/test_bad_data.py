"""Whatever callers, queues and pages are named, every window stays usable."""

from __future__ import annotations

import ctypes
import logging
import threading
from collections.abc import Callable

import pytest

from astcti_client.net.messages import (
    ConnectionMessage,
    OperatorFound,
    PauseReasons,
    ServerEvent,
    ServerReply,
)
from astcti_client.ui.state.prompts import PassingMessage
from astcti_client.ui.text import words
from astcti_client.ui.theme import screen
from astcti_client.ui.widgets.elided_label import elided
from schemas import event_xml
from schemas.events import Action, Call, CallEvent, Cause, EventId
from schemas.wire import Reply, clean
from tests.client.ui.tools.desktop import Desktop, tray_icon_name
from tests.client.ui.tools.widgets import assert_usable, press
from tests.client.ui.tools.window_test_bed import WindowTestBed
from tests.fake.cti_server import Peer

Make = Callable[..., WindowTestBed]

BAD = {
    "one long word": "x" * 10_000,
    "wide letters": "W" * 10_000,
    "many words": "Anna Bianchi " * 800,
    "right to left": "\u202eمحمد علي\u202c abc \u2067שלום עולם\u2069 " * 20,
    "emoji": "☎ 📞👩‍👩‍👧 🇮🇹 👍🏽 " * 30,
    "emoji without a blank": "📞" * 3000,
    "control characters": "a\x00b\x07c\x1b[31m\x9b31m\x7f d",
    "lines and tabs": "one\ntwo\r\nthree\tfour\u2028five\u2029six\x0bseven\x0c",
    "nothing visible": "\u200b\u200e\u2066\ufeff\u00ad",
    "blanks": " \u00a0\u3000 ",
    "half a character": "a\ud83d b\udcde c\udc80",
    "marks on letters": ("e" + "\u0301\u0489\u20dd" * 40) * 30,
    "what Tcl could run": '{[exit]} [exit] $x \\ " ; } {',
    "beyond the first plane": "𝔸𝔹𐍈 𠜎" * 100,
    "no such characters": "\ufffe\uffff\U000e0001\U0010ffff\ue000",
}


def bad_event(kind: EventId, key: str, text: str) -> CallEvent:
    call = Call(
        key,
        f"PJSIP/201-{key}",
        text,
        text,
        text,
        tuple((f"{text[:900]}{number}", text) for number in range(14)),
        "Ringing",
        f"l{key}",
        "inbound",
        text,
        None,
    )
    page = Action("browser", url=f"https://crm.example/{text}")
    cause = Cause(16, "missed", text) if kind == "Hangup" else None
    return CallEvent(kind, call, text, (page,) if kind == "Link" else (), cause, None)


def hear(bed: WindowTestBed, *messages: ConnectionMessage) -> None:
    """Have the program take messages as the network thread puts them, and wait until it did."""
    bed.tell(*messages)
    bed.pump(bed.app.inbox.empty)


def next_command(peer: Peer) -> str:
    """What the client says next, but for its signs of life."""
    while (line := peer.hear()) == "NOOP":
        pass
    return line


def assert_every_window_usable(bed: WindowTestBed) -> None:
    windows = bed.app.windows
    assert windows.history is not None
    for width, height in ((430, 640), (360, 420)):
        bed.root.geometry(f"{width}x{height}")
        bed.pump(lambda width=width: bed.root.winfo_width() == width)  # type: ignore[misc]
        bed.turn()
        assert_usable(bed.root)
    assert_usable(windows.history)
    notices = list(windows.notices.shown.values())
    assert notices
    for notice in notices:
        assert_usable(notice)
        assert notice.winfo_height() < notice.winfo_screenheight() / 2
        assert notice.winfo_width() < notice.winfo_screenwidth() / 2


@pytest.mark.parametrize("kind", BAD)
def test_whatever_the_model_is_told_every_window_stays_usable(
    open_client: Make, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    bad = BAD[kind]
    bed = open_client(notice_time=0, triggers=False)
    peer = bed.log_in()
    history = bed.open_history()
    hear(
        bed,
        OperatorFound("mario", bad, bad),
        PauseReasons((bad, bad[::-1])),
        *(ServerReply("", Reply(200, f"{number}{bad}", ""), None) for number in range(30)),
        ServerReply("", Reply(211, "KO", f"vip {bad}"), None),
        ServerReply("", Reply(310, "IN", bad), None),
        ServerEvent("", bad_event("Callerid", "7.1", bad)),
        ServerEvent("", bad_event("Callerid", "8.1", bad)),
        ServerEvent("", bad_event("Link", "8.1", bad)),
    )
    bed.app.windows.show_prompt(PassingMessage(bad))
    assert_every_window_usable(bed)
    hear(bed, ServerEvent("", bad_event("Hangup", "7.1", bad)))
    assert len(bed.history.find()) == 1
    assert bed.history.find(bad[:40])
    history.export_to(bed.folder / "calls.csv")
    assert_every_window_usable(bed)
    press(bed.app.windows.main.calls.cards["8.1"], "Hang up")
    assert next_command(peer) == "HANGUP 8.1"
    assert the_tray_lives()
    assert len(bed.app.tray.content.text.encode("utf-16-le")) <= 2 * 127
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("kind", BAD)
def test_what_the_server_lets_through_leaves_every_window_usable(
    open_client: Make, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    bad = BAD[kind]
    told = clean(bad).encode("utf-8", "replace").decode()
    bed = open_client(notice_time=0, triggers=False)
    peer = bed.log_in(f"PJSIP/201 {told[:2000]}", f"310 IN {told[:2000]}", f"200 {told[:2000]}")
    bed.app.windows.show_history()
    events: tuple[tuple[EventId, str], ...] = (("Callerid", "7.1"), ("Callerid", "8.1"), ("Link", "8.1"))
    for kind_of_event, key in events:
        peer.say_bytes(event_xml.encode(bad_event(kind_of_event, key, bad)))
    bed.pump(lambda: "8.1" in bed.app.model.calls and bed.app.model.calls["8.1"].phase == "talking")
    assert_every_window_usable(bed)
    peer.say_bytes(event_xml.encode(bad_event("Hangup", "7.1", bad)))
    bed.pump(lambda: len(bed.history.find()) == 1)
    press(bed.app.windows.main.calls.cards["8.1"], "Hang up")
    assert next_command(peer) == "HANGUP 8.1"
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_the_trays_tip_is_in_any_script(open_client: Make, desktop: Desktop) -> None:
    bed = open_client()
    bed.log_in("PJSIP/201 Łukasz محمد ☎", "200 astcti")
    bed.pump(lambda: bed.app.tray.present)
    shown = "AsteriskCTI: available\nŁukasz محمد ☎ · PJSIP/201"
    bed.pump(lambda: tray_icon_name(desktop) == shown, "the tray has another name")
    assert the_tray_lives()


def the_tray_lives() -> bool:
    return "tray" in [thread.name for thread in threading.enumerate()]


# --- cutting ---


@pytest.mark.parametrize(
    ("text", "room", "lines", "wanted"),
    [
        ("Anna", 4, 1, "Anna"),
        ("Anna Bianchi", 6, 1, "Anna…"),
        ("Anna Bianchi", 8, 2, "Anna Bianchi"),
        ("Anna Bianchi Carla", 8, 2, "Anna Bianchi…"),
        ("xxxxxxxxxxxx", 5, 1, "xxxx…"),
        ("", 5, 1, ""),
        (" abcdef", 6, 1, " abcd…"),
    ],
)
def test_what_does_not_fit_ends_in_an_ellipsis(text: str, room: int, lines: int, wanted: str) -> None:
    assert elided(text, room, lines, len) == wanted


def test_emoji_are_drawn_only_where_the_screen_can(
    open_client: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    bed = open_client()
    for version, safe in ((20304, False), (20305, True)):
        library = type("Library", (), {"XftGetVersion": staticmethod(lambda version=version: version)})
        monkeypatch.setattr(ctypes, "CDLL", lambda _name, library=library: library)
        assert screen.draws_emoji(bed.root) is safe
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    assert not screen.draws_emoji(bed.root)
    try:
        words.draw_emoji(False)
        assert words.displayable("a📞", emoji=True) == "a\N{WHITE SQUARE}"
        words.draw_emoji(True)
        assert words.displayable("a📞", emoji=True) == "a📞"
        assert words.displayable("a📞") == "a\N{WHITE SQUARE}"
        assert words.displayable("📞" * 99, emoji=True).count("📞") == words.MOST_EMOJI
    finally:
        words.draw_emoji(False)
