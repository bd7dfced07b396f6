"""How memory is given back: by the C library's allocator, and by Python's garbage collector."""

from __future__ import annotations

import ctypes
import gc
from typing import Final

LARGE: Final = 1024 * 1024
"""Bytes. Nothing of a call or a client comes near it; scrypt takes 16 MiB and more."""

YOUNG: Final = 2_000
"""Objects more than at the last collection, until the young ones are looked through: a millisecond."""
YOUNG_BEFORE_OLDER: Final = 50
OLDER_BEFORE_ALL: Final = 50

# malloc.h of the GNU C library.
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8


def give_large_blocks_back() -> bool:
    """Have each block of `LARGE` bytes or more returned to the system when it is freed, and keep one arena.

    Once, before any other thread runs. By default the GNU C library begins to keep blocks of up to 32 MiB as
    soon as the first one was freed, for every thread that ever took one: 16 MiB each after scrypt (measured).
    It also makes an arena for each of the first threads, eight a processor: of a thousand clients 2 to 3 kB
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


def collect_seldom() -> None:
    """Look for garbage in cycles seldom, and never in what is there now. Once, when everything is built.

    Every thread stands still meanwhile. A collection of everything with a thousand seats takes 15 to 25 ms,
    for which no caller should wait. And there is hardly anything to find: in 660,000 events and a thousand
    log-ins 132 objects, since calls and clients are taken apart where they end.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, YOUNG_BEFORE_OLDER, OLDER_BEFORE_ALL)
    try:
        ctypes.CDLL(None).malloc_trim(0)  # what reading the configuration left: some 3 MB
    except (OSError, AttributeError, TypeError):
        pass  # the library has no such call
