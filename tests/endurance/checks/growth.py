"""Memory, threads, descriptors and tables of the server do not grow while the work stays the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from tests.endurance.checks.findings import Finding, Wrong

WARM_UP = (
    360.0  # seconds of a server's life that do not count: what is kept for five minutes fills until then
)
LEAST_SAMPLES = 12


@dataclass(frozen=True, slots=True)
class Measure:
    """What is looked at: it may grow by so much in an hour, and by so much at all before anybody looks."""

    name: str
    unit: float
    an_hour: float
    noise: float


MEASURES = (
    Measure("memory", 2**20, 8.0, 12.0),
    Measure("threads", 1.0, 2.0, 8.0),
    Measure("descriptors", 1.0, 2.0, 12.0),
    Measure("calls", 1.0, 2.0, 60.0),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the server's process while all was well."""

    at: float
    pid: int
    values: Mapping[str, float]


def slope(points: Sequence[tuple[float, float]]) -> float:
    """By how much it grows in a second: the median of the slopes of all pairs (Theil and Sen).

    Outliers, such as a moment at which everybody logs in, do not move it.
    """
    pairs = [
        (second[1] - first[1]) / (second[0] - first[0])
        for index, first in enumerate(points)
        for second in points[index + 1 :]
        if second[0] > first[0]
    ]
    return median(pairs) if pairs else 0.0


def check_growth(samples: Sequence[Sample], warm_up: float = WARM_UP) -> Iterator[Finding]:
    """Each process by itself, after its warm-up."""
    for pid in dict.fromkeys(sample.pid for sample in samples):
        own = [sample for sample in samples if sample.pid == pid]
        own = [sample for sample in own if sample.at - own[0].at >= warm_up]
        if len(own) < LEAST_SAMPLES:
            continue
        for measure in MEASURES:
            points = [(sample.at, sample.values[measure.name] / measure.unit) for sample in own]
            steep = slope(points)
            lasted = points[-1][0] - points[0][0]
            if steep * 3600 > measure.an_hour and steep * lasted > measure.noise:
                grown = f"{points[0][1]:.0f} to {points[-1][1]:.0f} in {lasted:.0f} s"
                text = f"{measure.name} of process {pid}: {grown}"
                yield Finding(Wrong.GROWTH, points[-1][0], text)
