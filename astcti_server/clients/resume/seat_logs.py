"""All logs of what was told at the seats: who may come back, and for how long. AMI thread only; no I/O."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from astcti_server.calls.notification import Notification
from astcti_server.clients.config_enforcement import seat_remains
from astcti_server.clients.ports import Presence, ShownReport
from astcti_server.clients.resume.seat_log import SeatLog
from astcti_server.clients.session import Session
from schemas.configuration.model import Configuration
from schemas.events import CallEvent
from schemas.protocol import KEPT_FOR

MOST_CHARACTERS: Final = 32 << 20
"""Of all logs together, as `seat_log` estimates them."""
ROOM_MADE: Final = 64
"""The part of it that is freed at once, when it is too much: looking for who has most takes its time."""


class SeatLogs:
    """At most one log for a seat. What is given up unread is kept for `take_undelivered`."""

    def __init__(
        self,
        seated: Callable[[], Mapping[str, str]],
        clock: Callable[[], float],
        new_epoch: Callable[[], str] = lambda: secrets.token_hex(8),
        shown_after: Callable[[float], None] | None = None,
        most_characters: int = MOST_CHARACTERS,
    ) -> None:
        """`seated`: user names by extension of who is connected, a mapping that is replaced, never changed.

        `clock` tells seconds. `shown_after` is told, of each event that was told as it happened and is shown,
        the seconds between.
        """
        self._seated_by_registry = seated
        self._clock = clock
        self._new_epoch = new_epoch
        self._shown_after = shown_after
        self._most = most_characters
        self._logs: dict[str, SeatLog] = {}
        self._seats_of: dict[int, str] = {}
        """Extensions by the ids of the sessions that got a log, until they leave."""
        self._undelivered: list[Notification] = []
        self._configuration: Configuration | None = None
        self._cost = 0
        self._seated: Mapping[str, str] = {}
        self._changed = True
        self._operators: Mapping[str, str] = {}

    # -- who sits where ------------------------------------------------------------------------------------

    @property
    def operators(self) -> Mapping[str, str]:
        """Extension to user name of who is connected or may come back. Never changes: another replaces it.

        Where nobody is awaited it is the very mapping of those who are connected.
        """
        seated = self._seated_by_registry()
        if seated is not self._seated or self._changed:
            self._seated, self._changed = seated, False
            awaited = self._logs.keys() - seated.keys() if self._logs else ()
            self._operators = seated
            if awaited:
                also = {extension: self._logs[extension].username for extension in awaited}
                self._operators = MappingProxyType(also | dict(seated))
        return self._operators

    def at(self, extension: str) -> SeatLog | None:
        """The log of a seat."""
        return self._logs.get(extension)

    def now(self) -> float:
        """The time of the clock, in seconds."""
        return self._clock()

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._logs)

    @property
    def cost(self) -> int:
        """Characters of all together, estimated."""
        return self._cost

    # -- events --------------------------------------------------------------------------------------------

    def log_for(self, extension: str, session: Session | None) -> SeatLog | None:
        """Where events at a seat go whose session is this: it said RESUME, or there is none; None: nowhere.

        A session may be known already before it was told anything: what comes meanwhile waits in the log.
        """
        log = self._logs.get(extension)
        if session is None:
            return log
        if log is not None and log.username != session.username:
            self.drop(log)
            log = None
        return self.make(session.username, extension) if log is None else log

    def add(self, log: SeatLog, event: CallEvent, early_for: int = 0) -> CallEvent:
        """Take an event into a log; returns it with its number."""
        before, now = log.cost, self._clock()
        numbered = log.add(event, now, early_for)
        self._cost += log.cost - before
        while log.oldest_falls_out(now):
            self._drop_oldest(log)
        if self._cost > self._most:
            self._make_room()
        return numbered

    def make(self, username: str, extension: str) -> SeatLog:
        """A new log, which is nobody's yet."""
        log = SeatLog(username, extension, self._new_epoch(), self._clock() + KEPT_FOR)
        self._logs[extension] = log
        self._changed = True
        return log

    def drop(self, log: SeatLog, *, told_anew: int = 0) -> None:
        """Give a log up, and what nobody read with it but so many events at its end."""
        self._undelivered += log.not_delivered(log.last - told_anew)
        self._remove(log)

    def replace(self, log: SeatLog) -> None:
        """Give a log up whose events are told in another way."""
        self._remove(log)

    def take_undelivered(self) -> list[Notification]:
        """What was given up since the last time."""
        if not self._undelivered:
            return []
        undelivered, self._undelivered = self._undelivered, []
        return undelivered

    # -- who comes and goes --------------------------------------------------------------------------------

    def sits_at(self, username: str, extension: str) -> None:
        """An operator is at this seat now: nobody waits for him elsewhere, nor for somebody else here."""
        for log in [log for log in self._logs.values() if log.username == username]:
            if log.extension != extension:
                self.drop(log)
        here = self._logs.get(extension)
        if here is not None and here.username != username:
            self.drop(here)

    def begin(self, log: SeatLog, session: Session) -> None:
        """A session is told of this log: from now on it is its own."""
        log.begin(session)
        self._seats_of[session.id] = log.extension

    def left(self, session_id: int, for_good: bool) -> bool:
        """A session is over. Returns whether its log is kept, for it may come back."""
        log = self._logs.get(self._seats_of.pop(session_id, ""))
        if log is None or log.session is None or log.session.id != session_id:
            return False  # it had none, or another session has it by now
        if not for_good:
            log.lost(self._clock() + KEPT_FOR)
        if for_good or not self._remains(log):
            self.drop(log)
            return False
        return True

    def forget_expired(self) -> float | None:
        """Give up those whose time is over. Returns when the next one's will be; None: nobody is awaited."""
        now = self._clock()
        for log in [log for log in self._logs.values() if log.session is None and log.expires <= now]:
            self.drop(log)
        return min((log.expires for log in self._logs.values() if log.session is None), default=None)

    def configure(self, configuration: Configuration) -> None:
        """Nobody is awaited whom this configuration would not let go on."""
        self._configuration = configuration
        for log in [log for log in self._logs.values() if not self._remains(log)]:
            self.drop(log)

    # -- what clients say ----------------------------------------------------------------------------------

    def shown(self, presence: Presence, report: ShownReport, at: float) -> CallEvent | None:
        """Which event a client says something of, for the first time; None if it is none, or said before."""
        log = self._logs.get(presence.extension)
        event = log.event_of(presence, report.seq) if log is not None else None
        if log is None or event is None:
            return None
        if report.failed_key:
            return event if log.trigger_failed(event, report.failed_key) else None
        if not log.awaits_shown(report.seq):
            return None
        handed = log.shown(report.seq)
        if handed is not None and self._shown_after is not None:
            self._shown_after(max(0.0, at - handed))
        return event

    # -- inside --------------------------------------------------------------------------------------------

    def _remains(self, log: SeatLog) -> bool:
        """Whether the one who is awaited could still have been here; keeps how he is configured."""
        watched, configuration = log.watched, self._configuration
        if watched is None or configuration is None:
            return True
        found = seat_remains(watched.operator, watched.seat, watched.address, configuration)
        if found is None:
            return False
        log.reviewed(*found)
        return True

    def _remove(self, log: SeatLog) -> None:
        self._cost -= log.cost
        del self._logs[log.extension]
        self._changed = True

    def _drop_oldest(self, log: SeatLog) -> None:
        before = log.cost
        lost = log.drop_oldest()
        self._cost -= before - log.cost
        if lost is not None:
            self._undelivered.append(lost)

    def _make_room(self) -> None:
        """The seats that have most lose their oldest."""
        enough = self._most - self._most // ROOM_MADE
        while self._cost > enough:
            log = max(self._logs.values(), key=lambda log: log.cost)
            until = log.cost * 3 // 4
            while log.cost > until and self._cost > enough:
                self._drop_oldest(log)
