"""The thread that writes the list of our queue members: a disk may take its time, the AMI thread may not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from astcti_server.queues.state_file import MemberKey, StateFile
from astcti_server.threads import Died, ServiceThread

Members = Mapping[MemberKey, str]
AGAIN = 10.0  # seconds after which a list that could not be written is tried again


class StateWriter(ServiceThread):
    """Keeps the state file as the last list handed over; what was handed over before the stop is written."""

    def __init__(self, file: StateFile, died: Died | None = None, *, again: float = AGAIN) -> None:
        """`again`: seconds after which a writing that failed is repeated."""
        super().__init__("state", died)
        self._file = file
        self._again = again
        self._changed = threading.Condition()
        self._latest: Members = {}
        self._waiting: list[Callable[[], None]] = []

    @property
    def failure(self) -> str:
        """Why the list could not be written last; empty if it was. Any thread."""
        return self._file.failure

    def load(self) -> dict[MemberKey, str]:
        """What the file lists. Before the start of the thread; raises StateError."""
        return self._file.load()

    def save(self, members: Members, done: Callable[[], None]) -> None:
        """Write this list, which nobody changes any more, or a later one. Any thread.

        `done` is called on the writing thread once that is on the disk, or failed, which is logged.
        """
        with self._changed:
            self._latest = members
            self._waiting.append(done)
            self._changed.notify()

    def wake(self) -> None:
        """Look up, whether there is anything to write or not."""
        with self._changed:
            self._changed.notify()

    def serve(self) -> None:
        """Write list after list; those that come while one is written are one."""
        while True:
            members, waiting = self._next()
            if not waiting and self.stopping.is_set():
                return
            self._file.save(members)
            for done in waiting:
                done()

    def _next(self) -> tuple[Members, list[Callable[[], None]]]:
        """Wait for something to write, and who waits for it; nobody at the end, or to try once more."""
        with self._changed:
            again = self._again if self._file.failure else None
            self._changed.wait_for(lambda: self._waiting or self.stopping.is_set(), again)
            waiting, self._waiting = self._waiting, []
            return self._latest, waiting
