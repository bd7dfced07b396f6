"""Events to the seats they are for. AMI thread; never waits.

When many calls go on, what Asterisk sent comes in chunks of hundreds of events, and a call's begin, ring and
answer are in one of them. Of such a chunk a session gets the first notification at once and the others
together at its end: sending costs as much as all the rest of a notification.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from astcti_server.calls.notification import Notification
from astcti_server.clients.registry import Registry
from astcti_server.clients.session import Session
from schemas.event_xml import EventEncoder


class Router:
    """Encodes an event only if somebody sits there to read it."""

    def __init__(self, registry: Registry, not_delivered: Callable[[Notification], None]) -> None:
        """`not_delivered` is told of each event that did not get to a client."""
        self._registry = registry
        self._not_delivered = not_delivered
        self._encoder = EventEncoder()
        self._reading = False
        self._told: set[Session] = set()
        self._gathering: set[Session] = set()

    def chunk_begins(self) -> None:
        """What is delivered until `chunk_over` comes of one chunk of Asterisk's bytes."""
        self._reading = True

    def chunk_over(self) -> None:
        """Send what was gathered."""
        self._reading = False
        if self._told:
            self._told.clear()
            gathering, self._gathering = self._gathering, set()
            for session in gathering:
                session.send_gathered()

    def deliver(self, notifications: Iterable[Notification]) -> None:
        """Send events to the sessions at their extensions, in order; none where nobody sits.

        Those that follow one another for the same seat go out in one piece, for it is sending that costs.
        """
        extension = ""
        session = None
        group: list[Notification] = []
        for notification in notifications:
            if notification.extension != extension:
                if group:
                    self._announce(session, group)
                    group.clear()
                extension = notification.extension
                session = self._registry.at_extension(extension)
            group.append(notification)
        if group:
            self._announce(session, group)

    def _announce(self, session: Session | None, group: list[Notification]) -> None:
        if session is None or not self._send(session, group):
            for notification in group:
                self._not_delivered(notification)

    def _send(self, session: Session, group: list[Notification]) -> bool:
        encode = self._encoder.encode
        lines = b"".join([encode(notification.event) for notification in group])
        if not self._reading:
            return session.announce(lines)
        if session in self._told:
            self._gathering.add(session)
            return session.gather(lines)
        self._told.add(session)
        return session.announce(lines)
