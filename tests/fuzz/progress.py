"""What was tried of each target so far: a run goes on where those before it ended.

A file a target, written now and then while it is tried, so that a run may be stopped at any time.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fuzz.revision import revision_of
from tests.fuzz.shard import Tried
from tests.fuzz.target import FuzzTarget

FOLDER = Path("build/fuzz")


@dataclass
class FuzzProgress:
    """A target's inputs of one seed, tried with one revision of the harness."""

    revision: str
    tried: Tried = field(default_factory=Tried)
    stretches: list[tuple[int, int]] = field(default_factory=list)
    """First number and end of those that were tried; sorted, with others between them."""
    corpus: list[bytes] = field(default_factory=list)
    """What the inputs are made of: the same number is the same input while it is the same."""
    findings: list[str] = field(default_factory=list)
    """The keys of all findings."""

    def cover(self, first: int, end: int) -> None:
        """These inputs were tried, too."""
        joined: list[tuple[int, int]] = []
        for one, other in sorted([*self.stretches, (first, end)]):
            if joined and one <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(other, joined[-1][1]))
            elif one < other:
                joined.append((one, other))
        self.stretches = joined

    def missing(self, inputs: int) -> Iterator[tuple[int, int]]:
        """The stretches that were not tried of so many inputs."""
        at = 0
        for first, end in self.stretches:
            if at < min(first, inputs):
                yield at, min(first, inputs)
            at = end
        if at < inputs:
            yield at, inputs


class ProgressFiles:
    """The files of one seed. One run at a time may write there."""

    def __init__(self, seed: int, folder: Path = FOLDER) -> None:
        self._seed = seed
        self._folder = folder / f"seed-{seed}"

    def load(self, target: FuzzTarget) -> FuzzProgress:
        """What was tried; nothing where no file is of this revision."""
        revision = revision_of(target)
        try:
            said = json.loads(self._path(target).read_bytes())
        except FileNotFoundError:
            said = {}
        if said.get("revision") != revision:
            return FuzzProgress(revision)
        return FuzzProgress(
            revision,
            tried_from(said["tried"]),
            [(first, end) for first, end in said["stretches"]],
            [
                base64.b64decode(text)
                for text in self._corpus(target).read_text(encoding="ascii").splitlines()
            ],
            said["findings"],
        )

    def save(self, target: FuzzTarget, progress: FuzzProgress) -> None:
        """All but the corpus, in the place of what was there."""
        said = {
            "revision": progress.revision,
            "stretches": progress.stretches,
            "findings": progress.findings,
            "tried": words_of(progress.tried),
        }
        self._write(self._path(target), json.dumps(said, indent=1))

    def save_corpus(self, target: FuzzTarget, corpus: Sequence[bytes]) -> None:
        """Before the first input is tried."""
        self._write(
            self._corpus(target), "\n".join(base64.b64encode(data).decode() for data in corpus) + "\n"
        )

    def _path(self, target: FuzzTarget) -> Path:
        return self._folder / f"{target.name}.json"

    def _corpus(self, target: FuzzTarget) -> Path:
        return self._folder / f"{target.name}.corpus"

    def _write(self, path: Path, text: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)


def words_of(tried: Tried) -> dict[str, Any]:
    """As JSON has it, without the findings."""
    return {
        "inputs": tried.inputs,
        "seconds": round(tried.seconds, 3),
        "slowest": round(tried.slowest, 6),
        "growth": tried.growth,
        "kinds": dict(tried.kinds.most_common()),
    }


def tried_from(words: dict[str, Any]) -> Tried:
    """What `words_of` made these words of."""
    return Tried(**words | {"kinds": Counter(words["kinds"]), "findings": []})
