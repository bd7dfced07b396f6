"""Where a call's transfer is typed: the number, the service, do it, ask first, or not at all. Main thread."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from functools import partial
from tkinter import ttk

from astcti_client.net.messages import OfferedTarget
from astcti_client.ui.i18n import _
from astcti_client.ui.state.actions import ProblemTold
from astcti_client.ui.text import words
from astcti_client.ui.theme.look import Look
from astcti_client.ui.widgets.controls import button, icon_button, see_soon
from astcti_client.ui.widgets.options import enable

Transfer = Callable[[str, str, ProblemTold], None]
"""Gets the number as typed, a context, and whom to tell the answer. Raises ValueError if it is no number."""


class TransferRow(ttk.Frame):
    """A row at the bottom of a call's card. It stays until the server did what it was asked for."""

    def __init__(
        self,
        parent: tk.Misc,
        look: Look,
        targets: Sequence[OfferedTarget],
        transfer: Transfer,
        consult: Transfer | None,
        close: Callable[[], None],
    ) -> None:
        """`targets` are where calls may go; `consult` is None where colleagues cannot be asked."""
        super().__init__(parent, style="Surface.TFrame")
        self._targets, self._close, self._consult = targets, close, consult
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
        self.bind("<Configure>", lambda event: self._wrong.configure(wraplength=max(1, event.width)))
        go = partial(self._ask, transfer)
        check = icon_button(
            self, look, "check", _("Transfer now"), go, style="CardFlat.TButton", colour=look.palette.good
        )
        check.grid(row=0, column=2, padx=(look.px(4), 0))
        icon_button(self, look, "close", _("Cancel"), close, style="CardFlat.TButton").grid(row=0, column=3)
        self._doers = [check]
        if consult is not None:
            first = button(self, look, _("Ask first"), partial(self._ask, consult), icon="phone")
            first.grid(row=2, column=0, columnspan=4, sticky="w", pady=(look.px(6), 0))
            self._doers.append(first)
        self.number.bind("<Return>", lambda _event: go())
        for widget in self.winfo_children():
            widget.bind("<Escape>", self._cancelled)
        see_soon(self)

    def ask_first(self) -> None:
        """Ask whose number is there, where that is possible; what is wrong is said here."""
        if self._consult is not None:
            self._ask(self._consult)

    def _cancelled(self, _event: object) -> str:
        self._close()
        return "break"  # it would hide the window, too

    def _ask(self, transfer: Transfer) -> None:
        if self._doers[0].instate(["disabled"]):
            return  # the answer is on its way
        number = self.number.get()
        if not number.strip():
            self._say(_("Type a telephone number."))
            return
        self._wrong.grid_remove()
        self._enable(False)
        try:
            transfer(number, self._targets[max(0, self.service.current())].context, self._answered)
        except ValueError:
            self._answered(_("This is not a telephone number."))

    def _answered(self, problem: str) -> bool:
        if not self.winfo_exists():
            return False
        if problem:
            self._enable(True)
            self._say(problem[:1].upper() + problem[1:])
        else:
            self._close()
        return True

    def _enable(self, enabled: bool) -> None:
        for doer in self._doers:
            enable(doer, enabled)

    def _say(self, problem: str) -> None:
        self._wrong.configure(text=problem)
        self._wrong.grid(row=1, column=0, columnspan=4, sticky="w")
        self.number.focus_set()
        see_soon(self)
