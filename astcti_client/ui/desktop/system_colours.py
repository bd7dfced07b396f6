"""Whether the desktop is light or dark, asked of the system, and told when it changes. No Tk, any thread."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass

from astcti_client.ui.desktop import xsettings

# Seconds. A question starts one or two programs, so it is seldom asked of its own accord. What would tell by
# itself, `gdbus monitor`, is a process more on each PC, and covers one kind of desktop.
ASK_EVERY = 60.0
REST = 5.0  # seconds between two questions at least, however often somebody looks at a window
_ANSWER_TIME = 2.0  # seconds for the system's answer


@dataclass(frozen=True, slots=True)
class SystemColours:
    """The desktop was switched."""

    dark: bool


class ColourWatch:
    """Asks now and then on a thread of its own: each desktop tells of changes in its own way, or not."""

    def __init__(self, dark: bool, tell: Callable[[SystemColours], None]) -> None:
        """`dark` is what is known; `tell` is called on the watch's thread whenever that changes."""
        self._dark, self._tell = dark, tell
        self._ended, self._wanted = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="colours", daemon=True)
        self._thread.start()

    def ask_soon(self) -> None:
        """Somebody looks at a window: it should have the desktop's colours. Never waits."""
        self._wanted.set()

    def close(self) -> None:
        """Ask no more. Waits for an answer that is on its way."""
        self._ended.set()
        self._wanted.set()
        self._thread.join(2 * _ANSWER_TIME)

    def _run(self) -> None:
        while not self._ended.wait(min(REST, ASK_EVERY)):
            self._wanted.wait(ASK_EVERY)
            if self._ended.is_set():
                return
            self._wanted.clear()
            dark = system_wants_dark()
            if dark != self._dark and not self._ended.is_set():
                self._dark = dark
                self._tell(SystemColours(dark))


def system_wants_dark() -> bool:
    """Whether this desktop is set to dark. False where it cannot be asked. May take seconds."""
    try:
        if sys.platform == "win32":
            return _windows_wants_dark()
        if sys.platform == "darwin":
            return "dark" in _answer("defaults", "read", "-g", "AppleInterfaceStyle").lower()
        return _desktop_wants_dark()
    except OSError:
        return False


def _desktop_wants_dark() -> bool:
    """The first that has an opinion: the environment, the portal, GNOME's settings, the theme of X."""
    if theme := os.environ.get("GTK_THEME"):
        return "dark" in theme.lower()
    portal = _answer(
        "gdbus",
        "call",
        "--session",
        "--timeout=1",
        "--dest=org.freedesktop.portal.Desktop",
        "--object-path=/org/freedesktop/portal/desktop",
        "--method=org.freedesktop.portal.Settings.Read",
        "org.freedesktop.appearance",
        "color-scheme",
    )
    for answer, dark in (("uint32 1", True), ("uint32 2", False)):
        if answer in portal:
            return dark
    scheme = _answer("gsettings", "get", "org.gnome.desktop.interface", "color-scheme")
    for answer, dark in (("prefer-dark", True), ("prefer-light", False)):
        if answer in scheme:
            return dark
    with contextlib.suppress(Exception):  # no python-xlib, or an X server that is gone
        return "dark" in xsettings.read_xsettings().get("Net/ThemeName", "").lower()
    return False


def _answer(*command: str) -> str:
    try:
        # Their programs, not a library: what speaks to the bus or to GNOME differs from system to system.
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=_ANSWER_TIME,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _windows_wants_dark() -> bool:
    import winreg

    place = r"Software\Microsoft\Windows\CurrentVersion\Themes\Personalize"
    with winreg.OpenKey(winreg.HKEY_CURRENT_USER, place) as key:  # type: ignore[attr-defined,unused-ignore]
        return bool(winreg.QueryValueEx(key, "AppsUseLightTheme")[0] == 0)  # type: ignore[attr-defined,unused-ignore]
