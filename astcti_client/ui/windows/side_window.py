"""A window beside the main one. It can change its look and its language while it is open. Main thread."""

from __future__ import annotations

import contextlib
import tkinter as tk
from collections.abc import Callable, Iterator
from functools import partial

from astcti_client.ui.theme.look import Look


class SideWindow(tk.Toplevel):
    """`_build` makes its content, `apply_look` makes it anew; what was typed is in its own variables."""

    def __init__(self, parent: tk.Misc, look: Look, *, resizable: bool = False) -> None:
        super().__init__(parent, class_="Astcti", background=look.palette.ground)
        self._look, self._resizable = look, resizable
        self.resizable(resizable, resizable)

    def apply_look(self, look: Look) -> None:
        """Show the same in another look, or in the language that is spoken now."""
        self._keep()
        with same_focus(lambda: self):
            for child in list(self.children.values()):
                if not isinstance(child, tk.Toplevel):
                    child.destroy()
            self._look = look
            self.configure(background=look.palette.ground)
            self._build()
        if not self._resizable:
            self.geometry("")  # as large as the words need it now

    def _keep(self) -> None:
        """Take from the widgets what only they know."""

    def _build(self) -> None:
        """Make everything inside."""
        raise NotImplementedError


@contextlib.contextmanager
def same_focus(content: Callable[[], tk.Misc]) -> Iterator[None]:
    """While `content`, or what is inside, is made anew: afterwards the same field has the focus.

    Its cursor is where it was. Another window's focus, or another program's, is left alone.
    """
    top = content()
    window = top.winfo_toplevel()
    has_it = _window_with_focus(window) is window
    focused = top.focus_lastfor()
    steps = _steps(focused, top) if focused is not None else None
    cursor = str(focused.index("insert")) if isinstance(focused, tk.Entry) else ""
    yield
    again = _at(steps, content()) if steps else None
    if again is None:
        return
    if cursor and isinstance(again, tk.Entry):
        again.icursor(cursor)
    if has_it:
        again.focus_set()
    else:
        window.bind("<FocusIn>", partial(_focus_once, window, again))


def _window_with_focus(widget: tk.Misc) -> tk.Misc | None:
    focused = widget.focus_get()
    return focused.winfo_toplevel() if focused is not None else None


def _focus_once(window: tk.Misc, wanted: tk.Misc, event: tk.Event[tk.Misc]) -> None:
    if event.widget is window:
        window.unbind("<FocusIn>")
        if wanted.winfo_exists():
            wanted.focus_set()


def _inside(widget: tk.Misc) -> list[tk.Widget]:
    """What it is made of: no window or menu that was opened from it."""
    return [child for child in widget.children.values() if not isinstance(child, tk.Toplevel | tk.Menu)]


def _steps(widget: tk.Misc, top: tk.Misc) -> list[int] | None:
    steps: list[int] = []
    while widget is not top:
        parent = widget.master
        if not isinstance(parent, tk.Misc) or widget not in _inside(parent):
            return None
        steps.append(_inside(parent).index(widget))
        widget = parent
    return steps[::-1]


def _at(steps: list[int], top: tk.Misc) -> tk.Misc | None:
    widget = top
    for step in steps:
        inside = _inside(widget)
        if step >= len(inside):
            return None
        widget = inside[step]
    return widget
