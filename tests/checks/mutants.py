"""`make mutants`: do the tests notice? A sample of small mistakes, each put into a copy of the programs.

A mutant is a program with one mistake in it: a comparison turned, "and" for "or", a "not" dropped, a flag
turned. A test that fails has killed it. If none does, it survives, and shows what nobody tests.

cosmic-ray knows the mistakes and the places for them. Its own runner edits the working tree and tries all of
them, some thousands; here a sample is drawn, the same for the same seed, and tried in copies, one a worker.

    python -m tests.checks.mutants [NUMBER [SEED]]

Ends with 1 if fewer than `BAR` are killed.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib.util
import os
import queue
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

ROOT: Final = Path(__file__).resolve().parent.parent.parent
BAR: Final = 0.95
WITHIN: Final = 60.0
"""Seconds for the tests of one mutant; on a slow machine four times what they take without a mistake.

A mutant that takes longer hangs: it is noticed.
"""
Outcome = Literal["passed", "failed", "late"]
WORKERS: Final = os.cpu_count() or 1

# What is mutated, and the tests that need no Asterisk and should notice, the nearest first.
DIALECT, CALLS, QUEUES = "tests/server/ami", "tests/server/calls", "tests/server/queues"
TESTS: Final = {
    "astcti_server/ami/dialect": (DIALECT, CALLS, QUEUES),
    "astcti_server/calls": (CALLS, DIALECT),
    "astcti_server/queues": (QUEUES, "tests/server/demo/test_pbx.py"),
}

TURNED: Final = {
    "Eq": ("NotEq",),
    "NotEq": ("Eq",),
    "Is": ("IsNot",),
    "IsNot": ("Is",),
    "Lt": ("LtE", "GtE"),
    "LtE": ("Lt", "Gt"),
    "Gt": ("GtE", "LtE"),
    "GtE": ("Gt", "Lt"),
}
MISTAKES: Final = (
    *(f"ReplaceComparisonOperator_{old}_{new}" for old, into in TURNED.items() for new in into),
    "ReplaceAndWithOr",
    "ReplaceOrWithAnd",
    "AddNot",
    "ReplaceUnaryOperator_Delete_Not",
    "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue",
    "ReplaceBinaryOperator_Add_Sub",
    "ReplaceBinaryOperator_Sub_Add",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
    "ZeroIterationForLoop",
)


@dataclass(frozen=True, order=True)
class Mutant:
    """One mistake: the nth place for it in a file, at a line (from 1)."""

    path: str
    line: int
    mistake: str
    nth: int

    def code(self, original: str) -> str:
        """The file with the mistake in it."""
        mutated = mutate_code(original, get_operator(f"core/{self.mistake}")(), self.nth)
        assert mutated is not None, self
        return str(mutated)

    def tests(self) -> tuple[str, ...]:
        return next(tests for folder, tests in TESTS.items() if self.path.startswith(folder + "/"))

    def diff(self, original: str) -> str:
        before, after = original.splitlines(), self.code(original).splitlines()
        return "\n".join(difflib.unified_diff(before, after, self.path, self.mistake, lineterm="", n=2))


def mutants(root: Path) -> Iterator[Mutant]:
    """Every place for every mistake in what lies below a folder."""
    for folder in TESTS:
        for path in sorted((root / folder).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            lines = text.splitlines()
            nodes = list(ast_nodes(get_ast(text)))
            for mistake in MISTAKES:
                operator = get_operator(f"core/{mistake}")()
                places = (start for node in nodes for start, _ in operator.mutation_positions(node))
                for nth, (line, _column) in enumerate(places):
                    if "TYPE_CHECKING" not in lines[line - 1]:  # imports that only mypy sees
                        yield Mutant(path.relative_to(root).as_posix(), line, mistake, nth)


class Copy:
    """A copy of what is tracked here, in which one mutant at a time is tried. One thread at a time.

    Nothing else is read after it was made: whoever started the run may go on working.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
        )
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, folder / name)

    def try_out(self, mutant: Mutant, within: float) -> Outcome:
        path, original = self.folder / mutant.path, self.text(mutant.path)
        self._write(path, mutant.code(original))
        try:
            return self.run(mutant.tests(), within)
        finally:
            self._write(path, original)

    def text(self, path: str) -> str:
        return (self.folder / path).read_text(encoding="utf-8")

    def run(self, tests: tuple[str, ...], within: float = 600.0) -> Outcome:
        """What becomes of tests in so many seconds. What they start is ended with them."""
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests],
            cwd=self.folder,
            # CI: properties are tried with the same examples every time.
            env={**os.environ, "CI": "true", "PYTHONPATH": str(self.folder)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            return "failed" if process.wait(within) else "passed"
        except subprocess.TimeoutExpired:
            return "late"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    @staticmethod
    def _write(path: Path, text: str) -> None:
        # Python takes compiled code for current by the time (in seconds) and the size of its source: both may
        # be the same with a mistake as without.
        Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)
        path.write_text(text, encoding="utf-8")


def main(number: int = 200, seed: int = 1) -> int:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copies = [Copy(Path(folder, str(worker))) for worker in range(WORKERS)]
        everything = sorted(mutants(copies[0].folder))
        sample = sorted(random.Random(seed).sample(everything, min(number, len(everything))))
        print(f"{len(sample)} of {len(everything)} mutants, seed {seed}, {WORKERS} at a time", flush=True)
        limits = limits_of({mutant.tests() for mutant in sample}, copies[0])
        survivors = survivors_of(sample, copies, limits)
        for mutant in survivors:
            diff = mutant.diff(copies[0].text(mutant.path))
            print(f"\nsurvived: {mutant.path}:{mutant.line} {mutant.mistake}\n{diff}")
    killed = len(sample) - len(survivors)
    share = killed / len(sample) if sample else 1.0
    seconds = time.monotonic() - began
    print(f"\n{killed} of {len(sample)} killed, {share:.1%} (wanted: {BAR:.0%}), in {seconds:.0f} s")
    return 0 if share >= BAR else 1


def limits_of(groups: set[tuple[str, ...]], copy: Copy) -> dict[tuple[str, ...], float]:
    """How long each group of tests may take. SystemExit if one fails although there is no mistake."""
    limits = {}
    for tests in sorted(groups):
        began = time.monotonic()
        if copy.run(tests) != "passed":
            sys.exit(f"Tests must pass before they can notice anything: {' '.join(tests)}")
        limits[tests] = max(WITHIN, 4 * (time.monotonic() - began))
    return limits


def survivors_of(
    sample: list[Mutant], copies: list[Copy], limits: dict[tuple[str, ...], float]
) -> list[Mutant]:
    """Those that no test noticed."""
    free: queue.SimpleQueue[Copy] = queue.SimpleQueue()
    for copy in copies:
        free.put(copy)

    def survives(mutant: Mutant) -> bool:
        copy = free.get()
        try:
            outcome = copy.try_out(mutant, limits[mutant.tests()])
        finally:
            free.put(copy)
        verdict = {"passed": "SURVIVED", "failed": "killed", "late": "killed, late"}[outcome]
        print(f"{verdict:12} {mutant.path}:{mutant.line} {mutant.mistake}", flush=True)
        return outcome == "passed"

    with ThreadPoolExecutor(len(copies)) as pool:
        verdicts = list(pool.map(survives, sample))
    return [mutant for mutant, survived in zip(sample, verdicts, strict=True) if survived]


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
