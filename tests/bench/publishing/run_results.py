"""What a run of the bench wrote down, read again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class NoRun(Exception):
    """There is no run whose figures could be published; the text says what to do."""


@dataclass(frozen=True, slots=True)
class RunResults:
    """A whole run, or several of one machine and one Python put together."""

    machine: Mapping[str, Any]
    version: str
    measured: str
    scenarios: tuple[Mapping[str, Any], ...]

    def figures(self, scenario: str) -> Iterator[Mapping[str, Any]]:
        """All that was measured in a scenario."""
        for found in self.scenarios:
            if found["name"] == scenario:
                yield from found["figures"]

    def medians(self, scenario: str, unit: str) -> dict[str, float]:
        """The figures that are no judgement, by what they are of."""
        return {
            figure["what"]: figure["median"]
            for figure in self.figures(scenario)
            if figure["unit"] == unit and "target" not in figure
        }


def newest_run(folder: Path) -> Path:
    """The last run in a folder that was not a quick one. Raises NoRun."""
    for path in sorted(folder.glob("*.json"), reverse=True):
        if not json.loads(path.read_text(encoding="utf-8")).get("quick"):
            return path
    raise NoRun(f"{folder}: no whole run is there; measure in a quiet hour: make bench")


def read_runs(paths: Sequence[Path]) -> RunResults:
    """Runs of one machine and one Python as one; of a scenario that several have, the last one's.

    Raises NoRun, also if they are of different ones.
    """
    runs = [read_run(path) for path in paths]
    first, last = runs[0], runs[-1]
    for run, path in zip(runs, paths, strict=True):
        for name in ("python", "processor", "cores"):
            if run.machine[name] != first.machine[name]:
                raise NoRun(
                    f"{path}: its {name} is another one than in {paths[0]}: their figures do not compare"
                )
    scenarios = {scenario["name"]: scenario for run in runs for scenario in run.scenarios}
    return RunResults(last.machine, last.version, last.measured, tuple(scenarios.values()))


def read_run(path: Path) -> RunResults:
    """Raises NoRun if the file is not one, or of a quick run."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["quick"]:
            raise NoRun(f"{path}: a quick run has no figures; measure in a quiet hour: make bench")
        return RunResults(
            content["machine"], content["version"], content["measured"], tuple(content["scenarios"])
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NoRun(f"{path}: is not what a run of the bench wrote ({error!r}): make bench") from error
