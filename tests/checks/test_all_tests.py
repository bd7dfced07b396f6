"""`make test` in several runs: each test in one of them, and a failure in any is one of all."""

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

@pytest.mark.screen
def test_window(): assert os.nice(0) == {nice} and "PYTEST_XDIST_WORKER_COUNT" not in os.environ

@pytest.mark.browser
def test_beside_windows(): assert os.nice(0) > {nice}

@pytest.mark.browser
@pytest.mark.endurance
@pytest.mark.screen
def test_alone(): assert os.nice(0) == {nice}

@pytest.mark.asterisk
def test_not_chosen(): assert False
"""


def test_each_chosen_test_is_in_one_of_the_runs(tmp_path: Path) -> None:
    (tmp_path / "test_five.py").write_text(TESTS.format(nice=os.nice(0)))
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
    names = ("test_beside_others", "test_window", "test_beside_windows", "test_alone")
    assert len(passed) == len(names)
    assert all(name in line for name, line in zip(names, passed, strict=True))
    assert "test_not_chosen" not in done.stdout


@pytest.mark.parametrize(
    ("first", "second", "all_of_them"),
    [(0, 0, 0), (1, 0, 1), (0, 1, 1), (0, 5, 0), (5, 0, 0), (5, 1, 1), (5, 5, 5), (4, 0, 4)],
)
def test_a_failure_in_any_run_is_one_of_all(first: int, second: int, all_of_them: int) -> None:
    assert outcome([first, second]) == all_of_them
