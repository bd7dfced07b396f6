"""Options of widgets, set only where that changes something: Tk draws anew whatever is set. Main thread."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk
from typing import Any


def set_options(widget: tk.Misc, **options: Any) -> None:
    """Give a widget these options; nothing is drawn if it has them already.

    What is shown is told again every second, and over the network X11 would carry each time what the screen
    has since long.
    """
    changed = {name: value for name, value in options.items() if _plain(widget.cget(name)) != _plain(value)}
    if changed:
        widget.configure(**changed)


def enable(button: ttk.Button, enabled: bool) -> None:
    """Let a button be pressed, or not."""
    if button.instate(["disabled"]) == enabled:
        button.configure(state="normal" if enabled else "disabled")


def _plain(value: Any) -> tuple[str, ...]:
    """In one form what Tk may give as an object of its own, a picture, or a list: images by state."""
    return tuple(map(str, value)) if isinstance(value, tuple | list) else (str(value),)
