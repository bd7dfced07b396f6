"""What was told one operator at one seat, for the case that the connection is lost. AMI thread; no I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from astcti_server.calls.notification import Notification
from astcti_server.clients.ports import Presence, ResumePoint
from astcti_server.clients.session import Session
from schemas.configuration.model import Operator, Seat
from schemas.events import CallEvent

MOST_EVENTS: Final = 256
"""Events of a seat; of more the oldest fall out, and who missed one of those is told the state instead."""
TOLD_FOR: Final = 300.0
"""Seconds after which an event that a session took is forgotten when another comes.

A lost connection is noticed within minutes, and then `KEPT_FOR` counts.
"""
MOST_SPEAKERS: Final = 4
"""Sessions, the last ones, whose SHOWN is about these events: it may come after the next one has begun."""
EVENT_COST: Final = 500
"""Characters that an event is counted as beside the texts in it: what is around them."""


class LoggedEvent(NamedTuple):
    """An event with its number, and what it costs."""

    event: CallEvent
    cost: int
    at: float
    """When it came, in seconds of the clock."""
    early_for: int
    """The id of the session that was logged in already, but not told anything yet; else 0."""


class Watched(NamedTuple):
    """Whom a kept log is for: as the session was when it was lost."""

    operator: Operator
    seat: Seat
    address: str


class SeatLog:
    """One epoch: events numbered from 1, without holes. Frozen events in, the same with numbers out.

    It belongs to a session, or to none while nobody is connected, or while the session that is logged in has
    not been told of it. What fell out or was never handed to a session is told to `lost_by`'s caller.
    """

    __slots__ = (
        "_due",
        "_entries",
        "_failed",
        "_handed",
        "_speakers",
        "cost",
        "epoch",
        "expires",
        "extension",
        "last",
        "session",
        "username",
        "watched",
    )

    def __init__(self, username: str, extension: str, epoch: str, expires: float) -> None:
        """`expires`: the time when it is forgotten unless a session gets it."""
        self.username = username
        self.extension = extension
        self.epoch = epoch
        self.expires = expires
        self.session: Session | None = None
        self.watched: Watched | None = None
        self.last = 0
        """The number of the last event."""
        self.cost = 0
        """In characters, estimated."""
        self._entries: deque[LoggedEvent] = deque()
        self._handed = 0
        """The number of the last event that a session took."""
        self._due: dict[int, float | None] = {}
        """Numbers of events whose SHOWN is awaited, and when they were handed over; None if that was late."""
        self._failed: set[tuple[int, str]] = set()
        self._speakers: deque[int] = deque(maxlen=MOST_SPEAKERS)

    # -- what is told --------------------------------------------------------------------------------------

    def add(self, event: CallEvent, at: float, early_for: int = 0) -> CallEvent:
        """Take in an event; returns it with its number. `at` and `early_for` as in `LoggedEvent`."""
        self.last += 1
        numbered = event._replace(seq=self.last)
        cost = _cost(event)
        self.cost += cost
        self._entries.append(LoggedEvent(numbered, cost, at, early_for))
        return numbered

    def oldest_falls_out(self, now: float) -> bool:
        """Whether the oldest event has to fall out: there are too many, or it was told long ago."""
        entries = self._entries
        if len(entries) > MOST_EVENTS:
            return True
        return entries[0].at < now - TOLD_FOR and entries[0].event.seq <= self._handed

    def drop_oldest(self) -> Notification | None:
        """Let the oldest event fall out; returns it if no session ever took it."""
        entry = self._entries.popleft()
        self.cost -= entry.cost
        seq = entry.event.seq
        self._due.pop(seq, None)
        if self._failed:
            self._failed = {failed for failed in self._failed if failed[0] != seq}
        return None if seq <= self._handed else self._notification(entry.event)

    def handed(self, events: Iterable[CallEvent], at: float | None) -> None:
        """The session took these, which are in the log; `at`: when, None for what had happened before."""
        for event in events:
            self._handed = max(self._handed, event.seq)
            if is_to_be_shown(event):
                self._due[event.seq] = at

    def goes_on_from(self, point: ResumePoint) -> bool:
        """Whether everything after this point is there."""
        first = self.last - len(self._entries)
        return point.epoch == self.epoch and first <= point.seq <= self.last

    def since(self, seq: int) -> list[CallEvent]:
        """The events after this number, in order."""
        return [entry.event for entry in self._entries if entry.event.seq > seq]

    def early(self, session_id: int) -> list[CallEvent]:
        """What came for a session that was not told anything yet; where no session ever was, everything."""
        return [entry.event for entry in self._entries if not self._speakers or entry.early_for == session_id]

    @property
    def never_told(self) -> bool:
        """Whether no client knows of this epoch."""
        return not self._speakers

    # -- whose it is ---------------------------------------------------------------------------------------

    def begin(self, session: Session) -> None:
        """From now on it is this session's, which is told of it."""
        self.session = session
        self.watched = None
        self._speakers.append(session.id)

    def lost(self, expires: float) -> None:
        """The session's connection is lost: it may come back until then."""
        session = self.session
        if session is not None and session.operator is not None and session.seat is not None:
            self.watched = Watched(session.operator, session.seat, session.address)
        self.session = None
        self.expires = expires

    def reviewed(self, operator: Operator, seat: Seat) -> None:
        """The same operator and seat, as a new configuration has them."""
        if self.watched is not None:
            self.watched = self.watched._replace(operator=operator, seat=seat)

    def not_delivered(self, up_to: int) -> Iterator[Notification]:
        """What of the events up to this number did not get to the operator, as far as can be known.

        What no session took; and of a lost one what was to be shown, of which nothing was heard.
        """
        silent = self._due.keys() - {seq for seq, _key in self._failed} if self.session is None else ()
        for entry in self._entries:
            seq = entry.event.seq
            if seq <= up_to and (seq > self._handed or seq in silent):
                yield self._notification(entry.event)

    def _notification(self, event: CallEvent) -> Notification:
        return Notification(self.extension, event)

    # -- what the client says ------------------------------------------------------------------------------

    def event_of(self, presence: Presence, seq: int) -> CallEvent | None:
        """The event that a session means by a number; None if it is not there or was not told to it."""
        index = seq - (self.last - len(self._entries)) - 1
        if presence.session_id not in self._speakers or not 0 <= index < len(self._entries):
            return None
        return self._entries[index].event if seq <= self._handed else None

    def awaits_shown(self, seq: int) -> bool:
        """Whether this event is to be shown, and was not yet."""
        return seq in self._due

    def shown(self, seq: int) -> float | None:
        """It is on the screen. Returns when it was handed over, None unless it was told as it happened."""
        return self._due.pop(seq, None)

    def trigger_failed(self, event: CallEvent, key: str) -> bool:
        """A trigger of this event was not carried out. False if it has none such, or this is known."""
        known = (event.seq, key)
        if not key or known in self._failed or key not in [action.key for action in event.triggers]:
            return False
        self._failed.add(known)
        return True


def is_to_be_shown(event: CallEvent) -> bool:
    """Whether a client says SHOWN of it: it has something to open, or is a conversation that begins."""
    return bool(event.triggers) or (event.id == "Link" and not event.repeat)


def _cost(event: CallEvent) -> int:
    data = sum([len(name) + len(value) for name, value in event.call.appdata])
    triggers = sum(
        [
            len(action.url) + len(action.application) + sum(map(len, action.arguments))
            for action in event.triggers
        ]
    )
    return EVENT_COST + data + triggers
