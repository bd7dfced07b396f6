"""Measures the real server: `make bench`, or `make bench BENCH_ARGS="throughput latency"`.

Everything is a ratio to something measured in the same run, for machines differ. Figures never fail the run;
a notification that is lost, doubled or wrong does (exit code 1).
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import click

from tests.bench import descriptors
from tests.bench.loading import loading
from tests.bench.parsing import parsing
from tests.bench.report import Report
from tests.bench.seats import deaf, latency, logins, memory, saturated
from tests.bench.server import ServerFailed
from tests.bench.stage import DeliveryFailed
from tests.bench.throughput import scaling, throughput
from tests.bench.workload.modern_calls import ModernCalls
from tests.bench.workload.old_calls import OldCalls

MODERN, OLD = ModernCalls(), OldCalls()

SCENARIOS: dict[str, tuple[str, Callable[[Report], None]]] = {
    "throughput": (
        f"Events a second, {MODERN.name}",
        lambda report: throughput(report, MODERN, calls=500, targets=(8, 4, 4)),
    ),
    "throughput-1.4": (
        f"Events a second, {OLD.name}",
        lambda report: throughput(report, OLD, calls=1500, targets=(5, 2, None)),
    ),
    "parser": (f"The parser alone, {MODERN.name}", lambda report: parsing(report, MODERN, calls=100)),
    "latency": ("One notification", lambda report: latency(report, MODERN, samples=1000)),
    "saturated": (
        "One notification in a storm of events",
        lambda report: saturated(report, MODERN, samples=300),
    ),
    "deaf": ("Clients that never read", lambda report: deaf(report, OLD, calls=6000)),
    "logins": ("1,000 logins at once", lambda report: logins(report, MODERN, seats=1000, target=1.4)),
    "configuration": ("The largest configuration", loading),
    "memory": ("Memory", lambda report: memory(report, MODERN)),
    "scaling": ("Growth of an event's cost", lambda report: scaling(report, MODERN, calls=80)),
    "logins-5000": ("5,000 logins at once", lambda report: logins(report, MODERN, seats=5000, target=1.6)),
}
SLOW = frozenset({"logins-5000"})  # run only when named


@click.command()
@click.argument("scenarios", nargs=-1, type=click.Choice(sorted(SCENARIOS)))
def main(scenarios: tuple[str, ...]) -> None:
    """Run the named scenarios, or all but the slow ones."""
    descriptors.raise_limit()
    report = Report()
    failed = False
    for name in scenarios or [name for name in SCENARIOS if name not in SLOW]:
        title, play = SCENARIOS[name]
        report.title(f"{title} ({name})")
        try:
            play(report)
        except (DeliveryFailed, ServerFailed) as error:
            report.note(f"FAILED: {error}")
            failed = True
    print(f"\n{report.missed} targets not met" if report.missed else "\nEvery target met")
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
