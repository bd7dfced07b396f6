"""Whatever callers, queues and pages are named, every window stays usable."""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Callable

import pytest

from astcti_client.net.messages import OperatorFound, PauseReasons, ServerEvent, ServerReply
from astcti_client.ui.state.session import Heard
from astcti_client.ui.text import words
from astcti_client.ui.theme import screen
from astcti_client.ui.widgets import elided
from schemas import event_xml
from schemas.events import Action, Call, CallEvent, Cause, EventId
from schemas.wire import Reply, clean
from tests.client.ui.tools.desktop import Desktop
from tests.client.ui.tools.hands import assert_usable, press
from tests.client.ui.tools.window_test_bed import Desk
from tests.fake.cti_server import Peer

Make = Callable[..., Desk]

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


def hear(one: Desk, *messages: object) -> None:
    """Have the program take messages as the network thread puts them, and wait until it did."""
    for message in messages:
        one.app.mail.put(Heard(one.app.session._number, message))  # type: ignore[arg-type]
    one.pump(one.app.mail.empty)


def next_command(peer: Peer) -> str:
    """What the client says next, but for its signs of life."""
    while (line := peer.hear()) == "NOOP":
        pass
    return line


def assert_every_window_usable(one: Desk) -> None:
    windows = one.app.windows
    assert windows.history is not None
    for width, height in ((430, 640), (360, 420)):
        one.root.geometry(f"{width}x{height}")
        one.pump(lambda width=width: one.root.winfo_width() == width)  # type: ignore[misc]
        one.turn()
        assert_usable(one.root)
    assert_usable(windows.history)
    notices = list(windows.notices.shown.values())
    assert notices
    for notice in notices:
        assert_usable(notice)
        assert notice.winfo_height() < notice.winfo_screenheight() / 2
        assert notice.winfo_width() < notice.winfo_screenwidth() / 2


@pytest.mark.parametrize("kind", BAD)
def test_whatever_the_model_is_told_every_window_stays_usable(
    desk: Make, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    bad = BAD[kind]
    one = desk(notice_time=0, triggers=False)
    peer = one.log_in()
    one.app.show_history()
    hear(
        one,
        OperatorFound("mario", bad, bad),
        PauseReasons((bad, bad[::-1])),
        *(ServerReply("", Reply(200, f"{number}{bad}", ""), None) for number in range(30)),
        ServerReply("", Reply(211, "KO", f"vip {bad}"), None),
        ServerReply("", Reply(310, "IN", bad), None),
        ServerEvent("", bad_event("Callerid", "7.1", bad)),
        ServerEvent("", bad_event("Callerid", "8.1", bad)),
        ServerEvent("", bad_event("Link", "8.1", bad)),
    )
    one.app.windows.tell(bad)
    assert_every_window_usable(one)
    hear(one, ServerEvent("", bad_event("Hangup", "7.1", bad)))
    assert len(one.history.find()) == 1
    assert one.history.find(bad[:40])
    one.app.windows.history.export_to(one.folder / "calls.csv")  # type: ignore[union-attr]
    assert_every_window_usable(one)
    press(one.app.windows.main.calls.cards["8.1"], "Hang up")
    assert next_command(peer) == "HANGUP 8.1"
    assert one.app.tray._thread.is_alive()  # type: ignore[union-attr]
    assert len(one.app.tray._content.text.encode("utf-16-le")) <= 2 * 127
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("kind", BAD)
def test_what_the_server_lets_through_leaves_every_window_usable(
    desk: Make, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    bad = BAD[kind]
    told = clean(bad).encode("utf-8", "replace").decode()
    one = desk(notice_time=0, triggers=False)
    peer = one.log_in(f"PJSIP/201 {told[:2000]}", f"310 IN {told[:2000]}", f"200 {told[:2000]}")
    one.app.show_history()
    for event in ("Callerid", "Link"):
        for key in ("7.1", "8.1") if event == "Callerid" else ("8.1",):
            peer.say_bytes(event_xml.encode(bad_event(event, key, bad)))  # type: ignore[arg-type]
    one.pump(lambda: "8.1" in one.app.model.calls and one.app.model.calls["8.1"].phase == "talking")
    assert_every_window_usable(one)
    peer.say_bytes(event_xml.encode(bad_event("Hangup", "7.1", bad)))
    one.pump(lambda: len(one.history.find()) == 1)
    press(one.app.windows.main.calls.cards["8.1"], "Hang up")
    assert next_command(peer) == "HANGUP 8.1"
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_the_trays_tip_is_in_any_script(desk: Make, desktop: Desktop) -> None:
    one = desk()
    one.log_in("PJSIP/201 Łukasz محمد ☎")
    one.pump(lambda: one.app.tray.present)
    window = hex(one.app.tray._icon._window.id)
    shown = "AsteriskCTI: available\nŁukasz محمد ☎ · PJSIP/201"
    one.pump(lambda: name_of(desktop, window) == shown, "the tray has another name")
    assert one.app.tray._thread is not None
    assert one.app.tray._thread.is_alive()


def name_of(desktop: Desktop, window: str) -> str:
    from Xlib.display import Display

    display = Display(desktop.display)
    try:
        resource = display.create_resource_object("window", int(window, 16))
        found = resource.get_full_property(display.intern_atom("_NET_WM_NAME"), 0)
        return bytes(found.value).decode() if found else ""
    finally:
        display.close()


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
    assert elided.elided(text, room, lines, len) == wanted


def test_emoji_are_drawn_only_where_the_screen_can(desk: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    one = desk()
    for version, safe in ((20304, False), (20305, True)):
        library = type("Library", (), {"XftGetVersion": staticmethod(lambda version=version: version)})
        monkeypatch.setattr(ctypes, "CDLL", lambda _name, library=library: library)
        assert screen.draws_emoji(one.root) is safe
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    assert not screen.draws_emoji(one.root)
    try:
        words.draw_emoji(False)
        assert words.shown("a📞", emoji=True) == "a\N{WHITE SQUARE}"
        words.draw_emoji(True)
        assert words.shown("a📞", emoji=True) == "a📞"
        assert words.shown("a📞") == "a\N{WHITE SQUARE}"
        assert words.shown("📞" * 99, emoji=True).count("📞") == words.MOST_EMOJI
    finally:
        words.draw_emoji(False)
