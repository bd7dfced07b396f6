"""The bridges of Asterisk 12 and later as edges between channels.

Asterisk says who enters and leaves which bridge; behind the dialect there are only pairs that hear each
other. Conferences and holding bridges (music on hold, parking, waiting agents) make nobody a pair.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Final

from astcti_server.ami.vocabulary import Link, TelephoneEvent, Unlink
from astcti_server.ami.wire.messages import AmiEvent

_MEMBER: Final = (
    "BridgeUniqueid",
    "BridgeTechnology",
    "BridgeCreator",
    "Uniqueid",
    "Channel",
    "SwapUniqueid",
)
_BRIDGE: Final = ("BridgeUniqueid", "BridgeTechnology", "BridgeCreator")


class _Bridge:
    __slots__ = ("members", "silent")

    def __init__(self, silent: bool) -> None:
        self.members: dict[str, str] = {}
        """Channel names by Uniqueid, in the order of entering."""
        self.silent = silent
        """True if being in it together does not make a pair."""

    def tune(self, silent: bool) -> None:
        """It became a conference, or another bridge that makes no pairs, or ended being one."""
        self.silent = silent


class Bridges:
    """Who is in which bridge. Bridges and channels that were never announced are made when named.

    A merge needs nothing of its own: the channels that move leave one bridge and enter the other.
    """

    def __init__(self) -> None:
        self._bridges: dict[str, _Bridge] = {}
        self._bridge_of: dict[str, str] = {}

    def clear(self) -> None:
        """Forget everything: another connection."""
        self._bridges.clear()
        self._bridge_of.clear()

    def entered(self, event: AmiEvent) -> list[TelephoneEvent]:
        """BridgeEnter: one edge to each member. The newcomer goes first: it is usually the caller."""
        bridge_id, technology, creator, uniqueid, channel, swapped = event.values(_MEMBER)
        if not bridge_id or not uniqueid:
            return []
        told = self._change_of_kind(bridge_id, technology, creator)
        if swapped:
            told += self._removed(swapped)
        if self._bridge_of.get(uniqueid, bridge_id) != bridge_id:
            told += self._removed(uniqueid)
        bridge = self._bridges.setdefault(bridge_id, _Bridge(_is_silent(technology, creator)))
        if uniqueid not in bridge.members:
            if not bridge.silent:
                told += [Link(uniqueid, channel, other, name) for other, name in bridge.members.items()]
            bridge.members[uniqueid] = channel
            self._bridge_of[uniqueid] = bridge_id
        return told

    def left(self, event: AmiEvent) -> list[TelephoneEvent]:
        """BridgeLeave: the edges to the others end."""
        bridge_id, technology, creator, uniqueid, _channel, _swapped = event.values(_MEMBER)
        told = self._change_of_kind(bridge_id, technology, creator)
        if self._bridge_of.get(uniqueid) == bridge_id:
            told += self._removed(uniqueid)
        return told

    def told(self, event: AmiEvent) -> list[TelephoneEvent]:
        """Any other event of a bridge: it may have become a conference, or have ended being one."""
        return self._change_of_kind(*event.values(_BRIDGE))

    def destroyed(self, event: AmiEvent) -> list[TelephoneEvent]:
        """BridgeDestroy: whoever is still in it has left."""
        bridge = self._bridges.pop(event.get("BridgeUniqueid"), None)
        if bridge is None:
            return []
        for uniqueid in bridge.members:
            self._bridge_of.pop(uniqueid, None)
        return [] if bridge.silent else list(_unlinked(bridge))

    def hung_up(self, uniqueid: str) -> None:
        """A channel is gone; its edges went with it."""
        if uniqueid in self._bridge_of:
            self._removed(uniqueid)

    def read(self, members: list[tuple[str, str, str, bool]]) -> list[TelephoneEvent]:
        """Replace everything by a list of (bridge, Uniqueid, channel, silent), read when connecting.

        The list does not say what kind a bridge is: what is known of it stays true, else one silent member
        makes it silent.
        """
        silent = {bridge_id for bridge_id, bridge in self._bridges.items() if bridge.silent}
        silent.update(bridge_id for bridge_id, _uniqueid, _channel, quiet in members if quiet)
        self.clear()
        for bridge_id, uniqueid, channel, _quiet in members:
            bridge = self._bridges.setdefault(bridge_id, _Bridge(bridge_id in silent))
            bridge.members[uniqueid] = channel
            self._bridge_of[uniqueid] = bridge_id
        told: list[TelephoneEvent] = []
        for bridge in self._bridges.values():
            if not bridge.silent:
                told += _linked(bridge)
        return told

    def _change_of_kind(self, bridge_id: str, technology: str, creator: str) -> list[TelephoneEvent]:
        bridge = self._bridges.get(bridge_id)
        if bridge is None or not technology:
            return []
        silent = _is_silent(technology, creator)
        if silent == bridge.silent:
            return []
        bridge.tune(silent)
        return list(_unlinked(bridge) if silent else _linked(bridge))

    def _removed(self, uniqueid: str) -> list[TelephoneEvent]:
        bridge_id = self._bridge_of.pop(uniqueid, "")
        bridge = self._bridges.get(bridge_id)
        if bridge is None:
            return []
        bridge.members.pop(uniqueid, None)
        if not bridge.members:
            del self._bridges[bridge_id]
        return [] if bridge.silent else [Unlink(uniqueid, other) for other in bridge.members]


def _is_silent(technology: str, creator: str) -> bool:
    return technology == "holding_bridge" or creator.lower() == "confbridge"


def _linked(bridge: _Bridge) -> Iterator[Link]:
    for (first, first_name), (second, second_name) in combinations(bridge.members.items(), 2):
        yield Link(second, second_name, first, first_name)


def _unlinked(bridge: _Bridge) -> Iterator[Unlink]:
    for first, second in combinations(bridge.members, 2):
        yield Unlink(first, second)
