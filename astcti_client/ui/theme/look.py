"""Colours, sizes, fonts and pictures that every window uses. Main thread."""

from __future__ import annotations

import sys
import tkinter as tk
from functools import lru_cache
from tkinter import font as tkfont
from tkinter import ttk

from astcti_client.ui.theme import styles
from astcti_client.ui.theme.control_styles import put_on_ground
from astcti_client.ui.theme.palette import Palette
from astcti_client.ui.theme.pictures import Pictures
from astcti_client.ui.theme.screen import screen_scale

MOST_WIDTHS = 1024  # words whose width is remembered; a window has some hundred
_FAMILIES = (
    "Segoe UI Variable Text",
    "Segoe UI",
    "SF Pro Text",
    "Inter",
    "Adwaita Sans",
    "Cantarell",
    "Ubuntu",
    "Noto Sans",
    "Open Sans",
    "DejaVu Sans",
)


class Look(Pictures):
    """What every window is drawn with."""

    def __init__(self, root: tk.Tk, palette: Palette, scale: float) -> None:
        """`scale` as in the settings: 0 for what the screen asks."""
        super().__init__(root, palette, scale or screen_scale(root))
        self._root = root
        root.tk.call("tk", "scaling", self.scale * 96 / 72)
        self.fonts = _make_fonts(root)
        self.style = ttk.Style(root)
        self._theme = styles.make_theme(self.style, self, self.fonts)
        self._on_grounds: set[str] = set()
        """Styles that were made for other grounds than the window's."""
        self.width_of = lru_cache(MOST_WIDTHS)(self._width_of)

    def _width_of(self, text: str, font: str) -> int:
        """How many dots a line of text takes. Kept: with letters of many fonts this costs milliseconds."""
        return int(self._root.tk.call("font", "measure", font, text))

    def on(self, parent: tk.Misc, style: str) -> str:
        """The style of a button or field for a frame of another ground: its corners are round."""
        inside = self.style.lookup(str(parent.cget("style")) or "TFrame", "inside")
        if not inside or inside == self.palette.ground:
            return style
        name = f"On{inside[1:]}.{style}"
        if name not in self._on_grounds:
            self._on_grounds.add(name)
            put_on_ground(self.style, self, style, inside, name)
        return name

    def activate(self) -> None:
        """Use it for everything that is made from now on."""
        self.style.theme_use(self._theme)
        styles.colour_plain_widgets(self._root, self)
        self._root.configure(background=self.palette.ground)


def _make_fonts(root: tk.Tk) -> dict[str, tkfont.Font]:
    """Set Tk's own fonts; returns the others by their names."""
    known = set(tkfont.families(root))
    size = 10 if sys.platform != "darwin" else 13
    default = tkfont.nametofont("TkDefaultFont", root=root)
    family = next((name for name in _FAMILIES if name in known), "") or str(default.actual("family"))
    for name in ("TkDefaultFont", "TkTextFont", "TkMenuFont", "TkHeadingFont", "TkTooltipFont"):
        tkfont.nametofont(name, root=root).configure(family=family, size=size, weight="normal")
    fonts: dict[str, tkfont.Font] = {}
    for name, points, bold in (
        ("small", size - 1, False),
        ("bold", size, True),
        ("large", size + 2, True),
        ("title", size + 6, True),
        ("number", size + 2, False),
    ):
        weight = "bold" if bold else "normal"
        fonts[name] = tkfont.Font(root=root, family=family, size=points, weight=weight)  # type: ignore[arg-type]
    return fonts
