"""`make coverage`: what was measured, a line for each package, held against the bars.

Reads what `coverage json` wrote, the path is the argument. Ends with 1 if a package with a bar has a smaller
share of its branches taken than that.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Final

BAR: Final = 0.95
"""Of the branches."""
WITH_BAR: Final = (
    "schemas",
    "astcti_server/ami",
    "astcti_server/calls",
    "astcti_server/clients",
    "astcti_server/queues",
)
DEPTH: Final = {"schemas": 1}
"""How many folders make a package, 2 where nothing is said: `astcti_server/ami`."""


def package_of(path: str) -> str:
    folders = Path(path).parts[:-1]
    return "/".join(folders[: DEPTH.get(folders[0], 2)])


def main(report: str) -> int:
    counts: dict[str, Counter[str]] = {}
    for path, measured in json.loads(Path(report).read_text())["files"].items():
        counts.setdefault(package_of(path), Counter()).update(measured["summary"])
    missed = False
    print(f"{'package':34} lines  branches")
    for package, count in sorted(counts.items()):
        lines = share(count["covered_lines"], count["num_statements"])
        branches = share(count["covered_branches"], count["num_branches"])
        is_low = package in WITH_BAR and branches < BAR
        missed = missed or is_low
        verdict = f"  below {BAR:.0%}" if is_low else ""
        print(f"{package:34} {lines:6.1%} {branches:6.1%} ({count['num_branches']}){verdict}")
    return 1 if missed or not counts.keys() >= set(WITH_BAR) else 0


def share(part: float, whole: float) -> float:
    return part / whole if whole else 1.0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
