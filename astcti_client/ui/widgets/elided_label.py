"""Words in so many lines at most, however long a stranger's text is. Main thread."""

from __future__ import annotations

import re
import tkinter as tk
from collections.abc import Callable
from tkinter import ttk
from typing import Any

from astcti_client.ui.text.right_to_left import in_drawing_order
from astcti_client.ui.theme.look import Look
from astcti_client.ui.widgets.options import set_options
from astcti_client.ui.widgets.tooltip import Tooltip

ELLIPSIS = "…"


class ElidedLabel(ttk.Label):
    """What does not fit ends in an ellipsis; the whole is its tip."""

    def __init__(
        self, parent: tk.Misc, look: Look, *, style: str, lines: int = 1, room: int = 0, **options: Any
    ) -> None:
        """`room`: width in dots, if it is known already; else somebody calls `fit`."""
        super().__init__(parent, style=style, justify="left", **options)
        self._font = look.style.lookup(style, "font") or "TkDefaultFont"
        self._look, self._lines = look, lines
        self._room, self._words, self._beside = room, "", ""
        self._tip = Tooltip(self, look, "")
        if room:
            self.configure(wraplength=room)

    @property
    def words(self) -> str:
        """The whole text."""
        return self._words

    @property
    def beside(self) -> str:
        """What its tip tells beside the whole text."""
        return self._beside

    def say(self, words: str, tip: str = "") -> None:
        """Show these words; `tip` is told beside them."""
        if (words, tip) != (self._words, self._beside):
            self._words, self._beside = words, tip
            self._show()

    def say_if_any(self, words: str) -> None:
        """Show these words in the label's place of a grid, or give the place up for want of words."""
        self.say(words)
        self.grid() if words else self.grid_remove()

    def use_lines(self, lines: int) -> None:
        """So many lines may it have from now on."""
        if lines != self._lines:
            self._lines = lines
            self._show()

    def fit(self, room: int) -> None:
        """So wide may it be from now on, in dots."""
        if room != self._room:
            self._room = room
            self.configure(wraplength=room)
            self._show()

    def _show(self) -> None:
        text = elided(self._words, self._room, self._lines, self._measure) if self._room else self._words
        # A line that Tk breaks by itself cannot be put into another order before.
        one_line = not self._room or self._lines == 1 or self._measure(text) <= self._room
        set_options(self, text=in_drawing_order(text) if one_line else text)
        whole = self._words.strip() if text != self._words else ""
        self._tip.say("\n".join(filter(None, (whole, self._beside))))

    def _measure(self, text: str) -> int:
        return self._look.width_of(text, str(self._font))


def elided(text: str, room: int, lines: int, measure: Callable[[str], int]) -> str:
    """The text, or as much of it as fits into so many lines of this width.

    Lines break between words, as Tk's do, and within a word that is too long for one.
    """
    kept, rest = "", text
    for left in range(lines, 0, -1):
        # Blanks at the beginning of the text are drawn, those where a line breaks are not.
        drawn = str.lstrip if kept else str
        end = _end_of_line(rest, room, measure, drawn)
        if end == len(rest):
            return text
        if left == 1:
            end = _end_of_line(rest, room - measure(ELLIPSIS), measure, drawn)
        kept, rest = kept + rest[:end], rest[end:]
    return kept.rstrip() + ELLIPSIS


def _end_of_line(text: str, room: int, measure: Callable[[str], int], drawn: Callable[[str], str]) -> int:
    """How many characters the first line takes. Each word is measured once: measuring is what costs."""
    used, end = 0, 0
    for word in re.finditer(r"\s*\S+\s*$|\s*\S+", text):
        width = measure((drawn(word[0]) if used == 0 else word[0]).rstrip())
        if used + width > room:
            return end or _letters_that_fit(word[0], room, lambda part: measure(drawn(part)))
        used, end = used + width, word.end()
    return len(text)


def _letters_that_fit(word: str, room: int, measure: Callable[[str], int]) -> int:
    least, most = 1, len(word)
    while least < most:
        middle = (least + most + 1) // 2
        if measure(word[:middle]) <= room:
            least = middle
        else:
            most = middle - 1
    return least
