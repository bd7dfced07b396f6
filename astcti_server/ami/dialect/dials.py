"""Who rings whom, as any Asterisk says it: `Dial` before 12, `DialBegin` and `DialEnd` from then on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from astcti_server.ami.dialect.text import known
from astcti_server.ami.vocabulary import Dial, DialEnd, TelephoneEvent
from astcti_server.ami.wire.messages import AmiEvent

_DIAL: Final = (
    "SubEvent",
    "SrcUniqueID",
    "UniqueID",
    "Source",
    "Channel",
    "DestUniqueID",
    "Destination",
    "CallerIDNum",
    "CallerID",
    "CallerIDName",
    "DialStatus",
)
_BEGIN: Final = (
    "Uniqueid",
    "Channel",
    "DestUniqueid",
    "DestChannel",
    "CallerIDNum",
    "CallerIDName",
    "DestConnectedLineNum",
    "DestConnectedLineName",
    "Linkedid",
    "DestLinkedid",
)
_END: Final = ("Uniqueid", "Channel", "DestUniqueid", "DestChannel", "DialStatus", "Forward")


class Dials:
    """Translates dialling, and remembers what 1.6 to 11 leave out: which phones an ended dial had rung."""

    def __init__(self, plain: Callable[[str], str]) -> None:
        """`plain` makes a name plain text."""
        self._plain = plain
        self._ringing: dict[str, dict[str, str]] = {}
        """By the Uniqueid of the channel that dials: channel names by Uniqueid of those it rings."""
        self._source_of: dict[str, str] = {}

    def clear(self) -> None:
        """Forget everything: another connection."""
        self._ringing.clear()
        self._source_of.clear()

    def dialled(self, event: AmiEvent) -> list[TelephoneEvent]:
        """Dial: in 1.4 only the start; later also an end, which names nobody but the source."""
        (
            step,
            old_source,
            source,
            old_channel,
            channel,
            destination,
            destination_channel,
            caller,
            old_caller,
            name,
            status,
        ) = event.values(_DIAL)
        if step.lower() == "end":
            return self._ended(source, old_channel or channel, status)
        if not destination:
            return []
        source = old_source or source
        if step:
            self._ringing.setdefault(source, {})[destination] = destination_channel
            self._source_of[destination] = source
        caller, name = known(caller or old_caller), self._plain(name)
        return [Dial(source, old_channel or channel, destination, destination_channel, caller, name, "")]

    def began(self, event: AmiEvent) -> list[TelephoneEvent]:
        """DialBegin: without a source when the call was originated."""
        (
            source,
            channel,
            destination,
            destination_channel,
            caller,
            name,
            shown,
            shown_name,
            linkedid,
            destination_linkedid,
        ) = event.values(_BEGIN)
        if not destination:
            return []
        told = Dial(
            source,
            channel,
            destination,
            destination_channel,
            known(shown) or known(caller),
            self._plain(shown_name) or self._plain(name),
            linkedid or destination_linkedid,
        )
        return [told]

    def ended(self, event: AmiEvent) -> list[TelephoneEvent]:
        """DialEnd."""
        source, source_channel, destination, channel, status, forward = event.values(_END)
        if forward:
            status = "FORWARD"  # Asterisk says CANCEL, but it was the phone that did not take the call
        return [DialEnd(source, source_channel, destination, channel, status)] if destination else []

    def hung_up(self, uniqueid: str) -> None:
        """A channel is gone: its dial needs no end any more."""
        for destination in self._ringing.pop(uniqueid, ()):
            self._source_of.pop(destination, None)
        source = self._source_of.pop(uniqueid, None)
        if source is not None:
            self._ringing[source].pop(uniqueid, None)

    def _ended(self, source: str, source_channel: str, status: str) -> list[TelephoneEvent]:
        ringing = self._ringing.pop(source, {})
        for destination in ringing:
            self._source_of.pop(destination, None)
        return [
            DialEnd(source, source_channel, destination, channel, status)
            for destination, channel in ringing.items()
        ]
