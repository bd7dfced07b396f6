"""The queues with a mark each: calls come, member all the same, not member, refused. Main thread."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk
from typing import Any

from astcti_client.ui.state.seat_state import SeatQueue
from astcti_client.ui.text import words
from astcti_client.ui.theme.look import Look
from astcti_client.ui.widgets.controls import FlowFrame
from astcti_client.ui.widgets.elided_label import ElidedLabel

MOST_QUEUES_SHOWN = 12  # marks; the names of the others are a tip


class QueueMarks(FlowFrame):
    """As many lines as the queues need; it goes away where there are none."""

    def __init__(self, parent: tk.Misc, look: Look) -> None:
        super().__init__(parent, look.px(6))
        self._look = look
        self._shown: tuple[tuple[SeatQueue, ...], str] | None = None
        self._why_not = ""

    def show(self, queues: tuple[SeatQueue, ...], why_not: str = "") -> None:
        """Show these. `why_not`: why no call can come though the phone is a member; empty if one can."""
        if (queues, why_not) == self._shown:
            return
        self._shown, self._why_not = (queues, why_not), why_not
        for widget in self.winfo_children():
            widget.destroy()
        for queue in queues[:MOST_QUEUES_SHOWN]:
            self._add(queue)
        if more := queues[MOST_QUEUES_SHOWN:]:
            self._add_rest(more)
        self.grid() if queues else self.grid_remove()
        self.lay_out()

    def _add(self, queue: SeatQueue) -> None:
        look = self._look
        icon, colour = {
            "joined": ("full", look.palette.muted if self._why_not else look.palette.good),
            "left": ("hollow", look.palette.muted),
            "refused": ("warning", look.palette.warn),
        }[queue.state]
        # What could not be joined has a reason to read, with the keyboard too.
        label = self._chip(
            takefocus=queue.state == "refused", image=look.icon(icon, 12, colour, 2.6), compound="left"
        )
        tip = "\n".join(filter(None, (words.queue_text(queue), self._why_not)))
        label.say(" " + words.displayable(queue.name, 60), tip)

    def _add_rest(self, queues: tuple[SeatQueue, ...]) -> None:
        names = "\n".join(
            f"{words.displayable(queue.name, 60)}: {words.queue_text(queue)}" for queue in queues
        )
        self._chip(takefocus=True).say(f"+{len(queues)}", names)

    def _chip(self, **options: Any) -> ElidedLabel:
        look = self._look
        chip = ttk.Frame(self, style="Chip.TFrame", padding=(look.px(8), look.px(3)))
        label = ElidedLabel(chip, look, style="Chip.TLabel", room=look.px(155), **options)
        label.pack()
        return label
