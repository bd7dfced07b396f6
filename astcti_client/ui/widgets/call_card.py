"""A call as a card: who, through what, how long, and what can be done. Main thread."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from tkinter import ttk

from astcti_client.net.messages import OfferedTarget
from astcti_client.ui.i18n import _
from astcti_client.ui.state.actions import Actions
from astcti_client.ui.state.consulting.seat_consult import SeatConsult
from astcti_client.ui.state.seat_call import SeatCall
from astcti_client.ui.text import words
from astcti_client.ui.theme.look import Look
from astcti_client.ui.widgets.consult_row import ConsultRow
from astcti_client.ui.widgets.controls import FlowFrame, InitialsDisc, button
from astcti_client.ui.widgets.elided_label import ElidedLabel
from astcti_client.ui.widgets.options import enable, set_options
from astcti_client.ui.widgets.press_guard import GuardedButton
from astcti_client.ui.widgets.transfer_row import TransferRow

COPIED_TIME = 700  # milliseconds
MOST_CARD_VARIABLES = 12  # shown on a card; the page has them all


class CallCard(ttk.Frame):
    """One card for one call, from its ring to a while after its end."""

    def __init__(
        self,
        parent: tk.Misc,
        look: Look,
        actions: Actions,
        call: SeatCall,
        targets: tuple[OfferedTarget, ...],
        may_answer: bool,
        *,
        low: bool = False,
    ) -> None:
        """`targets` are the contexts that the call can be transferred to; `may_answer`: this phone can be
        told to answer; `low` is as in `use_low_form`.
        """
        super().__init__(parent, style="Card.TFrame", padding=look.px(14))
        self._look, self._actions, self._targets = look, actions, targets
        self._low = False
        self.call = call
        self._variables: tuple[tuple[str, str], ...] | None = None
        self._asking: TransferRow | None = None
        self._consult: SeatConsult | None = None
        self._may_consult = False
        self._consult_row: ConsultRow | None = None
        self._may_answer = may_answer
        self._answer: GuardedButton | None = None
        self._transfer: GuardedButton | None = None
        self._open: GuardedButton | None = None
        self._page: GuardedButton | None = None
        self._room = look.px(400)
        self._build()
        self.use_low_form(low)
        self.update_call(call)

    def use_low_form(self, low: bool) -> None:
        """In a low window it takes less height; the buttons are further up then. `update_call` follows."""
        self._low, px = low, self._look.px
        self.configure(padding=px(8) if low else px(14))
        self._phase.grid(pady=(0 if low else px(4), 0))
        self._buttons.grid(pady=(px(6) if low else px(12), 0))

    @property
    def parts(self) -> tuple[tk.Misc, ...]:
        """What has to be seen of it, the least important first: all, its buttons, what is being typed."""
        typed = () if self._asking is None else (self._asking,)
        consulted = () if self._consult_row is None else (self._consult_row,)
        return (self, self._buttons, *consulted, *typed)

    def offer_targets(self, targets: tuple[OfferedTarget, ...]) -> None:
        """The call can be transferred to these contexts from now on."""
        if targets != self._targets:
            self._targets = targets
            self._stop_asking()
            self._show_buttons()

    def offer_answer(self, may_answer: bool) -> None:
        """Whether this phone can be told to answer from now on."""
        if may_answer != self._may_answer:
            self._may_answer = may_answer
            self._show_buttons()

    def show_consult(self, consult: SeatConsult | None, possible: bool) -> tk.Misc | None:
        """The colleague who is asked about the call; `possible`: one can be asked.

        Returns what says so, if that is news.
        """
        self._may_consult = possible
        if consult == self._consult:
            return None
        self._consult = consult
        self.update_call(self.call)
        if consult is None:
            if self._consult_row is not None:
                self._consult_row.destroy()
                self._consult_row = None
            return None
        if self._consult_row is None:
            seat, key = self._actions.seat, self.call.key
            self._consult_row = ConsultRow(
                self, self._look, lambda: seat.hand_over(key), lambda: seat.take_back(key)
            )
            self._consult_row.grid(row=8, column=0, columnspan=3, sticky="ew", pady=(self._look.px(10), 0))
        self._consult_row.show(consult)
        return self._consult_row

    @property
    def _consulting(self) -> bool:
        return self._consult is not None and self._consult.goes_on

    def update_call(self, call: SeatCall) -> None:
        """Show the call as it is now."""
        self.call = call
        set_options(self, style="Ring.TFrame" if call.rings else "Card.TFrame")
        self._initials.show_name(words.caller(call))
        self._who.say(words.caller(call))
        number, through = words.number_beside(call), words.service_and_queue(call)
        if self._low:
            number, through = " · ".join(filter(None, (number, through))), ""
        self._number.say_if_any(number)
        self._through.say_if_any(through)
        style = {"ringing": "RingingCard.TLabel", "talking": "GoodCard.TLabel"}.get(
            call.phase, "MutedCard.TLabel"
        )
        if call.unconfirmed and call.phase != "over":
            style = "WarningCard.TLabel"
        phase = words.phase_text(call)
        if self._consult is not None and self._consult.caller_waits and call.phase == "talking":
            phase, style = _("Waits while you ask a colleague"), "MutedCard.TLabel"
        set_options(self._phase, text=phase, style=style)
        if call.interrupted:
            self._remark.say(words.interrupted_text())
            self._remark.grid()
        else:
            self._remark.grid_remove()
        self._show_variables(call.variables)
        self._show_buttons()

    def show_time(self, now: float) -> None:
        """Show how long it lasts; `now` is the model's clock."""
        call = self.call
        end = call.over_since if call.over_since is not None else now
        start = call.talking_since if call.talking_since is not None else call.since
        set_options(self._time, text=words.clock_text(end - start))

    def _build(self) -> None:
        look = self._look
        self.columnconfigure(1, weight=1)
        self._initials = InitialsDisc(self, look, "")
        self._initials.grid(row=0, column=0, rowspan=2, sticky="n", padx=(0, look.px(12)))
        self._who = ElidedLabel(self, look, style="LargeCard.TLabel", lines=2)
        self._who.grid(row=0, column=1, columnspan=2, sticky="ew")
        self._number = ElidedLabel(self, look, style="Card.TLabel")
        self._number.grid(row=1, column=1, sticky="ew")
        self._through = ElidedLabel(self, look, style="MutedCard.TLabel", lines=2)
        self._through.grid(row=2, column=1, sticky="ew")
        self._time = ttk.Label(self, style="BoldCard.TLabel", text="0:00")
        self._time.grid(row=0, column=3, sticky="ne")
        self._phase = ttk.Label(self, style="MutedCard.TLabel")
        self._phase.grid(row=3, column=1, sticky="w", pady=(look.px(4), 0))
        self._build_call_back()
        self._remark = ElidedLabel(self, look, style="WarningCard.TLabel", lines=3)
        self._remark.grid(row=7, column=0, columnspan=4, sticky="ew", pady=(look.px(8), 0))
        self._remark.grid_remove()
        self._table = ttk.Frame(self, style="Surface.TFrame")
        self._table.columnconfigure(1, weight=1)
        self._buttons = FlowFrame(self, look.px(6), style="Surface.TFrame")
        self._buttons.grid(row=5, column=0, columnspan=4, sticky="ew", pady=(look.px(12), 0))
        self._hang_up = self._add(
            _("Decline"), lambda: self._actions.seat.hang_up(self.call.key), "hang-up", "Danger.TButton"
        )
        width = self._hang_up.winfo_reqwidth()
        self._hang_up.configure(text=" " + _("Hang up"))
        self._buttons.keep_width(self._hang_up, max(width, self._hang_up.winfo_reqwidth()))
        self.bind("<Configure>", self._fit)

    def _build_call_back(self) -> None:
        """It stands apart from what ends a call, where nothing else ever was; its room is kept free."""
        room = ttk.Frame(self, style="Surface.TFrame")
        self._call_back = button(room, self._look, _("Call back"), self._call_number, icon="phone")
        self._beside = self._call_back.winfo_reqwidth()
        room.configure(width=self._beside, height=self._call_back.winfo_reqheight())
        room.grid(row=1, column=2, rowspan=3, columnspan=2, sticky="se", padx=(self._look.px(8), 0))
        self.columnconfigure(
            2, minsize=max(0, self._beside - self._look.px(40))
        )  # the rest is below the time

    def _fit(self, event: tk.Event[tk.Misc]) -> None:
        self._fit_to(event.width)

    def _fit_to(self, width: int) -> None:
        """To be as wide as this; until it is on the screen nobody knows."""
        self._room = width
        px = self._look.px
        self._who.fit(max(px(80), width - px(140)))  # beside the portrait and the time
        beside = max(px(60), width - px(90) - self._beside)  # beside the portrait and *Call back*
        self._number.fit(beside)
        self._through.fit(beside)
        set_options(self._phase, wraplength=beside)
        below = max(px(80), width - px(40))
        self._remark.fit(below)
        for label in self._table.grid_slaves(column=1):
            assert isinstance(label, ElidedLabel)
            label.fit(max(px(60), below - px(110)))
        for label in self._table.grid_slaves(column=0):
            assert isinstance(label, ElidedLabel)
            label.fit(px(100))

    def _copy(self, label: ElidedLabel, text: str, _event: object) -> str:
        self._actions.windows.copy(text)
        label.state(["active"])  # in another colour for a moment: it is done
        label.after(COPIED_TIME, lambda: label.winfo_exists() and label.state(["!active"]))
        return "break"

    def _show_variables(self, variables: tuple[tuple[str, str], ...]) -> None:
        if variables == self._variables:
            return
        self._variables = variables
        for widget in self._table.winfo_children():
            widget.destroy()
        for row, (key, value) in enumerate(variables[:MOST_CARD_VARIABLES]):
            name = ElidedLabel(self._table, self._look, style="SmallCard.TLabel", lines=2)
            name.say(words.displayable(key, 60))
            name.grid(row=row, column=0, sticky="nw", padx=(0, self._look.px(10)))
            label = ElidedLabel(self._table, self._look, style="ValueCard.TLabel", lines=3, takefocus=True)
            label.say(words.displayable(value) or "–", _("Double click, Enter or Ctrl+C copies it"))
            label.grid(row=row, column=1, sticky="w")
            for keys in ("<Double-Button-1>", "<Return>", "<KP_Enter>", "<space>", "<Control-c>"):
                label.bind(keys, partial(self._copy, label, value))
        self._fit_to(self._room)
        if variables:
            # Below the buttons, which so keep their places when more is known of a call.
            self._table.grid(row=9, column=0, columnspan=4, sticky="ew", pady=(self._look.px(8), 0))
        else:
            self._table.grid_remove()

    def _show_buttons(self) -> None:
        """Each button has its place from its first moment until the card goes: it is only switched.

        So no other one ever comes to where somebody is about to click.
        """
        call = self.call
        live = call.phase != "over" and not call.unconfirmed
        free = live and not call.under_way and not self._consulting
        rang = call.phase == "ringing" or (call.phase == "over" and not call.was_answered)
        decline = rang and call.direction != "outbound"
        set_options(self._hang_up, text=" " + (_("Decline") if decline else _("Hang up")))
        enable(self._hang_up, free)
        may_answer = self._may_answer and call.answerable
        if may_answer and self._answer is None:
            self._answer = self._add(
                _("Answer"), lambda: self._actions.seat.answer(self.call.key), "phone", "Accent.TButton"
            )
        if self._answer is not None:
            enable(self._answer, may_answer and free)
        if self._targets and self._transfer is None:
            self._transfer = self._add(_("Transfer"), self._transfer_pressed, "transfer")
        may_transfer = live and call.phase in ("talking", "parted") and bool(self._targets)
        if self._transfer is not None:
            enable(self._transfer, may_transfer and free)
        if not may_transfer:
            self._stop_asking()
        if call.interrupted and self._open is None:
            self._open = self._add(_("Open"), self._open_interrupted, "page", "Accent.TButton")
        if self._open is not None:
            enable(self._open, bool(call.interrupted))
        if call.pages and self._page is None:
            self._page = self._add(_("Page"), lambda: self._actions.pages.open_pages(self.call), "page")
        if self._page is not None:
            enable(self._page, bool(call.pages))
        enable(self._call_back, call.phase == "over" and not call.under_way)
        if call.phase == "over" and call.number:
            self._call_back.place(relx=1.0, rely=1.0, anchor="se")
        else:
            self._call_back.place_forget()

    def _open_interrupted(self) -> None:
        self._actions.pages.open_interrupted(self.call)
        self.update_call(replace(self.call, interrupted=()))

    def _call_number(self) -> None:
        if problem := self._actions.seat.call_back(self.call.key):
            self._phase.configure(text=problem, style="WarningCard.TLabel")

    def _add(
        self, text: str, command: Callable[[], object], icon: str, style: str = "TButton"
    ) -> GuardedButton:
        made = button(self._buttons, self._look, text, command, icon=icon, style=style)
        self._buttons.lay_out()
        return made

    # --- transfer ---

    @property
    def transfer(self) -> tuple[str, int] | None:
        """Number and place of the service of the transfer that is being typed."""
        return None if self._asking is None else (self._asking.number.get(), self._asking.service.current())

    def ask_target(self, number: str = "", service: int = 0) -> None:
        """Ask for a transfer's target."""
        self._stop_asking()
        seat, key = self._actions.seat, self.call.key
        consult = partial(seat.consult, key) if self._may_consult else None
        self._asking = TransferRow(
            self, self._look, self._targets, partial(seat.transfer, key), consult, self._stop_asking
        )
        self._asking.number.insert(0, number)
        if 0 <= service < len(self._targets):
            self._asking.service.current(service)
        self._asking.grid(row=6, column=0, columnspan=4, sticky="ew", pady=(self._look.px(8), 0))

    def ask_first(self, number: str) -> None:
        """Ask the colleague with this number about the call; what is wrong is said in the transfer's row."""
        self.ask_target(number)
        if self._asking is not None:
            self._asking.ask_first()

    def _transfer_pressed(self) -> None:
        if self._asking is not None:
            self._stop_asking()
            return
        self.ask_target()
        assert self._asking is not None
        self._asking.number.focus_set()

    def _stop_asking(self) -> None:
        if self._asking is not None:
            inside = str(self.focus_get() or "").startswith(str(self._asking))
            self._asking.destroy()
            self._asking = None
            if inside and self._transfer is not None:
                self._transfer.focus_set()
