"""Plays a report: as `Replay`, but with who sat where, the configurations and times of the running server.

What the server that wrote it did between two events is done here at the same place. Of a call whose first
event is in the report each seat is told what its client was told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from astcti_server.ami.dialect.translation import Dialect
from astcti_server.ami.vocabulary import QueueCaller, QueueMember
from astcti_server.ami.wire.event_filter import EventFilter
from astcti_server.ami.wire.messages import AmiEvent, AmiResponse
from astcti_server.ami.wire.parser import AmiBanner, AmiMessage, AmiParser
from astcti_server.calls.notification import Notification
from astcti_server.calls.originations import Origination
from astcti_server.calls.tracker import Tracker
from schemas.configuration.model import Configuration

_OURS: Final = re.compile(r"astcti-[0-9a-f]+-[0-9]+")
"""An ActionID of the server whose report it is."""
_QUEUE_LISTS: Final = frozenset({"QueueParams", "QueueMember", "QueueEntry", "QueueStatusComplete"})
_NUMBERS: Final = frozenset({"time", "late-pop-up", "quiet"})
_FAR_OFF: Final = 1e15  # seconds; with larger numbers a sum is the number itself
_TEXTS: Final = frozenset(
    {"file", "encoding", "events", "extension", "uniqueid", "other", "banner", "service", "exten", "context"}
) | {"action-id"}
_GREETING: Final = b"Asterisk Call Manager/0\r\n"
"""For the parser, which waits for one; what Asterisk greeted with is in the marks."""


class ReportReplay:
    """One report, piece by piece and mark by mark, in order; notifications go to `write`."""

    def __init__(
        self, configurations: Mapping[str, Configuration], write: Callable[[Notification], None]
    ) -> None:
        """`configurations` by the names that the marks have."""
        self._configurations = configurations
        self._write = write
        self._now = 0.0
        self._operators: dict[str, str] = {}
        self._configuration = Configuration()
        self._dialect = Dialect()
        self._tracker = Tracker(lambda: self._operators, lambda: self._now)
        self._parser = AmiParser(EventFilter())
        self._parser.feed(_GREETING)
        self._encoding = "cp1252"
        self._late_pop_up = 0.0
        self._unheard_since: float | None = None
        self._channels_due = self._queues_due = False
        self._listing: list[AmiEvent] = []
        self._waiting: list[AmiEvent] = []
        self._global_values: dict[str, str] = {}
        self._marks: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "time": self._time,
            "configuration": self._configured,
            "seats": self._seats,
            "arrived": self._arrived,
            "had": self._had,
            "linked": self._linked,
            "link-up": self._link_up,
            "link-down": self._link_down,
            "unread": self._unread,
            "originated": self._originated,
            "ended-unheard": self._ended_unheard,
            "lost": self._lost,
        }

    def mark(self, fields: Mapping[str, Any]) -> None:
        """Something was noted here. One of a kind that is not known says nothing.

        LookupError, TypeError or ValueError where it lacks what such a mark says, or says it in another form.
        """
        known = self._marks.get(fields["mark"])
        if known is not None:
            _check(fields)
            known(fields)

    def feed(self, data: bytes) -> None:
        """Take in bytes of the transcript."""
        for message in self._parser.feed(data):
            self._take(message)

    def _take(self, message: AmiMessage) -> None:
        if isinstance(message, AmiEvent):
            self._event(message)
        elif isinstance(message, AmiResponse) and message.has("Variable"):
            self._global_values[message.get("Variable")] = message.get("Value")

    def _event(self, event: AmiEvent) -> None:
        if event.name in ("Status", "StatusComplete"):
            self._list_entry(event)
        elif event.name in _QUEUE_LISTS and _OURS.fullmatch(event.action_id):
            self._queue_list_entry(event)
        else:
            for happened in self._dialect.translate(event):
                if not isinstance(happened, QueueMember):
                    self._tell(self._tracker.handle(happened))

    def _list_entry(self, event: AmiEvent) -> None:
        """After a login the list of channels is the state; a later one is only compared with it."""
        if event.name == "Status":
            self._listing.append(event)
            return
        listing, self._listing = self._listing, []
        if not self._channels_due:
            return
        self._channels_due, self._queues_due = False, True
        since, self._unheard_since = self._unheard_since, None
        unheard = None if since is None else self._now - since
        happened = self._dialect.channels_from_status(listing, self._global_values)
        self._tell(self._tracker.read_again(happened, unheard=unheard, late_pop_up=self._late_pop_up))

    def _queue_list_entry(self, event: AmiEvent) -> None:
        """The first list of queues after the channels says who waits in which; the others are for members."""
        if event.name == "QueueEntry":
            self._waiting.append(event)
        elif event.name == "QueueStatusComplete":
            waiting, self._waiting = self._waiting, []
            if self._queues_due:
                self._queues_due = False
                happened = [told for entry in waiting for told in self._dialect.translate(entry)]
                callers = [told for told in happened if isinstance(told, QueueCaller)]
                self._tell(self._tracker.queues_read(callers))

    def _tell(self, notifications: Iterable[Notification]) -> None:
        """As the router: to whoever sits there now."""
        for notification in notifications:
            if notification.extension in self._operators:
                self._write(notification)

    # -- marks ---------------------------------------------------------------------------------------------

    def _time(self, fields: Mapping[str, Any]) -> None:
        self._now = float(fields["time"])

    def _configured(self, fields: Mapping[str, Any]) -> None:
        self._configuration = self._configurations[fields["file"]]
        event_filter = EventFilter.for_configuration(self._configuration)
        if fields["encoding"] != self._encoding:
            self._encoding = fields["encoding"]
            self._parser = AmiParser(event_filter, encoding=self._encoding)
            self._parser.feed(_GREETING)
        self._parser.filter_events(event_filter)
        self._late_pop_up = float(fields["late-pop-up"])
        self._tracker.configure(self._configuration, all_calls=fields["events"] == "all")

    def _seats(self, fields: Mapping[str, Any]) -> None:
        for phone in fields["left"]:
            self._operators.pop(phone, None)
        self._operators.update(fields["taken"])

    def _arrived(self, fields: Mapping[str, Any]) -> None:
        resumes = bool(fields.get("resumes"))  # not in reports of earlier releases
        self._tell(self._tracker.seated(fields["extension"], resumes=resumes))

    def _had(self, fields: Mapping[str, Any]) -> None:
        self._tracker.pop_up_had(fields["extension"], fields["uniqueid"], fields["other"])

    def _linked(self, fields: Mapping[str, Any]) -> None:
        """The report begins within a connection."""
        self._dialect.reset()
        self._dialect.greeting(AmiBanner(fields["banner"]))

    def _link_up(self, fields: Mapping[str, Any]) -> None:
        self._linked(fields)
        self._channels_due, self._queues_due = True, False
        self._listing.clear()
        self._waiting.clear()
        self._global_values.clear()
        self._tracker.await_channels()

    def _unread(self, _fields: Mapping[str, Any]) -> None:
        self._tell(self._tracker.channels_unread())

    def _link_down(self, fields: Mapping[str, Any]) -> None:
        self._channels_due = self._queues_due = False
        if self._unheard_since is None:
            self._unheard_since = self._now - float(fields["quiet"])
        self._tracker.link_lost()

    def _originated(self, fields: Mapping[str, Any]) -> None:
        services = (service for service in self._configuration.services if service.name == fields["service"])
        asked = Origination(fields["extension"], fields["exten"], fields["context"], next(services, None))
        self._tracker.originations.add(fields["action-id"], asked)

    def _ended_unheard(self, fields: Mapping[str, Any]) -> None:
        told = self._tracker.hung_up_unheard(fields["uniqueid"])
        self._dialect.hung_up(fields["uniqueid"])
        self._tell(told)

    def _lost(self, _fields: Mapping[str, Any]) -> None:
        """The server heard what is missing here: nothing can be done about it."""


def _check(fields: Mapping[str, Any]) -> None:
    """Raise ValueError for a value of another type than its field has."""
    for name, value in fields.items():
        if name in _NUMBERS:
            right = isinstance(value, int | float) and abs(value) < _FAR_OFF
        elif name == "taken":
            right = isinstance(value, dict) and all(isinstance(text, str) for text in value.values())
        elif name == "left":
            right = isinstance(value, list) and all(isinstance(text, str) for text in value)
        else:
            right = name not in _TEXTS or isinstance(value, str)
        if not right:
            raise ValueError(f"{name!r} of a mark {fields['mark']!r} cannot be {value!r:.60}")
