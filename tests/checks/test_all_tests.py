"""`make test` in two runs: each test in one of them, and a failure in either is one of both."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.checks.all_tests import outcome

ROOT = Path(__file__).resolve().parents[2]
TESTS = """\
import os
import pytest

def test_beside_others(): assert os.environ["PYTEST_XDIST_WORKER_COUNT"] == "2"

@pytest.mark.browser
def test_alone(): assert "PYTEST_XDIST_WORKER_COUNT" not in os.environ

@pytest.mark.asterisk
def test_not_chosen(): assert False
"""


def test_each_chosen_test_is_in_one_of_the_two_runs(tmp_path: Path) -> None:
    (tmp_path / "test_three.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nmarkers =\n browser\n install\n endurance\n screen\n asterisk\n"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    here = ("--rootdir", tmp_path, "-c", tmp_path / "pytest.ini", "-p", "no:cacheprovider")
    done = subprocess.run(
        [sys.executable, "-m", "tests.checks.all_tests", *here, "-v", "-m", "not asterisk", tmp_path],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed = [line for line in done.stdout.splitlines() if "PASSED" in line]
    assert ["test_beside_others" in line for line in passed] == [True, False]
    assert ["test_alone" in line for line in passed] == [False, True]
    assert "test_not_chosen" not in done.stdout


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [(0, 0, 0), (1, 0, 1), (0, 1, 1), (0, 5, 0), (5, 0, 0), (5, 1, 1), (5, 5, 5), (4, 0, 4)],
)
def test_a_failure_in_either_run_is_one_of_both(first: int, second: int, both: int) -> None:
    assert outcome([first, second]) == both
