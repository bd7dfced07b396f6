"""Every channel of the moment as a value that may cross threads, made piece by piece. AMI thread."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from astcti_server.calls.model import AsteriskCall
from astcti_server.calls.table import CallTable


class LiveChannel(NamedTuple):
    """A channel, and who is on it, as the server knows them. What is not known is empty."""

    uniqueid: str
    linkedid: str
    """The id of the call's first channel (Asterisk 12 and later)."""
    channel: str
    state: str
    """In Asterisk's words: `Ring`, `Ringing`, `Up` ..."""
    local: bool
    """A half of a Local channel, or of a masquerade, or a technical one: nobody is on it."""
    number: str
    name: str
    """Of who is on it."""
    exten: str
    """What it dialled last."""
    queue: str
    """In which it waits, or by which it was served."""
    extension: str
    """The seat's, if it is a seat's phone."""
    service: str
    """That its call was found to belong to, of a seat's phone."""
    talks_with: tuple[str, ...]
    """The uniqueids of those that hear it now."""


def live_channels(table: CallTable) -> Iterator[LiveChannel | None]:
    """Each channel that was there at the beginning, as it is when it is its turn; None if it is gone by then.

    Events may be taken in between two of them.
    """
    for call in table.all():
        yield _live_channel(call) if table.find(call.uniqueid) is call else None


def _live_channel(call: AsteriskCall) -> LiveChannel:
    party = call.party
    leg = party.leg
    service = leg.service if leg is not None else None
    return LiveChannel(
        call.uniqueid,
        party.linkedid,
        call.channel,
        call.state,
        call.is_local or call.edgeless,
        party.number,
        party.name,
        party.exten,
        party.queue,
        leg.extension if leg is not None else "",
        service.name if service is not None else "",
        tuple([other.call.uniqueid for other, pair in party.pairs.items() if pair.connected]),
    )
