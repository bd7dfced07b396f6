"""How seldom Python's garbage collector runs."""

from __future__ import annotations

import ctypes
import gc
from typing import Final

YOUNG: Final = 2_000
"""Objects more than at the last collection, until the young ones are looked through: a millisecond."""
YOUNG_BEFORE_OLDER: Final = 50
OLDER_BEFORE_ALL: Final = 50


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
