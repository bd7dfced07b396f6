"""What trails cost is measured of the same traffic with and without them, and counted where that can be."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.bench.machine import this_machine
from tests.bench.processes.instructions import NotCounted, can_count, count_instructions
from tests.bench.processes.pipeline import PARTS
from tests.bench.report import Report
from tests.bench.scenarios import explanations as scenario
from tests.bench.workload.old_calls import OldCalls

NAME = OldCalls().name
VALGRIND = r"""#!/bin/sh
# Runs the program, and says of each process that it names a million instructions more.
while [ "${1#--}" != "$1" ]; do shift; done
"$@" | awk '{ print; printf "==%d== I   refs:      %d,000,000\n", $NF, NR > "/dev/stderr" }'
"""


def test_the_cost_with_trails_is_told_of_that_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(scenario, "can_count", lambda: False)  # which takes longer: see below
    report = Report(this_machine(), quick=True)
    report.scenario("explanations", "What trails cost")
    scenario.explanations(report, {OldCalls(): 8}, turns=3)
    report.write(tmp_path / "report.json")
    [told] = json.loads((tmp_path / "report.json").read_text())["scenarios"]
    figures = {figure["what"]: figure for figure in told["figures"]}
    turns = {what: len(figure["values"]) for what, figure in figures.items() if "values" in figure}
    assert turns == {f"{NAME}, with trails": 3, f"{NAME}, without": 3}
    ratio = figures[f"{NAME}, of what it costs without trails"]
    lowest = [min(figures[f"{NAME}, {what}"]["values"]) for what in (scenario.WITH, scenario.WITHOUT)]
    assert ratio["median"] == pytest.approx(lowest[0] / lowest[1])
    assert (ratio["target"], ratio["bound"]) == (scenario.TARGET, "at most")
    assert "no instructions are counted" in capsys.readouterr().out


def test_what_each_part_needs_is_the_difference_of_two_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "valgrind").write_text(VALGRIND)
    (tmp_path / "valgrind").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    found = count_instructions(OldCalls(), calls=2)
    assert can_count()
    assert len(found.parts) == len(PARTS)
    assert set(found.parts) == {found.without_trails}
    assert found.ratio == pytest.approx(len(PARTS))


def test_what_valgrind_says_is_told_where_it_counts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "valgrind").write_text("#!/bin/sh\necho no such tool >&2\nexit 1\n")
    (tmp_path / "valgrind").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(NotCounted, match="no such tool"):
        count_instructions(OldCalls(), calls=1)
