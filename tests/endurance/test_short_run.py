"""The run itself, short: some faults, each once and several at a time."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.endurance.checks.calls import Limits
from tests.endurance.faults import FAULTS
from tests.endurance.report import as_json, as_markdown
from tests.endurance.soak import Soak, SoakOptions

MINUTES = 1.8
LIMITS = Limits(shown=15.0, caught_up=60.0)  # seconds; for a machine that has a lot of other things to do


@pytest.mark.endurance
@pytest.mark.timeout(290)
def test_every_call_pops_up_once_while_everything_fails(tmp_path: Path) -> None:
    kinds = tuple(kind for kind in FAULTS if kind.short)
    options = SoakOptions(
        minutes=MINUTES, seed=1, seats=60, groups=6, wired=2, rate=3.0, kinds=kinds, short=True, limits=LIMITS
    )
    result = Soak(options, tmp_path, sys.stdout).run()
    report = as_json(result)
    print(as_markdown(report))
    assert [f"{finding.wrong.value}: {finding.text}" for finding in result.findings] == []
    assert result.quiet_moments
    assert result.tally.shown > 30
    assert result.tally.caught_up
    assert {"server killed and started", "link to the PBX cut"} <= result.rows.keys()
