"""Where a client is in what a server tells it."""

from __future__ import annotations

from typing import NamedTuple


class ResumePosition(NamedTuple):
    """A place in what a server tells one operator at one seat."""

    epoch: str
    seq: int
    """The last event that need not be told again."""
    known: int = 0
    """The last event that was handled: `seq`, or a later one where calls go on that began before it."""
