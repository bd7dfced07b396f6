"""How the C library's allocator keeps what was freed. Once, before any other thread runs."""

from __future__ import annotations

import ctypes
from typing import Final

LARGE: Final = 1024 * 1024
"""Bytes. Nothing of a call or a client comes near it; scrypt takes 16 MiB and more."""

# malloc.h of the GNU C library.
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3


def give_large_blocks_back() -> bool:
    """Have each block of `LARGE` bytes or more returned to the system when it is freed.

    By default the GNU C library begins to keep blocks of up to 32 MiB as soon as the first one was freed, for
    every thread that ever took one: 16 MiB each after scrypt (measured). False where the library has no such
    setting; others give large blocks back by themselves.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):  # musl, macOS
        return False
    # The first call alone would also lower how much stays at an arena's end to 128 KiB.
    return bool(mallopt(_M_MMAP_THRESHOLD, LARGE) and mallopt(_M_TRIM_THRESHOLD, 2 * LARGE))
