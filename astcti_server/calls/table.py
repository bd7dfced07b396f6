"""The call hash: every channel of the moment by its Uniqueid, guarded by one leaf lock.

The AMI thread is the only one that writes, and the only one that gets `AsteriskCall`s. Any thread may ask
how many there are.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from astcti_server.calls.model import AsteriskCall

# Asterisk 12 and later tell of variables, bridges and queues in other threads than of the channel's Hangup:
# some events come after that, and must not make the channel anew. A few, not thousands.
GONE_REMEMBERED = 4096


class MissingCallError(Exception):
    """An event names a channel that has hung up already: Asterisk 12 and later tell in several voices."""


class CallTable:
    """Channels by Uniqueid, and by their current name for what only names can tell."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: dict[str, AsteriskCall] = {}
        self._by_name: dict[str, AsteriskCall] = {}
        self._gone: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def find(self, uniqueid: str) -> AsteriskCall | None:
        """AMI thread only."""
        return self._calls.get(uniqueid)

    def is_gone(self, uniqueid: str) -> bool:
        """Whether a channel hung up lately. AMI thread only."""
        return uniqueid in self._gone

    def uniqueids(self) -> frozenset[str]:
        """The ids of all channels that are known. AMI thread only."""
        return frozenset(self._calls)

    def of_event(self, uniqueid: str, channel: str) -> AsteriskCall | None:
        """The channel that an event means: by its id, or, in old Asterisks, by nothing but its name."""
        return self._calls.get(uniqueid) or self._by_name.get(channel)

    def forget_links(self) -> None:
        """Every edge is to be told again. AMI thread only."""
        for call in self._calls.values():
            call.forget_links()

    def named(self, channel: str) -> AsteriskCall | None:
        """The channel that has this name now. AMI thread only."""
        return self._by_name.get(channel)

    def other_half(self, call: AsteriskCall) -> AsteriskCall | None:
        """The other half of a Local channel, by its present name: a masquerade puts it on another id."""
        return self._by_name.get(call.other_half_name) if call.other_half_name else None

    def add(self, uniqueid: str, channel: str) -> AsteriskCall:
        """Make the call of a new channel. AMI thread only."""
        call = AsteriskCall(uniqueid, channel)
        with self._lock:
            self._calls[uniqueid] = call
            self._by_name[channel] = call
        return call

    def rename(self, call: AsteriskCall, channel: str) -> None:
        """Give a channel another name. AMI thread only."""
        with self._lock:
            if self._by_name.get(call.channel) is call:
                del self._by_name[call.channel]
            call.rename(channel)
            self._by_name[channel] = call

    def remove(self, call: AsteriskCall) -> None:
        """Forget a channel that is gone, and its edges. AMI thread only."""
        with self._lock:
            self._calls.pop(call.uniqueid, None)
            if self._by_name.get(call.channel) is call:
                del self._by_name[call.channel]
            for linked in tuple(call.links):
                call.unlink(linked)
        self._gone[call.uniqueid] = None
        if len(self._gone) > GONE_REMEMBERED:
            del self._gone[next(iter(self._gone))]

    def all(self) -> Iterable[AsteriskCall]:
        """Every call, as a list of its own. AMI thread only."""
        return list(self._calls.values())
