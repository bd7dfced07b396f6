"""The Configurator's figures: each page is asked for, each save checked, and a wrong answer is no figure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.bench.figures import Rounds
from tests.bench.machine import Machine
from tests.bench.processes.configurator_process import form_fields
from tests.bench.processes.server_process import ServerFailed
from tests.bench.report import Report
from tests.bench.scenarios import configurator_pages
from tests.bench.scenarios.configurator_pages import ALL, COMPARED, PAGES, configurator, report_pages
from tests.bench.workload.largest_configuration import largest_configuration

MACHINE = Machine("cpython 3.11.2, /usr/bin/python3", "optimised", 25.0, "Linux 6.1", "A processor", 2)


@pytest.fixture
def report() -> Report:
    report = Report(MACHINE)
    report.scenario("configurator", "The Configurator")
    return report


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the real program is tried with."""
    monkeypatch.setitem(configurator_pages.SIZES, "large", (60, 6))
    monkeypatch.setitem(configurator_pages.SIZES, "small", (30, 3))


def figures_of(report: Report, folder: Path) -> list[dict[str, Any]]:
    report.write(folder / "run.json")
    (scenario,) = json.loads((folder / "run.json").read_text())["scenarios"]
    found: list[dict[str, Any]] = scenario["figures"]
    return found


def test_every_page_save_and_publication_of_the_real_program_is_measured(
    small: None, report: Report, tmp_path: Path
) -> None:
    configurator(report, rounds=(1, 1))

    figures = figures_of(report, tmp_path)
    measured = {figure["what"]: figure["median"] for figure in figures if figure["unit"] == "ms"}
    assert {*ALL} < set(measured)
    assert min(measured.values()) > 0
    together = [what for what in measured if "5 people at once" in what]
    assert len(together) == 6, together
    assert sum("before the first" in what or "after the start" in what for what in measured) == 2
    judged = [figure["what"] for figure in figures if "target" in figure]
    assert len(judged) == len(ALL) + len(COMPARED) + len(together) + 1
    ratios = [figure["what"] for figure in figures if figure["unit"] == "times"]
    assert len(ratios) == len(ALL)


def test_a_page_that_is_not_there_fails_the_scenario(
    small: None, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(configurator_pages, "PAGES", {"no page": ("/no-such-list/", False)})

    with pytest.raises(ServerFailed, match="no page: the Configurator answered 404"):
        configurator(report, rounds=(1, 1))


def test_what_grows_with_the_configuration_misses_its_target(report: Report, tmp_path: Path) -> None:
    found = Rounds(3, 3)
    for _ in found:
        for name in ALL:
            for size in configurator_pages.SIZES:
                found.add(f"{size}, {name}", 250.0)
                grown = 30.0 if size == "large" and name == "list of operators" else 10.0
                found.add(f"{size}, {name}, processor time", grown)

    report_pages(report, found)

    missed = [figure["what"] for figure in figures_of(report, tmp_path) if figure.get("met") is False]
    counts = [name for name in ALL if "number of changes after" in name]
    assert missed == [*PAGES, *counts, "list of operators: processor time, of that with a hundredth"]


def test_a_form_is_sent_with_what_it_shows() -> None:
    page = """<html><form><input name="q" value="x"></form>
        <form><input name="name" value="Sales">
        <input type="checkbox" name="a" checked><input type="checkbox" name="b">
        <select name="seat"><option value="1">1<option value="2" selected>2</select></form></html>"""

    assert form_fields(page, "name") == {"name": "Sales", "a": "on", "seat": "2"}
    with pytest.raises(ServerFailed, match="no form with the field digest"):
        form_fields(page, "digest")


def test_a_smaller_configuration_is_of_the_same_kind() -> None:
    small = largest_configuration(100, 10)

    assert (len(small.operators), len(small.seats), len(small.services)) == (100, 100, 10)
    assert {len(service.operators) for service in small.services} == {20}
    assert {binding.username for service in small.services for binding in service.operators} <= {
        operator.username for operator in small.operators
    }
