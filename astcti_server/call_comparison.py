"""Finds calls whose end Asterisk never told: now and then the channels known are compared with its own list.

A hang-up can get lost: an `eventfilter` of manager.conf, a module that died, a full queue of a proxy between.
The call would stay, and its seat see it, until the next connection. AMI thread only.

A channel is ended when it was known before a list was asked for, is not in that list, and Asterisk, asked for
it by its name some seconds later, says that there is none. The list alone would not do: in 1.4 it ends early
at a channel that somebody holds locked (ast_channel_walk_locked).
"""

from __future__ import annotations

import logging
import random
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final

from astcti_server.ami import actions
from astcti_server.ami.dialect.translation import Dialect
from astcti_server.ami.pending import ActionOutcome
from astcti_server.ami.requests import AmiRequests
from astcti_server.ami.timers import AmiTimer
from astcti_server.ami.wire.messages import AmiEvent
from astcti_server.calls.notification import Notification
from astcti_server.calls.tracker import Tracker

logger = logging.getLogger(__name__)

ASK_AGAIN_AFTER: Final = 10.0  # seconds; what was on its way when the list was made has come by then
SPREAD: Final = 0.1  # part of the interval: servers that started together do not ask together
ENTRIES_AT_ONCE: Final = 200  # a millisecond's work; then whatever came meanwhile has its turn
NAMES_SHOWN: Final = 5


class CallComparison:
    """Compares while the link is up. One question at a time; each step has a turn of the loop of its own."""

    def __init__(
        self,
        requests: AmiRequests,
        dialect: Dialect,
        tracker: Tracker,
        deliver: Callable[[list[Notification]], None],
        ended: Callable[[str], object] | None = None,
    ) -> None:
        """`ended` is told the Uniqueid of each channel that is ended here, before its seat is."""
        self._requests = requests
        self._dialect = dialect
        self._tracker = tracker
        self._deliver = deliver
        self._tell_of_end = ended
        self._interval = 0.0
        self._timer: AmiTimer | None = None
        self._round = 0
        """The number of the comparison under way: an answer to an earlier one is out of date."""
        self._up = False
        self._suspects: deque[str] = deque()
        self._ended: list[str] = []

    def configure(self, interval: float) -> None:
        """Compare each `interval` seconds, some more or less; 0: never."""
        if interval != self._interval:
            self._interval = interval
            if self._up:
                self.link_up()

    def link_up(self) -> None:
        """Logged in: everything is read now, so the first comparison is an interval away."""
        self._stop()
        self._up = True
        if self._interval > 0:
            wait = self._interval * random.uniform(1 - SPREAD, 1 + SPREAD)
            self._timer = self._requests.later(wait, partial(self._ask, self._round))

    def link_lost(self) -> None:
        """Nobody can be asked."""
        self._stop()
        self._up = False

    def _stop(self) -> None:
        self._round += 1
        self._suspects.clear()
        self._ended.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _over(self) -> None:
        """This comparison is done; the next one is an interval away."""
        if self._ended:
            shown = ", ".join(self._ended[:NAMES_SHOWN])
            more = f" and {len(self._ended) - NAMES_SHOWN} more" if len(self._ended) > NAMES_SHOWN else ""
            logger.warning(
                "Asterisk has these channels no more, and did not tell that they hung up: %s", shown + more
            )
        self.link_up()

    # -- the list ------------------------------------------------------------------------------------------

    def _ask(self, comparison: int) -> None:
        known = self._tracker.table.uniqueids()
        if known:
            self._requests.submit(
                actions.status(), partial(self._listed, comparison, known), timeout=actions.LIST_WITHIN
            )
        else:
            self._over()

    def _listed(self, comparison: int, known: frozenset[str], outcome: ActionOutcome) -> None:
        if comparison != self._round:
            return
        if outcome.ok:
            self._read(comparison, deque(outcome.events), set(known))
        else:
            logger.debug("The calls could not be compared with the list of channels: %s", outcome.message)
            self._over()

    def _read(self, comparison: int, entries: deque[AmiEvent], missing: set[str]) -> None:
        """Strike those that are listed off, so many a turn."""
        if comparison != self._round:
            return
        for _ in range(min(ENTRIES_AT_ONCE, len(entries))):
            missing.discard(entries.popleft().get("Uniqueid"))
        if entries:
            self._requests.later(0.0, partial(self._read, comparison, entries, missing))
        elif missing:
            self._suspects.extend(sorted(missing))
            self._timer = self._requests.later(ASK_AGAIN_AFTER, partial(self._ask_for_next, comparison))
        else:
            self._over()

    # -- those that are not in it --------------------------------------------------------------------------

    def _ask_for_next(self, comparison: int) -> None:
        """Ask for the next that is still known. Most have hung up by now, told as usual."""
        if comparison != self._round:
            return
        for _ in range(min(ENTRIES_AT_ONCE, len(self._suspects))):
            uniqueid = self._suspects.popleft()
            call = self._tracker.table.find(uniqueid)
            if call is None:
                continue
            answered = partial(self._answered, comparison, uniqueid, call.channel)
            try:
                self._requests.submit(actions.status_of(call.channel), answered, timeout=actions.LIST_WITHIN)
            except ValueError:  # its name cannot be sent, so it cannot be asked for
                continue
            return
        if self._suspects:
            self._requests.later(0.0, partial(self._ask_for_next, comparison))
        else:
            self._over()

    def _answered(self, comparison: int, uniqueid: str, channel: str, outcome: ActionOutcome) -> None:
        if comparison != self._round:
            return
        call = self._tracker.table.find(uniqueid)
        # One that was renamed meanwhile (a masquerade) was asked for by a name that it has no more.
        if call is not None and call.channel == channel and _is_gone(uniqueid, outcome):
            if self._tell_of_end is not None:
                self._tell_of_end(uniqueid)
            told = self._tracker.hung_up_unheard(uniqueid)
            self._dialect.hung_up(uniqueid)
            self._ended.append(channel)
            self._deliver(told)
        self._requests.later(0.0, partial(self._ask_for_next, comparison))


def _is_gone(uniqueid: str, outcome: ActionOutcome) -> bool:
    """Whether Asterisk says that there is no such channel, or that another one has its name."""
    if outcome.ok:
        return uniqueid not in {event.get("Uniqueid") for event in outcome.events}
    return outcome.failure == "refused" and "no such channel" in outcome.message.lower()
