"""What a test reads in a window, and how it presses what is there."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk

from tests.client.ui.desk import Desk
from tests.client.ui.desktop import Desktop


def texts(widget: tk.Misc) -> str:
    """Every text that a window shows."""
    found = []
    for one in [widget, *widget.winfo_children()]:
        if isinstance(one, ttk.Label | ttk.Button | ttk.Checkbutton | tk.Label) and one.winfo_ismapped():
            found.append(str(one.cget("text")))
        if one is not widget:
            found.append(texts(one))
    return "\n".join(filter(None, found))


def press(widget: tk.Misc, words_on_it: str) -> None:
    """Press the button with these words."""
    for one in widget.winfo_children():
        if isinstance(one, ttk.Button) and str(one.cget("text")).strip() == words_on_it:
            one.invoke()
            return
    for one in widget.winfo_children():
        try:
            press(one, words_on_it)
            return
        except LookupError:
            continue
    raise LookupError(words_on_it)


def click(desktop: Desktop, desk: Desk, widget: tk.Misc, number: str = "1") -> None:
    """Click a widget with the mouse."""
    x = widget.winfo_rootx() + widget.winfo_width() // 2
    y = widget.winfo_rooty() + widget.winfo_height() // 2
    desktop.do("mousemove", str(x), str(y), "click", number)
    desk.turn()
