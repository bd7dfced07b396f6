"""Reads what the AMI thread alone may touch, however much it is, without keeping that thread from its events.

So many rows are made at a time; then it is posted again, and events that came meanwhile are taken in first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final, Generic, TypeVar

from astcti_server.control.ports import NotObeyed
from schemas.protocol import ControlRefusal

AT_ONCE: Final = 200
"""Rows made without a pause: of 10,000 channels so many take less than a millisecond (Python 3.11)."""
WITHIN: Final = 10.0  # seconds that one waits for all of them

AmiRow = TypeVar("AmiRow")


class AmiReader:
    """One reading at a time, whoever asks. Any thread but the AMI thread."""

    def __init__(
        self, post: Callable[[Callable[[], None]], object], *, at_once: int = AT_ONCE, within: float = WITHIN
    ) -> None:
        """`post` has work done on the AMI thread."""
        self._post = post
        self._at_once = at_once
        self._within = within
        self._turn = threading.Semaphore()

    def read(self, begin: Callable[[], Iterator[AmiRow | None]]) -> list[AmiRow]:
        """All rows but those that are None. `begin` and the iterator it returns run on the AMI thread.

        Raises NotObeyed if it fails or takes too long.
        """
        late = NotObeyed(ControlRefusal.AMI_LATE.text(seconds=f"{self._within:g}"))
        if not self._turn.acquire(timeout=self._within):
            raise late
        try:
            reading = _Reading(self._post, begin, self._at_once)
            in_time = reading.wait(self._within)
        finally:
            self._turn.release()
        if not in_time:
            raise late
        if not reading.complete:
            raise NotObeyed(ControlRefusal.FAILED.text())
        return reading.found


class _Reading(Generic[AmiRow]):
    """One reading, from its first piece to its last."""

    def __init__(
        self,
        post: Callable[[Callable[[], None]], object],
        begin: Callable[[], Iterator[AmiRow | None]],
        at_once: int,
    ) -> None:
        self._post = post
        self._begin = begin
        self._at_once = at_once
        self._rows: Iterator[AmiRow | None] | None = None
        self.found: list[AmiRow] = []
        self.complete = False
        self._over = threading.Event()
        """Nothing more is read: all is, or it failed, or nobody waits any more."""
        post(self._piece)

    def wait(self, seconds: float) -> bool:
        """Whether it is over by then, one way or the other. If not, no more is read."""
        in_time = self._over.wait(seconds)
        self._over.set()
        return in_time

    def _piece(self) -> None:
        if self._over.is_set():
            return
        try:
            if self._rows is None:
                self._rows = self._begin()
            piece = list(islice(self._rows, self._at_once))
        except BaseException:  # the loop logs it; who waits is not to wait any longer
            self._over.set()
            raise
        self.found += [row for row in piece if row is not None]
        if len(piece) == self._at_once:
            self._post(self._piece)
        else:
            self.complete = True
            self._over.set()
