"""Instructions that the pipeline needs for an event, counted by valgrind: other programs do not change them.

One process starts, forks for each thing that is to be counted, and says which process did what. So they have
all begun exactly alike, and the difference of two counts is the traffic alone.
"""

from __future__ import annotations

import gc
import os
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from astcti_server.process.memory import collect_seldom
from schemas.configuration.model import Configuration
from schemas.configuration.xml_form import load_xml
from tests.bench.counting.no_trails import no_trails, trails_kept
from tests.bench.processes.pipeline import PARTS, SEATS, Pipeline, chunks_of
from tests.bench.workload.call_centre import CallCentre
from tests.bench.workload.event_script import END, EventScript
from tests.bench.workload.modern_calls import ModernCalls
from tests.bench.workload.old_calls import OldCalls

MIXES: Final[dict[str, EventScript]] = {"modern": ModernCalls(), "1.4": OldCalls()}
WARMING_CALLS: Final = 8
_BEFORE: Final = "before"
_TRAFFIC: Final = "traffic"
_WITHOUT: Final = "without"
_COUNTED: Final = re.compile(r"==(\d+)== I\s+refs:\s+([0-9,]+)")


class NotCounted(Exception):
    """The text is what valgrind said."""


class InstructionCounts(NamedTuple):
    """Instructions an event."""

    parts: tuple[float, ...]
    """Of each part of the pipeline (`PARTS`)."""
    without_trails: float
    """Of all parts, where nothing is noted for explanations."""

    @property
    def all(self) -> float:
        return sum(self.parts)

    @property
    def ratio(self) -> float:
        """What an event costs, of what it costs without trails."""
        return self.all / self.without_trails


def can_count() -> bool:
    """Whether this machine has valgrind."""
    return shutil.which("valgrind") is not None


def count_instructions(script: EventScript, *, calls: int, seed: int = 0) -> InstructionCounts:
    """Of the traffic of so many calls. `seed` is Python's for hashing. Raises NotCounted."""
    call_centre = CallCentre(script.technology, SEATS)
    data = call_centre.traffic(script, calls=calls, concurrent=SEATS // 3).data
    # What the parser learns once, as expressions that Python compiles, costs as much as a thousand events.
    before = call_centre.traffic(script, calls=WARMING_CALLS, concurrent=WARMING_CALLS, first=1_000_000).data
    with TemporaryDirectory() as directory:
        (Path(directory) / CallCentre.FILE).write_text(call_centre.configuration())
        (Path(directory) / _BEFORE).write_bytes(before)
        (Path(directory) / _TRAFFIC).write_bytes(data)
        counted = _count(
            next(name for name, known in MIXES.items() if known.name == script.name), directory, seed
        )
    events = data.count(END)
    totals = [counted[str(parts)] for parts in range(len(PARTS) + 1)]
    silent = counted[f"{_WITHOUT} {len(PARTS)}"] - counted[f"{_WITHOUT} 0"]
    return InstructionCounts(
        tuple((later - earlier) / events for earlier, later in pairwise(totals)), silent / events
    )


def _count(mix: str, directory: str, seed: int) -> dict[str, int]:
    program = [sys.executable, "-m", __name__, mix, directory]
    tool = ["valgrind", "--tool=cachegrind", "--cache-sim=no", f"--cachegrind-out-file={directory}/out-%p"]
    found = subprocess.run(
        [*tool, *program],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONHASHSEED": str(seed)},
    )
    counts = {process: int(number.replace(",", "")) for process, number in _COUNTED.findall(found.stderr)}
    processes = dict(line.split(": ") for line in found.stdout.splitlines())
    if found.returncode or not processes or not counts.keys() >= set(processes.values()):
        raise NotCounted(f"valgrind counted nothing: {found.stderr}")
    return {what: counts[process] for what, process in processes.items()}


# -- what valgrind runs --------------------------------------------------------------------------------------


def main(mix: str, directory: Path) -> None:
    """Have prepared traffic go through so many parts, after a little through all: a process for each."""
    configuration = load_xml(directory / CallCentre.FILE)
    before, traffic = (list(chunks_of((directory / name).read_bytes())) for name in (_BEFORE, _TRAFFIC))
    collect_seldom()  # as the server does
    ways = [(True, parts) for parts in range(len(PARTS) + 1)] + [(False, 0), (False, len(PARTS))]
    for trails, parts in ways:
        arguments = (configuration, mix, trails, before, traffic, parts)
        process = get_context("fork").Process(target=_run, args=arguments)
        process.start()
        process.join()
        if process.exitcode:
            sys.exit(f"{process.pid} failed")
        print(f"{'' if trails else _WITHOUT + ' '}{parts}: {process.pid}", flush=True)


def _run(
    configuration: Configuration,
    mix: str,
    trails: bool,
    before: list[bytes],
    traffic: list[bytes],
    parts: int,
) -> None:
    pipeline = Pipeline(configuration, MIXES[mix], trails_kept() if trails else no_trails())
    # Young objects are looked through once in a thousand calls: in one of two counts, and not in the other.
    gc.disable()
    for chunk in before:
        pipeline.run(chunk, len(PARTS))
    if parts:
        for chunk in traffic:
            pipeline.run(chunk, parts)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
