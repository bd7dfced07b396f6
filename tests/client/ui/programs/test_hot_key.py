"""The hot key on a real desktop: another program's selected text, a real press of the keys."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from tkinter import ttk

import pytest

from astcti_client.net.messages import ServerReply
from astcti_client.ui.desktop.hot_key import HotKey, NoHotKey
from schemas.wire import Reply
from tests.client.ui.tools.desktop import Desktop
from tests.client.ui.tools.web import await_fact
from tests.client.ui.tools.widgets import control, press, texts, write
from tests.client.ui.tools.window_test_bed import WindowTestBed, event

Make = Callable[..., WindowTestBed]

# A program of somebody else's: a field whose whole text is marked. It says so, and ends with its input.
FIELD = """
import sys, threading, tkinter
root = tkinter.Tk()
root.title("somebody else")
field = tkinter.Entry(root)
field.insert(0, sys.argv[1])
field.pack()
def ready(_event):
    field.selection_range(0, "end")
    field.focus_force()
    root.after(100, lambda: print("ready", flush=True))
field.bind("<Map>", ready)
threading.Thread(target=lambda: (sys.stdin.read(), root.after(0, root.quit)), daemon=True).start()
root.mainloop()
"""


@contextlib.contextmanager
def marked_elsewhere(desktop: Desktop, text: str) -> Iterator[None]:
    """A text that is marked in another program, which has the keyboard."""
    process = subprocess.Popen(
        [sys.executable, "-c", FIELD, text],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=desktop.environ,
    )
    assert process.stdin
    assert process.stdout
    try:
        assert process.stdout.readline() == "ready\n"
        yield
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def test_the_hot_key_calls_what_is_marked_in_another_program(open_client: Make, desktop: Desktop) -> None:
    bed = open_client(hot_key="Ctrl+Alt+D")
    bed.log_in()
    with marked_elsewhere(desktop, "(055) 123-45.67"):
        desktop.do("key", "ctrl+alt+d")
        assert bed.hears() == "ORIG 0551234567 outbound 1"


def test_the_other_key_hangs_up_the_call_that_goes_on_and_one_that_is_being_made(
    open_client: Make, desktop: Desktop
) -> None:
    bed = open_client(hot_key="Ctrl+Alt+D", hang_up_key="Ctrl+Alt+H")
    peer = bed.log_in()
    bed.tell(ServerReply("", Reply(110, "CAPA", "MAC DIALLING"), None))
    bed.ring("8.1")  # one that only rings is not touched
    bed.ring("7.1")
    peer.say(event("Link", "7.1"))
    bed.pump(lambda: bed.app.model.calls["7.1"].phase == "talking")
    with marked_elsewhere(desktop, "112"):
        desktop.do("key", "ctrl+alt+h")
        assert bed.hears() == "HANGUP 7.1"
        peer.say("100 OK", event("Hangup", "7.1", end="answered"))
        bed.pump(lambda: bed.app.model.calls["7.1"].phase == "over")
        desktop.do("key", "ctrl+alt+d")
        assert bed.hears() == "ORIG 112 outbound 1"
        bed.turn(1.1)
        desktop.do("key", "ctrl+alt+h")
        assert bed.hears() == "HANGUP ORIG"


def test_one_combination_cannot_be_both_keys(open_client: Make) -> None:
    bed = open_client(hot_key="Ctrl+Alt+D", hang_up_key="Ctrl+Alt+D")
    bed.log_in()
    bed.pump(lambda: "it is the other hot key, too" in texts(bed.app.windows.main))


@pytest.mark.parametrize("locks", [("Num_Lock",), ("Caps_Lock",), ("Num_Lock", "Caps_Lock")])
def test_lock_keys_do_not_matter(open_client: Make, desktop: Desktop, locks: tuple[str, ...]) -> None:
    bed = open_client(hot_key="Ctrl+Alt+D")
    bed.log_in()
    desktop.do("key", *locks)
    try:
        with marked_elsewhere(desktop, "112"):
            desktop.do("key", "ctrl+alt+d")
            assert bed.hears() == "ORIG 112 outbound 1"
    finally:
        desktop.do("key", *locks)


def test_what_is_no_number_is_said_and_not_called(open_client: Make, desktop: Desktop) -> None:
    bed = open_client(hot_key="Ctrl+Alt+D")
    bed.log_in()
    with marked_elsewhere(desktop, "call me maybe"):
        desktop.do("key", "ctrl+alt+d")
        bed.pump(lambda: "This is not a telephone number." in texts(bed.app.windows.main))
    assert not bed.peer.would_hear()


def test_a_key_that_is_held_down_calls_once(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", desktop.display)
    pressed: list[float] = []
    key = HotKey("Ctrl+Alt+K", lambda: pressed.append(1))
    after = HotKey("Ctrl+Alt+J", lambda: pressed.append(2))
    try:
        desktop.do("key", "--delay", "30", *["ctrl+alt+k"] * 6)
        desktop.do("key", "ctrl+alt+j")
        await_fact(lambda: 2 in pressed, "the key was not heard")
    finally:
        key.close()
        after.close()
    assert pressed == [1, 2]


def test_a_combination_that_another_program_has_is_said_to_be_taken(
    open_client: Make, desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", desktop.display)
    other = HotKey("Ctrl+Alt+D", lambda: None)
    try:
        bed = open_client(hot_key="Ctrl+Alt+D")
        bed.log_in()
        bed.pump(lambda: "No hot key (Ctrl+Alt+D): another program has this" in texts(bed.app.windows.main))
    finally:
        other.close()


def test_the_settings_refuse_a_bad_combination_and_switch_the_key_off(
    open_client: Make, desktop: Desktop
) -> None:
    bed = open_client(hot_key="Ctrl+Alt+D")
    bed.log_in()
    window = bed.open_settings()
    keys = "Hot key that calls the selected number, such as Ctrl+Alt+D (empty: off)"
    write(control(window, keys, ttk.Entry), "Ctrl+Canc")
    press(window, "Save")
    bed.turn()
    assert "(empty: off): Ctrl+Canc: the key must be a letter, a digit or F1 to F12" in texts(window)
    with pytest.raises(NoHotKey):
        HotKey("Ctrl+Alt+D", lambda: None)
    write(control(window, keys, ttk.Entry), "")
    press(window, "Save")
    HotKey("Ctrl+Alt+D", lambda: None).close()  # it is free again


def test_a_key_that_is_missing_takes_no_other(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    from Xlib.display import Display

    monkeypatch.setenv("DISPLAY", desktop.display)
    monkeypatch.setattr(Display, "keysym_to_keycode", lambda _self, _keysym: 0)
    with pytest.raises(NoHotKey, match="no key D"):
        HotKey("Ctrl+Alt+D", lambda: None)
