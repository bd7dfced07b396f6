"""The server's threads: named, for the log; the long-lived ones stopped in order, never dead unnoticed.

Standard library only.
"""

from __future__ import annotations

import logging
import threading
from _thread import get_ident
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TypeAlias

logger = logging.getLogger(__name__)

Died: TypeAlias = Callable[[str, BaseException], None]
"""Told the thread's name and what ended it; runs on the dying thread and has to be quick."""

_light: dict[int, str] = {}
"""Names, by identifier, of threads that `threading` knows nothing of."""


def name_light_thread(name: str) -> None:
    """Give the calling thread, started by `_thread`, a name for the log; `forget_light_thread` at its end.

    An object of `threading` for it would cost two kilobytes, as much as the rest of an idle client.
    """
    _light[get_ident()] = name


def forget_light_thread() -> None:
    """The calling thread ends."""
    _light.pop(get_ident(), None)


def thread_name() -> str:
    """The calling thread's name."""
    return _light.get(get_ident()) or threading.current_thread().name


class ServiceThread(threading.Thread, ABC):
    """A thread that serves until it is stopped. Not a daemon thread: whoever starts it also joins it.

    `serve` is overridden and returns soon after `stopping` is set. An exception that escapes from it is
    logged as CRITICAL with its traceback and reported once through `died`, whatever its class; so is a
    `serve` that returns although nobody asked it to stop and it is not `may_finish`.
    """

    may_finish: bool = False
    """True for a thread whose work may be done before it is stopped."""

    def __init__(self, role: str, died: Died | None = None) -> None:
        """`role` becomes the thread's name, as the log shows it. `died` is called on this thread."""
        super().__init__(name=role, daemon=False)
        self.stopping = threading.Event()
        self._died = died

    @abstractmethod
    def serve(self) -> None:
        """Do the thread's work until `stopping` is set."""

    def wake(self) -> None:
        """Get `serve` out of whatever it waits on. Called by `stop` on any thread, also before the start."""

    def stop(self) -> None:
        """Ask the thread to end. Any thread, any number of times; does not wait (that is `join`)."""
        self.stopping.set()
        self.wake()

    def run(self) -> None:
        """Serve, and report an end that nobody asked for."""
        try:
            self.serve()
            if not self.stopping.is_set() and not self.may_finish:
                raise RuntimeError("the thread's work ended although nobody asked it to stop")
        except BaseException as error:  # a thread has no caller: here is where anything has to be seen
            logger.critical("thread %s died: %r", self.name, error, exc_info=True)
            if self._died is not None:
                self._died(self.name, error)
