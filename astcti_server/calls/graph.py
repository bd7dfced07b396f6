"""Who hears whom: the graph of bridges and Local channels.

A phone is connected to every other phone or trunk that is reached through edges and halves of Local
channels. A half is joined to the other by its present name. Zombies of a masquerade carry no edges.
"""

from __future__ import annotations

from collections.abc import Iterable

from astcti_server.calls.model import AsteriskCall, Party
from astcti_server.calls.table import CallTable

Reach = dict[Party, tuple[Party, ...]]
"""The parties that a party hears, each with the halves of Local channels in between."""


def reach(table: CallTable, start: AsteriskCall) -> Reach:
    """Whom the party on `start` is connected to. Phones end the walk, Local channels are walked through."""
    found: Reach = {}
    if start.edgeless or not (start.links or start.other_half_name):
        return found
    seen = {start}
    trail: list[tuple[AsteriskCall, tuple[Party, ...]]] = [(start, ())]
    while trail:
        call, path = trail.pop()
        for near in _neighbours(table, call):
            if near in seen or near.edgeless:
                continue
            seen.add(near)
            if near.is_local:
                trail.append((near, (*path, near.party)))
            else:
                found[near.party] = path
    return found


def touched(table: CallTable, calls: tuple[AsteriskCall, ...]) -> Iterable[AsteriskCall]:
    """The phones and trunks whose connections a change at `calls` may have altered."""
    if not [call for call in calls if call.is_local]:
        return calls
    result: dict[AsteriskCall, None] = {}
    for call in calls:
        if not call.is_local:
            result[call] = None
        else:
            for party in reach(table, call):
                result[party.call] = None
    return result


def _neighbours(table: CallTable, call: AsteriskCall) -> Iterable[AsteriskCall]:
    other_half = table.other_half(call) if call.other_half_name else None
    return call.links if other_half is None else (*call.links, other_half)
