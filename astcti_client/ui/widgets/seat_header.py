"""The top of the main window: who is logged in, where, and whether calls can come. Main thread."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Iterable
from tkinter import ttk
from typing import Literal

from astcti_client.ui.i18n import _
from astcti_client.ui.state.actions import SeatActions, WindowActions
from astcti_client.ui.state.seat_call import SeatCall
from astcti_client.ui.state.seat_model import SeatModel
from astcti_client.ui.text import words
from astcti_client.ui.text.obstacles import obstacle_text
from astcti_client.ui.theme.look import Look
from astcti_client.ui.widgets.controls import InitialsDisc, button, icon_button
from astcti_client.ui.widgets.elided_label import ElidedLabel
from astcti_client.ui.widgets.options import enable, set_options
from astcti_client.ui.widgets.tooltip import Tooltip

LOW_HEIGHT = 40
"""Dots of a 96 dpi screen that the line at the top of a low window takes."""
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
        seat: SeatActions,
        post_menu: Callable[[], None],
        dial: Callable[[], None],
        show_card: Callable[[str], None],
    ) -> None:
        """`dial` is asked for the dial bar where it has no place of its own, `show_card` for a card."""
        super().__init__(parent)
        self._look, self._seat = look, seat
        self._room = look.px(200)
        self._form: WindowForm = "full"
        self._rings_too: RingingButtons | None = None
        self.columnconfigure(1, weight=1)
        self._initials = InitialsDisc(self, look, "", ground="", size=40)
        self._initials.grid(row=0, column=0, rowspan=2, padx=(0, look.px(12)))
        self._name = ElidedLabel(self, look, style="Large.TLabel", room=look.px(220))
        self._name.grid(row=0, column=1, sticky="sw")
        self._place = ElidedLabel(
            self, look, style="Muted.TLabel", lines=2, room=look.px(200), compound="left"
        )
        self._place.grid(row=1, column=1, sticky="nw")
        self._place.bind(
            "<Button-1>", lambda _event: show_card(self._rings_too.key) if self._rings_too else None
        )
        self.history = button(self, look, "", windows.show_history, style="Flat.TButton")
        self.history.configure(compound="left")
        self.history.grid(row=0, column=3, rowspan=2)
        self._history_tip = Tooltip(self.history, look, "")
        self._missed = -1
        words_of = _("Colleagues (Ctrl+K)")
        self.colleagues = icon_button(self, look, "people", words_of, windows.show_colleagues)
        self.colleagues.grid(row=0, column=4, rowspan=2)
        self.dial = icon_button(self, look, "phone", _("Call a number (Ctrl+L)"), dial)
        self.dial.grid(row=0, column=5, rowspan=2)
        self.dial.grid_remove()
        self.menu_button = icon_button(self, look, "menu", _("Menu (F10)"), post_menu)
        self.menu_button.grid(row=0, column=6, rowspan=2)
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
        # A text of two lines moves nothing.
        self.rowconfigure(0, minsize=0 if form == "full" else self._look.px(LOW_HEIGHT))
        self._fit(self.winfo_width())

    def _fit(self, width: int) -> None:
        px = self._look.px
        if self._form == "full":
            room = max(px(80), width - px(180))
            self._name.fit(room)
        else:
            shown = [part for part in (self.history, self.dial, self.menu_button) if part.winfo_manager()]
            taken = sum(part.winfo_reqwidth() for part in shown)
            if self._rings_too is not None:
                taken += self._rings_too.width
            room = max(px(60), width - taken - px(4))
        self._room = room - px(14)
        self._place.fit(self._room)

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
        beside = ringing_beside(model.calls.values()) if obstacle is None and self._form != "full" else None
        self._show_ringing(beside, model.phone_answers)
        if beside is not None:  # its card may be further down, and nothing moves the call that is talked to
            colour, text, tip = p.ring, words.rings_beside(beside), text
            if self._look.width_of(text, "TkDefaultFont") > self._room * 1.6:  # on two lines
                text, tip = words.caller(beside), text
        set_options(self._place, image=self._look.disc(9, colour, 5))
        self._place.say(text, tip)

    def _show_ringing(self, call: SeatCall | None, may_answer: bool) -> None:
        """What rings beside the call that is talked to is declined and answered here: the words make room."""
        before = self._rings_too
        if before is not None and (call is None or call.key != before.key):
            before.destroy()
            self._rings_too = None
        if call is not None:
            if self._rings_too is None:
                self._rings_too = RingingButtons(self, self._look, self._seat, call)
                self._rings_too.grid(row=0, column=2, rowspan=2)
            self._rings_too.show(call, may_answer and call.answerable)
        if (before, call) != (None, None):
            set_options(self._place, cursor="hand2" if call is not None else "")
            self._fit(self.winfo_width())

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


def ringing_beside(calls: Iterable[SeatCall]) -> SeatCall | None:
    """The first call that rings while another one is talked to."""
    live = [call for call in calls if call.phase in ("ringing", "talking") and not call.unconfirmed]
    ringing = [call for call in live if call.rings]
    return ringing[0] if ringing and len(ringing) < len(live) else None


class RingingButtons(ttk.Frame):
    """Decline and answer one call whose card may be out of sight; another call gets others, which rest."""

    def __init__(self, parent: tk.Misc, look: Look, seat: SeatActions, call: SeatCall) -> None:
        super().__init__(parent)
        self.key = call.key
        self._look = look
        self._decline = button(
            self, look, "", lambda: seat.hang_up(self.key), icon="hang-up", style="Danger.TButton"
        )
        self._decline.grid(row=0, column=0, padx=look.px(2))
        self._answer = button(
            self, look, "", lambda: seat.answer(self.key), icon="phone", style="Accent.TButton"
        )
        for made, tip in ((self._decline, _("Decline")), (self._answer, _("Answer"))):
            Tooltip(made, look, tip)

    @property
    def width(self) -> int:
        """How much of a line it takes, in dots."""
        shown = [made for made in (self._decline, self._answer) if made.winfo_manager()]
        return sum(made.winfo_reqwidth() + 2 * self._look.px(2) for made in shown)

    def show(self, call: SeatCall, may_answer: bool) -> None:
        """As it is now; `may_answer`: this phone can be told to."""
        self._answer.grid(
            row=0, column=1, padx=self._look.px(2)
        ) if may_answer else self._answer.grid_remove()
        for made in (self._decline, self._answer):
            enable(made, not call.under_way)
