"""Which service a call belongs to, seen from one seat.

A service with a queue matches while the caller is in its queue or was served by it; one without a queue
matches when the caller, or a half of a Local channel on the way, entered its context. The queue goes first,
then the context entered last. The case of a queue's name does not matter, as in Asterisk.
"""

from __future__ import annotations

from collections.abc import Iterable

from astcti_server.calls.model import Leg, Party
from astcti_server.calls.seat_view import dialplan_parties
from schemas.configuration.model import Service, same_queue


def service_of(services: Iterable[Service], leg: Leg, other: Party | None) -> Service | None:
    """The service among `services` that the seat's call with `other` belongs to, if any."""
    services = tuple(services)
    if not services:
        return None
    learned = tuple(dialplan_parties(leg, other))
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
    # FreePBX keeps all its queues in one context, so several services may have the queue, or the context.
    fitting = [service for service in services if same_queue(service.queue, party.queue)]
    for context in reversed(party.contexts):
        for service in fitting:
            if service.context == context:
                return service
    return fitting[0] if fitting else None
