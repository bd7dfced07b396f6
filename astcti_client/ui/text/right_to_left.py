"""Hebrew, Arabic and other names that are written from right to left, for a screen that draws left to right.

Tk draws letters one after the other as they come, on X11: such a name would stand there backwards, and Arabic
letters unjoined. Windows and macOS draw them as they have to be. Needs the extra `right-to-left`.
No Tk, any thread.
"""

from __future__ import annotations

import importlib
import sys
import unicodedata
from collections.abc import Callable
from functools import cache

_FIRST = "\u0590"
"""No letter before it is written from right to left."""


def in_drawing_order(text: str) -> str:
    """One line as it is to be drawn. Only for that: never for what is kept, copied or measured in parts.

    As it is where nothing is written from right to left, or the packages are missing.
    """
    if text.isascii() or sys.platform in ("win32", "darwin"):
        return text
    if not any(letter >= _FIRST and unicodedata.bidirectional(letter) in ("R", "AL") for letter in text):
        return text
    return _order()(text)


@cache
def _order() -> Callable[[str], str]:
    """Unicode's algorithm for lines of mixed directions, after the letters are joined (UAX 9)."""
    try:
        joined = importlib.import_module("arabic_reshaper").reshape
        ordered = importlib.import_module("bidi").get_display
    except ImportError:
        return lambda text: text
    return lambda text: str(ordered(joined(text)))
