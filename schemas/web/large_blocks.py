"""How the C library's allocator gives memory back, in programs that serve for days."""

from __future__ import annotations

import ctypes
from typing import Final

LARGE: Final = 1024 * 1024
"""Bytes. Nothing of a call or a client comes near it; scrypt takes 16 MiB and more."""

# malloc.h of the GNU C library.
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8


def give_large_blocks_back() -> bool:
    """Have each block of `LARGE` bytes or more returned to the system when it is freed, and keep one arena.

    Once, before any other thread runs. By default the GNU C library begins to keep blocks of up to 32 MiB as
    soon as the first one was freed, for every thread that ever took one: 16 MiB each after scrypt (measured).
    It also makes an arena for each of the first threads, eight a processor: of a thousand clients 2 to 3 kB
    each. Of the Configurator's threads, after large imports, 50 MB
    each. One is enough, since Python runs one thread at a time. False where the library has no such setting;
    others give large blocks back by themselves.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):  # musl, macOS
        return False
    mallopt(_M_ARENA_MAX, 1)
    # The first call alone would also lower how much stays at an arena's end to 128 KiB.
    return bool(mallopt(_M_MMAP_THRESHOLD, LARGE) and mallopt(_M_TRIM_THRESHOLD, 2 * LARGE))
