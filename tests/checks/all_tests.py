"""`make test`: every test, in two runs of pytest, one after the other.

The first has two processes, since most tests wait: for a program that starts, a call that goes on, a disk. A
file is run by one of them, in its order. The second has one process for what needs the machine for itself:
browsers, windows, packages that are built and installed, and the office while everything fails.

Arguments are pytest's. `-n 0` makes one process of the two. Ends with the exit code of the run that failed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

ALONE: Final = "browser or install or endurance or screen"
TOGETHER: Final = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
PASSED, FAILED, NOTHING_CHOSEN = 0, 1, 5  # pytest's exit codes; others mean that it was not carried through


def runs(arguments: Sequence[str]) -> list[list[str]]:
    """The arguments of both runs: what the given ones choose, divided."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("-m", default="")
    known, others = parser.parse_known_args(arguments)
    chosen = f" and ({known.m})" if known.m else ""
    return [[*TOGETHER, "-m", f"not ({ALONE}){chosen}", *others], ["-m", f"({ALONE}){chosen}", *others]]


def outcome(codes: Sequence[int]) -> int:
    """The exit code of all: that no test was chosen is a failure only if that is so in each run."""
    if set(codes) == {NOTHING_CHOSEN}:
        return NOTHING_CHOSEN
    return next((code for code in codes if code not in (PASSED, NOTHING_CHOSEN)), PASSED)


def main(arguments: Sequence[str]) -> int:
    codes = []
    for run in runs(arguments):
        codes.append(subprocess.run([sys.executable, "-m", "pytest", *run], check=False).returncode)
        if codes[-1] not in (PASSED, FAILED, NOTHING_CHOSEN):  # or `-x` ended it
            break
    return outcome(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
