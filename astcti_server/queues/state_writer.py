"""The thread that writes the state of the queues: a disk may take its time, the AMI thread may not."""

from __future__ import annotations

import threading
from collections.abc import Callable

from astcti_server.queues.state_file import NOTHING_SAVED, SavedQueues, StateFile
from astcti_server.threads import Died, ServiceThread

AGAIN = 10.0  # seconds after which a state that could not be written is tried again


class StateWriter(ServiceThread):
    """Keeps the state file as the last state handed over; what was handed over before the stop is written."""

    def __init__(self, file: StateFile, died: Died | None = None, *, again: float = AGAIN) -> None:
        """`again`: seconds after which a writing that failed is repeated."""
        super().__init__("state", died)
        self._file = file
        self._again = again
        self._changed = threading.Condition()
        self._latest = NOTHING_SAVED
        self._waiting: list[Callable[[], None]] = []

    @property
    def failure(self) -> str:
        """Why the state could not be written last; empty if it was. Any thread."""
        return self._file.failure

    def load(self) -> SavedQueues:
        """What the file has. Before the start of the thread; raises StateError."""
        return self._file.load()

    def save(self, saved: SavedQueues, done: Callable[[], None]) -> None:
        """Write this, or what was handed over later. Any thread.

        `done` is called on the writing thread once that is on the disk, or failed, which is logged.
        """
        with self._changed:
            self._latest = saved
            self._waiting.append(done)
            self._changed.notify()

    def wake(self) -> None:
        """Look up, whether there is anything to write or not."""
        with self._changed:
            self._changed.notify()

    def serve(self) -> None:
        """Write state after state; those that come while one is written are one."""
        while True:
            saved, waiting = self._next()
            if not waiting and self.stopping.is_set():
                return
            self._file.save(saved)
            for done in waiting:
                done()

    def _next(self) -> tuple[SavedQueues, list[Callable[[], None]]]:
        """Wait for something to write, and who waits for it; nobody at the end, or to try once more."""
        with self._changed:
            again = self._again if self._file.failure else None
            self._changed.wait_for(lambda: self._waiting or self.stopping.is_set(), again)
            waiting, self._waiting = self._waiting, []
            return self._latest, waiting
