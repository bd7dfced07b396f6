"""A minute of `make fuzz`: every parser gets some inputs, and nothing is found."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 30  # of processor time in all, on two processors


def test_nothing_is_found_in_a_minute(tmp_path: Path) -> None:
    arguments = [
        "--seconds",
        str(SECONDS),
        "--findings",
        str(tmp_path),
        "--table",
        str(tmp_path / "table.md"),
    ]
    run = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr
    rows = (tmp_path / "table.md").read_text().splitlines()[2:]
    tried = {row.split("|")[1].strip(" `"): int(row.split("|")[3].replace(",", "")) for row in rows}
    assert tried.keys() == {target.name for target in TARGETS}
    assert min(tried.values()) > 10
