"""Calls that clients asked for and whose `OriginateResponse` is still to come. AMI thread only."""

from __future__ import annotations

from typing import Literal, NamedTuple

from astcti_server.calls.model import Party
from astcti_server.calls.state.call_ends import phone_end
from schemas.configuration.model import Service
from schemas.events import PhoneEnd

ORIGINATIONS_REMEMBERED = (
    10_000  # an Asterisk that never answers must not fill the memory; the oldest are forgotten
)


class Origination(NamedTuple):
    """What a client asked for with ORIG: from which phone, where to, through which outbound service."""

    extension: str
    exten: str
    context: str
    service: Service | None
    """As it was when the client asked: the call keeps it, whatever is configured next."""
    told: bool = True
    """Whether the client hears what became of it. Of a call to ask a colleague it hears otherwise."""


class _Pending:
    """An origination, and the channels of its phone that appeared since."""

    __slots__ = ("asked", "cancelled", "parties")

    def __init__(self, asked: Origination) -> None:
        self.asked = asked
        self.parties: list[Party] = []
        self.cancelled = False

    def cancel(self) -> Party | None:
        """The client does not want it any more. Returns whom to hang up."""
        self.cancelled = True
        return self.phone()

    def phone(self) -> Party | None:
        """Who rings for it, or rang: nobody dialled that one. An ActionID is in no channel's event.

        An ID of our own for the channel (ChannelId, 12 and later) would be in the site's call records.
        """
        return next((party for party in self.parties if not party.dialled), None)


class Originations:
    """Pending originations by the ActionID of their action, and by the phone that rings for them."""

    def __init__(self) -> None:
        self._pending: dict[str, _Pending] = {}
        self._at: dict[str, _Pending] = {}
        """The last one of each phone; by extension."""

    def add(self, action_id: str, origination: Origination) -> None:
        """Remember an origination whose action is about to be written."""
        while len(self._pending) >= ORIGINATIONS_REMEMBERED:
            self.take(next(iter(self._pending)))
        pending = self._pending[action_id] = _Pending(origination)
        if origination.told:  # one to ask a colleague is given up in another way
            self._at[origination.extension] = pending

    def waits_at(self, extension: str) -> bool:
        """Whether this phone rings for a call of its own, or is about to."""
        return extension in self._at

    def phone_began(self, party: Party) -> None:
        """A channel of a seat's phone appeared."""
        if self._at and (pending := self._at.get(party.device)) is not None:
            pending.parties.append(party)

    def cancel(self, extension: str) -> Party | None:
        """The client does not want it any more. Whom to hang up; None if no channel was told of yet."""
        pending = self._at[extension]
        return pending.cancel()

    def end_at_phone(self, action_id: str, reason: int) -> PhoneEnd | Literal[""]:
        """Why the phone took no part in one that failed with this code; empty if it is not one of ours."""
        pending = self._pending.get(action_id)
        if pending is None:
            return ""
        if pending.cancelled:
            return "cancelled"
        phone = pending.phone()
        if phone is None:
            return phone_end(reason, "", "")
        return phone_end(reason, phone.call.state or "Down", phone.ring_end)

    def take(self, action_id: str) -> Origination | None:
        """The origination that a response belongs to, once; None if it is not one of ours."""
        pending = self._pending.pop(action_id, None)
        if pending is None:
            return None
        if self._at.get(pending.asked.extension) is pending:
            del self._at[pending.asked.extension]
        return pending.asked

    def forget(self, action_id: str) -> None:
        """No response is to be waited for any more."""
        self.take(action_id)

    def clear(self) -> None:
        """The connection is gone, and with it every response."""
        self._pending.clear()
        self._at.clear()
