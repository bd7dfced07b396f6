"""Where a microsecond goes: what each kind of event costs, and in which part of the server.

    make profile                                  # a table for each mix, in microseconds
    make profile PROFILE_ARGS="--mix 1.4"
    make profile PROFILE_ARGS="instructions"      # the whole pipeline, counted by valgrind: repeatable

The pipeline runs in this process, without sockets and clients. In the table an event's time is the lowest of
several rounds, in which exactly the same happens: so another process that uses the core spoils little. The
instructions are those of the traffic alone: without the start, and without what the parser learns at first.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, cast

import click

from astcti_server.ami.dialect.translation import Dialect
from astcti_server.ami.wire.event_filter import EventFilter
from astcti_server.ami.wire.messages import AmiEvent
from astcti_server.ami.wire.parser import AmiParser
from astcti_server.calls.notification import Notification
from astcti_server.calls.tracker import Tracker
from astcti_server.clients.registry import Registry
from astcti_server.clients.resume.seat_logs import SeatLogs
from astcti_server.clients.router import Router
from astcti_server.explain.call_trails import CallTrails
from astcti_server.process.memory import collect_seldom
from astcti_server.replay import bound_operators
from schemas.configuration.model import Configuration
from schemas.configuration.xml_form import load_xml
from tests.bench.machine import this_machine
from tests.bench.processes.no_trails import no_trails, trails_kept
from tests.bench.workload.call_centre import CallCentre
from tests.bench.workload.event_script import END, EventScript
from tests.bench.workload.modern_calls import ModernCalls
from tests.bench.workload.old_calls import OldCalls

CHUNK: Final = 65536
SEATS: Final = 100
WARMING_CALLS: Final = 8
PARTS: Final = ("wire", "dialect", "tracker", "telling")
MIXES: Final[dict[str, EventScript]] = {"modern": ModernCalls(), "1.4": OldCalls()}
CALLS: Final = {"modern": 120, "1.4": 360}
_COUNTED: Final = re.compile(r"I\s+refs:\s+([0-9,]+)")
_EMPTY_ROUNDS: Final = 1000
_BEFORE: Final = "before"
_TRAFFIC: Final = "traffic"


class _Swallowing:
    """A registry that has a session at every extension, and that session; lines go nowhere."""

    def __init__(self) -> None:
        self.lines = 0
        self.resume = None

    def at_extension(self, _extension: str) -> _Swallowing:
        return self

    def announce(self, _line: bytes) -> bool:
        self.lines += 1
        return True


class Pipeline:
    """From the parser to the line for a client, as in the server; the sessions swallow what they get."""

    def __init__(
        self, configuration: Configuration, script: EventScript, trails: CallTrails | None = None
    ) -> None:
        operators = bound_operators(configuration)
        self.told = _Swallowing()
        self.parser = AmiParser(EventFilter.for_configuration(configuration))
        self.dialect = Dialect()
        self.tracker = Tracker(lambda: operators, trails=trails)
        self.tracker.configure(configuration, all_calls=False)
        logs = SeatLogs(lambda: operators, time.monotonic)
        self.router = Router(cast("Registry", self.told), self.tracker, logs)
        self.parser.feed(script.banner)

    def run(self, chunk: bytes, parts: int = len(PARTS)) -> None:
        """Have one chunk go through so many of the parts, or through all."""
        messages = self.parser.feed(chunk)
        if parts < 2:
            return
        for message in messages:
            happened = self.dialect.translate(cast("AmiEvent", message))
            if parts < 3:
                continue
            for event in happened:
                notifications = self.tracker.handle(event)
                if notifications and parts > 3:
                    self.router.deliver(notifications)

    def time(self, event: AmiEvent) -> tuple[int, int, int]:
        """Have one event go through; returns the nanoseconds of the three parts behind the parser."""
        now = time.perf_counter_ns
        notifications: list[Notification] = []
        begun = now()
        happened = self.dialect.translate(event)
        translated = now()
        for telephone_event in happened:
            notifications += self.tracker.handle(telephone_event)
        handled = now()
        if notifications:
            self.router.deliver(notifications)
        return translated - begun, handled - translated, now() - handled


@dataclass(slots=True)
class KindOfEvent:
    """What all events of one name cost, in nanoseconds."""

    count: int = 0
    kept: int = 0
    costs: list[float] = field(default_factory=lambda: [0.0] * len(PARTS))

    @property
    def total(self) -> float:
        return sum(self.costs)


def measure(script: EventScript, *, calls: int, rounds: int) -> dict[str, KindOfEvent]:
    """The cost of every kind of event in the traffic of so many calls, by its name."""
    call_centre = CallCentre(script.technology, SEATS)
    configuration = configuration_of(call_centre)
    data = call_centre.traffic(script, calls=calls, concurrent=SEATS // 3).data
    kinds: defaultdict[str, KindOfEvent] = defaultdict(KindOfEvent)
    for name, blocks in _by_name(data).items():
        kinds[name].count = len(blocks)
        kinds[name].costs[0] = _time_of_parser(configuration, script, END.join([*blocks, b""]), rounds)
    least: list[tuple[int, ...]] = []
    for _ in range(rounds):
        pipeline = Pipeline(configuration, script)
        events = [
            cast("AmiEvent", message) for chunk in chunks_of(data) for message in pipeline.parser.feed(chunk)
        ]
        times = [pipeline.time(event) for event in events]
        least = [tuple(map(min, before, after)) for before, after in zip(least or times, times, strict=True)]
    clock = _time_of_clock()
    for event, parts in zip(events, least, strict=True):
        kind = kinds[event.name]
        kind.kept += 1
        for part, nanoseconds in enumerate(parts, 1):
            kind.costs[part] += max(0, nanoseconds - clock)
    return kinds


def count(script: EventScript, *, calls: int) -> tuple[list[float], float]:
    """Instructions an event, by valgrind: of each part of the pipeline, and of all without trails."""
    call_centre = CallCentre(script.technology, SEATS)
    data = call_centre.traffic(script, calls=calls, concurrent=SEATS // 3).data
    # What the parser learns once, as expressions that Python compiles, costs as much as a thousand events.
    before = call_centre.traffic(script, calls=WARMING_CALLS, concurrent=WARMING_CALLS, first=1_000_000).data
    with TemporaryDirectory() as directory:
        (Path(directory) / CallCentre.FILE).write_text(call_centre.configuration())
        (Path(directory) / _BEFORE).write_bytes(before)
        (Path(directory) / _TRAFFIC).write_bytes(data)
        totals = [_count_process(script, directory, parts) for parts in range(len(PARTS) + 1)]
        silent = [_count_process(script, directory, parts, "--no-trails") for parts in (0, len(PARTS))]
    events = data.count(END)
    found = [(later - earlier) / events for earlier, later in pairwise(totals)]
    return found, (silent[1] - silent[0]) / events


def _count_process(script: EventScript, directory: str, parts: int, *how: str) -> int:
    mix = next(name for name, known in MIXES.items() if known is script)
    program = [sys.executable, "-m", "tests.bench.profile", "--mix", mix, "run", *how, directory, str(parts)]
    subprocess.run(program, check=True)  # the first one compiles what was changed: not to be counted
    tool = ["valgrind", "--tool=cachegrind", "--cache-sim=no", f"--cachegrind-out-file={directory}/out"]
    found = subprocess.run(
        [*tool, *program],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONHASHSEED": "0"},
    )
    counted = _COUNTED.search(found.stderr)
    if counted is None:
        raise click.ClickException(f"valgrind counted nothing: {found.stderr}")
    return int(counted[1].replace(",", ""))


def configuration_of(call_centre: CallCentre) -> Configuration:
    """What the server would load of it."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / CallCentre.FILE
        path.write_text(call_centre.configuration())
        return load_xml(path)


def chunks_of(data: bytes) -> Iterator[bytes]:
    """As they would be read from a socket."""
    return (data[at : at + CHUNK] for at in range(0, len(data), CHUNK))


def _by_name(data: bytes) -> dict[str, list[bytes]]:
    found: defaultdict[str, list[bytes]] = defaultdict(list)
    for block in data.split(END)[:-1]:
        found[block.partition(b"\r\n")[0].partition(b": ")[2].decode()].append(block)
    return found


def _time_of_parser(configuration: Configuration, script: EventScript, data: bytes, rounds: int) -> int:
    """Events of one name alone: those of others between them change nothing but the processor's caches."""
    parser = Pipeline(configuration, script).parser
    now = time.perf_counter_ns
    least: list[int] = []
    for _ in range(rounds + 1):
        times = []
        for chunk in chunks_of(data):
            begun = now()
            parser.feed(chunk)
            times.append(now() - begun)
        least = list(map(min, least or times, times))
    return sum(least)


def _time_of_clock() -> int:
    now = time.perf_counter_ns
    return min(-now() + now() for _ in range(_EMPTY_ROUNDS))


def _print_table(mix: str, kinds: dict[str, KindOfEvent]) -> None:
    events = sum(kind.count for kind in kinds.values())
    kept = sum(kind.kept for kind in kinds.values())
    cost = sum(kind.total for kind in kinds.values())
    print(f"\n== {MIXES[mix].name}: {events} events, one in {events / max(kept, 1):.1f} kept")
    print("   microseconds an event of this kind, dropped or kept")
    heads = "".join(f"{part:>9}" for part in (*PARTS, "all"))
    print(f"   {'event':<20}{'of events':>10}{'kept':>6}{heads}{'of the time':>13}")
    for name, kind in sorted(kinds.items(), key=lambda item: -item[1].total):
        row = "".join(f"{part / kind.count / 1000:9.2f}" for part in (*kind.costs, kind.total))
        share, passed = kind.count / events, kind.kept / kind.count
        print(f"   {name:<20}{share:10.1%}{passed:6.0%}{row}{kind.total / cost:13.1%}")
    totals = Counter({part: sum(kind.costs[at] for kind in kinds.values()) for at, part in enumerate(PARTS)})
    row = "".join(f"{totals[part] / events / 1000:9.2f}" for part in PARTS)
    ends = f"{cost / events / 1000:9.2f}{1:13.0%}"
    print(f"   {'an event of the mix':<20}{1:10.0%}{kept / events:6.0%}{row}{ends}")


@click.group(invoke_without_command=True)
@click.option("--mix", type=click.Choice([*MIXES]), help="Only this one of the two mixes of events.")
@click.option("--calls", type=click.IntRange(10), help="Size of the traffic.  [default: 120; 1.4: 360]")
@click.option(
    "--rounds", type=click.IntRange(1), default=9, show_default=True, help="Of which the lowest counts."
)
@click.pass_context
def main(context: click.Context, mix: str | None, calls: int | None, rounds: int) -> None:
    """What each kind of event costs, and in which part of the server."""
    mixes = {name: calls or CALLS[name] for name in ([mix] if mix else MIXES)}
    context.obj = mixes
    if context.invoked_subcommand is None:
        machine = this_machine()
        print(f"{machine.python}; a fixed loop takes {machine.loop:.1f} ms; {machine.processor}")
        for name, size in mixes.items():
            _print_table(name, measure(MIXES[name], calls=size, rounds=rounds))


@main.command("instructions")
@click.pass_obj
def _instructions(mixes: dict[str, int]) -> None:
    """Instructions an event of the mix, in each part of the pipeline; needs valgrind."""
    heads = (*PARTS, "all", "without trails", "ratio")
    print(f"   {'instructions an event':<22}" + "".join(f"{head:>{len(head) + 4}}" for head in heads))
    for mix, calls in mixes.items():
        costs, silent = count(MIXES[mix], calls=calls // 4)
        cells = (*(f"{cost:.0f}" for cost in (*costs, sum(costs), silent)), f"{sum(costs) / silent:.4f}")
        row = (f"{cell:>{len(head) + 4}}" for head, cell in zip(heads, cells, strict=True))
        print(f"   {mix:<22}" + "".join(row), flush=True)


@main.command("run", hidden=True)
@click.argument("directory", type=click.Path(path_type=Path))
@click.argument("parts", type=click.IntRange(0, len(PARTS)))
@click.option("--trails/--no-trails", default=True)
@click.pass_obj
def _run(mixes: dict[str, int], directory: Path, parts: int, trails: bool) -> None:
    """What `instructions` runs: prepared traffic through so many parts, after a little through all."""
    [mix] = mixes
    kept = trails_kept() if trails else no_trails()
    pipeline = Pipeline(load_xml(directory / CallCentre.FILE), MIXES[mix], kept)
    collect_seldom()  # as the server does
    for chunk in chunks_of((directory / _BEFORE).read_bytes()):
        pipeline.run(chunk, len(PARTS))
    for chunk in chunks_of((directory / _TRAFFIC).read_bytes()):
        if parts:
            pipeline.run(chunk, parts)


if __name__ == "__main__":
    main()
