"""The memory of the one process that serves all pages."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from schemas.web.freed_memory import FreedMemory

freed_memory: Final = FreedMemory()

YOUNG: Final = 2_000
"""Objects more than at the last collection, until the young ones are looked through: a millisecond."""
YOUNG_BEFORE_OLDER: Final = 10
"""The older ones of a moment: some milliseconds."""
OLDER_BEFORE_ALL: Final = 1_000
"""So that a program in which nobody ever collects in a quiet moment does not grow for ever."""
MUCH: Final = 36 * 1024 * 1024
"""Bytes that the program may grow by until garbage is looked for at once, whoever waits."""
LOOK: Final = 60.0  # seconds from one look for a quiet moment to the next
QUIET: Final = 1.0  # seconds without a request
LONGEST: Final = 15 * 60.0  # seconds after which it is done in any moment


class QuietMoments:
    """When somebody waits for an answer, and what is left for when nobody does. Any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting = 0
        self._left_since: float | None = None
        """When the first request after the last collection came."""
        self._last = clock()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """While the block runs somebody waits."""
        with self._lock:
            self._waiting += 1
            if self._left_since is None:
                self._left_since = self._clock()
        try:
            yield
        finally:
            with self._lock:
                self._waiting -= 1
                self._last = self._clock()

    def take(self) -> bool:
        """Whether it is time to collect: requests came, and it is quiet or was not for too long.

        Once: whoever hears that it is does so.
        """
        with self._lock:
            now = self._clock()
            if self._left_since is None:
                return False
            quiet = not self._waiting and now >= self._last + QUIET
            if not quiet and now < self._left_since + LONGEST:
                return False
            self._left_since = None
            return True


quiet_moments: Final = QuietMoments()


class MemoryOfAnswers:
    """What answers took, given back after them. Any thread."""

    def __init__(self, give_back: Callable[[], int], collect: Callable[[], object] = gc.collect) -> None:
        """`give_back` as of `FreedMemory`."""
        self._give_back, self._collect = give_back, collect
        self._lock = threading.Lock()
        self._least = 0
        """Bytes that were taken after the last look for garbage, or the fewest since."""

    def give_back(self) -> None:
        """After an answer. An import takes as much as all the rest."""
        left = self._give_back()
        if not left:
            return
        with self._lock:
            self._least = min(self._least, left) or left
            if left < self._least + MUCH:
                return
            self._least = left
        self.collect()

    def collect(self) -> None:
        """Look for garbage: rows that know each other, such as ten thousand operators and their services."""
        self._collect()
        left = self._give_back()
        if left:
            with self._lock:
                self._least = left


memory_of_answers: Final = MemoryOfAnswers(freed_memory.give_back)


def collect_in_quiet_moments() -> None:
    """Look for garbage in everything when nobody waits, if that ever happens. Once, when all was read.

    Of ten thousand operators that are half a million objects: a collection makes everybody wait up to 200 ms
    (measured). What is there now stays; a daemon thread looks through what came since.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, YOUNG_BEFORE_OLDER, OLDER_BEFORE_ALL)
    threading.Thread(target=_await_quiet_moments, name="garbage", daemon=True).start()


def _await_quiet_moments() -> None:
    while True:
        time.sleep(LOOK)
        if quiet_moments.take():
            memory_of_answers.collect()
