"""A small file of lines that are only appended to, on a disk that may be full, read-only or gone.

Nothing here raises: whoever keeps something in it goes on without. For one thread.
"""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path
from typing import Final, Protocol

import platformdirs

from schemas import own_files

logger = logging.getLogger(__name__)

MOST_READ: Final = 4 * 1024 * 1024
"""Bytes from the end of the file; what is longer was not written here."""
MOST_WAITING: Final = 256 * 1024
"""Bytes of lines that could not be written yet and are tried again; more are kept in memory alone."""


def pop_ups_file() -> Path:
    """Where this user's client keeps what it carried out."""
    return Path(platformdirs.user_data_dir("astcti", appauthor=False)) / "pop-ups"


class LineStore(Protocol):
    """Where lines are kept."""

    def read(self) -> bytes:
        """Everything; nothing if it cannot be read."""

    def append(self, lines: bytes) -> None:
        """Add lines, each with its ending."""

    def replace(self, lines: bytes) -> None:
        """Have these in place of everything."""


class NoFile:
    """Keeps nothing."""

    def read(self) -> bytes:
        """Nothing."""
        return b""

    def append(self, lines: bytes) -> None:
        """Forget it."""

    def replace(self, lines: bytes) -> None:
        """Forget it."""


class MemoryFile:
    """The file, for this user alone. What was written survives the process, though not a loss of power."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting = b""
        self._told = False

    def read(self) -> bytes:
        """What stands in it, or its end if it is very long."""
        try:
            descriptor = self._open(os.O_RDONLY)
        except FileNotFoundError:
            return b""
        except OSError as error:
            self._tell(error)
            return b""
        try:
            with os.fdopen(descriptor, "rb") as file:
                size = os.fstat(descriptor).st_size
                file.seek(max(0, size - MOST_READ))
                return file.read(MOST_READ)
        except OSError as error:
            self._tell(error)
            return b""

    def append(self, lines: bytes) -> None:
        """Add lines. What cannot be written comes before the next ones: never these without those before."""
        # An empty line first ends one that was cut off, by a full disk or another client's end.
        self._waiting += lines if self._waiting else b"\n" + lines
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = self._open(os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            try:
                written = os.write(descriptor, self._waiting)
                if written < len(self._waiting):
                    raise OSError("the disk is full")
            finally:
                os.close(descriptor)
            self._waiting = b""
        except OSError as error:
            self._tell(error)
            self._forget_the_excess()

    def replace(self, lines: bytes) -> None:
        """Write it anew; if that fails it stays as it is."""
        try:
            own_files.replace_file(self._path, lines, own_files.PRIVATE, durable=False)
            self._waiting = b""
        except OSError as error:
            self._tell(error)

    def _open(self, flags: int) -> int:
        # Not to wait for ever for a pipe of this name.
        for name in ("O_CLOEXEC", "O_NONBLOCK", "O_BINARY"):  # each of them is missing on some system
            flags |= getattr(os, name, 0)
        descriptor = os.open(self._path, flags, own_files.PRIVATE)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError("it is no file")
        return descriptor

    def _forget_the_excess(self) -> None:
        if len(self._waiting) > MOST_WAITING:
            kept = self._waiting[-MOST_WAITING // 2 :]
            self._waiting = b"\n" + kept.partition(b"\n")[2]

    def _tell(self, error: OSError) -> None:
        if not self._told:
            self._told = True
            logger.warning(
                "%s cannot be used (%s): which calls popped up is known until this client ends",
                self._path,
                error.strerror or error,
            )
