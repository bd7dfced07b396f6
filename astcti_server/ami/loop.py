"""The loop of one thread: sockets that are ready, work posted by other threads, and timers."""

from __future__ import annotations

import logging
import selectors
from collections.abc import Callable
from functools import partial

from astcti_server.ami.inbox import Inbox
from astcti_server.ami.timers import Timers, Work

logger = logging.getLogger(__name__)


class Loop:
    """Only `post` and `wake` are for other threads.

    Sockets are registered with `selector`, with a callable as their data that is given the ready mask.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.timers = Timers(clock)
        self.selector = selectors.DefaultSelector()
        self.mistakes = 0
        """Exceptions that escaped from work; each is logged."""
        self._inbox = Inbox()

    def post(self, work: Work) -> bool:
        """Have work done in the loop's thread. False if the loop is over."""
        return self._inbox.post(partial(self.guarded, work))

    def wake(self) -> None:
        """Make the loop go round, so that its owner can look whether to stop."""
        self._inbox.wake()

    def open(self) -> None:
        """Begin to listen for posted work, in the loop's thread."""
        self.selector.register(self._inbox.open(), selectors.EVENT_READ, self._woken)

    def turn(self) -> None:
        """Wait until there is something to do, and do it once."""
        for key, mask in self.selector.select(0 if self._inbox else self.timers.wait()):
            key.data(mask)
        self.do_posted()
        for work in self.timers.take_due():
            self.guarded(work)

    def do_posted(self) -> None:
        """Do what was posted until now; what that posts waits for the next turn."""
        for work in self._inbox.take():
            work()

    def close(self) -> None:
        """Take no more work; what is left of it is done."""
        for work in self._inbox.close():
            work()
        self.selector.close()

    def guarded(self, work: Work) -> None:
        """Do one piece of work; an exception ends only that."""
        try:
            work()
        except Exception:
            self.mistakes += 1
            logger.exception("Work of the AMI thread failed: %r", work)

    def _woken(self, _mask: int) -> None:
        self._inbox.woken()
