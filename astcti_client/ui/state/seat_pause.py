"""The pause as the server tells it, and as this client remembers it: one that was lost is not over. No Tk.

The server keeps a pause itself. One that does not, or whose memory was lost, says `310 OUT` after a new
log-in to somebody who is still away from the desk: then the client asks for the pause again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from astcti_client.ui.state.seat_state import Pause


class SeatPause:
    """`now` is what the window shows."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` gives seconds that never go back."""
        self._clock = clock
        self.now = Pause()
        self._before = Pause()
        """What was so before the request that is under way."""
        self._asked: Pause | None = None
        """What was asked for, `since` if it lasts already; None if nothing is under way."""
        self._wish: Pause | None = None
        """The pause that this agent is in, or asked for; None if it is not wanted, or ended by somebody."""
        self._told = True
        """Whether the server told the state since the last log-in began."""
        self._lost = False
        """The server does not know of the wish."""
        self._began: float | None = None
        """When the pause began that the server tells next; None if it does not say that."""

    @property
    def wish(self) -> Pause | None:
        """The pause that outlives the connection; None if none is wanted."""
        return self._wish

    def remember(self, reason: str, lasts: float) -> None:
        """An earlier run of the client was in this pause, for so many seconds."""
        if self._wish is None and self.now.phase == "out":
            self._is(Pause("in", reason, self._clock() - lasts))

    def sent_away(self) -> None:
        """Somebody else sits here or speaks for this agent now: nothing is to be asked for again."""
        self._wish = self._asked = None

    def request(self, reason: str) -> None:
        """A pause was asked for; until the server's word it counts as requested."""
        self._begin(Pause("requested", reason or self.now.reason, self._clock()))
        self._asked, self._wish = Pause("in", reason), Pause("in", reason, self._clock())

    def request_return(self) -> None:
        """The pause's end was asked for; until the server's word it counts as leaving."""
        self._begin(Pause("leaving", self.now.reason, self._clock()))
        self._asked, self._wish = Pause(), None

    def _begin(self, pause: Pause) -> None:
        if self.now.phase in ("in", "out"):  # else a request is on its way already
            self._before = self.now
        self.now = pause

    def decided(self, granted: bool) -> bool:
        """The server answered; whether anything was asked."""
        asked, self._asked = self._asked, None
        if asked is None:
            return False
        if granted:
            self._is(replace(asked, since=asked.since or self._clock()))
        else:
            self._is(self._before)
        return True

    def lasts(self, seconds: float) -> None:
        """The pause that the server tells next began so long ago, perhaps at another seat."""
        self._began = self._clock() - seconds

    def told(self, paused: bool, reason: str) -> None:
        """The server said so unasked."""
        first, self._told, self._asked = not self._told, True, None
        wish, (began, self._began) = self._wish, (self._began, None)
        if first and not paused and wish is not None:
            self._lost = True
            self.now = replace(wish, phase="requested")
        elif paused and began is not None:
            self._is(Pause("in", reason, began))
        elif paused and wish is not None and wish.reason == reason:  # it lasts since before
            self._is(replace(wish, phase="in"))
        elif paused or self.now.phase != "out":
            self._is(Pause("in" if paused else "out", reason, self._clock()))

    def _is(self, pause: Pause) -> None:
        self.now, self._wish = pause, pause if pause.phase == "in" else None

    def unanswered(self) -> bool:
        """The connection broke before the server answered; whether the agent has to know.

        Who asked for a pause may have left the desk: that stays the wish, and is asked for again.
        """
        asked, self._asked = self._asked, None
        if asked is None or asked.phase == "in":
            return False
        self.now = self._before
        return True

    def logging_in(self) -> None:
        """A new session begins: the server will tell what it knows."""
        self._told = self._lost = False
        self._began = None

    def take_lost(self) -> Pause | None:
        """The pause to ask for again, once; the request counts as made. None if the server knows it."""
        if not self._lost or self._wish is None:
            return None
        self._lost = False
        self._before, self._asked = Pause(), self._wish
        return self._wish
