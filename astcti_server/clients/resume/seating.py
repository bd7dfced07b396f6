"""Who comes to a seat, is lost and comes back: what each is told first. AMI thread; never waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from astcti_server.calls.notification import Notification
from astcti_server.clients import replies
from astcti_server.clients.ports import Presence, ResumePoint, ShownReport
from astcti_server.clients.registry import Registry
from astcti_server.clients.resume.seat_log import SeatLog
from astcti_server.clients.resume.seat_logs import SeatLogs
from astcti_server.clients.resume.tracked_calls import TrackedCalls
from astcti_server.clients.router import Router
from astcti_server.clients.session import Session
from schemas import event_xml
from schemas.events import CallEvent
from schemas.protocol import KEPT_FOR, ResumeMode

StateOf = Callable[[str, bool], list[Notification]]
"""From an extension, and whether its client resumes: what it must know of the calls that go on there."""

_TOLD_ONCE: Final = "OriginateResponse"
"""The only event that the state of the calls does not say again."""


class Seating:
    """What follows a login at a seat, and its end."""

    def __init__(
        self,
        registry: Registry,
        router: Router,
        logs: SeatLogs,
        calls: TrackedCalls,
        state_of: StateOf,
        later: Callable[[float, Callable[[], None]], object],
    ) -> None:
        """`later` has work done after so many seconds."""
        self._registry = registry
        self._router = router
        self._logs = logs
        self._calls = calls
        self._state_of = state_of
        self._later = later
        self._looking = False

    def seated(self, presence: Presence) -> None:
        """An operator sat down. In one step: nothing else is told between what this tells."""
        logs, extension = self._logs, presence.extension
        session = self._registry.with_id(presence.session_id)
        if session is not None:
            logs.sits_at(presence.username, extension)
        log = logs.at(extension)
        if session is None and log is not None:
            # Over already, or taken over by one that may have been told first: handlers post on their own.
            if log.never_told and self._registry.at_extension(extension) is None:
                logs.drop(log)
        elif presence.resume is None:
            if log is not None:
                logs.drop(log)
            self._router.report_undelivered()
            self._router.deliver(self._state_of(extension, False))
        elif session is not None:
            self._resume(session, presence, presence.resume, log)
        self._router.report_undelivered()

    def left(self, session_id: int, for_good: bool) -> None:
        """A session is over."""
        if self._logs.left(session_id, for_good) and not self._looking:
            self._look_later(KEPT_FOR)
        self._router.report_undelivered()

    def shown(self, presence: Presence, report: ShownReport, at: float) -> None:
        """A client says what became of an event."""
        event = self._logs.shown(presence, report, at)
        if event is None:
            return
        if report.failed_key:
            self._calls.trigger_failed(presence.extension, event, report.failed_key, report.reason)
        else:
            self._calls.shown(presence.extension, event, report.milliseconds)

    # -- inside --------------------------------------------------------------------------------------------

    def _resume(self, session: Session, presence: Presence, point: ResumePoint, log: SeatLog | None) -> None:
        if log is not None and log.goes_on_from(point):
            missed = [self._now(event, presence.extension) for event in log.since(point.seq)]
            lines = _lines(log.epoch, point.seq, ResumeMode.FROM, missed)
            if len(lines) <= session.outbox_limit:  # else it would be lost again, and again
                for event in missed:
                    if event.triggers:
                        self._calls.resumed(Notification(presence.extension, event))
                self._begin(session, log, missed, lines)
                return
        self._tell_state(session, presence, log)

    def _tell_state(self, session: Session, presence: Presence, log: SeatLog | None) -> None:
        """A new epoch: what goes on, and of calls that ended since the login what came of them."""
        extension, logs = presence.extension, self._logs
        early = log.early(session.id) if log is not None else []
        if log is not None and log.never_told:
            logs.replace(log)
        elif log is not None:
            logs.drop(log, told_anew=len(early))
            self._router.report_undelivered()  # before the tracker says what is told all the same
        told = [self._now(event, extension) for event in early]
        told = [event for event in told if event.late or event.id == _TOLD_ONCE]
        told += [notification.event for notification in self._state_of(extension, True)]
        log = logs.make(presence.username, extension)
        events = [logs.add(log, event) for event in told]
        self._begin(session, log, events, _lines(log.epoch, 0, ResumeMode.STATE, events))

    def _begin(self, session: Session, log: SeatLog, events: list[CallEvent], lines: bytes) -> None:
        self._logs.begin(log, session)
        if session.announce(lines):
            log.handed(events, None)

    def _now(self, event: CallEvent, extension: str) -> CallEvent:
        """An event that is told now and not when it happened."""
        return event._replace(late=True) if self._calls.is_over(extension, event.call.uniqueid) else event

    def _look_later(self, seconds: float) -> None:
        self._looking = True
        self._later(seconds, self._look)

    def _look(self) -> None:
        self._looking = False
        due = self._logs.forget_expired()
        self._router.report_undelivered()
        if due is not None:
            self._look_later(max(0.0, due - self._logs.now()))


def _lines(epoch: str, seq: int, mode: ResumeMode, events: list[CallEvent]) -> bytes:
    told = [event_xml.encode(event) for event in events]
    return b"".join([replies.resuming(epoch, seq, mode), *told, replies.RESUMED])
