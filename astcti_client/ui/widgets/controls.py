"""Pieces that several windows are made of. Main thread."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from functools import partial
from tkinter import ttk
from typing import Any

from astcti_client.ui.text.right_to_left import in_drawing_order
from astcti_client.ui.theme.look import Look
from astcti_client.ui.widgets.options import set_options
from astcti_client.ui.widgets.press_guard import INERT, GuardedButton
from astcti_client.ui.widgets.tooltip import Tooltip


def button(
    parent: tk.Misc,
    look: Look,
    text: str,
    command: Callable[[], object],
    *,
    icon: str = "",
    style: str = "TButton",
) -> GuardedButton:
    """A button with words and perhaps an icon; Enter presses it as the space bar does."""
    made = GuardedButton(parent, command, text=text, style=look.on(parent, style))
    if icon:
        ink = {"Accent.TButton": look.palette.on_accent}.get(style, look.palette.text)
        if style == "Danger.TButton":
            ink = "#1b0b0b" if look.palette.dark else "#ffffff"
        pictures = with_pale(look, icon, 16, ink)
        made.configure(image=pictures, text=f" {text}" if text else "", compound="left")
    _press_with_return(made)
    return made


def with_pale(look: Look, icon: str, size: float, ink: str) -> Any:
    """An icon for a button's option `image`: pale while nothing happens if it is pressed."""
    pale = look.icon(icon, size, look.palette.muted)
    return look.icon(icon, size, ink), "disabled", pale, INERT, pale


def _press_with_return(made: ttk.Button) -> None:
    """Tk's own buttons listen to the space bar only."""

    def pressed(_event: object) -> str:
        made.invoke()
        return "break"  # the window may have a meaning for the key, too

    made.bind("<Return>", pressed)
    made.bind("<KP_Enter>", pressed)


def icon_button(
    parent: tk.Misc,
    look: Look,
    icon: str,
    words: str,
    command: Callable[[], object],
    *,
    style: str = "Flat.TButton",
    colour: str = "",
) -> GuardedButton:
    """A button that is an icon; its words are its tip."""
    pictures: Any = (
        look.icon(icon, 18, colour or look.palette.muted),
        INERT,
        look.icon(icon, 18, look.palette.border),
    )
    made = GuardedButton(parent, command, image=pictures, style=style)
    _press_with_return(made)
    Tooltip(made, look, words)
    return made


class FlowFrame(ttk.Frame):
    """Lays its children out like words in a line."""

    def __init__(self, parent: tk.Misc, gap: int, **options: Any) -> None:
        super().__init__(parent, **options)
        self._gap = gap
        self._least: dict[tk.Widget, int] = {}
        self.bind("<Configure>", self._lay_out)

    def keep_width(self, child: tk.Widget, width: int) -> None:
        """So wide is this child at least, whatever it shows: what follows it keeps its place."""
        self._least[child] = width

    def lay_out(self) -> None:
        """After children came or went."""
        self.after_idle(self._lay_out)

    def _lay_out(self, _event: object = None) -> None:
        if not self.winfo_exists():
            return
        width, x, y, line = max(self.winfo_width(), 80), 0, 0, 0
        # `place` tells the frame nothing of its children: it has to ask for its height itself.
        children: Sequence[tk.Widget] = self.winfo_children()  # type: ignore[assignment]
        for child in children:
            wide, high = max(child.winfo_reqwidth(), self._least.get(child, 0)), child.winfo_reqheight()
            wide = min(wide, width)
            if x and x + wide > width:
                x, y, line = 0, y + line + self._gap, 0
            child.place(x=x, y=y, width=wide)
            x += wide + self._gap
            line = max(line, high)
        self.configure(height=max(1, y + line))


class ScrolledFrame(ttk.Frame):
    """A frame, `inner`, that scrolls up and down when it is too high."""

    def __init__(self, parent: tk.Misc, look: Look, *, whole: bool = False) -> None:
        """`whole`: it asks for room for all that is inside, else for next to nothing."""
        super().__init__(parent)
        self._look, self._whole = look, whole
        # Of 2 dots at least: of a frame that asks for 1, Tk's grid does not use the room of a bar that went.
        self._canvas = tk.Canvas(
            self, background=look.palette.ground, highlightthickness=0, borderwidth=0, height=2
        )
        self._bar = ttk.Scrollbar(self, orient="vertical", command=self._canvas.yview)
        self.inner = ttk.Frame(self._canvas)
        self._item = self._canvas.create_window(0, 0, anchor="nw", window=self.inner)
        self._asked_width = ""
        self._to_see: list[tuple[Sequence[tk.Misc], Callable[[], bool]]] = []
        """What is to be brought into view, in this order, the last above all."""
        self._see_due = False
        self._canvas.configure(yscrollcommand=self._moved)
        self._canvas.grid(row=0, column=0, sticky="nsew")
        self._bar.grid(row=0, column=1, sticky="ns")
        self.rowconfigure(0, weight=1)
        self.columnconfigure(0, weight=1)
        self.inner.bind("<Configure>", self._resized)
        # What became less high than where the view begins is out of the view: Tk unmaps it, and says nothing
        # of its size. Without a new region to scroll in the view would stay there, on nothing.
        self.inner.bind("<Unmap>", self._resized)
        self._canvas.bind("<Configure>", lambda _event: self._fill())
        # X11 has buttons 4 and 5 for the wheel, Windows and macOS an event of its own. It goes to the widget
        # under the mouse, so every widget listens; which frame scrolls is decided in the handler.
        for keys, units in (("<Button-4>", -1), ("<Button-5>", 1), ("<MouseWheel>", 0)):
            self.bind_all(keys, partial(_turn_wheel, units))
        self.bind_all("<FocusIn>", see_now)
        self.bind("<Map>", lambda _event: self._see_in_a_moment())

    def see(self, widget: tk.Misc) -> None:
        """Bring a widget inside into view, by as little as it takes; of one that is too high the top."""
        top = widget.winfo_rooty() - self.inner.winfo_rooty()
        whole = max(1, self.inner.winfo_height())
        seen = self._canvas.winfo_height()
        first = self._canvas.canvasy(0)
        low = top + widget.winfo_height() - seen  # where the view begins if it ends with the widget
        if top < first or low > first:
            self._canvas.yview_moveto(max(0, top if top < first else min(top, low)) / whole)

    def see_once_laid_out(self, parts: Sequence[tk.Misc], if_still: Callable[[], bool]) -> None:
        """As `see_soon`, for parts of this frame."""

        self._to_see.append((parts, if_still))
        if self.winfo_viewable():
            self._see_in_a_moment()
        else:
            del self._to_see[:-1]

    def _see_in_a_moment(self) -> None:
        if self._to_see and not self._see_due:
            self._see_due = True
            self.after_idle(self._see_all)

    def _see_all(self) -> None:
        if not self.winfo_exists():
            return
        self.update_idletasks()  # meanwhile more may be wanted
        wanted, self._to_see, self._see_due = self._to_see, [], False
        for parts, if_still in wanted:
            if if_still():
                for part in parts:
                    if part.winfo_exists():
                        self.see(part)

    def see_top(self) -> None:
        """Bring the first thing inside into view."""
        self._canvas.yview_moveto(0)

    def ask_for_room(self) -> None:
        """Before it is on the screen; afterwards it does so by itself."""
        self.inner.update_idletasks()
        self._canvas.configure(width=self.inner.winfo_reqwidth(), height=self.inner.winfo_reqheight())

    def _resized(self, _event: object) -> None:
        if self._whole:
            self.ask_for_room()
        self._canvas.configure(scrollregion=(0, 0, 0, self.inner.winfo_reqheight()))

    def _moved(self, first: float, last: float) -> None:
        self._bar.set(first, last)
        if float(first) <= 0 and float(last) >= 1:
            self._bar.grid_remove()
        else:
            self._bar.grid()
        self.after_idle(
            self._fill
        )  # not from within: the bar's coming changes the width, which asks for the bar

    def _fill(self) -> None:
        """As wide as the canvas is now that the bar came or went."""
        # What was asked for last: how wide it is says nothing while a change is still on its way.
        if self.winfo_exists() and (width := str(self._canvas.winfo_width())) != self._asked_width:
            self._asked_width = width
            self._canvas.itemconfigure(self._item, width=width)

    def scroll(self, units: int) -> None:
        """Scroll down, or up if negative."""
        if self._bar.winfo_ismapped():
            self._canvas.yview_scroll(units * 2, "units")


def _scrolled_around(widget: object) -> ScrolledFrame | None:
    while isinstance(widget, tk.Misc):
        if isinstance(widget, ScrolledFrame):
            return widget
        widget = widget.master
    return None


def _turn_wheel(units: int, event: tk.Event[tk.Misc]) -> None:
    """Scroll what the mouse is in."""
    if (around := _scrolled_around(event.widget)) is not None:
        around.scroll(units or (-1 if event.delta > 0 else 1))


def see_now(event: tk.Event[tk.Misc]) -> None:
    """Bring what an event went to into view, for those who move and type with the keyboard."""
    if (around := _scrolled_around(event.widget)) is not None:
        around.see(event.widget)


def see_soon(*parts: tk.Misc, if_still: Callable[[], bool] = lambda: True) -> None:
    """Bring these into view in what scrolls around them, the last above all, once they were laid out.

    Where that is not on the screen yet, once it is. Nothing moves unless `if_still` says yes then.
    """
    if (around := _scrolled_around(parts[-1])) is not None:
        around.see_once_laid_out(parts, if_still)


def move_bar(bar: ttk.Scrollbar, first: str, last: str) -> None:
    """Show where a list is; no bar where all of it can be seen."""
    bar.set(first, last)
    bar.grid_remove() if float(first) <= 0 and float(last) >= 1 else bar.grid()


def initials(name: str) -> str:
    """One or two letters that stand for a name or number."""
    words = [word for word in name.split() if word[0].isalpha()]
    if not words:
        return "#"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


_APART = "\u200c"
"""Between Arabic letters that are not to be joined: initials are no word."""


def initials_as_drawn(name: str) -> str:
    """The initials of a name in the order in which Tk has to be given them."""
    return in_drawing_order(_APART.join(initials(name))).replace(_APART, "")


class InitialsDisc(ttk.Label):
    """A disc with initials."""

    def __init__(
        self, parent: tk.Misc, look: Look, name: str, *, ground: str = "Card", size: float = 36
    ) -> None:
        style = f"Initials{ground}.TLabel"
        disc = look.disc(size, look.palette.soft, ground=str(look.style.lookup(style, "background")))
        super().__init__(parent, style=style, compound="center", image=disc)
        self.show_name(name)

    def show_name(self, name: str) -> None:
        """Show another's initials."""
        set_options(self, text=initials_as_drawn(name))


FRAME_AND_PANELS = 80
"""Dots of the screen's height that are not for what is inside a window."""
FRAME_EDGES = 8  # and of its width
FOOT_ROOM = 8
"""Dots below a window that was moved up: the frame around it."""


def centre(window: tk.Toplevel | tk.Tk, width: int = 0, height: int = 0) -> None:
    """Put a window into the middle of the screen, with this size or the one it asks for."""
    window.update_idletasks()
    most_wide, most_high = on_screen(window)
    wide = min(width or window.winfo_reqwidth(), most_wide)
    high = min(height or window.winfo_reqheight(), most_high)
    x = (window.winfo_screenwidth() - wide) // 2
    y = max(0, (window.winfo_screenheight() - high) // 2 - 20)
    window.geometry(f"{wide}x{high}+{x}+{y}" if width else f"+{x}+{y}")


def on_screen(window: tk.Misc) -> tuple[int, int]:
    """Width and height that a window may have, its frame and panels left aside."""
    return window.winfo_screenwidth() - FRAME_EDGES, window.winfo_screenheight() - FRAME_AND_PANELS


def keep_on_screen(window: tk.Toplevel | tk.Tk) -> None:
    """Move a window up that has grown beyond the lower edge of the screen, as far as its top allows."""
    height = min(window.winfo_reqheight(), on_screen(window)[1])
    lowest = window.winfo_screenheight() - FOOT_ROOM - height
    if window.winfo_viewable() and window.winfo_rooty() > lowest:
        window.geometry(f"+{window.winfo_x()}+{max(0, lowest - (window.winfo_rooty() - window.winfo_y()))}")
