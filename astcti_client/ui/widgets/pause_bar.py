"""Available, in pause, or not reached by calls; since when and why; the button for the pause. Main thread."""

from __future__ import annotations

import tkinter as tk
from functools import partial
from tkinter import ttk
from typing import Any

from astcti_client.ui.i18n import _
from astcti_client.ui.state.actions import SeatActions
from astcti_client.ui.state.seat_model import SeatModel
from astcti_client.ui.text import words
from astcti_client.ui.text.obstacles import obstacle_text
from astcti_client.ui.theme.look import Look
from astcti_client.ui.widgets.controls import button
from astcti_client.ui.widgets.elided_label import ElidedLabel
from astcti_client.ui.widgets.menu_letters import menu_letters
from astcti_client.ui.widgets.options import set_options


class PauseBar(ttk.Frame):
    """A card across the window."""

    def __init__(self, parent: tk.Misc, look: Look, seat: SeatActions, model: SeatModel) -> None:
        super().__init__(parent, style="Card.TFrame", padding=(look.px(14), look.px(10)))
        self._look, self._seat, self._model = look, seat, model
        self.columnconfigure(1, weight=1)
        self._icon = ttk.Label(self, style="Card.TLabel")
        self._icon.grid(row=0, column=0, padx=(0, look.px(10)))
        self._words = ElidedLabel(self, look, style="BoldCard.TLabel", lines=2)
        self._words.grid(row=0, column=1, sticky="w")
        self._time = ttk.Label(self, style="MutedCard.TLabel")
        self._time.grid(row=0, column=2, padx=look.px(8))
        self.button = button(self, look, "", self.press)
        self.button.grid(row=0, column=3)
        self.bind("<Configure>", self._fit)

    def use_low_form(self, low: bool) -> None:
        """In a low window time and button alone, beside the header, which says the rest; `show` follows."""
        look = self._look
        self.configure(
            style="TFrame" if low else "Card.TFrame", padding=0 if low else (look.px(14), look.px(10))
        )
        self._time.configure(style="Muted.TLabel" if low else "MutedCard.TLabel")
        for part in (self._icon, self._words):
            part.grid_remove() if low else part.grid()

    def show(self) -> None:
        """Show the model's pause, which stays in view without a connection, or what else keeps calls away."""
        model, look = self._model, self._look
        pause, obstacle = model.pause, model.obstacle
        colour = look.palette.good if obstacle is None else look.palette.warn
        if not model.up:
            colour = look.palette.muted
        icon, text, tip = "pause", words.pause_text(pause), ""
        if pause.phase == "out":
            icon = "check" if obstacle is None else "warning"
            if obstacle is not None:  # the header above it says why
                text, tip = _("Not receiving calls"), obstacle_text(obstacle)
        set_options(self._icon, image=look.icon(icon, 20, colour))
        self._words.say(text, tip)
        away = pause.phase in ("in", "leaving")
        sign, ink = ("play", look.palette.on_accent) if away else ("pause", look.palette.text)
        pictures: Any = (look.icon(sign, 16, ink), "disabled", look.icon(sign, 16, look.palette.muted))
        set_options(
            self.button,
            text=" " + (_("Come back") if away else _("Pause")),
            compound="left",
            image=pictures,
            style=look.on(self, "Accent.TButton" if away else "TButton"),
            state="normal" if model.up and pause.phase in ("in", "out") else "disabled",
        )

    def show_time(self, now: float) -> None:
        """Show how long it lasts; `now` is the model's clock."""
        pause = self._model.pause
        lasts = words.clock_text(now - pause.since) if pause.phase in ("in", "requested") else ""
        set_options(self._time, text=lasts)

    def press(self) -> None:
        """Come back from the pause, or offer the reasons for one."""
        model = self._model
        if str(self.button.cget("state")) == "disabled":
            return
        if model.pause.phase == "in":
            self._seat.ask_return()
        elif not model.reasons:
            self._seat.ask_pause("")
        else:
            menu = tk.Menu(self, tearoff=False)
            add_reasons(menu, model, self._seat)
            menu.tk_popup(self.button.winfo_rootx(), self.button.winfo_rooty() + self.button.winfo_height())

    def _fit(self, event: tk.Event[tk.Misc]) -> None:
        self._words.fit(max(self._look.px(80), event.width - self._look.px(230)))


def add_reasons(menu: tk.Menu, model: SeatModel, seat: SeatActions) -> None:
    """The pause's reasons as entries of a menu."""
    labels = [*(words.displayable(reason, 60) for reason in model.reasons), _("Without a reason")]
    letters = menu_letters(labels)
    for reason, label, letter in zip(model.reasons, labels, letters, strict=False):  # the last is no reason
        menu.add_command(label=label, command=partial(seat.ask_pause, reason), underline=letter)
    if model.reasons:
        menu.add_separator()
    menu.add_command(label=labels[-1], command=lambda: seat.ask_pause(""), underline=letters[-1])
