"""How long a test waits for what has to happen.

Waiting costs nothing where all is well, so the time is that of a slow machine that has other things to do.
Never use it where nothing may come: there a test would last that long.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

PATIENCE: Final = 30.0  # seconds


def until(fact: Callable[[], object], what: str = "it did not come true", every: float = 0.01) -> None:
    """Wait until something is so that nothing announces; AssertionError if it does not come to be."""
    deadline = time.monotonic() + PATIENCE
    while not fact():
        assert time.monotonic() < deadline, what
        time.sleep(every)
