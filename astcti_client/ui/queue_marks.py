"""The queues with a mark each: member, not member, could not be joined. Main thread."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk

from astcti_client.ui import words
from astcti_client.ui.look import Look
from astcti_client.ui.parts import Flow, Tip
from astcti_client.ui.seat_state import QueuePlace


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
        for place in places:
            self._add(place)
        self.grid() if places else self.grid_remove()
        self.lay_out()

    def _add(self, place: QueuePlace) -> None:
        look = self._look
        icon, colour = {
            "joined": ("full", look.palette.good),
            "left": ("hollow", look.palette.muted),
            "refused": ("warning", look.palette.warn),
        }[place.state]
        chip = ttk.Frame(self, style="Chip.TFrame", padding=(look.px(8), look.px(3)))
        label = ttk.Label(
            chip,
            text=" " + words.shown(place.name, 40),
            style="Chip.TLabel",
            compound="left",
            image=look.icon(icon, 12, colour, 2.6),
        )
        label.pack()
        Tip(label, look, words.queue_text(place))
