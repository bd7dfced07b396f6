"""What the bench prints, and what it writes down."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench.machine import Machine
from tests.bench.processor_time import ProcessorTime, Usage
from tests.bench.report import Report

MACHINE = Machine("cpython 3.11.2, /usr/bin/python3", "optimised", 25.0, "Linux 6.1", "A processor", 2)


@pytest.fixture
def report() -> Report:
    report = Report(MACHINE)
    report.scenario("latency", "One notification")
    return report


def usage(*, others: float, stolen: float, load: float) -> Usage:
    return Usage(1.5, {"server": ProcessorTime(0.5, 0.4, 0.1)}, others, stolen, load)


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_it_begins_with_the_python_and_the_machine(capsys: pytest.CaptureFixture[str]) -> None:
    Report(MACHINE, quick=True)

    text = printed(capsys)
    for words in (
        MACHINE.python,
        "its build: optimised",
        "25.0 ms",
        "A processor, 2 cores, Linux 6.1",
        "quick",
    ):
        assert words in text


def test_values_are_printed_with_median_and_spread(
    report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    report.values("p50", [100.0, 104.0, 96.0], "µs")

    assert "p50: 100 µs (median of 3, 96 to 104, spread 8%)" in printed(capsys)


def test_a_spread_above_ten_per_cent_is_pointed_out(
    report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    report.values("p50", [100.0, 106.0, 95.0], "µs")

    assert "spread 11%: SPREAD ABOVE 10%" in printed(capsys)


@pytest.mark.parametrize(
    ("ratios", "words"),
    [
        ([1.05, 1.04, 1.06] * 4, "95 % interval 1.040 to 1.060, more"),
        ([0.95, 0.94, 0.96] * 4, "95 % interval 0.940 to 0.960, less"),
        ([0.99, 1.0, 1.01] * 4, "95 % interval 0.990 to 1.010, no difference seen"),
        ([1.0, 1.1], "2 pairs are too few to be sure"),
    ],
)
def test_a_comparison_says_whether_there_is_a_difference(
    report: Report, capsys: pytest.CaptureFixture[str], ratios: list[float], words: str
) -> None:
    report.ratios("processor time an event", ratios, "3 µs", "3.1 µs")

    text = printed(capsys)
    assert "processor time an event: 3 µs -> 3.1 µs" in text
    assert words in text


def test_missed_targets_are_counted(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    report.at_most("memory", 61, 60, "MB")
    report.at_least("rate", 8, 8)

    assert report.missed == 1
    text = printed(capsys)
    assert "memory: 61 MB; target at most 60: NOT MET" in text
    assert "rate: 8 times; target at least 8: met" in text


def test_the_ratios_of_the_rounds_are_judged_by_their_median(
    report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    report.times("as fast as another", [9.0, 11.0, 10.5], 10)
    report.times_at_most("slower than the floor", [3.0, 3.2, 3.4], 3)

    assert report.missed == 1
    text = printed(capsys)
    assert "as fast as another: 10.5 times (median of 3, 9 to 11" in text
    assert "target at least 10: met" in text
    assert "target at most 3: NOT MET" in text


def test_a_disturbed_measurement_is_marked(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    report.usage(
        "all", Usage(1.5, {"server": ProcessorTime(0.5, 0.4, 0.1)}, others=0.5, stolen=0.01, load=3.2)
    )

    text = printed(capsys)
    assert "all: 1.50 s; processor time: server 0.500 s, 33% of a core (20% in the kernel)" in text
    assert "the limit: none; other processes used 50% of the cores, 1.0% were stolen, load 3.2, NOISY" in text


def test_everything_is_written_as_json_too(report: Report, tmp_path: Path) -> None:
    report.values("p50", [3.0, 1.0, 2.0], "µs")
    report.usage(
        "all", Usage(1.5, {"server": ProcessorTime(0.5, 0.4, 0.1)}, others=0.0, stolen=0.0, load=0.1)
    )
    report.failed(RuntimeError("a Link is missing"))
    report.write(tmp_path / "new" / "run.json")

    content = json.loads((tmp_path / "new" / "run.json").read_text())
    assert content["machine"]["cores"] == 2
    (scenario,) = content["scenarios"]
    assert scenario["figures"] == [
        {"what": "p50", "unit": "µs", "median": 2.0, "spread": 1.0, "values": [3.0, 1.0, 2.0]}
    ]
    assert scenario["usage"][0]["processes"]["server"]["total"] == 0.5
    assert scenario["usage"][0]["shares"]["server"] == pytest.approx(1 / 3)
    assert scenario["failed"] == "a Link is missing"
