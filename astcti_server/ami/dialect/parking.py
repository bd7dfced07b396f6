"""Parking places, as any Asterisk tells of them.

From 12 on res_parking names the parked channel `Parkee...` and who fetches it `Retriever...`, and tells so in
a thread of its own, often after the two hear each other. Before 12 the parked channel is `Channel` (with a
`Uniqueid` in some events and versions), and who fetches it is `From`, by name alone (features.c).
"""

from __future__ import annotations

from typing import Final

from astcti_server.ami.dialect.text import known
from astcti_server.ami.vocabulary import Parked, TelephoneEvent, Unparked
from astcti_server.ami.wire.messages import AmiEvent

_PARKED: Final = (
    "ParkeeUniqueid",
    "Uniqueid",
    "ParkeeChannel",
    "Channel",
    "RetrieverUniqueid",
    "RetrieverChannel",
    "From",
)


def parked(event: AmiEvent) -> list[TelephoneEvent]:
    """ParkedCall."""
    uniqueid, old_uniqueid, channel, old_channel, _retriever, _channel, _parker = event.values(_PARKED)
    return [Parked(known(uniqueid or old_uniqueid), channel or old_channel)]


def fetched(event: AmiEvent) -> list[TelephoneEvent]:
    """UnParkedCall."""
    uniqueid, old_uniqueid, channel, old_channel, retriever, retriever_channel, old_retriever = event.values(
        _PARKED
    )
    told = Unparked(
        known(uniqueid or old_uniqueid),
        channel or old_channel,
        known(retriever),
        retriever_channel or old_retriever,
    )
    return [told]


def not_fetched(event: AmiEvent) -> list[TelephoneEvent]:
    """ParkedCallGiveUp, ParkedCallTimeOut."""
    uniqueid, old_uniqueid, channel, old_channel, _retriever, _channel, _parker = event.values(_PARKED)
    return [Unparked(known(uniqueid or old_uniqueid), channel or old_channel, "", "")]
