"""A clock that only goes when the test says so."""

from __future__ import annotations


class FakeClock:
    """Call it for the time, in seconds."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def go_on(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
