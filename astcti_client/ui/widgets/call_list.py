"""All calls of this seat as cards, the one that is talked to first. Main thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from tkinter import ttk

from astcti_client.ui.i18n import _, some
from astcti_client.ui.state.actions import Actions
from astcti_client.ui.state.seat_call import SeatCall
from astcti_client.ui.state.seat_model import SeatModel
from astcti_client.ui.theme.look import Look
from astcti_client.ui.widgets.call_card import CallCard
from astcti_client.ui.widgets.controls import ScrolledFrame, see_soon
from astcti_client.ui.widgets.options import set_options

MOST_CARDS = 30  # the most urgent calls; of the others their number is told


class CallList:
    """A card each, keyed by the call, below what stands above them; a remark where there is none."""

    def __init__(
        self, place: ScrolledFrame, row: int, look: Look, actions: Actions, model: SeatModel
    ) -> None:
        """`row`: the first in `place` that is free, for all that follow."""
        self._list, self._row = place, row
        self._look, self._actions, self._model = look, actions, model
        self.cards: dict[str, CallCard] = {}
        self._order: list[str] = []
        self._low = False
        self._more = ttk.Label(place.inner, style="Muted.TLabel")
        self._empty = ttk.Label(
            place,
            text=_("No calls"),
            style="Muted.TLabel",
            compound="top",
            anchor="center",
            image=look.icon("phone", 40, look.palette.border),
        )
        for widget in (place, place.inner):
            widget.bind("<Configure>", lambda _event: self._show_empty(), add=True)
        place.bind("<Configure>", lambda _event: self._view_changed(), add=True)
        self._view_due = ""

    def use_low_form(self, low: bool) -> None:
        """Cards take less height in a low window."""
        self._low = low
        for card in self.cards.values():
            card.use_low_form(low)
            card.update_call(card.call)

    def show(self) -> None:
        """Show the model's calls."""
        dialling = self._model.dialling  # it has a card of its own until somebody answers
        calls = [call for call in self._model.calls.values() if not dialling.shows(call.key)]
        order = sorted(calls, key=_urgency)
        with_card = {call.key: call for call in order[:MOST_CARDS]}
        for key in self.cards.keys() - with_card:
            self.cards.pop(key).destroy()
        self._order = arranged(self._order, with_card)
        for row, key in enumerate(self._order, self._row):
            card = self._card(with_card[key])
            if card.grid_info().get("row") != row:
                card.grid(row=row, column=0, sticky="ew", pady=(0, self._look.px(8)))
        more = len(order) - MOST_CARDS
        if more > 0:
            text = some("{count} more call", "{count} more calls", more)
            set_options(self._more, text=text.format(count=more))
            if not self._more.winfo_manager():
                self._more.grid(row=self.last_row, column=0)
        else:
            self._more.grid_remove()
        self._show_empty()

    def show_times(self, now: float) -> None:
        """Show how long each lasts; `now` is the model's clock."""
        for card in self.cards.values():
            card.show_time(now)

    @property
    def last_row(self) -> int:
        """What comes below the calls has a later one."""
        return self._row + MOST_CARDS

    @property
    def order(self) -> tuple[str, ...]:
        """The keys of the cards, from above."""
        return tuple(self._order)

    def arrange_as(self, order: Sequence[str]) -> None:
        """Put the cards where they were in another list."""
        self._order = list(order)
        self.show()

    def transfers(self) -> dict[str, tuple[str, int]]:
        """The transfers that are being typed, by their calls."""
        found = {key: card.transfer for key, card in self.cards.items()}
        return {key: one for key, one in found.items() if one is not None}

    def transfer_again(self, transfers: dict[str, tuple[str, int]]) -> None:
        """Put back what was typed in another list."""
        for key, one in transfers.items():
            if key in self.cards:
                self.cards[key].ask_target(*one)

    def ask_transfer(self, number: str, *, first: bool = False) -> bool:
        """Have the transfer of the call that is up typed with this number; False if no call is up.

        `first`: ask the colleague who has it at once, which can be taken back.
        """
        for card in self.cards.values():
            if card.call.phase == "talking":
                card.ask_first(number) if first else card.ask_target(number)
                see_soon(*card.parts)
                return True
        return False

    def show_card(self, key: str) -> None:
        """Bring a call's card into view, if it has one."""
        if key in self.cards:
            see_soon(*self.cards[key].parts)

    def _view_changed(self) -> None:
        """The room has another size: what is talked to stays in view, else what rings."""
        if not self._view_due:
            self._view_due = self._list.after_idle(self._keep_in_view)

    def _keep_in_view(self) -> None:
        self._view_due = ""
        if not self._list.winfo_exists() or not (self._model.up and self._model.pbx_up):
            return  # then what is said above the calls is what counts
        shown = [self.cards[key] for key in self._order if self.cards[key].call.phase != "over"]
        talking = [card for card in shown if _is_talking(card.call)]
        ringing = [card for card in shown if card.call.phase == "ringing"]
        if first := (talking or ringing)[:1]:
            see_soon(*first[0].parts)

    def _nobody_talks(self) -> bool:
        return not any(_is_talking(card.call) for card in self.cards.values())

    def _show_empty(self) -> None:
        """The remark in the middle of what is free below the queues, if there is room for it."""
        used, free = self._list.inner.winfo_reqheight(), self._list.winfo_height()
        if self.cards or self._model.dialling.call is not None or free - used < self._empty.winfo_reqheight():
            self._empty.place_forget()
        elif not self._empty.winfo_manager() or str((used + free) // 2) != self._empty.place_info().get("y"):
            self._empty.place(relx=0.5, y=(used + free) // 2, anchor="center")

    def _card(self, call: SeatCall) -> CallCard:
        card = self.cards.get(call.key)
        if card is None:
            card = CallCard(
                self._list.inner,
                self._look,
                self._actions,
                call,
                self._model.transfer_targets,
                self._model.phone_answers,
                low=self._low,
            )
            self.cards[call.key] = card
            self._show_consult(card)
            if call.phase == "ringing":
                # Many queues may stand above it; but nothing moves the call that is talked to.
                see_soon(*card.parts, if_still=self._nobody_talks)
            return card
        card.offer_targets(self._model.transfer_targets)
        card.offer_answer(self._model.phone_answers)
        if card.call != call:
            card.update_call(call)
        self._show_consult(card)
        return card

    def _show_consult(self, card: CallCard) -> None:
        consults = self._model.consults
        news = card.show_consult(consults.by_call.get(card.call.key), consults.possible)
        if news is not None:
            see_soon(news)  # and what can be done about it


def arranged(before: Sequence[str], calls: Mapping[str, SeatCall]) -> list[str]:
    """The keys of `calls` from above, given the order before: as little as possible moves.

    A card keeps its place until it goes, also when its call is over. A call that is talked to is above all
    that are not. A new one comes below those that go on, and never above the first: the pointer is there.
    """
    kept = [key for key in before if key in calls]
    talking = [key for key in kept if _is_talking(calls[key])]
    order = talking + [key for key in kept if key not in talking]
    for key in sorted(calls.keys() - set(kept), key=lambda key: (calls[key].since, key)):
        if _is_talking(calls[key]):
            place = sum(_is_talking(calls[known]) for known in order)
        else:
            going = [row for row, known in enumerate(order, 1) if calls[known].phase != "over"]
            place = max(going, default=1)
        order.insert(place, key)
    return order


def _is_talking(call: SeatCall) -> bool:
    return call.was_answered and call.phase != "over"


def _urgency(call: SeatCall) -> tuple[bool, bool, float]:
    return call.phase == "over", call.phase != "ringing", -call.since
