"""Colours, size and language change while the windows are open, and nothing that was typed is lost."""

from __future__ import annotations

import os
import queue
import struct
import subprocess
import sys
import tkinter as tk
from collections.abc import Callable, Iterator
from pathlib import Path
from tkinter import ttk
from typing import Any

import pytest

from astcti_client.ui import i18n
from astcti_client.ui.desktop import system_colours, xsettings
from astcti_client.ui.desktop.system_colours import ColourWatch, SystemColours, system_wants_dark
from tests.client.ui.tools.desktop import Desktop
from tests.client.ui.tools.hands import all_of, press, texts
from tests.client.ui.tools.window_test_bed import Desk, event
from tests.fake.patience import PATIENCE

Make = Callable[..., Desk]


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """A desktop whose tools answer as the test says; they say nothing at first."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("gdbus", "gsettings"):
        (folder / tool).write_text(
            f'#!/bin/sh\n[ -f "{folder}/{tool}.says" ] && cat "{folder}/{tool}.says"\n'
        )
        (folder / tool).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.delenv("GTK_THEME", raising=False)

    def say(tool: str, answer: str) -> None:
        (folder / f"{tool}.new").write_text(answer)
        (folder / f"{tool}.new").rename(folder / f"{tool}.says")

    return say


# --- what the system says ---


@pytest.mark.parametrize(
    ("portal", "gnome", "dark"),
    [
        ("", "", False),
        ("(<<uint32 1>>,)", "", True),
        ("(<<uint32 2>>,)", "'prefer-dark'", False),
        ("(<<uint32 0>>,)", "'prefer-dark'", True),
        ("(<<uint32 0>>,)", "'default'", False),
        ("", "'prefer-light'", False),
    ],
)
def test_the_portal_is_asked_before_the_settings(
    system: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch, portal: str, gnome: str, dark: bool
) -> None:
    monkeypatch.setattr(xsettings, "read", dict)
    system("gdbus", portal)
    system("gsettings", gnome)
    assert system_wants_dark() is dark


def test_the_theme_of_an_x_desktop_counts_where_nothing_else_says_anything(
    system: Callable[[str, str], None], desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", desktop.display)
    assert not system_wants_dark()
    with Published(desktop, ("Net/ThemeName", "Adwaita-dark")):
        assert xsettings.read() == {"Net/ThemeName": "Adwaita-dark"}
        assert system_wants_dark()
    assert not system_wants_dark()


def test_published_settings_of_every_kind_are_passed_over_and_broken_ones_end_the_list() -> None:
    number = struct.pack("<BxH4sII", 0, 4, b"Xft ", 0, 96)
    colour = struct.pack("<BxH4sI4H", 2, 3, b"Ink ", 0, 1, 2, 3, 4)
    head = struct.pack("<B3xII", 0, 0, 3)
    whole = head + number + colour + text_setting("Net/ThemeName", "Größe")
    assert list(xsettings.parse(whole)) == [("Net/ThemeName", "Größe")]
    for cut in range(len(whole)):
        assert len(list(xsettings.parse(whole[:cut]))) <= 1
    assert list(xsettings.parse(head + b"\x09" + number)) == []


def text_setting(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    padded = [one + b"\0" * (-len(one) % 4) for one in (key, text)]
    return struct.pack("<BxH", 1, len(key)) + padded[0] + struct.pack("<II", 0, len(text)) + padded[1]


class Published:
    """These settings are published on the desktop meanwhile."""

    def __init__(self, desktop: Desktop, *settings: tuple[str, str]) -> None:
        from Xlib.display import Display

        self._display = Display(desktop.display)
        data = struct.pack("<B3xII", 0, 1, len(settings)) + b"".join(text_setting(*one) for one in settings)
        window = self._display.screen().root.create_window(0, 0, 1, 1, 0, 0)
        atom = self._display.intern_atom("_XSETTINGS_SETTINGS")
        window.change_property(atom, atom, 8, data)
        window.set_selection_owner(self._display.intern_atom("_XSETTINGS_S0"), 0)
        self._display.sync()

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_error: object) -> None:
        self._display.close()


def test_the_settings_of_gnome_are_understood_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GSETTINGS_BACKEND", "keyfile")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "disabled:")
    monkeypatch.delenv("GTK_THEME", raising=False)
    monkeypatch.setattr(xsettings, "read", dict)
    command = ["gsettings", "set", "org.gnome.desktop.interface", "color-scheme"]
    try:
        subprocess.run([*command, "prefer-dark"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no gsettings, or without GNOME's settings")
    assert system_wants_dark()
    subprocess.run([*command, "prefer-light"], check=True, capture_output=True)
    assert not system_wants_dark()


def test_the_watch_tells_changes_alone(
    system: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system_colours, "ASK_EVERY", 0.02)
    monkeypatch.setattr(xsettings, "read", dict)
    told: queue.SimpleQueue[SystemColours] = queue.SimpleQueue()
    watch = ColourWatch(False, told.put)
    try:
        for answer, dark in (("1", True), ("2", False), ("1", True)):
            system("gdbus", f"(<<uint32 {answer}>>,)")
            assert told.get(timeout=PATIENCE) == SystemColours(dark)
    finally:
        watch.close()
    assert told.empty()


# --- the windows ---


@pytest.fixture
def full_desk(desk: Make) -> Iterator[Callable[..., Desk]]:
    """A client with every window open and something typed in each."""

    def make(**settings: Any) -> Desk:
        one = desk(notice_time=0, **settings)
        peer = one.log_in()
        one.ring("7.1")
        peer.say(event("Link", "8.1"))
        one.pump(lambda: "8.1" in one.app.windows.main.calls.cards)
        windows = one.app.windows
        windows.main.dial_bar.number.set("0551234")
        windows.main.calls.cards["8.1"].ask_target("20", 1)
        one.app.show_history()
        assert windows.history is not None
        windows.history.search.insert(0, "Rossi")
        windows.history._kind.current(2)
        one.app.show_settings()
        assert windows.settings is not None
        windows.settings._typed["mac"].set("00:00:00:00:00:07")
        windows.settings._box.insert("1.0", "crm")
        windows.settings._switched["notices"].set(False)
        one.app.show_about()
        windows.main.dial_bar.number.focus_force()
        windows.main.dial_bar.number.icursor(3)
        one.turn(0.3)
        return one

    yield make
    i18n.use("en")


def tops(one: Desk) -> list[tk.Misc]:
    windows = one.app.windows
    assert windows.history
    assert windows.settings
    return [one.root, windows.history, windows.settings, *windows.questions, *windows.notices.shown.values()]


def grounds(one: Desk) -> set[str]:
    """Whether each window is light or dark where it touches its edge on the screen."""
    found = set()
    for top in tops(one):
        top.lift()  # type: ignore[attr-defined]
        picture = one.picture(top).convert("RGB")
        red, green, blue = picture.getpixel((picture.width - 4, 3))  # type: ignore[misc]
        found.add("dark" if red + green + blue < 300 else "light")
    return found


def assert_nothing_is_lost(one: Desk) -> None:
    windows = one.app.windows
    one.pump(lambda: one.root.focus_get() is windows.main.dial_bar.number, "the focus is elsewhere")
    assert windows.main.dial_bar.number.get() == "0551234"
    assert windows.main.dial_bar.number.index("insert") == 3
    assert windows.main.calls.cards["8.1"].transfer == ("20", 1)
    assert windows.history
    assert windows.history.search.get() == "Rossi"
    assert windows.history._kind.current() == 2
    assert windows.settings
    assert windows.settings._typed["mac"].get() == "00:00:00:00:00:07"
    assert windows.settings._box.get("1.0", "end-1c") == "crm"
    assert windows.settings._switched["notices"].get() is False
    assert "Anna Bianchi" in texts(windows.notices.shown["7.1"])


def test_every_window_follows_the_desktop_from_light_to_dark_and_back(
    full_desk: Make, system: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system_colours, "ASK_EVERY", 0.1)
    one = full_desk(theme="auto")
    assert grounds(one) == {"light"}
    one.app.windows.main.dial_bar.number.focus_force()
    one.turn()
    system("gdbus", "(<<uint32 1>>,)")
    one.pump(lambda: one.app.windows.look.palette.dark, "the windows do not follow")
    assert_nothing_is_lost(one)
    assert one.app.change_settings({"notice-time": 3}) == ""
    assert grounds(one) == {"dark"}
    system("gdbus", "(<<uint32 2>>,)")
    one.pump(lambda: not one.app.windows.look.palette.dark)
    assert grounds(one) == {"light"}


def test_the_round_corners_of_buttons_and_fields_show_what_they_stand_on(desk: Make) -> None:
    one = desk(theme="dark")
    one.log_in()
    one.ring("7.1")
    one.peer.say("910 BYE TAKEOVER mario logged in elsewhere")
    one.pump(lambda: "Log in again" in texts(one.root))
    one.app.close_notices()
    one.app.show_settings()
    window, seen = one.app.windows.settings, set()
    assert window is not None
    for top in (window, one.root):
        top.lift()
        screen = one.picture()
        for control in all_of(top, (ttk.Button, ttk.Entry)):
            x, y = control.winfo_rootx(), control.winfo_rooty()
            if control.winfo_containing(x, y) is control:  # else it is scrolled away
                assert screen.getpixel((x, y)) == screen.getpixel((x - 2, y)), control
                seen.add(str(control.cget("style")).partition(".")[2] or control.winfo_class())
    assert {"TButton", "TEntry", "TCombobox"} <= seen


def test_the_main_window_is_never_larger_than_the_screen(desk: Make) -> None:
    one = desk(scale=2.5)
    one.log_in()
    one.turn()
    bar = one.app.windows.main.dial_bar
    assert bar.winfo_rooty() + bar.winfo_height() <= one.root.winfo_screenheight()


def test_a_fixed_theme_does_not_follow_and_one_set_to_follow_does(
    full_desk: Make, system: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system_colours, "ASK_EVERY", 0.1)
    system("gdbus", "(<<uint32 1>>,)")
    one = full_desk(theme="light")
    assert not one.app.surroundings.follows_colours
    assert one.app.change_settings({"theme": "auto"}) == ""
    assert one.app.windows.look.palette.dark
    system("gdbus", "(<<uint32 2>>,)")
    one.pump(lambda: not one.app.windows.look.palette.dark)
    assert one.app.change_settings({"theme": "dark"}) == ""
    assert not one.app.surroundings.follows_colours
    assert one.app.windows.look.palette.dark


def test_while_a_menu_is_open_the_change_waits(full_desk: Make) -> None:
    one = full_desk(theme="auto")
    menu = tk.Menu(one.root, tearoff=False)
    menu.add_command(label="x")
    one.root.after(200, lambda: one.app.windows.system_colours(not one.app.windows._dark))
    menu.tk_popup(100, 100)
    one.turn(0.5)
    assert one.app.windows._dress_due
    menu.unpost()
    menu.grab_release()
    one.pump(lambda: not one.app.windows._dress_due)
    assert_nothing_is_lost(one)


def test_another_language_is_spoken_at_once_in_every_window_and_in_the_tray(full_desk: Make) -> None:
    one = full_desk()
    windows = one.app.windows
    peer = one.peer
    assert one.app.change_settings({"language": "it"}) == ""
    one.turn()
    assert_nothing_is_lost(one)
    assert windows.settings
    assert windows.history
    for window, word in (
        (windows.main, "In conversazione"),
        (windows.notices.shown["7.1"], "Chiamata in arrivo"),
        (windows.history, "Esporta …"),
        (windows.settings, "Lingua"),
        (windows.questions[-1], "Versione"),
    ):
        assert word in texts(window), f"{window}: {texts(window)}"
    assert windows.history.title().startswith("Cronologia")
    assert "il telefono squilla" in one.app.tray._content.text
    assert one.app.tray._icon.title == one.app.tray._content.text
    assert "Impostazioni" in [item.text for item in one.app.tray._icon.menu.items]
    press(windows.main.calls.cards["8.1"], "Riaggancia")
    assert peer.hear() == "HANGUP 8.1"


def test_the_log_in_window_says_what_is_wrong_in_the_new_language(desk: Make) -> None:
    one = desk(password=None)
    one.app.start()
    window = one.app.windows.login
    assert window is not None
    window.password.set("secret")
    window.user.set("")
    press(window, "Log in")
    one.turn()
    assert "Write your user name." in texts(window)
    window.user_field.focus_force()
    one.turn()
    try:
        assert one.app.change_settings({"language": "it", "theme": "dark"}) == ""
        one.turn()
        assert "Scrivi il nome utente." in texts(window)
        assert window.password.get() == "secret"
        assert one.root.focus_get() is window.user_field
        assert one.picture(window).convert("RGB").getpixel((3, 3)) < (60, 60, 60)
    finally:
        i18n.use("en")


def test_dressing_takes_the_keyboard_from_no_other_program(full_desk: Make, desktop: Desktop) -> None:
    one = full_desk(theme="auto")
    script = "import tkinter as t; r = t.Tk(); r.title('other'); r.mainloop()"
    with subprocess.Popen([sys.executable, "-c", script]) as other:
        try:
            one.pump(lambda: desktop.do("search", "--name", "^other$"), "no other program")
            window = desktop.do("search", "--name", "^other$").split()[-1]
            desktop.do("windowactivate", "--sync", window)
            one.pump(lambda: desktop.do("getwindowfocus") == window, "the other program has no focus")
            one.app.windows.system_colours(not one.app.windows._dark)
            one.turn(0.5)
            assert desktop.do("getwindowfocus") == window
        finally:
            other.kill()
