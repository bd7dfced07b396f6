"""Which service a call belongs to, seen from one seat.

A service with a queue matches while the caller is in its queue or was served by it; one without a queue
matches when the caller, or a half of a Local channel on the way, entered its context. The queue goes first,
then the context entered last. The case of a queue's name does not matter, as in Asterisk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from astcti_server.calls.model import Leg, Party
from schemas.configuration.model import Service, same_queue
from schemas.events import Direction


def direction_of(leg: Leg, other: Party | None) -> Direction:
    """`outbound` at the end that called the other one."""
    party = leg.party
    if other is not None:
        if other.caller is party:
            return "outbound"
        if party.caller is other:
            return "inbound"
    return leg.direction


def service_of(services: Iterable[Service], leg: Leg, other: Party | None) -> Service | None:
    """The service among `services` that the seat's call with `other` belongs to, if any."""
    services = tuple(services)
    if not services:
        return None
    learned = tuple(_dialplan_parties(leg, other))
    for party in learned:
        if party.queue and (found := _of_queue(services, party)) is not None:
            return found
    for party in learned:
        for context in reversed(party.contexts):
            for service in services:
                if service.context == context and not service.queue:
                    return service
    return None


def _of_queue(services: tuple[Service, ...], party: Party) -> Service | None:
    fitting = [service for service in services if same_queue(service.queue, party.queue)]
    for context in reversed(party.contexts):
        for service in fitting:
            if service.context == context:
                return service
    return fitting[0] if fitting else None


def _dialplan_parties(leg: Leg, other: Party | None) -> Iterator[Party]:
    """Whose contexts and queues count, the latest in the dialplan first."""
    own = leg.party
    if direction_of(leg, other) == "outbound":
        yield own
        return
    caller = other if other is not None else own.caller
    if caller is None:
        return
    if caller is own.caller:
        yield from own.path
    yield caller
    if not caller.calling and caller.caller not in (None, own) and caller is not own.caller:
        # The called end of an earlier call was handed on: what its caller went through counts.
        yield from caller.path
        yield caller.caller


def shown(leg: Leg, other: Party | None) -> tuple[str, str]:
    """Number and name of the other party as the seat is to see them."""
    own = leg.party
    if other is None:
        other = own.caller
    if other is not None and other.calling:
        return other.number, other.name
    if other is not None and other.caller is own:
        return own.connected_number or other.number or own.exten, own.connected_name or other.name
    if other is not None and (other.number or other.name):
        return other.number, other.name
    if leg.direction == "outbound":
        return own.connected_number or own.exten, own.connected_name
    return own.connected_number, own.connected_name


def data_of(leg: Leg, other: Party | None, names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The declared variables that have a value: the other party's first, the phone's own last."""
    own = leg.party
    holders = [*([other] if other is not None else ()), *own.path, own]
    if own.caller is not None and own.caller not in holders and other is None:
        holders.insert(0, own.caller)
    found = []
    for name in names:
        for holder in holders:
            value = holder.variable(name)
            if value is not None:
                found.append((name, value))
                break
    return tuple(found)
