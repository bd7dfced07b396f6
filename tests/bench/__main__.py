"""Measures the real server: `make bench`, or `make bench BENCH_ARGS="throughput latency"`.

Everything is a ratio to something measured in the same run, for machines differ. Figures never fail the run;
a notification that is lost, doubled or wrong does (exit code 1).
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from tests.bench.lacking import Lacking
from tests.bench.machine import raise_descriptor_limit, this_machine
from tests.bench.processes.measured_server import DeliveryFailed
from tests.bench.processes.server_process import PROJECT, ServerFailed
from tests.bench.processes.source_tree import NoSuchVersion, name_of_tree, source_tree
from tests.bench.report import Report
from tests.bench.scenarios.administration import in_force, installation, loading
from tests.bench.scenarios.comparison import PairSize, compare
from tests.bench.scenarios.configurator_pages import configurator
from tests.bench.scenarios.desk import client
from tests.bench.scenarios.explanations import explanations
from tests.bench.scenarios.growth import growth
from tests.bench.scenarios.notifications import latency, saturated, stalled
from tests.bench.scenarios.page_requests import page_requests
from tests.bench.scenarios.parsing import parsing
from tests.bench.scenarios.passwords import passwords
from tests.bench.scenarios.seats import comeback, logins, memory, restart
from tests.bench.scenarios.shown import shown
from tests.bench.scenarios.throughput import scaling, throughput
from tests.bench.workload.modern_calls import ModernCalls
from tests.bench.workload.old_calls import OldCalls

MODERN, OLD = ModernCalls(), OldCalls()
RESULTS = PROJECT / "build" / "bench"
Measure = Callable[[Report], None]


@dataclass(frozen=True, slots=True)
class Scenario:
    """Something that is measured, at full length and for a quick look."""

    title: str
    full: Measure
    quick: Measure
    on_request: bool = False
    """Takes long: run only when named."""
    full_only: bool = False
    """Takes too long for a quick run: left out of that one unless named."""


SCENARIOS: Mapping[str, Scenario] = {
    "throughput": Scenario(
        f"Events a second, {MODERN.name}",
        partial(throughput, script=MODERN, calls=300, rounds=(5, 9)),
        partial(throughput, script=MODERN, calls=40, rounds=(2, 2)),
    ),
    "throughput-1.4": Scenario(
        f"Events a second, {OLD.name}",
        partial(throughput, script=OLD, calls=1000, rounds=(5, 9)),
        partial(throughput, script=OLD, calls=120, rounds=(2, 2)),
    ),
    "parser": Scenario(
        f"The parser alone, {MODERN.name}",
        partial(parsing, script=MODERN, calls=100, rounds=(5, 15)),
        partial(parsing, script=MODERN, calls=20, rounds=(2, 2)),
    ),
    "explanations": Scenario(
        "What it costs to note why calls pop up or not",
        partial(explanations, scripts={MODERN: 120, OLD: 360}, turns=25),
        partial(explanations, scripts={MODERN: 40, OLD: 120}, turns=5),
    ),
    "latency": Scenario(
        "One notification",
        partial(latency, script=MODERN, samples=200, rounds=(5, 15)),
        partial(latency, script=MODERN, samples=50, rounds=(2, 2)),
    ),
    "saturated": Scenario(
        "One notification while the AMI thread is saturated",
        partial(saturated, script=MODERN, samples=300, rounds=(3, 9)),
        partial(saturated, script=MODERN, samples=100, rounds=(1, 1)),
    ),
    "shown": Scenario(
        "From an answer until it is on the screen",
        partial(shown, script=MODERN, seats=500, rate=50, seconds=20, window=50),
        partial(shown, script=MODERN, seats=50, rate=50, seconds=2, window=3),
        full_only=True,
    ),
    "stalled": Scenario(
        "Clients that never read",
        partial(stalled, script=OLD, calls=6000, samples=200),
        partial(stalled, script=OLD, calls=1000, samples=100),
    ),
    "logins": Scenario(
        "Everybody logs in at once",
        partial(logins, script=MODERN, seats=1000, rounds=(5, 11)),
        partial(logins, script=MODERN, seats=1000, rounds=(1, 1)),
    ),
    "comeback": Scenario(
        "Everybody comes back after an outage",
        partial(comeback, script=MODERN, seats=1000, outages=(5, 45)),
        partial(comeback, script=MODERN, seats=1000, outages=(5,)),
    ),
    "restart": Scenario(
        "Everybody comes back after a restart",
        partial(restart, script=MODERN, seats=1000, rounds=5),
        partial(restart, script=MODERN, seats=1000, rounds=1),
    ),
    "loading": Scenario(
        "Loading the largest configuration", partial(loading, rounds=(5, 11)), partial(loading, rounds=(1, 1))
    ),
    "in-force": Scenario(
        "A new configuration in force",
        partial(in_force, script=MODERN, calls=40, rounds=(3, 9)),
        partial(in_force, script=MODERN, calls=25, rounds=(1, 1)),
    ),
    "memory": Scenario(
        "Memory",
        partial(memory, script=MODERN, seats=1000, rounds=(3, 5)),
        partial(memory, script=MODERN, seats=1000, rounds=(1, 1)),
    ),
    "scaling": Scenario(
        "Growth of an event's cost",
        partial(scaling, script=MODERN, calls=80, rounds=(3, 9), live=10_000, seats=5_000),
        partial(scaling, script=MODERN, calls=20, rounds=(1, 1), live=1_000, seats=300),
    ),
    "client": Scenario(
        "The client's window",
        partial(client, calls=100, idle=10.0, starts=(5, 9)),
        partial(client, calls=10, idle=2.0, starts=(2, 2)),
        full_only=True,
    ),
    "client-pages": Scenario(
        "From the server's line to the page's request",
        partial(page_requests, pages=30, log_ins=6),
        partial(page_requests, pages=3, log_ins=2),
        full_only=True,
    ),
    "configurator": Scenario(
        "The Configurator with the largest configuration",
        partial(configurator, rounds=(3, 7)),
        partial(configurator, rounds=(1, 1)),
        full_only=True,
    ),
    "client-500": Scenario(
        "The client's window after 500 calls in 150 s",
        partial(growth, calls=500, pace=0.3, parts=5),
        partial(growth, calls=60, pace=0.3, parts=2),
        full_only=True,
    ),
    "client-5000": Scenario(
        "The client's window after 5,000 calls",
        # The widths of a thousand words are remembered: of so many calls.
        partial(growth, calls=5000, pace=0.7, parts=10, warm_up=500),
        partial(growth, calls=100, pace=0.3, parts=2),
        on_request=True,
    ),
    "logins-5000": Scenario(
        "5,000 logins at once",
        partial(logins, script=MODERN, seats=5000, rounds=(3, 9)),
        partial(logins, script=MODERN, seats=5000, rounds=(1, 1)),
        on_request=True,
    ),
    "passwords": Scenario(
        "Passwords stored with scrypt",
        partial(passwords, script=MODERN, seats=1000, right=40),
        partial(passwords, script=MODERN, seats=60, right=10),
        on_request=True,
    ),
    "installation": Scenario(
        "Setting up from a fresh copy",
        partial(installation, rounds=3),
        partial(installation, rounds=1),
        on_request=True,
    ),
}


class BenchRun:
    """One run of the bench: its report, whether anything failed, and its results as a file at the end."""

    def __init__(self, *, quick: bool, results: Path) -> None:
        raise_descriptor_limit()
        # Or the servers and their folders would outlive a run that is ended by a signal.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
        self.quick = quick
        self._results = results / f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}.json"
        self._report = Report(this_machine(), version=name_of_tree(), quick=quick)
        self._failed = False

    def run(self, name: str, title: str, measure: Measure) -> None:
        """Measure; a failure is reported, and the next scenario may come."""
        self._report.scenario(name, title)
        begun = time.monotonic()
        try:
            measure(self._report)
        except (DeliveryFailed, ServerFailed) as error:
            self._report.failed(error)
            self._failed = True
        except Lacking as lacking:
            self._report.left_out(lacking)
        self._report.took(time.monotonic() - begun)
        self._report.write(self._results)  # what is measured stays, if the run is cut off

    def end(self) -> None:
        """Say how it went and leave the program."""
        missed = self._report.missed
        print(f"\n{missed} targets not met" if missed else "\nEvery target met")
        print(f"Written to {self._results}")
        sys.exit(int(self._failed))


@click.group(chain=True, invoke_without_command=True)
@click.option("--quick", is_flag=True, envvar="QUICK", help="A look in two minutes; QUICK=1 does the same.")
@click.option("--results", type=click.Path(path_type=Path), default=RESULTS, help="Folder for the JSON.")
@click.pass_context
def main(context: click.Context, quick: bool, results: Path) -> None:
    """Run the named scenarios in turn, or all but those that take long."""
    context.obj = BenchRun(quick=quick, results=results)
    if context.invoked_subcommand is None:
        for name, scenario in SCENARIOS.items():
            if not (scenario.on_request or (quick and scenario.full_only)):
                context.obj.run(name, scenario.title, scenario.quick if quick else scenario.full)


@main.result_callback()
@click.pass_obj
def _end(bench_run: BenchRun, /, _results: object, **_options: object) -> None:
    bench_run.end()


def _command(name: str, scenario: Scenario) -> click.Command:
    @click.pass_obj
    def run(bench_run: BenchRun) -> None:
        bench_run.run(name, scenario.title, scenario.quick if bench_run.quick else scenario.full)

    return click.Command(name, callback=run, help=scenario.title + ".")


for _name, _scenario in SCENARIOS.items():
    main.add_command(_command(_name, _scenario))


@main.command("compare")
@click.argument("version")
@click.option("--pairs", type=click.IntRange(1), help="How often each is measured.  [default: 12; quick: 3]")
@click.option("--mix", type=click.Choice(["modern", "1.4"]), help="Only this one of the two mixes of events.")
@click.pass_obj
def _compare(bench_run: BenchRun, version: str, pairs: int | None, mix: str | None) -> None:
    """This tree's server with another VERSION.

    It is a git revision, a folder with a checkout or with site-packages, an environment that it is installed
    in, or a wheel, which may be a compiled one.
    """
    pairs = pairs or (3 if bench_run.quick else 12)
    try:
        with source_tree(version) as base:
            title = f"{version} -> {name_of_tree()}"
            mixes = {"modern": (MODERN, 30), "1.4": (OLD, 80)}
            for script, calls in [mixes[mix]] if mix else mixes.values():
                size = PairSize(2, calls, 10) if bench_run.quick else PairSize(20, calls, 10)
                measure = partial(compare, script=script, base=base, pairs=pairs, size=size)
                bench_run.run("compare", f"{title}, {script.name}", measure)
    except NoSuchVersion as error:
        raise click.UsageError(str(error)) from error


if __name__ == "__main__":
    main()
