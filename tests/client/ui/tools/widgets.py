"""What a test reads in a window, and how it uses what is there as its user would."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Iterator
from tkinter import ttk
from typing import TypeVar

from astcti_client.ui.widgets.controls import ScrolledFrame
from tests.client.ui.tools.desktop import Desktop

Widget = TypeVar("Widget", bound=tk.Widget)


def inside(widget: tk.Misc) -> Iterator[tk.Misc]:
    """Everything in a widget, windows that were opened from it included, in the order it was made."""
    for child in widget.winfo_children():
        yield child
        yield from inside(child)


def texts(widget: tk.Misc) -> str:
    """Every text that a window shows."""
    labels = (ttk.Label, ttk.Button, ttk.Checkbutton, tk.Label)
    found = [part for part in (widget, *inside(widget)) if isinstance(part, labels) and part.winfo_ismapped()]
    return "\n".join(filter(None, (str(part.cget("text")) for part in found)))


def button(widget: tk.Misc, words_on_it: str) -> ttk.Button:
    """The button with these words. LookupError if there is none."""
    for part in inside(widget):
        if isinstance(part, ttk.Button) and str(part.cget("text")).strip() == words_on_it:
            return part
    raise LookupError(words_on_it)


def press(widget: tk.Misc, words_on_it: str) -> None:
    """Press the button with these words."""
    button(widget, words_on_it).invoke()


def control(window: tk.Misc, label: str, kind: type[Widget]) -> Widget:
    """What stands beside the label in a row of the settings. LookupError if there is no such row."""
    for part in inside(window):
        if isinstance(part, ttk.Label) and str(part.cget("text")).strip() == label:
            row = part.master.grid_slaves(row=part.grid_info()["row"], column=1)
            return next(beside for beside in row if isinstance(beside, kind))
    raise LookupError(label)


def write(field: ttk.Entry, text: str) -> None:
    """Have this text in a field instead of what was there."""
    field.delete(0, "end")
    field.insert(0, text)


def choose(box: ttk.Combobox, number: int) -> None:
    """Choose from a list."""
    box.current(number)
    box.event_generate("<<ComboboxSelected>>")


def click(desktop: Desktop, widget: tk.Misc, number: str = "1", *, repeat: int = 1) -> None:
    """Click a widget with the mouse, perhaps doubly; what it does comes once the main loop turns."""
    x = widget.winfo_rootx() + widget.winfo_width() // 2
    y = widget.winfo_rooty() + widget.winfo_height() // 2
    desktop.do("mousemove", str(x), str(y), "click", "--repeat", str(repeat), number)


def all_of(widget: tk.Misc, kind: type[Widget] | tuple[type[Widget], ...]) -> Iterator[Widget]:
    """Every widget of a kind that can be seen in a window, in the order they were made."""
    for child in widget.children.values():
        if isinstance(child, tk.Toplevel | tk.Menu):
            continue
        if isinstance(child, kind) and child.winfo_ismapped():
            yield child
        yield from all_of(child, kind)


def is_seen(widget: tk.Misc) -> bool:
    """Whether all of it is on the screen, without scrolling."""
    around = [widget.winfo_toplevel(), *(part for part in _above(widget) if isinstance(part, ScrolledFrame))]
    return bool(widget.winfo_viewable()) and all(
        part.winfo_rooty() <= widget.winfo_rooty()
        and widget.winfo_rooty() + widget.winfo_height() <= part.winfo_rooty() + part.winfo_height()
        for part in around
    )


def assert_usable(top: tk.Misc) -> None:
    """Nothing sticks out of the window: every button can be pressed, every text ends inside.

    What scrolls up and down may be below; it may not be beside.
    """
    left, upper = top.winfo_rootx(), top.winfo_rooty()
    right, lower = left + top.winfo_width(), upper + top.winfo_height()
    assert right <= top.winfo_screenwidth()
    assert lower <= top.winfo_screenheight()
    for part in all_of(top, (ttk.Button, ttk.Label, ttk.Entry)):
        about = f"{part} {part.winfo_geometry()} sticks out of {top} {top.winfo_geometry()}"
        x, y = part.winfo_rootx(), part.winfo_rooty()
        assert left <= x, about
        assert x + part.winfo_width() <= right, about
        if not any(isinstance(above, tk.Canvas) for above in _above(part)):
            assert upper <= y, about
            assert y + part.winfo_height() <= lower, about


def _above(widget: tk.Misc) -> Iterator[tk.Misc]:
    while isinstance(widget.master, tk.Misc):
        widget = widget.master
        yield widget
