"""Puts what was tried so far into tests/fuzz/tried.json and docs/security.md: `make fuzz-table`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.checks.made_part import with_made_part
from tests.fuzz import progress, record, summary
from tests.fuzz.progress import ProgressFiles
from tests.fuzz.targets import TARGETS

PAGE = Path("docs/security.md")
TARGET = "fuzz-table"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.publish", description=__doc__)
    parser.add_argument("--progress", type=Path, default=progress.FOLDER, help="where `make fuzz` keeps it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", type=Path, default=record.FILE, help="what was tried on all machines")
    parser.add_argument("--page", type=Path, default=PAGE, help="where the table stands")
    given = parser.parse_args(arguments)
    tried = record.load(TARGETS, given.record)
    tried.take_in(given.seed, ProgressFiles(given.seed, given.progress))
    record.save(tried, given.record)
    table = summary.table(tried.rows())
    page = with_made_part(given.page.read_text(encoding="utf-8"), TARGET, table)
    given.page.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
