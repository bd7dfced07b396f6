"""The way of an event through the server: link -> dialect -> tracker -> router, and to the queues.

Everything here runs on the AMI thread; it is what the link calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from astcti_server.ami.dialect.translation import Dialect
from astcti_server.ami.requests import AmiRequests
from astcti_server.ami.vocabulary import QueueMember
from astcti_server.ami.wire.messages import AmiEvent
from astcti_server.ami.wire.parser import AmiBanner
from astcti_server.call_comparison import CallComparison
from astcti_server.calls.notification import Notification
from astcti_server.calls.originations import Origination
from astcti_server.calls.tracker import Tracker
from astcti_server.clients import replies
from astcti_server.clients.ports import Presence, ShownReport
from astcti_server.clients.registry import Registry
from astcti_server.clients.resume.seat_logs import SeatLogs
from astcti_server.clients.resume.seating import Seating
from astcti_server.clients.router import Router
from astcti_server.consultations.consultations import Consultations
from astcti_server.explain.server_marks import ServerMarks
from astcti_server.kept_ami.kept_bytes import KeptAmi
from astcti_server.kept_ami.marks import (
    ArrivedMark,
    ConfiguredMark,
    EndedUnheardMark,
    KeptMark,
    LinkDownMark,
    LinkUpMark,
    OriginatedMark,
    UnreadMark,
)
from astcti_server.queues.reconciler import QueueReconciler
from astcti_server.resync import Resync
from schemas.configuration.model import Configuration
from schemas.server.settings import ServerSettings

PbxState: TypeAlias = Literal["up", "down", "gave-up"]


class EventPipeline:
    """Listens to the link. `state_changed` is told on the AMI thread when the PBX comes or goes."""

    def __init__(
        self,
        requests: AmiRequests,
        tracker: Tracker,
        reconciler: QueueReconciler,
        registry: Registry,
        seat_logs: SeatLogs,
        consultations: Consultations,
        state_changed: Callable[[PbxState, str], None],
        marks: ServerMarks,
        kept: KeptAmi | None = None,
        delivered: Callable[[int], None] | None = None,
    ) -> None:
        """`kept` is told what reports need to know beside Asterisk's bytes.

        `delivered` is told how many notifications were written, after each read that brought some.
        """
        self._marks = marks
        self._tracker = tracker
        self._reconciler = reconciler
        self._registry = registry
        self._seat_logs = seat_logs
        self._consultations = consultations
        self._router = Router(registry, tracker, seat_logs)
        self._seating = Seating(
            registry, self._router, seat_logs, tracker, self._state_of, later=requests.later
        )
        self._kept = kept
        self._dialect = Dialect()
        self._resync = Resync(requests, self._dialect, tracker, self._router.deliver, self._channels_unread)
        self._comparison = CallComparison(
            requests,
            self._dialect,
            tracker,
            self._router.deliver,
            lambda uniqueid: self._note(EndedUnheardMark(uniqueid)),
        )
        self._state_changed = state_changed
        self._delivered = delivered
        self._told = 0

    def configure(self, configuration: Configuration, settings: ServerSettings) -> None:
        """Take up a configuration: what is tracked, and who belongs in which queue."""
        all_calls = settings.events == "all"
        self._note(
            ConfiguredMark(configuration, all_calls, settings.ami.encoding, settings.clients.late_pop_up)
        )
        self._resync.configure(configuration.variables, settings.clients.late_pop_up)
        self._comparison.configure(settings.calls.compare)
        self._tracker.configure(configuration, all_calls=all_calls)
        self._reconciler.configure(configuration, settings)
        self._seat_logs.configure(configuration)
        self._consultations.configure(configuration)
        self._router.report_undelivered()

    def seated(self, presence: Presence) -> None:
        """A client sat down at a phone: tell it of the calls that are going on there, or what it missed."""
        self._seating.seated(presence)

    def left(self, session_id: int, for_good: bool) -> None:
        """A client is gone; unless for good, what is told at its phone is kept for it for a while."""
        self._seating.left(session_id, for_good)

    def shown(self, presence: Presence, report: ShownReport, at: float) -> None:
        """A client says what became of an event; it came at this time of the clock."""
        self._seating.shown(presence, report, at)

    def _state_of(self, extension: str, resumes: bool) -> list[Notification]:
        """What a client that comes to a phone must know of the calls that go on there."""
        if self._kept is not None:
            self._kept.look_who_sits()
            self._kept.mark(ArrivedMark(extension, resumes))
        return self._tracker.seated(extension, resumes=resumes)

    def originated(self, action_id: str, asked: Origination) -> None:
        """A client's ORIG was sent: what Asterisk answers will be told to it."""
        self._note(OriginatedMark(action_id, asked))
        self._tracker.originations.add(action_id, asked)

    def _channels_unread(self) -> None:
        self._note(UnreadMark())
        self._router.deliver(self._tracker.channels_unread())

    def _note(self, mark: KeptMark) -> None:
        if self._kept is not None:
            self._kept.mark(mark)

    # -- what the link calls -------------------------------------------------------------------------------

    def link_up(self, banner_version: str) -> None:
        """Logged in: nothing is assumed, channels and queues are read again."""
        self._note(LinkUpMark(banner_version))
        self._marks.link(up=True)
        self._dialect.reset()
        self._dialect.greeting(AmiBanner(banner_version))
        self._resync.start()
        self._comparison.link_up()
        self._reconciler.link_up()
        self._registry.broadcast(replies.PBX_UP)
        self._state_changed("up", "")

    def fully_booted(self) -> None:
        """Asterisk has loaded its modules, app_queue among them."""
        self._reconciler.fully_booted()
        self._consultations.pbx_ready()

    def link_down(self, reason: str, quiet: float) -> None:
        """The connection is lost; calls are kept until it is back."""
        self._note(LinkDownMark(quiet))
        self._marks.link(up=False)
        self._resync.link_lost(quiet)
        self._comparison.link_lost()
        self._tracker.link_lost()
        self._reconciler.link_down()
        self._consultations.pbx_lost()
        self._registry.broadcast(replies.PBX_DOWN)
        self._state_changed("down", reason)

    def gave_up(self, reason: str) -> None:
        """The retries are used up."""
        self._state_changed("gave-up", reason)

    def chunk_begins(self) -> None:
        """Events follow that were read at once."""
        self._router.chunk_begins()

    def chunk_over(self) -> None:
        """Seats are told what was gathered of them."""
        self._router.chunk_over()
        if self._told:
            told, self._told = self._told, 0
            if self._delivered is not None:
                self._delivered(told)

    def event(self, event: AmiEvent) -> None:
        """One event of Asterisk."""
        for happened in self._dialect.translate(event):
            if type(happened) is QueueMember:
                self._reconciler.member_event(happened)
            else:
                notifications = self._tracker.handle(happened)
                if notifications:  # of most events nobody is told
                    self._router.deliver(notifications)
                    self._told += len(notifications)
                if self._consultations.any_running:  # hardly ever
                    self._consultations.heard(happened)
