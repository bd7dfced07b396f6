"""A recording's file, and the thread that writes it: a disk may take its time, the AMI thread may not."""

from __future__ import annotations

import errno
import logging
import os
import stat
import threading
from pathlib import Path
from typing import Final

from astcti_server.threads import Died, ServiceThread

logger = logging.getLogger(__name__)

MODE: Final = 0o640  # callers' numbers and typed digits are in it
MOST_WAITING: Final = 16 << 20
"""Bytes that may wait for the disk: some seconds of the busiest Asterisk."""
MEBIBYTE: Final = 1 << 20


class RecordingFile(ServiceThread):
    """Appends until the file's size or the disk sets an end, which is logged; what comes then is dropped."""

    may_finish = True

    def __init__(self, path: Path, limit: int, died: Died | None = None) -> None:
        """`limit`: MiB that the file may have. Raises OSError, with the name, if it cannot be opened."""
        super().__init__("record", died)
        self._path = path
        self._limit = limit
        self._descriptor = _open(path)
        self._size = os.fstat(self._descriptor).st_size
        self._changed = threading.Condition()
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._end = ""
        """Why nothing more is taken; empty while it is."""

    def write(self, data: bytes) -> None:
        """Have these bytes written after all before them. Any thread; never waits, raises nothing."""
        with self._changed:
            if self._end:
                return
            self._waiting_bytes += len(data)
            if self._waiting_bytes > MOST_WAITING:
                self._end = "the disk does not keep up with Asterisk"
            else:
                self._waiting.append(data)
            self._changed.notify()

    def wake(self) -> None:
        """Look up, whether there is anything to write or not."""
        with self._changed:
            self._changed.notify()

    def serve(self) -> None:
        """Write what is handed over until the stop, or the end of the recording."""
        try:
            while data := self._next():
                self._write(data)
        finally:
            os.close(self._descriptor)
        if self._end:
            logger.error("The recording ends here, nothing more is written to %s: %s", self._path, self._end)

    def _next(self) -> bytes:
        """Wait for something to write; empty at the end, once all is written."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._end or self.stopping.is_set())
            waiting, self._waiting = self._waiting, []
            self._waiting_bytes = 0
        return b"".join(waiting)

    def _write(self, data: bytes) -> None:
        room = self._limit * MEBIBYTE - self._size
        left = memoryview(data)[: max(0, room)]
        try:
            while left:
                written = os.write(self._descriptor, left)
                self._size += written
                left = left[written:]
        except OSError as error:
            self._stop_taking(f"it cannot be written ({error.strerror or error})")
        else:
            if len(data) >= room:
                self._stop_taking(f"it has the {self._limit} MiB that --record-limit allows")

    def _stop_taking(self, reason: str) -> None:
        with self._changed:
            self._end = reason
            self._waiting.clear()


def _open(path: Path) -> int:
    """Open to append. What is no ordinary file is refused, and so is a link: it may lead anywhere."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        # Opening a pipe that nobody reads would wait for ever without O_NONBLOCK.
        descriptor = os.open(path, flags | os.O_NONBLOCK, MODE)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "is a symbolic link: name the file itself", str(path)) from None
        raise
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "is no ordinary file", str(path))
        if found.st_mode & 0o777 & ~MODE:  # it was there before
            _keep_from_others(descriptor, found.st_mode, path)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _keep_from_others(descriptor: int, mode: int, path: Path) -> None:
    try:
        os.chmod(descriptor, mode & MODE)
    except PermissionError:
        reason = "others may read it, and that cannot be changed: remove it, or name another file"
        raise OSError(errno.EPERM, reason, str(path)) from None
