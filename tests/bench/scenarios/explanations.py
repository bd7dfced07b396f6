"""What it costs to note why calls pop up or not: the pipeline with trails, and with none."""

from __future__ import annotations

import gc
import selectors
import time
from contextlib import ExitStack
from typing import Final

from astcti_server.explain.call_trails import CallTrails
from astcti_server.process.memory import collect_seldom
from schemas.configuration.model import Configuration
from tests.bench.counting.instructions import NotCounted, can_count, count_instructions
from tests.bench.counting.no_trails import no_trails, trails_kept
from tests.bench.processes.pipeline import SEATS, Pipeline, chunks_of, configuration_of
from tests.bench.processes.worker import Worker
from tests.bench.report import Report
from tests.bench.workload.call_centre import CallCentre
from tests.bench.workload.event_script import END, EventScript

WITH, WITHOUT = "with trails", "without"
TARGET: Final = 1.03


class PipelineTurns:
    """The pipeline in a process of its own; has the same traffic go through it again and again."""

    def __init__(self, script: EventScript, calls: int, *, trails: bool) -> None:
        self.selector: selectors.BaseSelector = selectors.DefaultSelector()
        call_centre = CallCentre(script.technology, SEATS)
        self._script = script
        self._configuration: Configuration = configuration_of(call_centre)
        self._data = call_centre.traffic(script, calls=calls, concurrent=SEATS // 3).data
        self._trails = trails_kept if trails else no_trails
        collect_seldom()  # as the server does

    def events(self) -> int:
        """How many events a turn has."""
        return self._data.count(END)

    def take(self) -> tuple[float, int]:
        """One turn, begun anew: seconds of processor time, and lines for clients."""
        trails: CallTrails = self._trails()
        pipeline = Pipeline(self._configuration, self._script, trails)
        gc.collect()
        begun = time.process_time()
        for chunk in chunks_of(self._data):
            pipeline.run(chunk)
        return time.process_time() - begun, pipeline.told.lines

    def turn(self) -> None:
        """Nothing is waited for between the calls."""

    def close(self) -> None:
        """Nothing is open but the selector."""
        self.selector.close()


def explanations(report: Report, scripts: dict[EventScript, int], *, turns: int) -> None:
    """Both in turn, each in a process of its own; of the turns, in which the same happens, the lowest counts.

    `scripts`: the mixes, and how many calls a turn has of each. Where the machine has valgrind, instructions
    are counted of three quarters of them: other programs do not change those.
    """
    for script, calls in scripts.items():
        found = _measure(script, calls, turns)
        lowest = {name: min(values) for name, values in found.items()}
        for name, values in found.items():
            report.values(f"{script.name}, {name}", values, "µs of processor time an event")
            report.note(f"{script.name}, {name}: the lowest {lowest[name]:.3f} µs")
        report.at_most(
            f"{script.name}, of what it costs without trails", lowest[WITH] / lowest[WITHOUT], TARGET
        )
        _count(report, script, calls * 3 // 4)


def _count(report: Report, script: EventScript, calls: int) -> None:
    if not can_count():
        report.note(f"{script.name}: no instructions are counted, since there is no valgrind")
        return
    try:
        found = count_instructions(script, calls=calls)
    except NotCounted as problem:
        report.note(f"{script.name}: no instructions are counted: {problem}")
        return
    counts = f"{found.all:.0f} with trails, {found.without_trails:.0f} without"
    report.note(f"{script.name}, instructions an event: {counts}")
    report.at_most(f"{script.name}, of the instructions without trails", found.ratio, TARGET)


def _measure(script: EventScript, calls: int, turns: int) -> dict[str, list[float]]:
    """Microseconds of processor time an event, a value a turn."""
    found: dict[str, list[float]] = {WITH: [], WITHOUT: []}
    with ExitStack() as running:
        workers = {
            name: running.enter_context(Worker(_pipeline, script, calls, name == WITH)) for name in found
        }
        events = workers[WITH].call("events")
        for _ in range(turns):
            lines = set()
            for name, worker in workers.items():
                seconds, told = worker.call("take")
                found[name].append(seconds / events * 1e6)
                lines.add(told)
            assert len(lines) == 1, "both tell the same"
    return found


def _pipeline(script: EventScript, calls: int, trails: bool) -> PipelineTurns:
    return PipelineTurns(script, calls, trails=trails)
