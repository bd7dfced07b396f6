"""What the AMI thread counts: plain numbers, which a scrape reads on another thread.

An observation is a look into a short tuple and two additions: with prometheus-client's own counters it would
cost as much as an event. A reader may see the sum without the count, or the other way round, by one
observation: the next scrape has both.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Final

from astcti_server.ami.pending import ActionFailure

NOTIFICATION_SECONDS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5)
SHOWN_SECONDS: Final = (0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.5, 1.0, 2.5, 10.0)
ACTION_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class SecondsHistogram:
    """How often something took how long. One thread observes, any thread reads."""

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        """`bounds` are upper ones, in seconds, growing; above the last one there is one more bucket."""
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0

    def observe(self, seconds: float, times: int = 1) -> None:
        """It took so long, so many times."""
        self._counts[bisect_left(self._bounds, seconds)] += times
        self._sum += seconds * times

    def buckets(self) -> list[tuple[str, float]]:
        """Each bound as Prometheus writes it, with how many took at most so long."""
        found = []
        total = 0
        for bound, count in zip((*map(str, self._bounds), "+Inf"), self._counts.copy(), strict=True):
            total += count
            found.append((bound, float(total)))
        return found

    @property
    def sum(self) -> float:
        """Seconds of all together."""
        return self._sum


class AmiFigures:
    """What is counted on the AMI thread; any thread may read it."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` tells seconds and only goes forward."""
        self._now = now
        self._read_at = 0.0
        self.read_bytes = 0
        self.notifications = SecondsHistogram(NOTIFICATION_SECONDS)
        """From the bytes of Asterisk to the line in the client's socket."""
        self.shown_after = SecondsHistogram(SHOWN_SECONDS)
        """From there until the client said that the event is on the screen and its triggers carried out."""
        self.actions = SecondsHistogram(ACTION_SECONDS)
        """From an action to its whole answer."""
        self.notified = 0
        self.outcomes: dict[str, int] = dict.fromkeys(("ok", "refused", "timeout", "down"), 0)

    def read(self, size: int) -> None:
        """So many bytes of Asterisk were read; what is delivered next comes of them."""
        self._read_at = self._now()
        self.read_bytes += size

    def delivered(self, notifications: int) -> None:
        """So many notifications of what was read last are written, the last one just now."""
        self.notified += notifications
        self.notifications.observe(self._now() - self._read_at, notifications)

    def shown(self, seconds: float) -> None:
        """An event that was told when it happened was shown, so long after it was handed to the session."""
        self.shown_after.observe(seconds)

    def answered(self, failure: ActionFailure, seconds: float) -> None:
        """An action has its answer; `failure` is empty if it was carried out."""
        self.outcomes[failure or "ok"] += 1
        if failure in ("", "refused"):  # else it is not Asterisk that answered
            self.actions.observe(seconds)
