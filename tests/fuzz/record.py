"""What was tried of each target, on all machines: a file of the repository, of which the table is made.

Runs of one seed are one row of it: another machine takes another seed, or it tries what was tried already.
What was tried with another harness is left out, and goes when the file is written next.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.progress import ProgressFiles, tried_from, words_of
from tests.fuzz.revision import revision_of
from tests.fuzz.shard import Tried
from tests.fuzz.summary import TableRow
from tests.fuzz.target import FuzzTarget

FILE = Path("tests/fuzz/tried.json")


@dataclass
class SeedRecord:
    """What came of a target's inputs of one seed."""

    tried: Tried
    findings: int


@dataclass
class Record:
    """By target and seed; only of harnesses as they are."""

    targets: Sequence[FuzzTarget]
    seeds: dict[str, dict[int, SeedRecord]] = field(default_factory=dict)

    def take_in(self, seed: int, files: ProgressFiles) -> None:
        """What this machine tried of that seed, where it is more than is known of it."""
        for target in self.targets:
            progress = files.load(target)
            known = self.seeds.setdefault(target.name, {})
            if progress.tried.inputs > (known[seed].tried.inputs if seed in known else 0):
                known[seed] = SeedRecord(progress.tried, len(progress.findings))

    def rows(self) -> list[TableRow]:
        """A row for each target, of all its seeds."""
        return [_row(target, list(self.seeds.get(target.name, {}).values())) for target in self.targets]


def _row(target: FuzzTarget, seeds: Sequence[SeedRecord]) -> TableRow:
    together = Tried()
    for one in seeds:
        together.add(one.tried)
    return TableRow(target, together, sum(one.findings for one in seeds))


def load(targets: Sequence[FuzzTarget], file: Path = FILE) -> Record:
    """What the file tells; nothing without one."""
    record = Record(targets)
    said = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    for target in targets:
        known = said.get(target.name, {})
        if known.get("revision") == revision_of(target):
            record.seeds[target.name] = {
                int(seed): SeedRecord(tried_from(words["tried"]), words["findings"])
                for seed, words in known["seeds"].items()
            }
    return record


def save(record: Record, file: Path = FILE) -> None:
    """In the place of what was there."""
    said = {
        target.name: {
            "revision": revision_of(target),
            "seeds": {
                str(seed): {"tried": words_of(one.tried), "findings": one.findings}
                for seed, one in sorted(record.seeds[target.name].items())
            },
        }
        for target in record.targets
        if record.seeds.get(target.name)
    }
    file.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
