"""Looks for inputs that lead somewhere new in the project's code, to be changed further.

Watching costs ten times the parser's own time, so it is done for the first inputs alone; what is found joins
the real ones as material for all the others. In a fresh process the same seed finds the same.
"""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

from tests.fuzz.mutation import Mutator
from tests.fuzz.target import Attempt, FuzzTarget, attempted

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = tuple(f"{ROOT / name}/" for name in ("schemas", "astcti_server", "astcti_client", "configurator"))
LONGEST_KEPT = 4096  # bytes: what is longer costs time each time it is chosen
MOST_KEPT = 400


class WatchedLines:
    """Counts the steps between lines of the project's code that were never made before."""

    def __init__(self) -> None:
        self.known: set[tuple[str, int, int]] = set()
        self._ours: dict[str, bool] = {}
        self._before = 0
        self._new = 0

    def new_steps(self, target: FuzzTarget, attempt: Attempt, data: bytes) -> int:
        """How many steps this input made that no earlier one did. Raises what is a finding."""
        self._new = 0
        before = sys.gettrace()
        sys.settrace(self._called)
        try:
            attempted(target, attempt, data)
        finally:
            sys.settrace(before)
        return self._new

    def _called(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        file = frame.f_code.co_filename
        ours = self._ours.get(file)
        if ours is None:
            ours = self._ours[file] = file.startswith(PACKAGES)
        return self._line if ours else None

    def _line(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        step = (frame.f_code.co_filename, self._before, frame.f_lineno)
        self._before = frame.f_lineno
        if step not in self.known:
            self.known.add(step)
            self._new += 1
        return self._line


def explore(
    target: FuzzTarget, attempt: Attempt, seed: int, count: int, until: float, clock: Any
) -> list[bytes]:
    """The target's seeds and what was found beside them, of `count` inputs at most, until `clock` says so."""
    watched = WatchedLines()
    corpus = list(target.seeds())
    mutator = Mutator(corpus, target.tokens, target.grow, target.longest)
    found: list[bytes] = []
    for index in range(-len(corpus), count):
        if len(found) >= MOST_KEPT or clock() >= until:
            break
        data = corpus[index] if index < 0 else mutator.make(Random(f"{seed} explore {target.name} {index}"))
        try:
            new = watched.new_steps(target, attempt, data)
        except Exception:
            continue  # found again, and told, when it is not watched
        if new and index >= 0 and len(data) <= LONGEST_KEPT:
            found.append(data)
            mutator.corpus.append(data)
    return mutator.corpus
