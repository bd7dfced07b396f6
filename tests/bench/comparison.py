"""Compares this tree's server with another version of it, both in one run.

Each version runs as the program that it is, so that modules may have moved in between. In a pair both get the
same bytes, one after the other, each in a fresh process with the same layout of its dictionaries; who begins
changes with every pair. What happens on the machine meanwhile concerns both, and the ratio of a pair is what
counts. Processor time is compared rather than wall time, for it is what the server itself spends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tests.bench.figures import percentile, summarise
from tests.bench.measured_server import MeasuredServer
from tests.bench.processor_time import Usage
from tests.bench.report import Report
from tests.bench.server_process import PROJECT, ServerProgram
from tests.bench.workload.call_centre import CallCentre
from tests.bench.workload.event_script import EventScript, PlannedCall
from tests.bench.workload.traffic import Traffic, make_calls, make_traffic

SEATS, CONCURRENT = 100, 50
WARM_UP = 10  # calls that are not measured: in them the server meets the kinds of event


@dataclass(frozen=True, slots=True)
class VersionFigures:
    """One version in one pair."""

    cost: float
    """Microseconds of processor time an event."""
    duration: float
    """Microseconds an event, from the first byte to the last Link."""
    half: float
    """Microseconds of a notification: p50, and p99."""
    nearly_all: float
    usage: Usage


@dataclass(frozen=True, slots=True)
class PairWorkload:
    """What both versions of a pair get."""

    script: EventScript
    call_centre: CallCentre
    warm_up: Traffic
    traffic: Traffic
    calls: list[PlannedCall]
    """Those of which each notification's way is measured."""


def compare(report: Report, script: EventScript, base: Path, *, pairs: int, calls: int, samples: int) -> None:
    """This tree's server and the one in `base`: each pair streams `calls`, and sends `samples` one by one."""
    found: list[tuple[VersionFigures, VersionFigures]] = []
    for number in range(pairs):
        workload = _workload(script, number, calls, samples)
        measured = {}
        for tree in (base, PROJECT) if number % 2 == 0 else (PROJECT, base):
            measured[tree] = _measure(workload, ServerProgram(tree=tree, hash_seed=1 + number))
        found.append((measured[base], measured[PROJECT]))
    report.note(
        f"{workload.traffic.events} events and {samples} single notifications in each of {pairs} pairs"
    )
    _report_ratios(report, "processor time an event", [(old.cost, new.cost) for old, new in found])
    _report_ratios(report, "time an event", [(old.duration, new.duration) for old, new in found])
    _report_ratios(report, "a notification, p50", [(old.half, new.half) for old, new in found])
    _report_ratios(report, "a notification, p99", [(old.nearly_all, new.nearly_all) for old, new in found])
    for version, figures in zip(("old", "new"), found[-1], strict=True):
        report.usage(f"the stream, {version}, the last pair", figures.usage)
    noisy = sum(figures.usage.noisy for pair in found for figures in pair)
    report.note(f"{noisy} of {2 * pairs} streams were measured while others kept the machine busy")


def _workload(script: EventScript, number: int, calls: int, samples: int) -> PairWorkload:
    """Other calls in each pair."""
    call_centre = CallCentre(script.technology, SEATS)

    def traffic(count: int, first: int) -> Traffic:
        return make_traffic(
            script,
            call_centre.extensions,
            call_centre.queue,
            calls=count,
            concurrent=CONCURRENT,
            seed=1 + number,
            first=first,
        )

    first = 1 + number * (WARM_UP + calls + samples)
    return PairWorkload(
        script,
        call_centre,
        traffic(WARM_UP, first),
        traffic(calls, first + WARM_UP),
        list(
            islice(
                make_calls(call_centre.extensions, call_centre.queue, first=first + WARM_UP + calls), samples
            )
        ),
    )


def _measure(workload: PairWorkload, program: ServerProgram) -> VersionFigures:
    with MeasuredServer(workload.script, workload.call_centre, program) as measured:
        measured.log_in()
        measured.deliver(workload.warm_up)
        delivery = measured.deliver(workload.traffic)
        times = measured.notify(workload.calls)
    return VersionFigures(
        delivery.processor_time(workload.traffic),
        delivery.seconds / workload.traffic.to_last_link * 1e6,
        percentile(times, 0.5),
        percentile(times, 0.99),
        delivery.usage,
    )


def _report_ratios(report: Report, what: str, pairs: Sequence[tuple[float, float]]) -> None:
    old, new = (summarise([pair[version] for pair in pairs]) for version in (0, 1))
    ratios = [after / before for before, after in pairs]
    report.ratios(what, ratios, f"{old.median:.3g} µs", f"{new.median:.3g} µs")
