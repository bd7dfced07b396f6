"""The colours of the window, light and dark. No Tk."""

from __future__ import annotations

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


def palette_for(theme: str, system_is_dark: bool) -> Palette:
    """The colours of the setting `theme`: light, dark, or those of the system."""
    return DARK if theme == "dark" or (theme == "auto" and system_is_dark) else LIGHT
