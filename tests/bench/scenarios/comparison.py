"""Compares this tree's server with another version of it, both in one run.

Each version runs as the program that it is, so that modules may have moved in between. In a pair both run at
the same time, in fresh processes with the same seed for hashes, and get the same bytes in short turns: what
happens on the machine meanwhile concerns both. Of the turns the median counts, of the pairs the ratio.
A budget is checked with processor time; wall time also says what others on the machine did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests.bench.figures import percentile, summarise
from tests.bench.processes.measured_server import MeasuredServer
from tests.bench.processes.server_process import PROJECT, ServerProgram
from tests.bench.processor_time import Usage
from tests.bench.report import Report
from tests.bench.workload.call_centre import CallCentre
from tests.bench.workload.event_script import EventScript, PlannedCall
from tests.bench.workload.traffic import Traffic

SEATS, CONCURRENT = 100, 30
WARM_UP = 10  # calls that are not measured: in them the server meets the kinds of event
QUIET = 0.05  # seconds; a doubled line that came later would be found in the next turn


@dataclass(frozen=True, slots=True)
class PairSize:
    """How much both versions of a pair get."""

    turns: int
    calls: int
    """Calls that are streamed in a turn."""
    samples: int
    """Calls in a turn whose notification is timed."""


@dataclass(slots=True)
class VersionFigures:
    """What was measured of one version in one pair, a value a turn but for `delays`; microseconds."""

    costs: list[float] = field(default_factory=list)
    """Processor time an event."""
    durations: list[float] = field(default_factory=list)
    """Wall time an event, from the first byte to the last Link."""
    delays: list[float] = field(default_factory=list)
    """From the connecting event to the notification, of each call."""
    usages: list[Usage] = field(default_factory=list)
    compiled_modules: int = 0


def compare(report: Report, script: EventScript, base: Path, *, pairs: int, size: PairSize) -> None:
    """This tree's server and the one in the tree `base`."""
    found = [_measure_pair(script, base, number, size) for number in range(pairs)]
    report.note(
        f"{pairs} pairs; in each {size.turns} turns of {size.calls} calls in a stream, "
        f"and of {size.samples} that are notified one by one"
    )
    old_modules, new_modules = (version.compiled_modules for version in found[-1])
    report.note(f"compiled modules: {old_modules or 'none'} -> {new_modules or 'none'}")
    figures: dict[str, Callable[[VersionFigures], float]] = {
        "processor time an event": lambda version: median(version.costs),
        "time an event": lambda version: median(version.durations),
        "a notification, p50": lambda version: percentile(version.delays, 0.5),
        "a notification, p99": lambda version: percentile(version.delays, 0.99),
    }
    for what, figure in figures.items():
        _report_ratios(report, what, [(figure(old), figure(new)) for old, new in found])
    for name, version in zip(("old", "new"), found[-1], strict=True):
        report.usage(f"the last turn, {name}", version.usages[-1])
    usages = [usage for pair in found for version in pair for usage in version.usages]
    noisy = sum(usage.noisy for usage in usages)
    report.note(f"{noisy} of {len(usages)} turns were measured while others kept the machine busy")


def _measure_pair(
    script: EventScript, base: Path, number: int, size: PairSize
) -> tuple[VersionFigures, VersionFigures]:
    """The old and the new version; other calls in each pair."""
    call_centre = CallCentre(script.technology, SEATS)
    first = 1 + number * (WARM_UP + size.turns * (size.calls + size.samples))
    programs = [ServerProgram(tree=tree, hash_seed=1 + number) for tree in (base, PROJECT)]
    found = (VersionFigures(), VersionFigures())
    with ExitStack() as running:
        versions = [
            (running.enter_context(MeasuredServer(script, call_centre, program)), figures)
            for program, figures in zip(programs, found, strict=True)
        ]
        for measured, figures in versions:
            measured.log_in()
            warm_up = call_centre.traffic(script, calls=WARM_UP, concurrent=CONCURRENT, first=first)
            measured.deliver(warm_up)
            figures.compiled_modules = measured.process.compiled_modules
        turns = _turns(script, call_centre, size, first + WARM_UP)
        for turn, (traffic, calls) in enumerate(turns):
            # Who begins changes with every turn, or what the one leaves in the caches would favour the other.
            for measured, figures in versions if turn % 2 == 0 else versions[::-1]:
                delivery = measured.deliver(traffic, quiet=QUIET)
                figures.costs.append(delivery.processor_time(traffic))
                figures.durations.append(delivery.seconds / traffic.to_last_link * 1e6)
                figures.usages.append(delivery.usage)
                figures.delays.extend(measured.notify(calls))
    return found


def _turns(
    script: EventScript, call_centre: CallCentre, size: PairSize, first: int
) -> Iterator[tuple[Traffic, list[PlannedCall]]]:
    """What both versions get in each turn; calls are numbered from `first`."""
    for _ in range(size.turns):
        traffic = call_centre.traffic(script, calls=size.calls, concurrent=CONCURRENT, first=first)
        first += size.calls
        calls = call_centre.calls(size.samples, first=first)
        first += size.samples
        yield traffic, calls


def _report_ratios(report: Report, what: str, pairs: Sequence[tuple[float, float]]) -> None:
    old, new = (summarise([pair[version] for pair in pairs]) for version in (0, 1))
    ratios = [after / before for before, after in pairs]
    report.ratios(what, ratios, f"{old.median:,.4g} µs", f"{new.median:,.4g} µs")
