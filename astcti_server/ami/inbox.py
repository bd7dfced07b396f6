"""Work that other threads hand to a thread which sleeps in a selector, and the wake-up for it."""

from __future__ import annotations

import socket
import threading
from collections import deque

from astcti_server.ami.timers import AmiWork


class AmiInbox:
    """Any thread posts; one thread takes. The lock is a leaf."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._work: deque[AmiWork] = deque()
        self._closed = False
        self._woken = False
        self._sleeper: socket.socket | None = None
        self._waker: socket.socket | None = None

    def __len__(self) -> int:
        return len(self._work)

    def open(self) -> socket.socket:
        """Make the socket that the taking thread watches; it becomes readable when there is work."""
        self._sleeper, waker = socket.socketpair()
        self._sleeper.setblocking(False)
        waker.setblocking(False)
        with self._lock:
            self._waker = waker
        return self._sleeper

    def post(self, work: AmiWork) -> bool:
        """Hand over work. False if nobody will take it any more."""
        with self._lock:
            if self._closed:
                return False
            self._work.append(work)
            wake = not self._woken  # one byte wakes for any amount of work
        if wake:
            self.wake()
        return True

    def wake(self) -> None:
        """Make the taking thread look up, whether there is work or not."""
        with self._lock:
            if self._waker is None or self._woken:
                return
            self._woken = True
            try:
                self._waker.send(b"w")
            except BlockingIOError:
                pass  # it is full of wake-ups

    def woken(self) -> None:
        """The socket became readable: be ready for the next wake-up. The taking thread, before it takes."""
        assert self._sleeper is not None
        try:
            self._sleeper.recv(4096)
        except BlockingIOError:
            pass
        with self._lock:
            self._woken = False

    def take(self) -> list[AmiWork]:
        """The work that is there now, in order."""
        with self._lock:
            work = list(self._work)
            self._work.clear()
        return work

    def close(self) -> list[AmiWork]:
        """Take no more; returns what nobody did."""
        with self._lock:
            self._closed = True
            waker, self._waker = self._waker, None
        for end in (waker, self._sleeper):
            if end is not None:
                end.close()
        return self.take()
