"""The card of the call that was asked for: what to do, how far it is, or whose fault it was. Main thread."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk

from astcti_client.ui.i18n import _
from astcti_client.ui.state.actions import SeatActions
from astcti_client.ui.state.calls.dialling import DialledCall, Dialling
from astcti_client.ui.text import words
from astcti_client.ui.theme.look import Look
from astcti_client.ui.widgets.controls import button, see_soon
from astcti_client.ui.widgets.elided_label import ElidedLabel
from astcti_client.ui.widgets.options import enable, set_options


class DialledCard(ttk.Frame):
    """Shows `Dialling`; is in no grid while there is nothing to show."""

    def __init__(self, parent: tk.Misc, look: Look, seat: SeatActions, dialling: Dialling) -> None:
        """In a grid."""
        super().__init__(parent, style="Card.TFrame", padding=look.px(14))
        self._look, self._seat, self._dialling = look, seat, dialling
        self._shown: tuple[DialledCall, bool] | None = None
        self.columnconfigure(1, weight=1)
        self._low, self._width = False, 0
        picture = look.icon("phone", 28, look.palette.accent)
        self._icon = ttk.Label(self, style="Card.TLabel", image=picture)
        self._icon.grid(row=0, column=0, rowspan=2, sticky="n", padx=(look.px(4), look.px(14)))
        self._what = ElidedLabel(self, look, style="LargeCard.TLabel", lines=3)
        self._what.grid(row=0, column=1, sticky="ew")
        self._time = ttk.Label(self, style="BoldCard.TLabel", text="0:00")
        self._time.grid(row=0, column=2, sticky="ne")
        self._number = ElidedLabel(self, look, style="Card.TLabel")
        self._number.grid(row=1, column=1, columnspan=2, sticky="ew")
        self._why = ElidedLabel(self, look, style="MutedCard.TLabel", lines=4)
        self._why.grid(row=2, column=1, columnspan=2, sticky="ew")
        buttons = self._buttons = ttk.Frame(self, style="Surface.TFrame")
        buttons.columnconfigure(1, weight=1)
        buttons.grid(row=3, column=0, columnspan=3, sticky="ew", pady=(look.px(12), 0))
        self._cancel = button(
            buttons, look, _("Cancel"), seat.cancel_dial, icon="hang-up", style="Danger.TButton"
        )
        # On the other side: no button takes the place of Cancel while somebody still aims at that.
        self._again = button(buttons, look, _("Call again"), self._call_again, icon="phone")
        self._close = button(buttons, look, _("Close"), seat.put_dial_away, icon="close")
        self.bind("<Configure>", lambda event: self.fit(event.width))

    def use_low_form(self, low: bool) -> None:
        """In a low window it takes less height: all of it, or nearly, has to be seen without scrolling."""
        if low == self._low:
            return
        self._low, px = low, self._look.px
        self.configure(padding=px(6) if low else px(14))
        self._icon.grid_remove() if low else self._icon.grid()
        self._why.use_lines(2 if low else 4)
        self._buttons.grid(pady=(px(4) if low else px(12), 0))
        if self._width:
            self.fit(self._width)

    def show(self) -> None:
        """Show how far it is."""
        call = self._dialling.call
        wanted = None if call is None else (call, self._dialling.may_cancel)
        if wanted == self._shown:
            return
        phase = None if self._shown is None else self._shown[0].phase
        self._shown = wanted
        if call is None:
            self.grid_remove()
            return
        failed = call.phase == "failed"
        what, why = words.dialled_text(call)
        self._what.say(what)
        self._number.say_if_any(words.dialled_number(call))
        self._why.say_if_any(why)
        set_options(self, style="Card.TFrame" if failed else "Ring.TFrame")
        enable(self._cancel, self._dialling.may_cancel)
        if failed:
            self._cancel.grid_remove()
            self._again.grid(row=0, column=2, padx=(0, self._look.px(6)))
            self._close.grid(row=0, column=3)
        else:
            self._cancel.grid(row=0, column=0)
            self._again.grid_remove()
            self._close.grid_remove()
        self.grid()
        if call.phase != phase:
            see_soon(self, self._buttons, if_still=lambda: bool(self.winfo_manager()))

    def show_time(self, now: float) -> None:
        """Show how long it lasts; `now` is the model's clock."""
        if (call := self._dialling.call) is not None:
            end = now if call.failed_at is None else call.failed_at
            set_options(self._time, text=words.clock_text(end - call.since))

    def _call_again(self) -> None:
        if (call := self._dialling.call) is not None:
            self._seat.dial(call.number, call.context)

    def fit(self, width: int) -> None:
        """So wide it is; until it is on the screen nobody knows."""
        self._width, px = width, self._look.px
        beside, edges = (px(60), px(16)) if self._low else (px(140), px(90))
        self._what.fit(max(px(80), width - beside))
        for label in (self._number, self._why):
            label.fit(max(px(80), width - edges))
