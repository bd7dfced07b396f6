"""Runs a recorded AMI session through the real parser, dialect, tracker and encoder, without any network.

The same code as in the running server; only the socket and the clients are missing, and time is that of the
recording. Every seat counts as logged in, with the operator bound to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeAlias

from astcti_server.ami.dialect.translation import Dialect
from astcti_server.ami.wire.event_filter import EventFilter
from astcti_server.ami.wire.messages import AmiEvent, AmiResponse
from astcti_server.ami.wire.parser import AmiBanner, AmiParser
from astcti_server.calls.notification import Notification
from astcti_server.calls.tracker import Tracker
from astcti_server.explain.call_trails import CallTrails
from astcti_server.explain.explanations import CallsOfAMoment, NamesHeard
from astcti_server.explain.heard_names import nothing_kept
from astcti_server.explain.kept_trails import KeptTrails
from astcti_server.explain.server_marks import ServerMarks
from schemas.configuration.model import Configuration

Write: TypeAlias = Callable[[Notification], None]


_TIME = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")
_OUR_ANSWER = re.compile(r"astcti-[0-9a-f]+-[0-9]+")  # an ActionID of the server that was recorded
_BEGAN = re.compile(r"(?:.*-)?([0-9]{1,12})\.[0-9]+")  # a Uniqueid, with the system's name before it or not


class RecordedTime:
    """The time at which a recording is, in seconds.

    Events say it only where manager.conf has `timestampevents`. Else it is told by the ids of new channels,
    which begin with the second in which they came up; made-up ids may say nothing, then no time goes by.
    """

    def __init__(self) -> None:
        self._seconds = 0.0
        self._moments = 0

    def now(self) -> float:
        """Seconds since some moment before the recording; never goes back."""
        return self._seconds

    def next_moment(self) -> float:
        """As `now`, a little later each time: what happened within a second stays in its order."""
        self._moments += 1
        return self._seconds + self._moments * 1e-6

    def hear(self, event: AmiEvent) -> None:
        """The recording has come to this event."""
        said = event.get("Timestamp")
        if event.name == "Newchannel" and not said and (began := _BEGAN.fullmatch(event.get("Uniqueid"))):
            said = began[1]
        if _TIME.fullmatch(said):
            self._seconds = max(self._seconds, float(said))


class Replay:
    """One transcript, fed in chunks of any size; notifications go to `write` in order."""

    def __init__(
        self, configuration: Configuration, write: Write, *, all_calls: bool = False, encoding: str = "cp1252"
    ) -> None:
        operators_by_phone = bound_operators(configuration)
        self._write = write
        self._parser = AmiParser(EventFilter.for_configuration(configuration), encoding=encoding)
        self._dialect = Dialect()
        self._time = RecordedTime()
        kept = KeptTrails(longest=float("inf"))
        self._trails = CallTrails(self._time.next_moment, kept)
        self._marks = ServerMarks(self._time.now)
        self._marks.configured(configuration)
        self._tracker = Tracker(lambda: operators_by_phone, self._time.now, self._trails)
        self._tracker.configure(configuration, all_calls=all_calls)
        self._listing: list[AmiEvent] | None = None
        self._read = False
        """The channels were read since the login."""
        self._global_values: dict[str, str] = {}
        self._greeted = self._events = False

    @property
    def understood(self) -> bool:
        """Whether anything so far was what a manager interface says: its banner or an event."""
        return self._greeted or self._events or self._parser.dropped > 0

    @property
    def tracker(self) -> Tracker:
        """The calls at this point of the transcript, as the server follows them."""
        return self._tracker

    @property
    def calls(self) -> int:
        """How many channels are known at this point of the transcript."""
        return len(self._tracker.table)

    def calls_so_far(self, names_heard: NamesHeard = nothing_kept) -> CallsOfAMoment:
        """What was decided of the calls of the recording up to here, to be explained."""
        heard = self._parser.seen("Newexten") or self._parser.seen("VarSet")
        view = self._marks.view(dialplan_heard=heard)
        return CallsOfAMoment(self._trails.kept.all(), self._tracker.running_trails(), view, names_heard)

    def feed(self, data: bytes) -> None:
        """Take in bytes as they were read from the manager's socket."""
        for message in self._parser.feed(data):
            if isinstance(message, AmiBanner):
                self._connected(message)
            elif isinstance(message, AmiEvent):
                self._event(message)
            elif isinstance(message, AmiResponse):
                self._answer(message)

    def _connected(self, banner: AmiBanner) -> None:
        self._greeted = self._greeted or "call manager" in banner.text.lower()
        self._tracker.link_lost()
        self._read = False
        self._global_values.clear()
        self._dialect.reset()
        self._dialect.greeting(banner)

    def _answer(self, response: AmiResponse) -> None:
        """The server asks for global variables alone; other programs may have asked for a channel's."""
        if response.has("Variable") and _OUR_ANSWER.fullmatch(response.get("ActionID")):
            self._global_values[response.get("Variable")] = response.get("Value")

    def _event(self, event: AmiEvent) -> None:
        self._events = True
        self._time.hear(event)
        if event.name == "Status":
            self._listing = [*(self._listing or []), event]
        elif event.name == "StatusComplete":
            listing, self._listing = self._listing or [], None
            self._list_read(listing)
        else:
            for happened in self._dialect.translate(event):
                self._tell(self._tracker.handle(happened))

    def _list_read(self, listing: list[AmiEvent]) -> None:
        """A list of channels is the state after a login, and so are those after it that bring more variables.

        Not what the server asks for later to compare its calls with, of all channels or of one.
        """
        if self._read and not any(entry.has("Variable") for entry in listing):
            return
        self._read = True
        happened = self._dialect.channels_from_status(listing, self._global_values)
        self._tell(self._tracker.read_again(happened))

    def _tell(self, notifications: Iterable[Notification]) -> None:
        for notification in notifications:
            self._write(notification)


def bound_operators(configuration: Configuration) -> dict[str, str]:
    """Each seat's extension with the user name of the first enabled operator bound to it, or an empty one."""
    by_mac: dict[str, str] = {}
    for operator in configuration.operators:
        if operator.enabled and operator.seat:
            by_mac.setdefault(operator.seat, operator.username)
    return {seat.extension: by_mac.get(seat.mac, "") for seat in configuration.seats}
