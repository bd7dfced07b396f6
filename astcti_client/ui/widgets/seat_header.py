"""The top of the main window: who is logged in, where, and whether calls can come. Main thread."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk
from typing import Literal

from astcti_client.ui.i18n import _
from astcti_client.ui.state.actions import WindowActions
from astcti_client.ui.state.seat_model import SeatModel
from astcti_client.ui.text import words
from astcti_client.ui.text.obstacles import obstacle_text
from astcti_client.ui.theme.look import Look
from astcti_client.ui.widgets.controls import InitialsDisc, button, icon_button
from astcti_client.ui.widgets.elided_label import ElidedLabel
from astcti_client.ui.widgets.options import set_options
from astcti_client.ui.widgets.tooltip import Tooltip

WindowForm = Literal["full", "low", "mini"]
"""How much the main window shows: in a low one calls have the room, in the mini view there is little else."""


class SeatHeader(ttk.Frame):
    """Name, extension and a dot that is green while a call can come, else why none can; and some buttons.

    In a low window a line that says what the pause bar says otherwise, and a button for dialling.
    """

    def __init__(
        self,
        parent: tk.Misc,
        look: Look,
        windows: WindowActions,
        post_menu: Callable[[], None],
        dial: Callable[[], None],
        show_ringing: Callable[[], None],
    ) -> None:
        """`dial` is asked for the dial bar where it has no place of its own, `show_ringing` for a card."""
        super().__init__(parent)
        self._look = look
        self._form: WindowForm = "full"
        self.columnconfigure(1, weight=1)
        self._initials = InitialsDisc(self, look, "", ground="", size=40)
        self._initials.grid(row=0, column=0, rowspan=2, padx=(0, look.px(12)))
        self._name = ElidedLabel(self, look, style="Large.TLabel", room=look.px(220))
        self._name.grid(row=0, column=1, sticky="sw")
        self._place = ElidedLabel(
            self, look, style="Muted.TLabel", lines=2, room=look.px(200), compound="left"
        )
        self._place.grid(row=1, column=1, sticky="nw")
        self._rings_too = False
        self._place.bind("<Button-1>", lambda _event: show_ringing() if self._rings_too else None)
        self.history = button(self, look, "", windows.show_history, style="Flat.TButton")
        self.history.configure(compound="left")
        self.history.grid(row=0, column=2, rowspan=2)
        self._history_tip = Tooltip(self.history, look, "")
        self._missed = -1
        words_of = _("Colleagues (Ctrl+K)")
        self.colleagues = icon_button(self, look, "people", words_of, windows.show_colleagues)
        self.colleagues.grid(row=0, column=3, rowspan=2)
        self.dial = icon_button(self, look, "phone", _("Call a number (Ctrl+L)"), dial)
        self.dial.grid(row=0, column=4, rowspan=2)
        self.dial.grid_remove()
        self.menu_button = icon_button(self, look, "menu", _("Menu (F10)"), post_menu)
        self.menu_button.grid(row=0, column=5, rowspan=2)
        self.bind("<Configure>", lambda event: self._fit(event.width))

    def use_form(self, form: WindowForm) -> None:
        """Show as much as the window has room for; `show` is to follow."""
        self._form = form
        for widget, forms in (
            (self._initials, ("full",)),
            (self._name, ("full",)),
            (self.history, ("full", "low")),
            (self.colleagues, ("full",)),
            (self.dial, ("low",)),
        ):
            widget.grid() if form in forms else widget.grid_remove()
        self._place.grid(row=1 if form == "full" else 0, rowspan=1 if form == "full" else 2)
        self._place.grid(sticky="nw" if form == "full" else "w")
        self._fit(self.winfo_width())

    def _fit(self, width: int) -> None:
        px = self._look.px
        if self._form == "full":
            room = max(px(80), width - px(180))
            self._name.fit(room)
        else:
            shown = [part for part in (self.history, self.dial, self.menu_button) if part.winfo_manager()]
            room = max(px(60), width - sum(part.winfo_reqwidth() for part in shown) - px(4))
        self._place.fit(room - px(14))

    def show(self, model: SeatModel) -> None:
        """Show whom the model knows, and whether calls can come."""
        p = self._look.palette
        name = words.displayable(model.full_name or model.username, 60) or "AsteriskCTI"
        self._name.say(name)
        self._initials.show_name(name)
        self._show_missed(model.missed)
        extension, obstacle = words.displayable(model.extension, 40), model.obstacle
        if obstacle is None:
            colour, text, tip = p.good, extension or _("Available"), _("Available")
        else:
            colour = p.bad if model.connection.phase in ("waiting", "ended") else p.warn
            text, tip = obstacle_text(obstacle), extension
        if self._form != "full" and model.pause.phase != "out":
            text, tip = words.pause_text(model.pause), text
        beside = words.rings_beside(model.calls.values()) if obstacle is None and self._form != "full" else ""
        if beside:  # its card may be further down, and nothing moves the call that is talked to
            colour, text, tip = p.ring, beside, text
        if bool(beside) != self._rings_too:
            self._rings_too = bool(beside)
            self._place.configure(cursor="hand2" if beside else "")
        set_options(self._place, image=self._look.disc(9, colour, 5))
        self._place.say(text, tip)

    def _show_missed(self, missed: int) -> None:
        """How many calls were missed, on the button that opens the history."""
        if missed == self._missed:
            return
        self._missed = missed
        p, tip = self._look.palette, _("History (Ctrl+H)")
        icon, colour = ("missed", p.bad) if missed else ("history", p.muted)
        self.history.configure(
            image=self._look.icon(icon, 18, colour),
            text=f" {missed}" if missed else "",
            style="Alert.Flat.TButton" if missed else "Flat.TButton",
        )
        self._history_tip.say(f"{words.missed_text(missed)}\n{tip}" if missed else tip)
