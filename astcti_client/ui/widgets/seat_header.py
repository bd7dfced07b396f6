"""The top of the main window: who is logged in, where, and whether calls can come. Main thread."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

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


class SeatHeader(ttk.Frame):
    """Name, extension and a dot that is green while a call can come, else why none can; and two buttons."""

    def __init__(
        self, parent: tk.Misc, look: Look, windows: WindowActions, post_menu: Callable[[], None]
    ) -> None:
        super().__init__(parent)
        self._look = look
        self.columnconfigure(1, weight=1)
        self._initials = InitialsDisc(self, look, "", ground="", size=40)
        self._initials.grid(row=0, column=0, rowspan=2, padx=(0, look.px(12)))
        self._name = ElidedLabel(self, look, style="Large.TLabel", room=look.px(220))
        self._name.grid(row=0, column=1, sticky="sw")
        self._place = ElidedLabel(
            self, look, style="Muted.TLabel", lines=2, room=look.px(200), compound="left"
        )
        self._place.grid(row=1, column=1, sticky="nw")
        self.history = button(self, look, "", windows.show_history, style="Flat.TButton")
        self.history.configure(compound="left")
        self.history.grid(row=0, column=2, rowspan=2)
        self._history_tip = Tooltip(self.history, look, "")
        self._missed = -1
        words_of = _("Colleagues (Ctrl+K)")
        self.colleagues = icon_button(self, look, "people", words_of, windows.show_colleagues)
        self.colleagues.grid(row=0, column=3, rowspan=2)
        self.menu_button = icon_button(self, look, "menu", _("Menu (F10)"), post_menu)
        self.menu_button.grid(row=0, column=4, rowspan=2)
        self.bind("<Configure>", self._fit)

    def _fit(self, event: tk.Event[tk.Misc]) -> None:
        room = max(self._look.px(80), event.width - self._look.px(180))
        self._name.fit(room)
        self._place.fit(room - self._look.px(14))

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
        set_options(self._place, image=self._look.disc(9, colour))
        self._place.say(f" {text}", tip)

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
