"""A list with columns on a card, and the field above it that is searched with. Main thread."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Sequence
from functools import partial
from tkinter import ttk

from astcti_client.ui.theme.look import Look
from astcti_client.ui.widgets.controls import move_bar


class ListTable(ttk.Frame):
    """The card is seen to have the keyboard when its list has it."""

    def __init__(
        self, parent: tk.Misc, look: Look, columns: Sequence[tuple[str, str, int]], picture: int
    ) -> None:
        """`columns`: name, heading and width of each, in units of 96 dpi, as `picture` is."""
        super().__init__(parent, style="Card.TFrame", padding=look.px(6))
        self.columnconfigure(0, weight=1)
        self.rowconfigure(0, weight=1)
        tree = self.tree = ttk.Treeview(
            self, columns=[name for name, _heading, _width in columns], selectmode="browse"
        )
        tree.column("#0", width=look.px(picture), minwidth=look.px(picture), stretch=False)
        for name, heading, width in columns:
            tree.heading(name, text=heading, anchor="w")
            tree.column(name, width=look.px(width), anchor="w")
        bar = ttk.Scrollbar(self, orient="vertical", command=tree.yview)
        tree.configure(yscrollcommand=partial(move_bar, bar))
        tree.grid(row=0, column=0, sticky="nsew")
        bar.grid(row=0, column=1, sticky="ns")
        tree.bind("<FocusIn>", self._focused)
        tree.bind("<FocusOut>", lambda _event: self.configure(style="Card.TFrame"))

    def take_keyboard(self) -> None:
        """Go on with the keys in the list, if there is anything in it."""
        if self.tree.get_children():
            self.tree.focus_set()

    def _focused(self, _event: object) -> None:
        self.configure(style="Focus.TFrame")
        if not self.tree.selection() and (rows := self.tree.get_children()):
            self.tree.focus(rows[0])
            self.tree.selection_set(rows[0])


class SearchRow(ttk.Frame):
    """A field with a magnifier, as wide as there is room; more may stand behind it, from column 2 on."""

    def __init__(self, parent: tk.Misc, look: Look, sought: tk.StringVar) -> None:
        super().__init__(parent)
        self.columnconfigure(1, weight=1)
        picture = ttk.Label(self, image=look.icon("search", 18, look.palette.muted))
        picture.grid(row=0, column=0, padx=(0, look.px(8)))
        self.field = ttk.Entry(self, textvariable=sought)
        self.field.grid(row=0, column=1, sticky="ew")
