"""Gets one thread out of `poll`: an eventfd where there is one (a single descriptor), else a pipe."""

from __future__ import annotations

import os


class Wake:
    """The thread to be woken polls `fileno` for reading. The owner lets nobody call it after `close`."""

    __slots__ = ("_reading", "_writing")

    def __init__(self) -> None:
        if hasattr(os, "eventfd"):
            self._reading = self._writing = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        else:
            self._reading, self._writing = os.pipe()
            os.set_blocking(self._reading, False)
            os.set_blocking(self._writing, False)

    def fileno(self) -> int:
        """The descriptor to poll."""
        return self._reading

    def set(self) -> None:
        """Wake the thread. Any number of times, any thread, never waits."""
        try:
            os.write(self._writing, b"\0\0\0\0\0\0\0\1")
        except BlockingIOError:
            pass  # enough is in there already

    def drain(self) -> None:
        """Forget that the thread was woken."""
        try:
            while os.read(self._reading, 512) and self._reading != self._writing:
                pass
        except BlockingIOError:
            pass

    def close(self) -> None:
        """Give the descriptors back."""
        os.close(self._reading)
        if self._writing != self._reading:
            os.close(self._writing)
