"""Figures of repeated measurements: their median and spread, and how sure a ratio of pairs is.

Measuring is repeated until the medians are known well enough, or often enough to say that they are not.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

WIDE = 0.1  # a spread above this says that the machine was not quiet enough


@dataclass(frozen=True, slots=True)
class Summary:
    """What several measurements of one thing come to."""

    median: float
    lowest: float
    highest: float
    """The ends of the interval in which the true median lies, with 95 %; of fewer than six values the lowest
    and the highest. It becomes narrower with more values, where their whole range only grows."""

    @property
    def spread(self) -> float:
        """How far apart the ends are, as a share of the median."""
        return (self.highest - self.lowest) / self.median if self.median else 0.0


def summarise(values: Sequence[float]) -> Summary:
    """At least one value."""
    lowest, highest = median_interval(values) or (min(values), max(values))
    return Summary(statistics.median(values), lowest, highest)


@dataclass(slots=True)
class Rounds:
    """How often something is measured: iterated over, it gives the numbers of the rounds.

    At least `fewest` times, then until the spread of all that is to settle is below 10 %, or `most` times.
    """

    fewest: int
    most: int
    series: dict[str, list[float]] = field(default_factory=dict)
    """What was measured, a value a round, by name."""
    _settling: set[str] = field(default_factory=set)

    def __iter__(self) -> Iterator[int]:
        for number in range(self.most):
            if number >= self.fewest and self.settled:
                return
            yield number

    def add(self, name: str, value: float, *, settles: bool = True) -> None:
        """A value of this round. What does not settle (a 99th percentile) never asks for another round."""
        self.series.setdefault(name, []).append(value)
        if settles:
            self._settling.add(name)

    @property
    def settled(self) -> bool:
        """Whether the spread of all that is to settle is small enough."""
        return all(summarise(self.series[name]).spread <= WIDE for name in self._settling)

    def ratios(self, name: str, to: str) -> list[float]:
        """One series divided by another, round by round: what disturbed a round disturbed both."""
        return [one / other for one, other in zip(self.series[name], self.series[to], strict=True)]


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
