"""Events to the seats they are for. AMI thread; never waits."""

from __future__ import annotations

from astcti_server.calls.notification import Notification
from astcti_server.clients.registry import Registry
from schemas import event_xml


class Router:
    """Encodes an event only if somebody sits there to read it."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def deliver(self, notification: Notification) -> bool:
        """Send an event to the session at its extension. False if nobody (reachable) sits there."""
        session = self._registry.at_extension(notification.extension)
        return session is not None and session.announce(event_xml.encode(notification.event))
