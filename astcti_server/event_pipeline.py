"""The way of an event through the server: link -> dialect -> tracker -> router, and to the queues.

Everything here runs on the AMI thread; it is what the link calls.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Literal, TypeAlias

from astcti_server.ami import actions
from astcti_server.ami.actions import Action
from astcti_server.ami.dialect.translation import Dialect
from astcti_server.ami.link import AmiLink, Outcome
from astcti_server.ami.vocabulary import Newchannel, QueueCaller, QueueMember, VariableSet
from astcti_server.ami.wire.event_filter import Interest
from astcti_server.ami.wire.messages import Event
from astcti_server.ami.wire.parser import Banner
from astcti_server.calls.notification import Notification
from astcti_server.calls.tracker import Tracker
from astcti_server.clients import replies
from astcti_server.clients.registry import Registry
from astcti_server.clients.router import Router
from astcti_server.queues.reconciler import QueueReconciler
from schemas.configuration.model import Configuration
from schemas.server.settings import ServerSettings

logger = logging.getLogger(__name__)

LinkState: TypeAlias = Literal["up", "down", "gave-up"]

READ_AGAIN = 5.0  # seconds after a list of channels that did not come


class Switchboard:
    """Listens to the link. `state_changed` is told on the AMI thread when the PBX comes or goes."""

    def __init__(
        self,
        tracker: Tracker,
        router: Router,
        registry: Registry,
        state_changed: Callable[[LinkState, str], None],
    ) -> None:
        self.link: AmiLink
        self.keeper: QueueReconciler
        self._tracker = tracker
        self._router = router
        self._registry = registry
        self._dialect = Dialect()
        self._configuration = Configuration()
        self._state_changed = state_changed
        self._reading = 0
        self._unread = ""
        """Why the list of channels could not be read, as logged already."""

    def connect(self, link: AmiLink, keeper: QueueReconciler) -> None:
        """Join the parts that know one another; before the link is started."""
        self.link, self.keeper = link, keeper

    def configure(self, configuration: Configuration, settings: ServerSettings) -> None:
        """Take up a configuration: what is read, tracked, and who belongs in which queue."""
        self._configuration = configuration
        self.link.interest = Interest.for_configuration(configuration)
        self._tracker.configure(configuration, all_calls=settings.events == "all")
        self.keeper.configure(configuration, settings)

    def seated(self, extension: str) -> None:
        """A client sat down at a phone: tell it of the calls that are going on there."""
        self._deliver(self._tracker.attended(extension))

    # -- what the link calls -------------------------------------------------------------------------------

    def link_up(self, banner_version: str) -> None:
        """Logged in: nothing is assumed, channels and queues are read again."""
        self._dialect.reset()
        self._dialect.greeting(Banner(banner_version))
        self._reading += 1
        self._read_channels(self._reading)
        self.keeper.link_up()
        self._registry.broadcast(replies.PBX_UP)
        self._state_changed("up", "")

    def link_down(self, reason: str) -> None:
        """The connection is lost; calls are kept until it is back."""
        self._reading += 1
        self._tracker.originations.clear()
        self.keeper.link_down()
        self._registry.broadcast(replies.PBX_DOWN)
        self._state_changed("down", reason)

    def gave_up(self, reason: str) -> None:
        """The retries are used up."""
        self._state_changed("gave-up", reason)

    def event(self, event: Event) -> None:
        """One event of Asterisk."""
        for happened in self._dialect.translate(event):
            if type(happened) is QueueMember:
                self.keeper.member_event(happened)
            else:
                notifications = self._tracker.handle(happened)
                if notifications:  # of most events nobody is told
                    self._router.deliver(notifications)

    # -- reading the state again ---------------------------------------------------------------------------

    def _read_channels(self, reading: int) -> None:
        """Ask for all channels; several times, if one action cannot name all declared variables."""
        if reading == self._reading:
            lists = actions.status_lists(sorted(self._configuration.variables))
            self._ask_for(reading, lists, ())

    def _ask_for(self, reading: int, lists: list[Action], found: tuple[VariableSet, ...]) -> None:
        self.link.submit(
            lists[0], lambda outcome: self._channels_read(reading, lists[1:], found, outcome), timeout=30.0
        )

    def _channels_read(
        self, reading: int, more: list[Action], found: tuple[VariableSet, ...], outcome: Outcome
    ) -> None:
        """The last list is the state that counts; from those before it only the variables are used."""
        if reading != self._reading:
            return
        if not outcome.ok:
            if outcome.message != self._unread:
                logger.warning("The list of channels could not be read (%s): trying again", outcome.message)
            self._unread = outcome.message
            self.link.later(READ_AGAIN, lambda: self._read_channels(reading))
            return
        self._unread = ""
        happened = self._dialect.channels_from_status(outcome.events)
        if more:
            variables = (event for event in happened if isinstance(event, VariableSet))
            self._ask_for(reading, more, (*found, *variables))
            return
        living = {event.uniqueid for event in happened if isinstance(event, Newchannel)}
        kept = [event for event in found if event.uniqueid in living]
        first = [event for event in happened if isinstance(event, Newchannel)]
        rest = [event for event in happened if not isinstance(event, Newchannel)]
        self._deliver(self._tracker.read_again([*first, *kept, *rest]))
        logger.info("Channels in Asterisk: %d", len(self._tracker.table))
        self.link.submit(
            actions.queue_status(), lambda queues: self._queues_read(reading, queues), timeout=30.0
        )

    def _queues_read(self, reading: int, outcome: Outcome) -> None:
        """Who waits in which queue tells the service of those calls."""
        if reading != self._reading:
            return
        entries = [event for event in outcome.events if event.name == "QueueEntry"]
        told = [one for event in entries for one in self._dialect.translate(event)]
        waiting = [one for one in told if isinstance(one, QueueCaller)]
        if outcome.ok:
            self._deliver(self._tracker.queues_read(waiting))
        else:  # not all of them
            for one in waiting:
                self._deliver(self._tracker.handle(one))

    def _deliver(self, notifications: Iterable[Notification]) -> None:
        self._router.deliver(notifications)
