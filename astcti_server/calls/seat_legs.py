"""The legs of the seats' phones, by extension. AMI thread only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from astcti_server.calls.model import AsteriskCall, Leg, Party
from astcti_server.explain.call_trails import CallTrails


class SeatLegs:
    """Makes a leg for each channel of a seat's phone, and finds the legs of a seat."""

    def __init__(self, trails: CallTrails) -> None:
        self._trails = trails
        self._seats: frozenset[str] = frozenset()
        self._parties: dict[str, dict[Party, None]] = {}

    def configure(self, extensions: Iterable[str], calls: Iterable[AsteriskCall]) -> None:
        """Other phones are seats' now: their running calls get a leg, those of former seats lose it."""
        self._seats = frozenset(extensions)
        for call in calls:
            if call.party.leg is None:
                self.make(call.party)
            elif call.party.device not in self._seats:
                self.forget(call.party)

    def make(self, party: Party) -> None:
        """Give a new channel a leg if it is of a seat's phone."""
        if party.device in self._seats and not party.call.is_local and not party.call.edgeless:
            party.make_leg(self._trails.begin())
            self._parties.setdefault(party.device, {})[party] = None

    def forget(self, party: Party) -> None:
        """The leg is over."""
        if party.leg is None:
            return
        party.end_leg()
        parties = self._parties.get(party.device)
        if parties is not None:
            parties.pop(party, None)
            if not parties:
                del self._parties[party.device]

    def count(self) -> tuple[int, int]:
        """How many seats' phones are in a call with somebody, and how many more ring."""
        seats = [[party.leg for party in parties if party.leg] for parties in self._parties.values()]
        talking = sum(any(leg.linked for leg in legs) for legs in seats)
        return talking, sum(any(leg.ringing or leg.linked for leg in legs) for legs in seats) - talking

    def in_use(self) -> dict[str, Literal["ringing", "talking"]]:
        """What each seat's phone does that is in a call or calls somebody, or rings, by extension.

        A leg that is linked no more may be between two conversations.
        """
        found: dict[str, Literal["ringing", "talking"]] = {}
        for extension, parties in self._parties.items():
            legs = [party.leg for party in parties if party.leg]
            if any(leg.linked or leg.talked or leg.party.began for leg in legs):
                found[extension] = "talking"
            elif any(leg.ringing for leg in legs):
                found[extension] = "ringing"
        return found

    def of(self, extension: str) -> list[Leg]:
        """The legs of a seat, the oldest first."""
        return [party.leg for party in self._parties.get(extension, ()) if party.leg is not None]

    def known_as(self, extension: str, uniqueid: str) -> Leg | None:
        """The seat's leg that its client knows by this id; None if that is not, or no longer, its own."""
        return next((leg for leg in self.of(extension) if leg.party.uniqueid == uniqueid), None)
