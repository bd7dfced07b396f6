"""Memory that was freed in small pieces, given back to the system by programs that serve for days."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

GROWN: Final = 16 * 1024 * 1024
"""Bytes that a program has to take more before it is worth a look: one takes some milliseconds."""

_PAGES = Path("/proc/self/statm")
_PAGE = 4096


class FreedMemory:
    """What a program has freed and not given back.

    A document of ten thousand operators is a million small blocks. Once they are freed the GNU C library
    keeps 50 MB for the next one, since something small in between lives on (measured). Other libraries and
    systems do as they like: there this does nothing. Any thread.
    """

    def __init__(self, grown: int = GROWN) -> None:
        self._grown = grown
        self._lock = threading.Lock()
        self._least = 0
        self._trim: Callable[[int], object] | None
        try:
            self._trim = ctypes.CDLL(None).malloc_trim
        except (OSError, AttributeError, TypeError):  # musl, macOS
            self._trim = None

    def give_back(self) -> int:
        """Give it back if much more is taken than after the last time.

        Returns the bytes that are still taken, 0 if nothing was done.
        """
        if self._trim is None or not self._lock.acquire(blocking=False):
            return 0
        try:
            now = _resident()
            self._least = min(self._least, now) or now
            if now < self._least + self._grown:
                return 0
            self._trim(0)
            self._least = _resident()
            return self._least
        finally:
            self._lock.release()


def _resident() -> int:
    """Bytes of memory that this process takes; 0 where nobody says so."""
    try:
        return int(_PAGES.read_bytes().split()[1]) * _PAGE
    except OSError:
        return 0
