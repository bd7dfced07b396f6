"""Figures of repeated measurements: their median and spread, and how sure a ratio of pairs is."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

WIDE = 0.1  # a spread above this says that the machine was not quiet enough


@dataclass(frozen=True, slots=True)
class Summary:
    """What several measurements of one thing come to."""

    median: float
    lowest: float
    highest: float

    @property
    def spread(self) -> float:
        """How far apart the lowest and the highest are, as a share of the median."""
        return (self.highest - self.lowest) / self.median if self.median else 0.0


def summarise(values: Sequence[float]) -> Summary:
    """At least one value."""
    return Summary(statistics.median(values), min(values), max(values))


def percentile(values: Sequence[float], part: float) -> float:
    """The value below which this part of the values is; 0.5 is the median."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def median_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float] | None:
    """Where the true median lies at least so probably; None if there are too few values to say it (below 6).

    The sign test's interval, which assumes nothing of how the values are distributed. Each value is above the
    true median as probably as below it, so the number of those below is binomial.
    """
    ordered = sorted(values)
    outside = (1 - confidence) / 2
    cut, below = 0, 0.5 ** len(ordered)
    while below <= outside:
        cut += 1
        below += math.comb(len(ordered), cut) * 0.5 ** len(ordered)
    return (ordered[cut - 1], ordered[-cut]) if cut else None
