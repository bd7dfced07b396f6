"""Puts what was tried so far into docs/security.md: `make fuzz-table`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz import progress, summary
from tests.fuzz.progress import ProgressFiles
from tests.fuzz.summary import TableRow
from tests.fuzz.target import FuzzTarget
from tests.fuzz.targets import TARGETS

PAGE = Path("docs/security.md")
BEGIN, END = "<!-- made by `make fuzz-table` -->\n", "<!-- end of what is made -->\n"


def with_table(page: str, table: str) -> str:
    """The page with this table in the place of the one before. Raises ValueError if that is not marked."""
    before, begin, rest = page.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page does not have the lines {BEGIN!r} and {END!r}")
    return f"{before}{begin}\n{table}\n{end}{after}"


def tried_so_far(files: ProgressFiles, targets: Sequence[FuzzTarget]) -> str:
    """The table of what the files tell."""
    known = [(target, files.load(target)) for target in targets]
    return summary.table(TableRow(target, found.tried, len(found.findings)) for target, found in known)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.publish", description=__doc__)
    parser.add_argument("--progress", type=Path, default=progress.FOLDER, help="where `make fuzz` keeps it")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    table = tried_so_far(ProgressFiles(given.seed, given.progress), TARGETS)
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8"), table), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
