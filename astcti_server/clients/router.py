"""Events to the seats they are for. AMI thread; never waits.

When many calls go on, what Asterisk sent comes in chunks of hundreds of events, and a call's begin, ring and
answer are in one of them. Of such a chunk a session gets the first notification at once and the others
together at its end: sending costs as much as all the rest of a notification.
"""

from __future__ import annotations

from collections.abc import Iterable

from astcti_server.calls.notification import Notification
from astcti_server.clients.registry import Registry
from astcti_server.clients.resume.seat_logs import SeatLogs
from astcti_server.clients.resume.tracked_calls import TrackedCalls
from astcti_server.clients.session import Session
from schemas.event_xml import EventEncoder


class Router:
    """Encodes an event only if somebody sits there to read it.

    What is for a client that said RESUME is numbered and goes into the log of its seat, also while nobody is
    connected there.
    """

    def __init__(self, registry: Registry, calls: TrackedCalls, logs: SeatLogs) -> None:
        """`calls` are told of each event what became of it."""
        self._registry = registry
        self._calls = calls
        self._logs = logs
        self._encoder = EventEncoder()
        self._reading = False
        self._told: set[Session] = set()
        self._gathering: dict[Session, list[Notification]] = {}
        """With what is not in a log: whether it was sent is known when the chunk is over."""

    def chunk_begins(self) -> None:
        """What is delivered until `chunk_over` comes of one chunk of Asterisk's bytes."""
        self._reading = True

    def chunk_over(self) -> None:
        """Send what was gathered."""
        self._reading = False
        if self._told:
            self._told.clear()
            gathering, self._gathering = self._gathering, {}
            for session, notifications in gathering.items():
                self._sent(notifications, delivered=session.send_gathered())

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

    def report_undelivered(self) -> None:
        """Tell what the logs gave up unread."""
        for notification in self._logs.take_undelivered():
            self._calls.not_delivered(notification)

    def _announce(self, session: Session | None, group: list[Notification]) -> None:
        if session is None or session.resume is not None:
            self._log(session, group)
            return
        log = self._logs.at(group[0].extension)
        if log is not None:  # of who sat here before: what is told now that one does not hear
            self._logs.drop(log)
            self.report_undelivered()
        delivered = self._send(session, b"".join([self._encoder.encode(told.event) for told in group]))
        if delivered and session in self._gathering:
            self._gathering[session] += group
        else:
            self._sent(group, delivered=delivered)

    def _sent(self, notifications: Iterable[Notification], *, delivered: bool) -> None:
        """What became of events that no log has."""
        for notification in notifications:
            if not delivered:
                self._calls.not_delivered(notification)
            elif notification.event.triggers:
                self._calls.written(notification)

    def _log(self, session: Session | None, group: list[Notification]) -> None:
        """Keep what is told for who comes back, and send it to who is there and knows of the log."""
        logs = self._logs
        log = logs.log_for(group[0].extension, session)
        if log is None:
            self._sent(group, delivered=False)
            return
        if session is None or log.session is not session:
            early_for = session.id if session is not None else 0
            for notification in group:
                logs.add(log, notification.event, early_for)
        else:
            events = [logs.add(log, notification.event) for notification in group]
            if self._send(session, b"".join([self._encoder.encode(event) for event in events])):
                log.handed(events, logs.now())
        self.report_undelivered()

    def _send(self, session: Session, lines: bytes) -> bool:
        if not self._reading:
            return session.announce(lines)
        if session in self._told:
            self._gathering.setdefault(session, [])
            return session.gather(lines)
        self._told.add(session)
        return session.announce(lines)
