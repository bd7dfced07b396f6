"""Buttons that act on what was seen: after any change of what a place does they rest for a second.

Calls come, go and change while somebody aims at a button. Whoever pressed it meant what stood there when the
hand began to move. Main thread.
"""

from __future__ import annotations

import contextlib
import time
import tkinter as tk
from collections.abc import Callable
from tkinter import ttk
from typing import Any
from weakref import WeakKeyDictionary, ref

INERT_TIME = 1.0
"""Seconds: longer than a double click, and than the way of a hand that is moving already."""
INERT = "alternate"
"""The state of ttk that stands for it: its buttons use it for nothing else."""

_Place = tuple[int, int, int, int, str, bool]
"""Left, top, width and height in the window, words, and whether it can be pressed at all."""


class PressGuard:
    """Knows since when each button of a program stands where it stands and does what it does.

    One that was moved, shown, given other words or enabled is inert for a while, to the mouse and to keys.
    That covers a new call above it, a list that scrolls, a window that opens there, other colours.
    """

    def __init__(
        self, root: tk.Misc, clock: Callable[[], float] = time.monotonic, rest: float = INERT_TIME
    ) -> None:
        """`rest`: seconds of `clock`; 0 for none. For the buttons below `root` that are made later."""
        self._root, self._clock, self._rest = ref(root), clock, rest
        self._seen: WeakKeyDictionary[GuardedButton, _Place | None] = WeakKeyDictionary()
        self._until: WeakKeyDictionary[GuardedButton, float] = WeakKeyDictionary()
        self._look_due = self._end_due = ""
        # Without the event's details, which would cost more than the rest: every widget tells of changes.
        moved = root.register(self.look_soon)
        for event in ("<Configure>", "<Map>", "<Unmap>"):
            root.tk.call("bind", "all", event, f"+{moved}")
        _guards[root] = self

    def add(self, button: GuardedButton) -> None:
        """Watch this one, too."""
        self._seen[button] = None
        self.look_soon()

    def forget(self, button: GuardedButton) -> None:
        """It is no more."""
        self._seen.pop(button, None)
        self._until.pop(button, None)

    def renew(self, button: GuardedButton) -> None:
        """It means something else from now on, though it may look the same."""
        self.add(button)

    def may_press(self, button: GuardedButton) -> bool:
        """Whether what it does now was there to be seen for long enough."""
        if self._look_due or _place_of(button) != self._seen.get(button):
            self._look()
        return self._clock() >= self._until.get(button, float("-inf"))

    def rest_from_now(self) -> float:
        """When a rest that begins now is over: for `is_over`."""
        return self._clock() + self._rest

    def is_over(self, until: float) -> bool:
        """Whether this time has come."""
        return self._clock() >= until

    def look_soon(self) -> None:
        """Something may have changed; what moved is known once everything was laid out."""
        if not self._look_due and (root := self._root()) is not None:
            self._look_due = root.after_idle(self._look)

    def _look(self) -> None:
        root = self._root()
        if self._look_due and root is not None:
            root.after_cancel(self._look_due)
        self._look_due = ""
        for button, before in list(self._seen.items()):
            with contextlib.suppress(tk.TclError):  # destroyed by Tk itself, with its window
                if (now := _place_of(button)) != before:
                    self._seen[button] = now
                    if now is not None and now[-1] and self._rest > 0:
                        self._begin_rest(button)

    def _begin_rest(self, button: GuardedButton) -> None:
        self._until[button] = self._clock() + self._rest
        ttk.Button.state(button, [INERT, "!pressed"])  # a press that began before does not count either
        if not self._end_due:
            self._end_soon(self._rest)

    def _end_soon(self, seconds: float) -> None:
        if (root := self._root()) is not None:
            self._end_due = root.after(max(1, int(seconds * 1000)), self._end_rests)

    def _end_rests(self) -> None:
        self._end_due, now = "", self._clock()
        for button in [button for button, until in self._until.items() if until <= now]:
            del self._until[button]
            with contextlib.suppress(tk.TclError):
                ttk.Button.state(button, [f"!{INERT}"])
        if self._until:
            self._end_soon(min(self._until.values()) - now)


class GuardedButton(ttk.Button):
    """A button that does nothing while it is inert; whoever has a meaning for a key calls `invoke`."""

    def __init__(self, parent: tk.Misc, command: Callable[[], object], **options: Any) -> None:
        super().__init__(parent, command=self._press, **options)
        self._command = command
        self._guard = _guard_of(self)
        self._guard.add(self)

    def configure(self, cnf: Any = None, **options: Any) -> Any:
        """As of any button. Other words are another meaning."""
        done = super().configure(cnf, **options)
        self._guard.look_soon()
        return done

    def state(self, statespec: Any = None) -> Any:
        """As of any button. One that can be pressed again has another meaning, too."""
        done = super().state(statespec)
        if statespec is not None:
            self._guard.look_soon()
        return done

    def means_another(self) -> None:
        """What it is for has changed, and nothing that could be seen."""
        self._guard.renew(self)

    def destroy(self) -> None:
        """As of any button."""
        self._guard.forget(self)
        super().destroy()

    def _press(self) -> None:
        if self._guard.may_press(self):
            self._command()


class PressedOnce:
    """An action that rests once it was begun, whatever asked for it: a click too many is none.

    For what is done without a button, such as a double click in a list, and for buttons that stay as they
    are until the server has answered.
    """

    def __init__(self, widget: tk.Misc) -> None:
        """`widget`: any one of the program."""
        self._guard = _guard_of(widget)
        self._until = float("-inf")

    def begins(self) -> bool:
        """Whether it is to be done now; then it rests from now on."""
        if not self._guard.is_over(self._until):
            return False
        self.rest()
        return True

    def rest(self) -> None:
        """What it would be done to has changed under the pointer: it rests from now on."""
        self._until = self._guard.rest_from_now()


_guards: WeakKeyDictionary[tk.Misc, PressGuard] = WeakKeyDictionary()


def _guard_of(widget: tk.Misc) -> PressGuard:
    root = widget.nametowidget(".")
    return _guards.get(root) or PressGuard(root)


def _place_of(button: GuardedButton) -> _Place | None:
    """Where it is and what it does; None if it cannot be seen."""
    if not button.winfo_viewable():
        return None
    x, y = button.winfo_rootx(), button.winfo_rooty()
    top = button.winfo_toplevel()
    if not top.wm_overrideredirect():  # a window with a frame is moved by its user, who sees to it
        x, y = x - top.winfo_rootx(), y - top.winfo_rooty()
    enabled = not button.instate(["disabled"])
    return x, y, button.winfo_width(), button.winfo_height(), str(button.cget("text")).strip(), enabled
