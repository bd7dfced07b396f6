"""The tables of the page about reliability are made from the last run."""

from __future__ import annotations

import pytest

from tests.checks.made_part import END, begin_of, with_made_part
from tests.endurance.publish import PAGE, TARGET
from tests.endurance.report import as_json, as_markdown
from tests.endurance.soak import SoakOptions, SoakResult


def test_the_tables_take_the_place_of_those_before() -> None:
    page = with_made_part(PAGE.read_text(), TARGET, "| one |")
    again = with_made_part(page, TARGET, "| another |")
    assert "| one |" in page
    assert "| one |" not in again
    assert page.replace("| one |", "| another |") == again


def test_a_page_without_the_marks_is_left_alone() -> None:
    with pytest.raises(ValueError, match="made by"):
        with_made_part(f"{END}{begin_of(TARGET)}", TARGET, "")


def test_a_fault_has_a_row_with_what_is_seen_and_how_long_it_took() -> None:
    result = SoakResult(SoakOptions(seed=3))
    row = result.rows["server killed and started"]
    row.times, row.recovered = 2, [1.0, 3.0]
    result.left_out["disk full"] = "needs root"
    tables = as_markdown(as_json(result))
    assert "| server killed and started | Members stay in the queues, clients come back" in tables
    assert "| 2 | 0 | 2.0 s | 3.0 s |" in tables
    assert "| disk full | left out: needs root |" in tables
    assert "seed 3" in tables
