"""The thread that writes the list of our queue members: a disk may take its time, the AMI thread may not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from astcti_server.queues.state_file import MemberKey, StateFile
from astcti_server.threads import Died, ServiceThread

Members = Mapping[MemberKey, str]


class StateWriter(ServiceThread):
    """Keeps the state file as the last list handed over; what was handed over before the stop is written."""

    def __init__(self, file: StateFile, died: Died | None = None) -> None:
        super().__init__("state", died)
        self._file = file
        self._changed = threading.Condition()
        self._latest: Members = {}
        self._waiting: list[Callable[[], None]] = []

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
            if not waiting:
                return
            self._file.save(members)
            for done in waiting:
                done()

    def _next(self) -> tuple[Members, list[Callable[[], None]]]:
        """Wait for something to write, and who waits for it; nobody at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self.stopping.is_set())
            waiting, self._waiting = self._waiting, []
            return self._latest, waiting
