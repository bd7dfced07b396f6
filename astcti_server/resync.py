"""Reads channels and queues anew after each login, for nothing that was known before can be relied on.

`Status` lists the channels in every version of Asterisk, `QueueStatus` the callers in queues. Where a channel
lacks a variable, `Status` gives the global one of that name as if it were the channel's: so those are asked
for right before it. What happens while Asterisk makes a list is told after it, and may repeat what the list
said: for the tracker no news. AMI thread only.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial

from astcti_server.ami import actions
from astcti_server.ami.actions import AmiAction
from astcti_server.ami.dialect.translation import Dialect
from astcti_server.ami.pending import ActionOutcome
from astcti_server.ami.requests import AmiRequests
from astcti_server.ami.vocabulary import Newchannel, QueueCaller, TelephoneEvent, VariableSet, VariablesUnset
from astcti_server.calls.notification import Notification
from astcti_server.calls.tracker import Tracker

logger = logging.getLogger(__name__)

READ_CHANNELS_AGAIN = 5.0  # seconds after a list of channels that did not come
CALLS_WAIT = 3.0  # seconds that a conversation waits for that list, whose data it may need
MOST_GLOBALS = 500
"""Global variables asked for at once; 1,000 take Asterisk 22 some 40 ms. Of more the rest is not known."""


class _ChannelLists:
    """The lists of one reading that are still to come, and what is kept of those before."""

    def __init__(self, lists: list[AmiAction]) -> None:
        self.more = lists
        self.variables: list[VariableSet | VariablesUnset] = []
        self.global_values: dict[str, str] = {}

    def next_action(self) -> AmiAction:
        """The list to ask for now."""
        return self.more.pop(0)

    def keep_variables(self, happened: Iterable[TelephoneEvent]) -> None:
        """Of a list before the last one."""
        self.variables += [event for event in happened if isinstance(event, (VariableSet, VariablesUnset))]

    def global_answered(self, name: str, outcome: ActionOutcome) -> None:
        """What Asterisk says of a global variable: empty where there is none."""
        if outcome.ok and outcome.response is not None:
            self.global_values[name] = outcome.response.get("Value")


class Resync:
    """One reading at a time: a later one makes what is still to come of an earlier one void."""

    def __init__(
        self,
        requests: AmiRequests,
        dialect: Dialect,
        tracker: Tracker,
        deliver: Callable[[list[Notification]], None],
        unread: Callable[[], None],
    ) -> None:
        """`unread`: the channels are not read in time; conversations that began are to wait no longer."""
        self._requests = requests
        self._dialect = dialect
        self._tracker = tracker
        self._deliver = deliver
        self._told_unread = unread
        self._variables: tuple[str, ...] = ()
        self._late_pop_up = 0.0
        self._unheard_since: float | None = None
        """The time after which nothing was heard; None while that was not lost, or once all is read again."""
        self._reading = 0
        """The number of the reading under way: it is compared when an answer comes."""
        self._unread = ""
        """Why the list of channels could not be read, as logged already."""

    def configure(self, variables: frozenset[str], late_pop_up: float) -> None:
        """From the next reading on: the variables whose values are to be read, and `late-pop-up`."""
        self._variables = tuple(sorted(variables))
        self._late_pop_up = late_pop_up

    def start(self) -> None:
        """Logged in: read everything."""
        self._reading += 1
        reading = self._reading
        self._tracker.await_channels()
        self._requests.later(CALLS_WAIT, lambda: self._wait_no_longer(reading))
        self._read_channels(reading)

    def _wait_no_longer(self, reading: int) -> None:
        if reading == self._reading and self._tracker.awaits_channels:
            self._told_unread()

    def link_lost(self, quiet: float) -> None:
        """The connection is lost, `quiet` seconds after the last word: what still comes is out of date."""
        self._reading += 1
        if self._unheard_since is None:
            self._unheard_since = self._requests.now() - quiet

    def _read_channels(self, reading: int) -> None:
        """Ask for all channels; several times, if one action cannot name all declared variables."""
        if reading == self._reading:
            lists = _ChannelLists(actions.status_lists(self._variables))
            self._ask_for_globals(lists)
            self._ask_for_list(reading, lists)

    def _ask_for_globals(self, lists: _ChannelLists) -> None:
        """Their answers come before the first list. Nothing waits for them.

        Without an answer, or where the manager user may not ask, a variable is taken for no global one.
        """
        # A function, `CDR(userfield)`, is none.
        names = [name for name in self._variables if not name.endswith(")")]
        for name in names[:MOST_GLOBALS]:
            answered = partial(lists.global_answered, name)
            self._requests.submit(actions.getvar(name), answered, timeout=actions.LIST_WITHIN)

    def _ask_for_list(self, reading: int, lists: _ChannelLists) -> None:
        self._requests.submit(
            lists.next_action(), partial(self._channels_read, reading, lists), timeout=actions.LIST_WITHIN
        )

    def _channels_read(self, reading: int, lists: _ChannelLists, outcome: ActionOutcome) -> None:
        """The last list is the state that counts; from those before it only the variables are used."""
        if reading != self._reading or outcome.failure == "down":
            return  # the next login reads them; what began waits for that, if it goes on
        if not outcome.ok:
            if outcome.message != self._unread:
                logger.warning("The list of channels could not be read (%s): trying again", outcome.message)
            self._unread = outcome.message
            self._wait_no_longer(reading)
            self._requests.later(READ_CHANNELS_AGAIN, lambda: self._read_channels(reading))
            return
        self._unread = ""
        happened = self._dialect.channels_from_status(outcome.events, lists.global_values)
        if lists.more:
            lists.keep_variables(happened)
            self._ask_for_list(reading, lists)
            return
        living = {event.uniqueid for event in happened if isinstance(event, Newchannel)}
        kept = [event for event in lists.variables if event.uniqueid in living]
        first = [event for event in happened if isinstance(event, Newchannel)]
        rest = [event for event in happened if not isinstance(event, Newchannel)]
        since, self._unheard_since = self._unheard_since, None
        self._deliver(
            self._tracker.read_again(
                [*first, *kept, *rest],
                unheard=None if since is None else self._requests.now() - since,
                late_pop_up=self._late_pop_up,
            )
        )
        logger.info("Channels in Asterisk: %d", len(self._tracker.table))
        self._requests.submit(
            actions.queue_status(),
            lambda queues: self._queues_read(reading, queues),
            timeout=actions.LIST_WITHIN,
        )

    def _queues_read(self, reading: int, outcome: ActionOutcome) -> None:
        """Who waits in which queue tells the service of those calls."""
        if reading != self._reading:
            return
        entries = [event for event in outcome.events if event.name == "QueueEntry"]
        translated = [happened for entry in entries for happened in self._dialect.translate(entry)]
        waiting = [happened for happened in translated if isinstance(happened, QueueCaller)]
        if outcome.ok:
            self._deliver(self._tracker.queues_read(waiting))
        else:  # some of them only: nobody is taken for having left because of that
            for caller in waiting:
                self._deliver(self._tracker.handle(caller))
