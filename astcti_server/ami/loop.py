"""The loop of the AMI thread: sockets that are ready, work posted by other threads, and timers."""

from __future__ import annotations

import logging
import selectors
from _thread import get_ident
from collections.abc import Callable
from functools import partial

from astcti_server.ami.inbox import AmiInbox
from astcti_server.ami.timers import AmiWork, Timers

logger = logging.getLogger(__name__)


class AmiLoop:
    """Only `post` and `wake` are for other threads.

    Sockets are registered with `selector`, with a callable as their data that is given the ready mask.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.timers = Timers(clock)
        self.selector = selectors.DefaultSelector()
        self._inbox = AmiInbox()
        self._thread = 0

    def post(self, work: AmiWork) -> bool:
        """Have work done in the loop's thread. False if the loop is over."""
        return self._inbox.post(partial(self.guarded, work))

    @property
    def is_here(self) -> bool:
        """Whether the calling thread is the loop's own."""
        return get_ident() == self._thread

    def wake(self) -> None:
        """Make the loop go round, so that its owner can look whether to stop."""
        self._inbox.wake()

    def open(self) -> None:
        """Begin to listen for posted work, in the loop's thread."""
        self._thread = get_ident()
        self.selector.register(self._inbox.open(), selectors.EVENT_READ, self._woken)

    def turn(self) -> None:
        """Wait until there is something to do, and do it once."""
        # With work posted it does not sleep: the wake-up byte may have been read in the turn before.
        for key, mask in self.selector.select(0 if self._inbox else self.timers.wait()):
            key.data(mask)
        self.do_posted()
        for work in self.timers.take_due():
            self.guarded(work)

    def wait(self, seconds: float) -> None:
        """Wait until a socket is ready or a thread wakes the loop, at most so long; do nothing about it."""
        for key, _mask in self.selector.select(seconds):
            if key.data == self._woken:  # or it would wake the loop again and again
                self._inbox.woken()

    def do_posted(self) -> None:
        """Do what was posted until now; what that posts waits for the next turn."""
        for work in self._inbox.take():  # guarded each, since `post`
            work()

    def close(self) -> None:
        """Take no more work; what is left of it is done."""
        for work in self._inbox.close():
            work()
        self.selector.close()

    def guarded(self, work: AmiWork) -> None:
        """Do one piece of work; an exception ends only that."""
        try:
            work()
        except Exception:
            logger.exception("Work of the AMI thread failed: %r", work)

    def _woken(self, _mask: int) -> None:
        self._inbox.woken()
