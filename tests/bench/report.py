"""What the bench prints: figures in plain words, as ratios, each with its target and whether it is met."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


class Report:
    """Prints as it goes, and remembers how many targets were missed."""

    def __init__(self) -> None:
        self.missed = 0

    def title(self, text: str) -> None:
        """Begin a scenario."""
        print(f"\n== {text}", flush=True)

    def note(self, text: str) -> None:
        """Anything that has no target."""
        print(f"   {text}", flush=True)

    def at_most(self, what: str, figure: float, target: float, unit: str = "times") -> None:
        """A figure that should not be above its target."""
        self._judge(what, figure, f"at most {target:g}", unit, figure <= target)

    def at_least(self, what: str, figure: float, target: float, unit: str = "times") -> None:
        """A figure that should not be below its target."""
        self._judge(what, figure, f"at least {target:g}", unit, figure >= target)

    def _judge(self, what: str, figure: float, target: str, unit: str, met: bool) -> None:
        self.missed += not met
        verdict = "met" if met else "NOT MET"
        print(f"   {what}: {figure:.3g} {unit}; target {target}: {verdict}", flush=True)


def percentile(values: Sequence[float], part: float) -> float:
    """The value below which this part of the values is; 0.5 is the median."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def median(values: Sequence[float]) -> float:
    """The median."""
    return statistics.median(values)
