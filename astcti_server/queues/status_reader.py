"""Reads all queues' members: after a login, at intervals, when a word was lost. AMI thread only."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from astcti_server.ami import actions
from astcti_server.queues.member import Member, read_entry

if TYPE_CHECKING:
    from astcti_server.ami.pending import ActionOutcome
    from astcti_server.queues.ports import QueueLink, QueueTimer
    from astcti_server.queues.state_file import MemberKey

logger = logging.getLogger(__name__)

RETRY_AFTER = 5.0  # seconds after a QueueStatus that failed

AllMembers: TypeAlias = Mapping["MemberKey", Member | None]
"""Every member of every queue, by queue and interface; one that is not in it is no member."""


class QueueStatusReader:
    """Calls `take` with what each reading gave. Of several readings under way only the last counts."""

    def __init__(self, link: QueueLink, interval: float, take: Callable[[AllMembers], None]) -> None:
        """`interval`: see `every`."""
        self._link = link
        self._take = take
        self._interval = interval
        self._turn = 0
        self._timer: QueueTimer | None = None
        self._booted = False
        self._too_early = False
        """Asterisk did not know QueueStatus yet, and it was not read since."""

    def every(self, seconds: float) -> None:
        """Read again so long after each reading, also the one that is waited for now."""
        self._interval = seconds
        if self._timer is not None:
            self._after(seconds)

    def link_up(self) -> None:
        """Logged in: read now. Asterisk may still be at its start."""
        self._booted = self._too_early = False
        self.read()

    def fully_booted(self) -> None:
        """Asterisk has loaded its modules: read now if it was too early before."""
        self._booted = True
        if self._too_early:
            self.read()

    def read(self) -> None:
        """Read now."""
        self._turn += 1
        turn, booted = self._turn, self._booted
        self._link.submit(actions.queue_status(), lambda outcome: self._answer(turn, booted, outcome))

    def stop(self) -> None:
        """Expect no answer any more, and read no more."""
        self._turn += 1
        self._cancel()

    def _answer(self, turn: int, booted: bool, outcome: ActionOutcome) -> None:
        if turn != self._turn or outcome.failure == "down":
            return
        # Of its modules Asterisk loads app_queue late, and serves the manager interface from the first
        # moment on: for 0.6 s with 22 and 16, for 10 s and more on a large PBX.
        self._too_early = not booted and "unknown command" in outcome.message.lower() and not outcome.ok
        if self._too_early:
            logger.info("Asterisk does not know its queues yet: it is still starting")
            if self._booted:  # since it was asked
                self.read()
            else:
                self._after(RETRY_AFTER)
            return
        if not outcome.ok:
            logger.warning("the state of the queues cannot be read: %s", outcome.message or outcome.failure)
            self._after(RETRY_AFTER)
            return
        self._after(self._interval)
        self._take(dict(read_entry(event) for event in outcome.events))

    def _after(self, seconds: float) -> None:
        self._cancel()
        self._timer = self._link.later(seconds, self._due)

    def _due(self) -> None:
        self._timer = None
        self.read()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
