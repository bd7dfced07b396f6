"""Where a call's transfer is typed: the number, the service, do it or not. Main thread."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from functools import partial
from tkinter import ttk

from astcti_client.net.messages import OfferedTarget
from astcti_client.ui.i18n import _
from astcti_client.ui.text import words
from astcti_client.ui.theme.look import Look
from astcti_client.ui.widgets.controls import icon_button


class TransferRow(ttk.Frame):
    """A row at the bottom of a call's card."""

    def __init__(
        self,
        parent: tk.Misc,
        look: Look,
        targets: Sequence[OfferedTarget],
        go: Callable[[str, OfferedTarget], None],
        cancel: Callable[[], None],
    ) -> None:
        """`go` gets the number as typed and one of `targets`; it raises ValueError if that is no number."""
        super().__init__(parent, style="Surface.TFrame")
        self._targets, self._do = targets, go
        self.columnconfigure(0, weight=1)
        self.number = ttk.Entry(self, style=look.on(self, "TEntry"))
        self.number.grid(row=0, column=0, sticky="ew")
        names = [words.displayable(target.name, 40) for target in targets]
        self.service = ttk.Combobox(
            self, values=names, state="readonly", width=14, style=look.on(self, "TCombobox")
        )
        self.service.current(0)
        if len(names) > 1:
            self.service.grid(row=0, column=1, padx=(look.px(6), 0))
        self._wrong = ttk.Label(self, style="ErrorCard.TLabel")
        good = look.palette.good
        icon_button(
            self, look, "check", _("Transfer now"), self._go, style="CardFlat.TButton", colour=good
        ).grid(row=0, column=2, padx=(look.px(4), 0))
        icon_button(self, look, "close", _("Cancel"), cancel, style="CardFlat.TButton").grid(row=0, column=3)
        self.number.bind("<Return>", lambda _event: self._go())
        for widget in self.winfo_children():
            widget.bind("<Escape>", partial(self._cancelled, cancel))

    def _cancelled(self, cancel: Callable[[], None], _event: object) -> str:
        cancel()
        return "break"  # it would hide the window, too

    def _go(self) -> None:
        try:
            self._do(self.number.get(), self._targets[max(0, self.service.current())])
        except ValueError:
            self._wrong.configure(text=_("This is not a telephone number."))
            self._wrong.grid(row=1, column=0, columnspan=4, sticky="w")
            self.number.focus_set()
