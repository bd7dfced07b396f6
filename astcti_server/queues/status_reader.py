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

RETRY_AFTER = (
    5.0  # seconds after a QueueStatus that failed: just after its start Asterisk 22 does not know it yet
)

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

    def every(self, seconds: float) -> None:
        """Read again so long after each reading, also the one that is waited for now."""
        self._interval = seconds
        if self._timer is not None:
            self._after(seconds)

    def read(self) -> None:
        """Read now."""
        self._turn += 1
        turn = self._turn
        self._link.submit(actions.queue_status(), lambda outcome: self._answer(turn, outcome))

    def stop(self) -> None:
        """Expect no answer any more, and read no more."""
        self._turn += 1
        self._cancel()

    def _answer(self, turn: int, outcome: ActionOutcome) -> None:
        if turn != self._turn or outcome.failure == "down":
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
