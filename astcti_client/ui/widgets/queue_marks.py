"""The queues with a mark each: member, not member, could not be joined. Main thread."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk
from typing import Any

from astcti_client.ui.state.seat_state import QueuePlace
from astcti_client.ui.text import words
from astcti_client.ui.theme.look import Look
from astcti_client.ui.widgets.controls import Flow
from astcti_client.ui.widgets.elided import Elided

MOST = 12  # marks; the names of the others are a tip


class QueueMarks(Flow):
    """As many lines as the queues need; it goes away where there are none."""

    def __init__(self, parent: tk.Misc, look: Look) -> None:
        super().__init__(parent, look.px(6))
        self._look = look
        self._shown: tuple[QueuePlace, ...] | None = None

    def show(self, places: tuple[QueuePlace, ...]) -> None:
        """Show these."""
        if places == self._shown:
            return
        self._shown = places
        for widget in self.winfo_children():
            widget.destroy()
        for place in places[:MOST]:
            self._add(place)
        if more := places[MOST:]:
            self._add_rest(more)
        self.grid() if places else self.grid_remove()
        self.lay_out()

    def _add(self, place: QueuePlace) -> None:
        look = self._look
        icon, colour = {
            "joined": ("full", look.palette.good),
            "left": ("hollow", look.palette.muted),
            "refused": ("warning", look.palette.warn),
        }[place.state]
        # What could not be joined has a reason to read, with the keyboard too.
        label = self._chip(
            takefocus=place.state == "refused", image=look.icon(icon, 12, colour, 2.6), compound="left"
        )
        label.say(" " + words.shown(place.name, 60), words.queue_text(place))

    def _add_rest(self, places: tuple[QueuePlace, ...]) -> None:
        names = "\n".join(f"{words.shown(one.name, 60)}: {words.queue_text(one)}" for one in places)
        self._chip(takefocus=True).say(f"+{len(places)}", names)

    def _chip(self, **options: Any) -> Elided:
        look = self._look
        chip = ttk.Frame(self, style="Chip.TFrame", padding=(look.px(8), look.px(3)))
        label = Elided(chip, look, style="Chip.TLabel", room=look.px(155), **options)
        label.pack()
        return label
