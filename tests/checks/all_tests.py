"""`make test`: every test, in four runs of pytest. Two of them go on at the same time.

The first has two processes, since most tests wait: for a program that starts, a call that goes on, a disk. A
file is run by one of them, in its order. Then the windows have a process, in which nothing comes between a
click and what it does but what waits for the windows: beside them, and after them in the system's turn,
browsers, and packages that are built and installed; and with `--pythons` the tests that need nothing but
Python on its other versions. At last the office while everything fails has the machine for itself.

Other arguments are pytest's. With `-n 0` nothing goes on beside anything. What goes on beside the windows is
printed after them. Ends with the exit code of the first run that failed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, Final

TOGETHER: Final = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
WINDOWS: Final = "screen and not (browser or install or endurance)"
BESIDE: Final = "(browser or install) and not endurance"
BESIDE_CACHE: Final = ("-o", "cache_dir=.pytest_cache/beside")  # two runs at a time would write into one
LATER_TURN: Final = "10"  # added to the niceness
PASSED, FAILED, NOTHING_CHOSEN = 0, 1, 5  # pytest's exit codes; others mean that it was not carried through

Command = list[str]


@dataclass(frozen=True)
class Runs:
    """What is run, one after the other; `beside` at the same time as `windows`."""

    together: Command
    windows: Command
    beside: list[Command]
    alone: Command
    at_a_time: bool


def runs(arguments: Sequence[str]) -> Runs:
    """What the arguments choose, divided."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--pythons", action="store_true")
    parser.add_argument("-m", default="")
    parser.add_argument("-n", default="")
    known, others = parser.parse_known_args(arguments)

    def chosen(marks: str, *options: str) -> Command:
        wanted = f"({marks}) and ({known.m})" if known.m else marks
        return [sys.executable, "-m", "pytest", *options, "-m", wanted, *others]

    processes = ("-n", known.n) if known.n else ()
    beside = [chosen(BESIDE, *BESIDE_CACHE)]
    if known.pythons:
        beside.append([sys.executable, "-m", "tests.checks.pythons"])
    return Runs(
        together=chosen("not (browser or install or endurance or screen)", *TOGETHER, *processes),
        windows=chosen(WINDOWS),
        beside=beside,
        alone=chosen("endurance"),
        at_a_time=known.n != "0",
    )


def outcome(codes: Sequence[int]) -> int:
    """The exit code of all: that no test was chosen is a failure only if that is so in each run."""
    if set(codes) == {NOTHING_CHOSEN}:
        return NOTHING_CHOSEN
    return next((code for code in codes if code not in (PASSED, NOTHING_CHOSEN)), PASSED)


def main(arguments: Sequence[str]) -> int:
    wanted = runs(arguments)
    codes = [run(wanted.together)]
    if _carried_through(codes):
        codes += _windows_and_beside(wanted)
    if _carried_through(codes):
        codes.append(run(wanted.alone))
    return outcome(codes)


def run(command: Command) -> int:
    return subprocess.run(command, check=False).returncode


def _carried_through(codes: Sequence[int]) -> bool:
    """Not so if `-x` ended one, or Ctrl+C."""
    return all(code in (PASSED, FAILED, NOTHING_CHOSEN) for code in codes)


def _windows_and_beside(wanted: Runs) -> list[int]:
    if not wanted.at_a_time:
        return [run(command) for command in (wanted.windows, *wanted.beside)]
    with tempfile.TemporaryFile() as output, ThreadPoolExecutor(1) as other:
        beside = other.submit(_beside, wanted.beside, output)
        codes = [run(wanted.windows), *beside.result()]
        output.seek(0)
        sys.stdout.buffer.writelines(output)
        sys.stdout.flush()
    return codes


def _beside(commands: Sequence[Command], output: IO[bytes]) -> list[int]:
    """The exit code of each."""
    return [
        subprocess.run(
            ["nice", "-n", LATER_TURN, *command], check=False, stdout=output, stderr=subprocess.STDOUT
        ).returncode
        for command in commands
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
