"""Colleagues who are asked before a call is handed over, as the server tells it. No Tk, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.events import CallEvent
from schemas.protocol import CONSULT_GOES_ON, ConsultState

OVER_TIME = 20.0  # seconds for which it is said how it ended


@dataclass(frozen=True, slots=True)
class SeatConsult:
    """Whom this seat asks about one of its calls, and how that stands."""

    key: str
    """The call's."""
    state: ConsultState
    exten: str
    over_since: float | None = None

    @property
    def goes_on(self) -> bool:
        """Whether the colleague is still asked."""
        return self.state in CONSULT_GOES_ON

    @property
    def caller_waits(self) -> bool:
        """Whether the first caller hears nobody meanwhile."""
        return self.state in (ConsultState.CALLING, ConsultState.TALKING)


class SeatConsults:
    """At most one for each call. While it goes on, the call's card is about the first caller.

    So what the server tells of the call meanwhile is kept, and taken in only if the first caller is gone.
    """

    def __init__(self) -> None:
        self.possible = False
        """Whether this seat can ask colleagues now."""
        self._by_key: dict[str, SeatConsult] = {}
        self._kept: dict[str, list[CallEvent]] = {}
        """By the calls of which the first caller was known when it began."""
        self._before: set[str] = set()
        """Those of which that was so before the connection was lost."""

    @property
    def by_call(self) -> Mapping[str, SeatConsult]:
        """All of them, also those that ended lately."""
        return self._by_key

    def told_all(self, possible: bool) -> None:
        """The server answers what this phone can do; it names the consultations that go on, all of them."""
        self.possible = possible
        self._before = {key for key in self._kept if self._by_key[key].goes_on}
        self._by_key = {key: consult for key, consult in self._by_key.items() if not consult.goes_on}
        self._kept.clear()

    def told(self, key: str, word: str, exten: str, *, known: bool, now: float) -> list[CallEvent]:
        """The server says how one stands. `known`: the call was there, with its caller, before it began.

        Returns the events that were kept and are to be taken in now.
        """
        try:
            state = ConsultState(word)
        except ValueError:  # of a newer server
            return []
        before = self._by_key.get(key)
        begins = before is None or not before.goes_on
        goes_on = state in CONSULT_GOES_ON
        self._by_key[key] = SeatConsult(key, state, exten, None if goes_on else now)
        if goes_on:
            if begins and (known or key in self._before):
                self._kept.setdefault(key, [])
            return []
        kept = self._kept.pop(key, [])
        return kept if state is ConsultState.CALLER_LEFT else []

    def keeps(self, event: CallEvent) -> bool:
        """Whether this event is kept for later; the end of a call never is."""
        kept = self._kept.get(event.call.uniqueid)
        if kept is None or event.id == "Hangup":
            return False
        kept.append(event)
        return True

    def call_over(self, key: str) -> None:
        """The call is over; what is said of it goes with its card."""
        self._kept.pop(key, None)

    def forget_old(self, now: float) -> None:
        """Let go of what ended some time ago."""
        for consult in list(self._by_key.values()):
            if consult.over_since is not None and now - consult.over_since >= OVER_TIME:
                del self._by_key[consult.key]
