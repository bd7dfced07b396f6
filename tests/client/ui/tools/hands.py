"""What a test reads in a window, and how it presses what is there."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Iterator
from tkinter import ttk
from typing import TypeVar

from tests.client.ui.tools.desktop import Desktop
from tests.client.ui.tools.window_test_bed import Desk

Widget = TypeVar("Widget", bound=tk.Widget)


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


def all_of(widget: tk.Misc, kind: type[Widget] | tuple[type[Widget], ...]) -> Iterator[Widget]:
    """Every widget of a kind that can be seen in a window, in the order they were made."""
    for one in widget.children.values():
        if isinstance(one, tk.Toplevel | tk.Menu):
            continue
        if isinstance(one, kind) and one.winfo_ismapped():
            yield one
        yield from all_of(one, kind)


def assert_usable(top: tk.Misc) -> None:
    """Nothing sticks out of the window: every button can be pressed, every text ends inside.

    What scrolls up and down may be below; it may not be beside.
    """
    left, upper = top.winfo_rootx(), top.winfo_rooty()
    right, lower = left + top.winfo_width(), upper + top.winfo_height()
    assert right <= top.winfo_screenwidth()
    assert lower <= top.winfo_screenheight()
    for one in all_of(top, (ttk.Button, ttk.Label, ttk.Entry)):
        about = f"{one} {one.winfo_geometry()} sticks out of {top} {top.winfo_geometry()}"
        x, y = one.winfo_rootx(), one.winfo_rooty()
        assert left <= x, about
        assert x + one.winfo_width() <= right, about
        if not any(isinstance(above, tk.Canvas) for above in _above(one)):
            assert upper <= y, about
            assert y + one.winfo_height() <= lower, about


def _above(widget: tk.Misc) -> Iterator[tk.Misc]:
    while isinstance(widget.master, tk.Misc):
        widget = widget.master
        yield widget
