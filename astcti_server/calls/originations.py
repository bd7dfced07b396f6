"""Calls that clients asked for and whose `OriginateResponse` is still to come. AMI thread only."""

from __future__ import annotations

from typing import NamedTuple

from schemas.configuration.model import Service

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


class Originations:
    """Pending originations by the ActionID of their action."""

    def __init__(self) -> None:
        self._pending: dict[str, Origination] = {}

    def add(self, action_id: str, origination: Origination) -> None:
        """Remember an origination whose action is about to be written."""
        while len(self._pending) >= ORIGINATIONS_REMEMBERED:
            del self._pending[next(iter(self._pending))]
        self._pending[action_id] = origination

    def take(self, action_id: str) -> Origination | None:
        """The origination that a response belongs to, once; None if it is not one of ours."""
        return self._pending.pop(action_id, None)

    def clear(self) -> None:
        """The connection is gone, and with it every response."""
        self._pending.clear()
