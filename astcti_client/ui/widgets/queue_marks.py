"""The queues in one line, "11 of 12 queues"; opened, a line each with its mark. Main thread."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from astcti_client.ui.i18n import _, some
from astcti_client.ui.state.actions import SeatActions
from astcti_client.ui.state.seat_queues import QueueLine
from astcti_client.ui.text import words
from astcti_client.ui.theme.look import Look
from astcti_client.ui.widgets.controls import button
from astcti_client.ui.widgets.elided_label import ElidedLabel
from astcti_client.ui.widgets.options import set_options
from astcti_client.ui.widgets.press_guard import PressedOnce
from astcti_client.ui.widgets.tooltip import Tooltip

MOST_NAMED = 12  # queues that the tip names


class QueueMarks(ttk.Frame):
    """It goes away where there are no queues."""

    def __init__(self, parent: tk.Misc, look: Look, seat: SeatActions, opened: Callable[[], None]) -> None:
        """`opened` is told when the line was opened or closed: what stands below has another place."""
        super().__init__(parent)
        self._look, self._seat, self._opened = look, seat, opened
        self._shown: tuple[tuple[QueueLine, ...], str] = ((), "")
        self.columnconfigure(0, weight=1)
        self.summary = button(self, look, "", self.toggle, style="Flat.TButton")
        self.summary.grid(row=0, column=0, sticky="w")
        self._tip = Tooltip(self.summary, look, "")
        self._list = ttk.Frame(self, style="Card.TFrame", padding=look.px(8))
        self._list.columnconfigure(0, weight=1)
        self.rows: dict[str, _QueueRow] = {}
        self.is_open = False

    @property
    def has_any(self) -> bool:
        """Whether there is a queue."""
        return bool(self._shown[0])

    def show(self, lines: tuple[QueueLine, ...], why_not: str = "") -> None:
        """Show these. `why_not`: why no call can come though the phone is a member; empty if one can."""
        if (lines, why_not) == self._shown:
            return
        self._shown = (lines, why_not)
        self.grid() if lines else self.grid_remove()
        self._show_summary()
        if self.is_open:
            self._show_rows()

    def toggle(self) -> None:
        """Open the line, or close it again."""
        self.is_open = not self.is_open
        if self.is_open:
            self._show_rows()
            self._list.grid(row=1, column=0, sticky="ew", pady=(self._look.px(4), 0))
        else:
            self._list.grid_remove()
        self._show_summary()
        self._opened()

    def _show_summary(self) -> None:
        lines, why_not = self._shown
        look, joined = self._look, sum(line.queue.state == "joined" for line in lines)
        if any(line.queue.state == "refused" for line in lines):
            icon, colour = "warning", look.palette.warn
        elif joined:
            icon, colour = "full", look.palette.muted if why_not else look.palette.good
        else:
            icon, colour = "hollow", look.palette.muted
        text = some("{joined} of {count} queue", "{joined} of {count} queues", len(lines))
        if len(lines) == 1:
            text = words.displayable(lines[0].label, 40)
        arrow = "▴" if self.is_open else "▾"
        set_options(
            self.summary,
            text=f" {text.format(joined=joined, count=len(lines)) if len(lines) != 1 else text}  {arrow}",
            image=look.icon(icon, 12, colour, 2.6),
            compound="left",
        )
        out = [line for line in lines if line.queue.state != "joined"]
        told = [f"{words.displayable(line.label, 60)}: {words.queue_text(line.queue)}" for line in out]
        more = [f"+{len(told) - MOST_NAMED}"] if len(told) > MOST_NAMED else []
        self._tip.say("\n".join(filter(None, [*told[:MOST_NAMED], *more, why_not])))

    def _show_rows(self) -> None:
        """A row stays where it is as long as its queue is there; only what changed is drawn."""
        lines, why_not = self._shown
        wanted = {line.queue.name: line for line in lines}
        for name in self.rows.keys() - wanted.keys():
            self.rows.pop(name).destroy()
        for place, (name, line) in enumerate(wanted.items()):
            row = self.rows.get(name)
            if row is None:
                row = self.rows[name] = _QueueRow(self._list, self._look, self._seat, line, why_not)
            row.grid(row=place, column=0, sticky="ew", pady=(0, self._look.px(2)))
            row.show(line, why_not)


class _QueueRow(ttk.Frame):
    """One queue, with the button that leaves or joins it where that is allowed."""

    def __init__(self, parent: tk.Misc, look: Look, seat: SeatActions, line: QueueLine, why_not: str) -> None:
        super().__init__(parent, style="Surface.TFrame")
        self._look, self._seat, self._line, self._why_not = look, seat, line, why_not
        self._asked = PressedOnce(self)
        self.columnconfigure(0, weight=1)
        self._label = ElidedLabel(self, look, style="ValueCard.TLabel", room=look.px(230), compound="left")
        self._label.grid(row=0, column=0, sticky="w")
        self.change = button(self, look, "", self._press)
        self.change.configure(width=max(len(_("Leave")), len(_("Join"))) + 1)  # none moves when it turns
        self._draw()

    def show(self, line: QueueLine, why_not: str) -> None:
        """Show this one. `why_not` as for all."""
        if (line, why_not) != (self._line, self._why_not):
            self._line, self._why_not = line, why_not
            self._draw()

    def _draw(self) -> None:
        look, queue = self._look, self._line.queue
        icon, colour = {
            "joined": ("full", look.palette.muted if self._why_not else look.palette.good),
            "left": ("hollow", look.palette.muted),
            "refused": ("warning", look.palette.warn),
        }[queue.state]
        # What could not be joined has a reason to read, with the keyboard too.
        set_options(
            self._label, image=look.icon(icon, 12, colour, 2.6), takefocus=int(queue.state == "refused")
        )
        name = words.displayable(queue.name, 60)
        label = words.displayable(self._line.label, 80)
        beside = words.queue_text(queue) + ("" if label == name else f" ({name})")
        tip = "\n".join(filter(None, (beside, self._why_not)))
        self._label.say(f" {label}", tip)
        set_options(self.change, text=_("Leave") if queue.state == "joined" else _("Join"))
        if self._line.may_leave:
            self.change.grid(row=0, column=1, padx=(look.px(8), 0))
        else:
            self.change.grid_remove()

    def _press(self) -> None:
        queue = self._line.queue
        if not self._asked.begins():  # it says the same until the server has answered
            return
        if queue.state == "joined":
            self._seat.leave_queue(queue.name)
        else:
            self._seat.join_queue(queue.name)
