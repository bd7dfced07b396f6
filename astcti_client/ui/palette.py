"""The colours of the window, light and dark, and which of them the system wants. No Tk."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours by their use. Text on its ground has a contrast of at least 4.5 to 1."""

    dark: bool
    ground: str
    surface: str
    raised: str
    border: str
    text: str
    muted: str
    accent: str
    accent_hover: str
    on_accent: str
    soft: str
    """A tint of the accent, as a ground."""
    good: str
    warn: str
    bad: str
    bad_hover: str
    ring: str
    warn_soft: str
    bad_soft: str


LIGHT = Palette(
    dark=False,
    ground="#f3f5f8",
    surface="#ffffff",
    raised="#eceff3",
    border="#d5dae1",
    text="#171b21",
    muted="#566170",
    accent="#2459d6",
    accent_hover="#1c49b4",
    on_accent="#ffffff",
    soft="#e4ecfd",
    good="#15803d",
    warn="#a8540a",
    bad="#c62828",
    bad_hover="#a61f1f",
    ring="#6d28d9",
    warn_soft="#fdf1dc",
    bad_soft="#fde8e8",
)
DARK = Palette(
    dark=True,
    ground="#16181c",
    surface="#202329",
    raised="#2b2f37",
    border="#3b414b",
    text="#e9ebee",
    muted="#a3adba",
    accent="#4f86f7",
    accent_hover="#6d9bf9",
    on_accent="#0b1220",
    soft="#22304d",
    good="#4ade80",
    warn="#f5b342",
    bad="#f87171",
    bad_hover="#fb9a9a",
    ring="#b494f8",
    warn_soft="#3a2e18",
    bad_soft="#412325",
)

_ASK_TIME = 2.0  # seconds for the system's answer


def palette_for(theme: str) -> Palette:
    """The colours of the setting `theme`: light, dark, or what the system wants."""
    if theme == "auto":
        return DARK if system_wants_dark() else LIGHT
    return DARK if theme == "dark" else LIGHT


def system_wants_dark() -> bool:
    """Whether this desktop is set to dark. False where it cannot be asked."""
    try:
        if sys.platform == "win32":
            return _windows_wants_dark()
        if sys.platform == "darwin":
            return "dark" in _answer("defaults", "read", "-g", "AppleInterfaceStyle").lower()
        return _desktop_wants_dark()
    except OSError:
        return False


def _desktop_wants_dark() -> bool:
    if "dark" in os.environ.get("GTK_THEME", "").lower():
        return True
    portal = _answer(
        "gdbus",
        "call",
        "--session",
        "--dest",
        "org.freedesktop.portal.Desktop",
        "--object-path",
        "/org/freedesktop/portal/desktop",
        "--method",
        "org.freedesktop.portal.Settings.Read",
        "org.freedesktop.appearance",
        "color-scheme",
    )
    if "uint32" in portal:
        return "uint32 1" in portal
    scheme = _answer("gsettings", "get", "org.gnome.desktop.interface", "color-scheme")
    return "dark" in scheme


def _answer(*command: str) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_ASK_TIME, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _windows_wants_dark() -> bool:
    import winreg

    place = r"Software\Microsoft\Windows\CurrentVersion\Themes\Personalize"
    with winreg.OpenKey(winreg.HKEY_CURRENT_USER, place) as key:  # type: ignore[attr-defined,unused-ignore]
        return bool(winreg.QueryValueEx(key, "AppsUseLightTheme")[0] == 0)  # type: ignore[attr-defined,unused-ignore]
