"""The loop of the demo PBX's thread: sockets, timers, and work that other threads post.

The demo stands apart from the server that it is there to try out, its AMI code included: so a mistake there
is never met by the same mistake here.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from functools import partial

logger = logging.getLogger(__name__)

_Work = Callable[[], None]


class DemoTimer:
    """Work that waits for its time."""

    def __init__(self, work: _Work) -> None:
        self.work: _Work | None = work

    def cancel(self) -> None:
        """Do not run it. Harmless if it ran already."""
        self.work = None


class DemoLoop:
    """`post` and `wake` are for any thread; the rest is for the loop's own, between `open` and `close`.

    Sockets are registered with `selector`, with a callable as their data that is given the ready mask.
    """

    def __init__(self) -> None:
        self._timers: list[tuple[float, int, DemoTimer]] = []
        self._order = itertools.count()
        self._posted: deque[_Work] = deque()
        self._is_open = False

    def open(self) -> None:
        """Begin. Work and timers may have been given before."""
        self.selector = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        for end in (self._wake, self._woken):
            end.setblocking(False)
        self.selector.register(self._woken, selectors.EVENT_READ, self._drain)
        self._is_open = True

    def clock(self) -> float:
        """Seconds since 1970, as the engine shows them in ids."""
        return time.time()

    def later(self, seconds: float, work: _Work) -> DemoTimer:
        timer = DemoTimer(work)
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._order), timer))
        return timer

    def post(self, work: _Work) -> None:
        """Have work done in the loop's thread."""
        self._posted.append(work)
        self.wake()

    def wake(self) -> None:
        """Make the loop go round."""
        if not self._is_open:
            return
        try:
            self._wake.send(b"x")
        except BlockingIOError:  # full of reasons to wake up already
            pass
        except OSError:  # closed: nobody is there to be woken
            pass

    def turn(self) -> None:
        """Wait until there is something to do, and do it. An exception ends only what it came from."""
        for key, mask in self.selector.select(self._wait()):
            self._guard(partial(key.data, mask))
        for _ in range(len(self._posted)):
            self._guard(self._posted.popleft())
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            work = heapq.heappop(self._timers)[2].work
            if work is not None:
                self._guard(work)

    def close(self) -> None:
        self._is_open = False
        self.selector.close()
        self._wake.close()
        self._woken.close()

    def _wait(self) -> float | None:
        if self._posted:
            return 0.0
        return max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else None

    def _drain(self, _mask: int) -> None:
        self._woken.recv(4096)

    def _guard(self, work: _Work) -> None:
        try:
            work()
        except Exception:
            logger.exception("the demo PBX made a mistake")
