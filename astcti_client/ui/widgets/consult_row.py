"""A colleague who is asked about a call: how it stands, hand over, take back. Main thread."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from astcti_client.ui.i18n import _
from astcti_client.ui.state.consulting.seat_consult import SeatConsult
from astcti_client.ui.text import words
from astcti_client.ui.theme.look import Look
from astcti_client.ui.widgets.controls import FlowFrame, button
from astcti_client.ui.widgets.options import enable, set_options
from schemas.protocol import ConsultState

_GOOD = frozenset((ConsultState.TALKING, ConsultState.HANDED_OVER))
_NEUTRAL = frozenset((ConsultState.CALLING, ConsultState.TAKEN_BACK, ConsultState.ENDED))


class ConsultRow(ttk.Frame):
    """A row at the bottom of a call's card. Its buttons keep their places until it goes."""

    def __init__(
        self, parent: tk.Misc, look: Look, hand_over: Callable[[], object], take_back: Callable[[], object]
    ) -> None:
        super().__init__(parent, style="Surface.TFrame")
        self.columnconfigure(0, weight=1)
        self._text = ttk.Label(self, style="WarningCard.TLabel")
        self._text.grid(row=0, column=0, sticky="ew")
        self.bind("<Configure>", lambda event: self._text.configure(wraplength=max(1, event.width)))
        self._buttons = FlowFrame(self, look.px(6), style="Surface.TFrame")
        self._buttons.grid(row=1, column=0, sticky="ew", pady=(look.px(6), 0))
        self._hand_over = button(
            self._buttons, look, _("Hand over"), hand_over, icon="transfer", style="Accent.TButton"
        )
        self._take_back = button(self._buttons, look, _("Take back"), take_back, icon="phone")
        self._buttons.lay_out()

    def show(self, consult: SeatConsult) -> None:
        """How it stands now."""
        style = "GoodCard" if consult.state in _GOOD else "WarningCard"
        set_options(
            self._text,
            text=words.consult_text(consult),
            style=f"{'MutedCard' if consult.state in _NEUTRAL else style}.TLabel",
        )
        enable(self._hand_over, consult.state is ConsultState.TALKING)
        enable(self._take_back, consult.goes_on)
        if consult.goes_on:
            self._buttons.grid()
        else:
            self._buttons.grid_remove()
