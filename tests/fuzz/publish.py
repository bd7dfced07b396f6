"""Puts what was tried so far into docs/security.md: `make fuzz-table`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.checks.made_part import with_made_part
from tests.fuzz import progress, summary
from tests.fuzz.progress import ProgressFiles
from tests.fuzz.summary import TableRow
from tests.fuzz.target import FuzzTarget
from tests.fuzz.targets import TARGETS

PAGE = Path("docs/security.md")
TARGET = "fuzz-table"


def tried_so_far(files: ProgressFiles, targets: Sequence[FuzzTarget]) -> str:
    """The table of what the files tell."""
    known = [(target, files.load(target)) for target in targets]
    return summary.table(TableRow(target, found.tried, len(found.findings)) for target, found in known)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.publish", description=__doc__)
    parser.add_argument("--progress", type=Path, default=progress.FOLDER, help="where `make fuzz` keeps it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--page", type=Path, default=PAGE, help="where the table stands")
    given = parser.parse_args(arguments)
    table = tried_so_far(ProgressFiles(given.seed, given.progress), TARGETS)
    page = with_made_part(given.page.read_text(encoding="utf-8"), TARGET, table)
    given.page.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
