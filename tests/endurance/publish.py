"""Puts the tables of the last run into docs/reliability.md: `make soak-table`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.checks.made_part import with_made_part
from tests.endurance.report import as_markdown

REPORT = Path("build/endurance/report.json")
PAGE = Path("docs/reliability.md")
TARGET = "soak-table"


def main() -> int:
    if not REPORT.exists():
        print(f"there is no {REPORT}: make soak makes it", file=sys.stderr)
        return 1
    report = json.loads(REPORT.read_text(encoding="utf-8"))
    page = with_made_part(PAGE.read_text(encoding="utf-8"), TARGET, as_markdown(report))
    PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
