"""The thread that writes the audit: a disk may take its time or be full, nobody else may wait for it."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

from astcti_server.audit.entries import AuditAction, AuditRecord, AuditValue
from astcti_server.threads import Died, ServiceThread
from schemas.own_files import open_appended
from schemas.server.status_age import iso_time

MOST_WAITING: Final = 10_000
"""Entries that a slow disk may keep waiting: some two megabytes. What comes then is lost, and counted."""
AT_ONCE: Final = 500
"""Entries that are written together."""
AGAIN: Final = 10.0
"""Seconds after which a file that could not be written is tried again, if nothing else is to be written."""
LOCK_WITHIN: Final = 1.0
"""Seconds to wait for another server that writes to the same file; it takes milliseconds."""
LOCK_EVERY: Final = 0.01  # seconds between two attempts

logger = logging.getLogger(__name__)
_Change: TypeAlias = Callable[[], None]


class AuditFile(ServiceThread):
    """Appends entries to a file, or to none. A full disk costs lines, which are counted and told afterwards.

    `write`, `write_to`, `reopen` and `lost` are for any thread and never wait.
    """

    def __init__(self, path: Path | None, died: Died | None = None, *, again: float = AGAIN) -> None:
        """`again`: seconds between two attempts at a file that cannot be written."""
        super().__init__("audit", died)
        self._path = path
        self._again = again
        self._wanted = path is not None
        self._queue: queue.SimpleQueue[AuditRecord | _Change] = queue.SimpleQueue()
        self._file = -1
        self._half_a_line = False
        """The file ends in the middle of a line of ours, which could not be cut off."""
        self._counting = threading.Lock()
        self._lost = 0
        self._told = 0
        self._lost_since = 0.0
        self._failure = ""

    # -- any thread ----------------------------------------------------------------------------------------

    @property
    def lost(self) -> int:
        """How many entries could not be written since the start."""
        return self._lost

    @property
    def failure(self) -> str:
        """Why nothing can be written now; empty if it can."""
        return self._failure

    def write(self, entry: AuditRecord) -> None:
        """Have an entry written. Without a file it is dropped."""
        if not self._wanted:
            return
        if self._queue.qsize() < MOST_WAITING:
            self._queue.put(entry)
        else:
            self._lose(1)

    def write_to(self, path: Path | None) -> None:
        """Write what comes from now on to another file, or to none."""
        self._wanted = path is not None
        self._queue.put(lambda: self._change_path(path))

    def reopen(self) -> None:
        """Follow a file that was moved away by log rotation: SIGUSR1."""
        self._queue.put(self._close)

    def wake(self) -> None:
        """Look up, whether there is anything to write or not."""
        self._queue.put(_nothing)

    # -- its own thread ------------------------------------------------------------------------------------

    def serve(self) -> None:
        """Write until asked to stop; what waits then is written before the end."""
        try:
            while not (self.stopping.is_set() and self._queue.empty()):
                self._write_batch(self._next_batch())
            self._write_batch([])  # how many were lost, if it can be told now
        finally:
            self._close()

    def _next_batch(self) -> list[AuditRecord]:
        """What waits, in order, up to a change of the file; at most `AT_ONCE`."""
        batch: list[AuditRecord] = []
        untold = self._lost > self._told
        try:
            item = self._queue.get(timeout=self._again if untold else None)
            while True:
                if isinstance(item, AuditRecord):
                    batch.append(item)
                else:
                    self._write_batch(batch)
                    batch = []
                    item()
                if len(batch) >= AT_ONCE:
                    break
                item = self._queue.get_nowait()
        except queue.Empty:
            pass
        return batch

    def _write_batch(self, batch: list[AuditRecord]) -> None:
        path = self._path
        lost = self._lost - self._told
        if path is None or not (batch or lost):
            return
        lines = [entry.line() for entry in batch]
        if lost:
            details: dict[str, AuditValue] = {"lines": lost, "since": iso_time(self._lost_since)}
            lines.insert(0, AuditRecord(AuditAction.LINES_LOST, details).line())
        try:
            self._append(path, b"".join(lines))
        except OSError as error:
            self._failed(path, error, len(batch))
            return
        self._told += lost
        if self._failure:
            self._failure = ""
            logger.warning("The audit file %s can be written again; %d lines were lost", path, lost)

    def _append(self, path: Path, data: bytes) -> None:
        """Append all of it or nothing: half a line would be no JSON. Raises OSError."""
        if self._file < 0:
            self._file = open_appended(path)
        alone = _lock(self._file)
        try:
            self._append_all(self._file, data, alone)
        finally:
            if alone:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def _append_all(self, file: int, data: bytes, alone: bool) -> None:
        """`alone`: nobody else appends meanwhile. Another server's line behind ours may not be cut off."""
        before = os.fstat(file).st_size
        left = b"\n" + data if self._half_a_line else data
        try:
            while left:
                left = left[os.write(file, left) :]
        except OSError:
            if alone:
                with contextlib.suppress(OSError):  # what is no plain file has no end to cut
                    os.ftruncate(file, before)
            elif len(left) < len(data):
                self._half_a_line = True
            raise
        self._half_a_line = False

    def _failed(self, path: Path, error: OSError, entries: int) -> None:
        self._close()
        self._lose(entries)
        reason = error.strerror or str(error)
        if not self._failure:
            logger.error("The audit file %s cannot be written, its lines are lost: %s", path, reason)
        self._failure = reason

    def _lose(self, entries: int) -> None:
        with self._counting:
            if entries and self._lost == self._told:
                self._lost_since = time.time()
            self._lost += entries

    def _change_path(self, path: Path | None) -> None:
        if path != self._path:
            self._close()
            self._path = path
            self._told, self._failure, self._half_a_line = self._lost, "", False

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _lock(file: int) -> bool:
    """Have the file for oneself: two servers may have one audit file. False if it cannot be had.

    A server that was stopped (SIGSTOP) while it wrote keeps its lock, and some file systems have none.
    """
    deadline = time.monotonic() + LOCK_WITHIN
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(LOCK_EVERY)
        except OSError:
            return False


def _nothing() -> None:
    pass
