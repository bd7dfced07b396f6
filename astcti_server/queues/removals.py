"""Members that somebody else removes though they belong in their queue. AMI thread only.

Asterisk does not tell who removed a member. Whoever does it again and again (a second server, a script, a
key of the dialplan) must not be answered at once each time: the two would keep Asterisk busy.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from astcti_server.queues.ports import QueueLink, QueueTimer

logger = logging.getLogger(__name__)

FIRST_PAUSE: Final = 2.0  # seconds until a member is put back; twice as long after each further removal
LONGEST_PAUSE: Final = 60.0
QUIET: Final = 300.0  # seconds without a removal after which the next one counts as the first


class RemovalsByOthers:
    """How often somebody else removed one member, and the pause before it is put back."""

    __slots__ = ("_last", "_link", "_timer", "times")

    def __init__(self, link: QueueLink) -> None:
        self._link = link
        self.times = 0
        """Without `QUIET` seconds between two of them."""
        self._last = 0.0
        self._timer: QueueTimer | None = None

    @property
    def waiting(self) -> bool:
        """Whether it is left out for now."""
        return self._timer is not None

    def removed(self, put_back: Callable[[], None]) -> float:
        """It was removed once more; `put_back` is called after the seconds returned."""
        now = self._link.now()
        if now - self._last > QUIET:
            self.times = 0
        self.times += 1
        self._last = now
        self.end_wait()
        # Not 2 ** times: a fight may go on for months.
        pause = FIRST_PAUSE
        for _ in range(min(self.times - 1, 10)):
            pause = min(LONGEST_PAUSE, 2 * pause)
        self._timer = self._link.later(pause, lambda: self._due(put_back))
        return pause

    def end_wait(self) -> None:
        """It is back, or does not belong there any more. How often it was removed stays known."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self, put_back: Callable[[], None]) -> None:
        self._timer = None
        put_back()


class RemovalLog:
    """Says who was removed; a queue from which members are removed again is warned about, once."""

    def __init__(self, link: QueueLink) -> None:
        self._link = link
        self._fights: dict[str, float] = {}
        """When somebody was last removed again from a queue, by its key. As many as queues are named."""

    def removed(self, key: str, queue: str, who: str, times: int, pause: float) -> None:
        """`who` was removed `times` times and is put back after `pause` seconds."""
        logger.info("%s was removed from queue %s by somebody else: put back in %g s", who, queue, pause)
        if times < 2:
            return
        now = self._link.now()
        last, self._fights[key] = self._fights.get(key), now
        if last is None or now - last > QUIET:
            logger.warning(
                "queue %s: another program removes %s, %d times by now. It is put back after pauses of up to"
                " %g s; nothing more is said of this queue until it was quiet for %g s",
                queue,
                who,
                times,
                LONGEST_PAUSE,
                QUIET,
            )
