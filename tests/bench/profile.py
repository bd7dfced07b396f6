"""Where a microsecond goes: what each kind of event costs, and in which part of the server.

    make profile                                  # a table for each mix, in microseconds
    make profile PROFILE_ARGS="--mix 1.4"
    make profile PROFILE_ARGS="instructions"      # the whole pipeline, counted by valgrind: repeatable

The pipeline runs in this process, without sockets and clients. In the table an event's time is the lowest of
several rounds, in which exactly the same happens: so another process that uses the core spoils little. The
instructions are those of the traffic alone: without the start, and without what the parser learns at first.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Final, cast

import click

from astcti_server.ami.wire.messages import AmiEvent
from schemas.configuration.model import Configuration
from tests.bench.counting.instructions import MIXES, NotCounted, count_instructions
from tests.bench.machine import this_machine
from tests.bench.processes.pipeline import PARTS, SEATS, Pipeline, chunks_of, configuration_of
from tests.bench.workload.call_centre import CallCentre
from tests.bench.workload.event_script import END, EventScript

CALLS: Final = {"modern": 120, "1.4": 360}
_EMPTY_ROUNDS: Final = 1000


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
        try:
            found = count_instructions(MIXES[mix], calls=calls * 3 // 4)
        except NotCounted as problem:
            raise click.ClickException(str(problem)) from None
        costs = (*found.parts, found.all, found.without_trails)
        cells = (*(f"{cost:.0f}" for cost in costs), f"{found.ratio:.4f}")
        row = (f"{cell:>{len(head) + 4}}" for head, cell in zip(heads, cells, strict=True))
        print(f"   {mix:<22}" + "".join(row), flush=True)


if __name__ == "__main__":
    main()
