"""Where numbers are typed, pasted and dialled. Main thread."""

from __future__ import annotations

import contextlib
import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from astcti_client.net.messages import OfferedService
from astcti_client.phone_number import clean_number
from astcti_client.ui.i18n import _
from astcti_client.ui.state.actions import SeatActions
from astcti_client.ui.text import words
from astcti_client.ui.theme.look import Look
from astcti_client.ui.widgets.controls import button
from astcti_client.ui.widgets.options import set_options


class DialBar(ttk.Frame):
    """The service, the number with the redial list, the button, and why it is locked if it is."""

    def __init__(
        self, parent: tk.Misc, look: Look, seat: SeatActions, redial_list: Callable[[], list[str]]
    ) -> None:
        super().__init__(parent, style="Card.TFrame", padding=look.px(12))
        self._look, self._seat = look, seat
        self._services: tuple[OfferedService, ...] = ()
        self._dialled = ""
        """What was in the field when it was dialled last."""
        self._may, self._busy = True, False
        self._reason = ""
        self.columnconfigure(0, weight=1)
        self._service = ttk.Combobox(self, state="readonly", takefocus=True, style=look.on(self, "TCombobox"))
        self._service.bind("<<ComboboxSelected>>", self._chosen)
        self._service.grid(row=0, column=0, columnspan=2, sticky="ew", pady=(0, look.px(6)))
        self.number = ttk.Combobox(
            self, font=look.fonts["number"], postcommand=self._fill, style=look.on(self, "TCombobox")
        )
        self._redial_list = redial_list
        self._number_hint = ttk.Label(self, text=_("Number"), style="MutedCard.TLabel", cursor="xterm")
        self._number_hint.bind("<Button-1>", lambda _event: self.number.focus_set())
        for keys in ("<FocusIn>", "<FocusOut>", "<KeyRelease>", "<<ComboboxSelected>>"):
            self.number.bind(keys, lambda _event: self._show_number_hint(), add=True)
        for keys in ("<Return>", "<KP_Enter>"):
            self.number.bind(keys, lambda _event: self._dial())
        self.number.bind("<KeyRelease>", self._typed, add=True)
        self.number.bind("<<Paste>>", self._about_to_paste)
        self.number.grid(row=1, column=0, sticky="ew")
        self._button = button(self, look, _("Call"), self._dial, icon="phone", style="Accent.TButton")
        self._button.grid(row=1, column=1, padx=(look.px(8), 0))
        self._hint = ttk.Label(self, style="MutedCard.TLabel", wraplength=look.px(340), justify="left")
        self._hint.grid(row=2, column=0, columnspan=2, sticky="w", pady=(look.px(6), 0))
        self._hint.grid_remove()

    def offer(
        self, services: tuple[OfferedService, ...], may: bool, why_not: str, *, busy: bool = False
    ) -> None:
        """Offer the outbound ones of these services, or if there is none say why nothing can be called.

        With `may` False everything is locked because of `why_not`. `busy`: a call is being made.
        """
        self._may, self._why_not, self._busy = may, why_not, busy
        outbound = tuple(service for service in services if service.type == "outbound")
        services = outbound or services  # of inbound ones the lock is explained
        if services != self._services:
            chosen = self.chosen
            self._services = services
            self._service.configure(values=[words.displayable(service.name, 60) for service in services])
            place = services.index(chosen) if chosen in services else 0
            if services:
                self._service.current(place)
            else:
                self._service.set("")
        self._service.grid() if len(services) > 1 else self._service.grid_remove()
        self._lock()

    @property
    def chosen(self) -> OfferedService | None:
        """The service that is chosen."""
        place = self._service.current()
        return self._services[place] if 0 <= place < len(self._services) else None

    def say(self, text: str, *, wrong: bool = False) -> None:
        """Show a text below the number."""
        set_options(self._hint, text=text, style="ErrorCard.TLabel" if wrong else "MutedCard.TLabel")
        self._hint.grid() if text else self._hint.grid_remove()

    def type_again(self, number: str, service: OfferedService | None) -> None:
        """Put back what was typed and chosen in another one."""
        self.number.set(number)
        if service in self._services:
            self._service.current(self._services.index(service))
        self._lock()

    def _typed(self, event: tk.Event[tk.Misc]) -> None:
        if event.keysym not in ("Return", "KP_Enter") and not self._reason:
            self.say("")

    def select(self) -> None:
        """Take the keyboard; what is typed takes the place of what is there."""
        self.number.focus_force()
        self.number.selection_range(0, "end")
        self.number.icursor("end")

    def _about_to_paste(self, _event: object) -> None:
        """What was dialled is done with; what was only typed may be the beginning of what comes."""
        if self.number.get() == self._dialled:
            self.number.selection_range(0, "end")

    def _chosen(self, _event: object) -> None:
        self._service.selection_clear()
        self._lock()

    def _fill(self) -> None:
        self.number.configure(values=self._redial_list())

    def _show_number_hint(self) -> None:
        """In the empty field, while nobody is about to type there."""
        typing = self.focus_lastfor() is self.number and self.number.instate(["focus"])
        if self._reason or self.number.get() or typing:
            self._number_hint.place_forget()
        elif not self._number_hint.winfo_manager():
            self._number_hint.place(in_=self.number, x=self._look.px(11), rely=0.5, anchor="w")

    def _lock(self) -> None:
        reason = self._locked()
        state = "disabled" if reason else "normal"
        set_options(self.number, state=state)
        set_options(self._button, state="disabled" if self._busy else state)
        set_options(self._service, state="readonly" if self._services else "disabled")
        if reason != self._reason:  # else what is said stays: it may be what is wrong with the number
            self._reason = reason
            self.say(reason)
        self._show_number_hint()

    def _locked(self) -> str:
        if not self._may:
            return self._why_not
        chosen = self.chosen
        if chosen is None or not any(service.type == "outbound" for service in self._services):
            return _("You have no outbound service, so you cannot call from here.")
        return ""

    def _dial(self) -> None:
        chosen = self.chosen
        if self._locked() or chosen is None:
            return
        self._dialled = self.number.get()  # it stays until somebody answers
        problem = self._seat.dial(self._dialled, chosen.context)
        self.say(problem, wrong=bool(problem))

    def give_back(self, number: str) -> None:
        """Write a number that could not be called, to try again, unless another was typed meanwhile."""
        if not self.number.get():
            self.number.set(number)
            self._show_number_hint()

    def answered(self, number: str) -> None:
        """Somebody answered at this number: it goes, unless another was typed meanwhile."""
        with contextlib.suppress(ValueError):
            if clean_number(self.number.get()) == number:
                self.number.set("")
                self._show_number_hint()
