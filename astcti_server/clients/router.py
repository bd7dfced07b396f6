"""Events to the seats they are for. AMI thread; never waits.

When many calls go on, what Asterisk sent comes in chunks of hundreds of events, and a call's begin, ring and
answer are in one of them. Of such a chunk a session gets the first notification at once and the others
together at its end: sending costs as much as all the rest of a notification.
"""

from __future__ import annotations

from collections.abc import Iterable

from astcti_server.calls.notification import Notification
from astcti_server.clients.registry import Registry
from astcti_server.clients.session import Session
from schemas.event_xml import EventEncoder


class Router:
    """Encodes an event only if somebody sits there to read it."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
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
            for session in self._gathering:
                session.send_gathered()
            self._gathering.clear()

    def deliver(self, notifications: Iterable[Notification]) -> None:
        """Send events to the sessions at their extensions, in order; none where nobody sits.

        Those that follow one another for the same seat go out in one piece, for it is sending that costs.
        """
        extension = ""
        session = None
        lines: list[bytes] = []
        for notification in notifications:
            if notification.extension != extension:
                if session is not None:
                    self._announce(session, b"".join(lines))
                extension = notification.extension
                session = self._registry.at_extension(extension)
                lines.clear()
            if session is not None:
                lines.append(self._encoder.encode(notification.event))
        if session is not None:
            self._announce(session, b"".join(lines))

    def _announce(self, session: Session, lines: bytes) -> None:
        if not self._reading:
            session.announce(lines)
        elif session in self._told:
            session.gather(lines)
            self._gathering.add(session)
        else:
            session.announce(lines)
            self._told.add(session)
