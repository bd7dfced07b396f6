"""How old what a server says of itself may be, for whoever reads its status file. Standard library only."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final

OLD_AFTER: Final = 20.0
"""Seconds. The server renews its status file every five: an older one is that of a server that was killed, or
hangs."""


def iso_time(seconds: float) -> str:
    """A time in seconds since 1970, as the file writes it: UTC, ISO 8601."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def age_of(written: str, now: float | None = None) -> float:
    """Seconds since `written`, as the status file has it. `now` is in seconds since 1970.

    Never negative: the distance counts where somebody set the clock back. Raises ValueError for no time.
    """
    return abs((time.time() if now is None else now) - datetime.fromisoformat(written).timestamp())


def is_old(written: str, now: float | None = None) -> bool:
    """Whether nobody has renewed it for too long."""
    return age_of(written, now) > OLD_AFTER
