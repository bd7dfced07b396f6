"""Which service a call belongs to, seen from one seat.

A service with a queue matches while the caller is in its queue or was served by it; one without a queue
matches when the caller, or a half of a Local channel on the way, entered its context. The queue goes first,
then the context entered last. The case of a queue's name does not matter, as in Asterisk.
"""

from __future__ import annotations

from collections.abc import Sequence

from astcti_server.calls.model import Leg, Party
from astcti_server.calls.seat_view import dialplan_parties
from schemas.configuration.model import Service, queue_key


class OfferedServices:
    """The services of an operator, in the configuration's order; found by queue and context in one look.

    An operator of many services would else cost more at each event. Never changes.
    """

    __slots__ = ("_by_context", "_by_queue", "services")

    def __init__(self, services: Sequence[Service]) -> None:
        self.services = services
        self._by_queue: dict[str, list[Service]] = {}
        self._by_context: dict[str, Service] = {}
        """Those without a queue; of several with one context the first."""
        for service in services:
            if service.queue:
                self._by_queue.setdefault(queue_key(service.queue), []).append(service)
            else:
                self._by_context.setdefault(service.context, service)

    def service_of(self, leg: Leg, other: Party | None) -> Service | None:
        """The service that the seat's call with `other` belongs to, if any."""
        learned = dialplan_parties(leg, other)
        if self._by_queue:
            for party in learned:
                if party.queue and (fitting := self._by_queue.get(queue_key(party.queue))):
                    return _of_queue(fitting, party)
        if self._by_context:
            for party in learned:
                for context in reversed(party.contexts):
                    found = self._by_context.get(context)
                    if found is not None:
                        return found
        return None


def _of_queue(fitting: Sequence[Service], party: Party) -> Service:
    # FreePBX keeps all its queues in one context, so several services may have the queue, or the context.
    if len(fitting) > 1:
        for context in reversed(party.contexts):
            for service in fitting:
                if service.context == context:
                    return service
    return fitting[0]
