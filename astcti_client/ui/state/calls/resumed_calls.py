"""What a resumed session says of calls: which go on, and which were over before anybody was told. No Tk."""

from __future__ import annotations

from collections.abc import Iterable

from astcti_client.net.messages import Resumed
from astcti_client.ui.state.seat_call import SeatCall
from schemas.protocol import ResumeMode


class ResumedCalls:
    """Calls that the server did not tell of yet, and those that it tells of too late."""

    def __init__(self) -> None:
        self.late: dict[str, SeatCall] = {}
        """Over by now, told up to somewhere: they are shown once they are told to be over."""
        self._unlisted: set[str] | None = None
        """While the server lists what goes on: what it has not named."""

    def begin(self, resumed: Resumed, keys: Iterable[str]) -> None:
        """The server begins to tell; `keys` are the calls that are known. A list may be cut and go on."""
        if resumed.mode == ResumeMode.STATE:
            self.late.clear()
            self._unlisted = set(keys)

    def named(self, key: str) -> None:
        """The server told of this call."""
        if self._unlisted:
            self._unlisted.discard(key)

    def end(self) -> set[str]:
        """It told all: what was known and is over."""
        unlisted, self._unlisted = self._unlisted or set(), None
        return unlisted
