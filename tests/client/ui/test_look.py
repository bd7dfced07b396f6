"""Colours, size and language change while the windows are open, and nothing that was typed is lost."""

from __future__ import annotations

import os
import queue
import struct
import subprocess
import sys
import threading
import tkinter as tk
from collections.abc import Callable, Iterator
from pathlib import Path
from tkinter import ttk
from typing import Any

import pytest

from astcti_client.ui import i18n
from astcti_client.ui.desktop import system_colours, xsettings
from astcti_client.ui.desktop.system_colours import ColourWatch, SystemColours, system_wants_dark
from tests.client.ui.tools.desktop import Desktop, tray_icon_name
from tests.client.ui.tools.widgets import all_of, choose, control, inside, press, texts, write
from tests.client.ui.tools.window_test_bed import WindowTestBed, event
from tests.fake.patience import PATIENCE

Make = Callable[..., WindowTestBed]
MAC = "Address (MAC) to be known by, instead of this PC's"
NOTICES = "Show a notice when the phone rings"


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
    monkeypatch.setattr(xsettings, "read_xsettings", dict)
    system("gdbus", portal)
    system("gsettings", gnome)
    assert system_wants_dark() is dark


def test_the_theme_of_an_x_desktop_counts_where_nothing_else_says_anything(
    system: Callable[[str, str], None], desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", desktop.display)
    assert not system_wants_dark()
    with Published(desktop, ("Net/ThemeName", "Adwaita-dark")):
        assert xsettings.read_xsettings() == {"Net/ThemeName": "Adwaita-dark"}
        assert system_wants_dark()
    assert not system_wants_dark()


def test_published_settings_of_every_kind_are_passed_over_and_broken_ones_end_the_list() -> None:
    number = struct.pack("<BxH4sII", 0, 4, b"Xft ", 0, 96)
    colour = struct.pack("<BxH4sI4H", 2, 3, b"Ink ", 0, 1, 2, 3, 4)
    head = struct.pack("<B3xII", 0, 0, 3)
    whole = head + number + colour + text_setting("Net/ThemeName", "Größe")
    assert list(xsettings.parse_xsettings(whole)) == [("Net/ThemeName", "Größe")]
    for cut in range(len(whole)):
        assert len(list(xsettings.parse_xsettings(whole[:cut]))) <= 1
    assert list(xsettings.parse_xsettings(head + b"\x09" + number)) == []


def text_setting(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    padded = [part + b"\0" * (-len(part) % 4) for part in (key, text)]
    return struct.pack("<BxH", 1, len(key)) + padded[0] + struct.pack("<II", 0, len(text)) + padded[1]


def colours_are_followed() -> bool:
    return "colours" in [thread.name for thread in threading.enumerate()]


class Published:
    """These settings are published on the desktop meanwhile."""

    def __init__(self, desktop: Desktop, *settings: tuple[str, str]) -> None:
        from Xlib.display import Display

        self._display = Display(desktop.display)
        data = struct.pack("<B3xII", 0, 1, len(settings)) + b"".join(
            text_setting(*setting) for setting in settings
        )
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
    monkeypatch.setattr(xsettings, "read_xsettings", dict)
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
    monkeypatch.setattr(xsettings, "read_xsettings", dict)
    told: queue.SimpleQueue[SystemColours] = queue.SimpleQueue()
    watch = ColourWatch(False, told.put)
    try:
        for answer, dark in (("1", True), ("2", False), ("1", True)):
            system("gdbus", f"(<<uint32 {answer}>>,)")
            assert told.get(timeout=PATIENCE) == SystemColours(dark)
    finally:
        watch.close()
    assert told.empty()


def test_the_watch_asks_when_somebody_looks_and_else_hardly_ever(
    system: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system_colours, "ASK_EVERY", 600.0)
    monkeypatch.setattr(system_colours, "REST", 0.02)
    monkeypatch.setattr(xsettings, "read_xsettings", dict)
    told: queue.SimpleQueue[SystemColours] = queue.SimpleQueue()
    watch = ColourWatch(False, told.put)
    try:
        for answer, dark in (("1", True), ("2", False)):
            system("gdbus", f"(<<uint32 {answer}>>,)")
            watch.ask_soon()
            assert told.get(timeout=PATIENCE) == SystemColours(dark)
    finally:
        watch.close()


# --- the windows ---


@pytest.fixture
def open_full_client(open_client: Make) -> Iterator[Callable[..., WindowTestBed]]:
    """A client with every window open and something typed in each."""

    def make(**settings: Any) -> WindowTestBed:
        bed = open_client(notice_time=0, **settings)
        peer = bed.log_in(targets=["astctidemo Demo", "backoffice Back office"])
        bed.ring("7.1")
        peer.say(event("Link", "8.1"))
        bed.pump(lambda: "8.1" in bed.app.windows.main.calls.cards)
        windows = bed.app.windows
        windows.main.dial_bar.number.set("0551234")
        windows.main.calls.cards["8.1"].ask_target("20", 1)
        bed.app.windows.show_history()
        assert windows.history is not None
        windows.history.search.insert(0, "Rossi")
        choose(kind_of(windows.history), 2)
        bed.app.windows.show_settings()
        assert windows.settings is not None
        write(control(windows.settings, MAC, ttk.Entry), "00:00:00:00:00:07")
        programs_of(windows.settings).insert("1.0", "crm")
        control(windows.settings, NOTICES, ttk.Checkbutton).invoke()
        bed.app.windows.show_about()
        windows.main.dial_bar.number.focus_force()
        windows.main.dial_bar.number.icursor(3)
        bed.turn(0.3)
        return bed

    yield make
    i18n.use_language("en")


def kind_of(history: tk.Misc) -> ttk.Combobox:
    """The choice of the kind of calls."""
    (box,) = [part for part in inside(history) if isinstance(part, ttk.Combobox)]
    return box


def programs_of(settings: tk.Misc) -> tk.Text:
    """The list of allowed programs."""
    (box,) = [part for part in inside(settings) if isinstance(part, tk.Text)]
    return box


def tops(bed: WindowTestBed) -> list[tk.Tk | tk.Toplevel]:
    windows = bed.app.windows
    assert windows.history
    assert windows.settings
    return [bed.root, windows.history, windows.settings, *windows.dialogs, *windows.notices.shown.values()]


def grounds(bed: WindowTestBed) -> set[str]:
    """Whether each window is light or dark where it touches its edge on the screen."""
    found = set()
    for top in tops(bed):
        top.lift()
        picture = bed.picture(top).convert("RGB")
        pixel = picture.getpixel((picture.width - 4, 3))
        assert isinstance(pixel, tuple)
        red, green, blue = pixel
        found.add("dark" if red + green + blue < 300 else "light")
    return found


def assert_nothing_is_lost(bed: WindowTestBed) -> None:
    windows = bed.app.windows
    bed.pump(lambda: bed.root.focus_get() is windows.main.dial_bar.number, "the focus is elsewhere")
    assert windows.main.dial_bar.number.get() == "0551234"
    assert windows.main.dial_bar.number.index("insert") == 3
    assert windows.main.calls.cards["8.1"].transfer == ("20", 1)
    assert windows.history
    assert windows.history.search.get() == "Rossi"
    assert kind_of(windows.history).current() == 2
    assert windows.settings
    assert control(windows.settings, i18n._(MAC), ttk.Entry).get() == "00:00:00:00:00:07"
    assert programs_of(windows.settings).get("1.0", "end-1c") == "crm"
    assert not control(windows.settings, i18n._(NOTICES), ttk.Checkbutton).instate(["selected"])
    assert "Anna Bianchi" in texts(windows.notices.shown["7.1"])


def test_every_window_follows_the_desktop_from_light_to_dark_and_back(
    open_full_client: Make, system: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system_colours, "ASK_EVERY", 0.1)
    bed = open_full_client(theme="auto")
    assert grounds(bed) == {"light"}
    bed.app.windows.main.dial_bar.number.focus_force()
    bed.turn()
    system("gdbus", "(<<uint32 1>>,)")
    bed.pump(lambda: bed.app.windows.look.palette.dark, "the windows do not follow")
    assert_nothing_is_lost(bed)
    assert bed.app.change_settings({"notice-time": 3}) == ""
    assert grounds(bed) == {"dark"}
    system("gdbus", "(<<uint32 2>>,)")
    bed.pump(lambda: not bed.app.windows.look.palette.dark)
    assert grounds(bed) == {"light"}


@pytest.mark.parametrize("what", ["shown", "clicked"])
def test_a_window_that_is_looked_at_has_the_desktops_colours(
    open_client: Make, system: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(system_colours, "REST", 0.05)
    bed = open_client(theme="auto")
    bed.log_in()
    if what == "shown":
        bed.root.withdraw()
        bed.turn()
    system("gdbus", "(<<uint32 1>>,)")
    bed.turn()
    if what == "shown":
        bed.root.deiconify()
    else:
        bed.root.event_generate("<FocusIn>")
    bed.pump(lambda: bed.app.windows.look.palette.dark, "the window does not follow")


def test_the_round_corners_of_buttons_and_fields_show_what_they_stand_on(open_client: Make) -> None:
    bed = open_client(theme="dark")
    bed.log_in()
    bed.ring("7.1")
    bed.peer.say("910 BYE TAKEOVER mario logged in elsewhere")
    bed.pump(lambda: "Log in again" in texts(bed.root))
    bed.app.windows.close_notices()
    window, seen = bed.open_settings(), set()
    for top in (window, bed.root):
        top.lift()
        screen = bed.picture()
        for part in all_of(top, (ttk.Button, ttk.Entry)):
            x, y = part.winfo_rootx(), part.winfo_rooty()
            if part.winfo_containing(x, y) is part:  # else it is scrolled away
                assert screen.getpixel((x, y)) == screen.getpixel((x - 2, y)), part
                seen.add(str(part.cget("style")).partition(".")[2] or part.winfo_class())
    assert {"TButton", "TEntry", "TCombobox"} <= seen


def test_the_main_window_is_never_larger_than_the_screen(open_client: Make) -> None:
    bed = open_client(scale=2.5)
    bed.log_in()
    bed.turn()
    bar = bed.app.windows.main.dial_bar
    assert bar.winfo_rooty() + bar.winfo_height() <= bed.root.winfo_screenheight()


def test_a_fixed_theme_does_not_follow_and_one_set_to_follow_does(
    open_full_client: Make, system: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system_colours, "ASK_EVERY", 0.1)
    system("gdbus", "(<<uint32 1>>,)")
    bed = open_full_client(theme="light")
    assert not colours_are_followed()
    assert bed.app.change_settings({"theme": "auto"}) == ""
    assert bed.app.windows.look.palette.dark
    system("gdbus", "(<<uint32 2>>,)")
    bed.pump(lambda: not bed.app.windows.look.palette.dark)
    assert bed.app.change_settings({"theme": "dark"}) == ""
    assert not colours_are_followed()
    assert bed.app.windows.look.palette.dark


def test_while_a_menu_is_open_the_change_waits(open_full_client: Make) -> None:
    bed = open_full_client(theme="auto")
    menu = tk.Menu(bed.root, tearoff=False)
    menu.add_command(label="x")
    told: list[bool] = []
    light = not bed.app.windows.look.palette.dark

    def switch() -> None:
        bed.app.windows.system_colours(light)
        told.append(True)

    bed.root.after(200, switch)
    menu.tk_popup(100, 100)
    bed.pump(lambda: told)
    assert bed.app.windows.look.palette.dark is not light
    menu.unpost()
    menu.grab_release()
    bed.pump(lambda: bed.app.windows.look.palette.dark is light)
    assert_nothing_is_lost(bed)


def test_another_language_is_spoken_at_once_in_every_window_and_in_the_tray(
    open_full_client: Make, desktop: Desktop
) -> None:
    bed = open_full_client()
    windows = bed.app.windows
    peer = bed.peer
    assert bed.app.change_settings({"language": "it"}) == ""
    bed.turn()
    assert_nothing_is_lost(bed)
    assert windows.settings
    assert windows.history
    for window, word in (
        (windows.main, "In conversazione"),
        (windows.notices.shown["7.1"], "Chiamata in arrivo"),
        (windows.history, "Esporta …"),
        (windows.settings, "Lingua"),
        (windows.dialogs[-1], "Versione"),
    ):
        assert word in texts(window), f"{window}: {texts(window)}"
    assert windows.history.title().startswith("Cronologia")
    assert "il telefono squilla" in bed.app.tray.content.text
    bed.pump(lambda: tray_icon_name(desktop) == bed.app.tray.content.text, "the tray has another name")
    press(windows.main.calls.cards["8.1"], "Riaggancia")
    assert peer.hear() == "HANGUP 8.1"


def test_the_log_in_window_says_what_is_wrong_in_the_new_language(open_client: Make) -> None:
    bed = open_client(password=None)
    bed.app.start()
    window = bed.login()
    window.password.set("secret")
    window.user.set("")
    press(window, "Log in")
    bed.turn()
    assert "Write your user name." in texts(window)
    window.user_field.focus_force()
    bed.turn()
    try:
        assert bed.app.change_settings({"language": "it", "theme": "dark"}) == ""
        bed.turn()
        assert "Scrivi il nome utente." in texts(window)
        assert window.password.get() == "secret"
        assert bed.root.focus_get() is window.user_field
        pixel = bed.picture(window).convert("RGB").getpixel((3, 3))
        assert isinstance(pixel, tuple)
        assert pixel < (60, 60, 60)
    finally:
        i18n.use_language("en")


def test_dressing_takes_the_keyboard_from_no_other_program(open_full_client: Make, desktop: Desktop) -> None:
    bed = open_full_client(theme="auto")
    script = "import tkinter as t; r = t.Tk(); r.title('other'); r.mainloop()"
    with subprocess.Popen([sys.executable, "-c", script]) as other:
        try:
            bed.pump(lambda: desktop.do("search", "--name", "^other$"), "no other program")
            window = desktop.do("search", "--name", "^other$").split()[-1]
            desktop.do("windowactivate", "--sync", window)
            bed.pump(lambda: desktop.do("getwindowfocus") == window, "the other program has no focus")
            bed.app.windows.system_colours(not bed.app.windows.look.palette.dark)
            bed.turn(0.5)
            assert desktop.do("getwindowfocus") == window
        finally:
            other.kill()
