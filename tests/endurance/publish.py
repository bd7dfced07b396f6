"""Puts the tables of the last run into docs/reliability.md: `make soak-table`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.endurance.report import as_markdown

REPORT = Path("build/endurance/report.json")
PAGE = Path("docs/reliability.md")
BEGIN, END = "<!-- made by `make soak-table` -->\n", "<!-- end of what is made -->\n"


def with_tables(page: str, tables: str) -> str:
    """The page with these tables in the place of those before. Raises ValueError if that is not marked."""
    before, begin, rest = page.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page does not have the lines {BEGIN!r} and {END!r}")
    return f"{before}{begin}\n{tables}\n{end}{after}"


def main() -> int:
    if not REPORT.exists():
        print(f"there is no {REPORT}: make soak makes it", file=sys.stderr)
        return 1
    report = json.loads(REPORT.read_text(encoding="utf-8"))
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), as_markdown(report)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
