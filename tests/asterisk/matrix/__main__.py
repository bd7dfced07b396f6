"""Play the matrix: python -m tests.asterisk.matrix [--versions 22,16] [--sample N] [--seed N] [--only TEXT]

What is not right is kept in build/test-calls/VERSION/. Exit code 1 if a combination is wrong that
known_wrong.txt does not list, or could not be played.
"""

from __future__ import annotations

import argparse
import secrets
import time
from pathlib import Path

from tests.asterisk.matrix.combinations import combinations
from tests.asterisk.matrix.known import KnownWrong
from tests.asterisk.matrix.run import PlayedCombination, play_and_compare, sample

KEPT = Path("build/test-calls")


def main() -> int:
    """Play what was asked for on each version; print a line for each combination that is not right."""
    parser = argparse.ArgumentParser(prog="tests.asterisk.matrix")
    parser.add_argument("--versions", default="22,16")
    parser.add_argument("--sample", type=int, default=0, help="so many combinations (default: all)")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--only", default="", help="combinations whose kind has this text")
    options = parser.parse_args()
    seed = secrets.randbelow(1_000_000) if options.seed is None else options.seed
    bad = 0
    for version in map(int, options.versions.split(",")):
        chosen = sample(options.sample, seed)
        if options.only:
            chosen = [combination for combination in combinations() if options.only in combination.kind]
        began = time.monotonic()
        results = play_and_compare(version, chosen, KEPT / str(version))
        bad += report(version, results, KnownWrong.read())
        print(
            f"Asterisk {version}: {len(chosen)} combinations in {time.monotonic() - began:.0f} s, seed {seed}"
        )
    return 1 if bad else 0


def report(version: int, results: list[PlayedCombination], known: KnownWrong) -> int:
    """Print the results; return how many are neither right nor known to be wrong."""
    counts = {
        "right": 0,
        "known to be wrong": 0,
        "wrong": 0,
        "not played": 0,
        "right by now, though listed": 0,
    }
    for result in results:
        kind = known.kind_of(version, result.combination)
        if result.observed.trouble:
            counts["not played"] += 1
            print(f"{version} {result.combination.name}: NOT PLAYED: {result.observed.trouble}")
        elif not result.faults:
            counts["right by now, though listed" if kind else "right"] += 1
        else:
            counts["known to be wrong" if kind else "wrong"] += 1
            print(f"{version} {result.combination.name}: {kind or 'WRONG'}: {'; '.join(result.faults[:4])}")
    print(f"Asterisk {version}: " + ", ".join(f"{count} {word}" for word, count in counts.items() if count))
    return counts["wrong"] + counts["not played"]


if __name__ == "__main__":
    raise SystemExit(main())
