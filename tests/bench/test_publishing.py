"""The figures of docs/performance.md are those of a run, and of a whole one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from lxml import etree

from tests.bench.machine import Machine
from tests.bench.processes.server_process import PROJECT
from tests.bench.processor_time import ProcessorTime, Usage
from tests.bench.publishing.__main__ import main
from tests.bench.publishing.tables import BEGIN, END_MARK
from tests.bench.report import Report

MACHINE = Machine("cpython 3.11.2, /usr/bin/python3", "optimised", 25.0, "Linux 6.1", "A processor", 2)
COST = "µs of processor time an event"


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "performance.md").write_text(f"before\n{BEGIN}\nold\n{END_MARK}\nafter\n")
    return folder


def write_run(path: Path, *, quick: bool = False, others: float = 0.0) -> Path:
    report = Report(MACHINE, version="1a2b3c4", quick=quick)
    report.scenario("throughput", "Events a second")
    report.values("the server", [200_000.0, 202_000.0, 201_000.0], "events/s")
    report.values("a server on panoramisk", [20_000.0, 20_100.0, 20_200.0], "events/s")
    report.values("the server", [4.0, 4.1, 4.2], COST)
    report.values("a server on panoramisk", [28.6, 28.7, 28.8], COST)
    used = {name: ProcessorTime(0.5, 0.4, 0.1) for name in ("server", "feeder", "clients")}
    report.usage("the server, the last round", Usage(1.0, used, others, 0.0, 0.5))
    report.times("as fast as a server on panoramisk", [10.0, 10.1, 10.2], 10)
    report.times_at_most("slower than the same-work floor", [3.9, 4.0, 4.1], 3)
    report.write(path)
    return path


def publish(run: Path, docs: Path) -> Result:
    return CliRunner().invoke(main, ["--docs", str(docs), str(run)])


def test_a_runs_figures_take_the_place_of_the_old_ones(tmp_path: Path, docs: Path) -> None:
    done = publish(write_run(tmp_path / "run.json"), docs)

    assert done.exit_code == 0, done.output
    text = (docs / "performance.md").read_text()
    assert text.startswith(f"before\n{BEGIN}\n")
    assert text.endswith(f"{END_MARK}\nafter\n")
    assert "\nold\n" not in text
    for words in (
        "with version 1a2b3c4",
        "2 cores, Linux 6.1",
        "| an Asterisk 22 with 2,000 events a second uses | 0.8% of a core |",
        "| the server | 4.1 (1 times) |  |",
        "| a server on panoramisk | 28.7 (7 times) |  |",
        "| `throughput` | as fast as a server on panoramisk | 10.1 times ± 1% | at least 10 |  |",
        "| `throughput` | slower than the same-work floor | 4 times ± 2% | at most 3 | not met |",
        "| `throughput`: the server, the last round | 1.00 | 50% | 50% | 50% | none | 0% |",
        "![throughput](performance/throughput.svg)",
    ):
        assert words in text


def test_the_pictures_are_plain_svg_and_the_same_bytes_each_time(tmp_path: Path, docs: Path) -> None:
    run = write_run(tmp_path / "run.json")
    publish(run, docs)
    first = {path.name: path.read_bytes() for path in (docs / "performance").iterdir()}

    publish(run, docs)

    assert {path.name: path.read_bytes() for path in (docs / "performance").iterdir()} == first
    assert set(first) == {"throughput.svg", "cost.svg", "shares.svg"}
    for svg in first.values():
        assert not etree.fromstring(svg).findall(".//{*}script")
        assert b"200" in svg or b"50" in svg or b"4.1" in svg
        assert len(svg) < 30_000


def test_a_run_beside_others_says_so(tmp_path: Path, docs: Path) -> None:
    publish(write_run(tmp_path / "run.json", others=0.5), docs)

    assert "1 of 1 measurements were noisy" in (docs / "performance.md").read_text()


def test_of_several_runs_the_later_figures_of_a_scenario_count(tmp_path: Path, docs: Path) -> None:
    one, other = write_run(tmp_path / "1.json", others=0.5), write_run(tmp_path / "2.json")

    done = CliRunner().invoke(main, ["--docs", str(docs), str(one), str(other)])

    assert done.exit_code == 0, done.output
    text = (docs / "performance.md").read_text()
    assert "noisy" not in text
    assert text.count("as fast as a server on panoramisk") == 1


def test_runs_of_two_machines_are_not_put_together(tmp_path: Path, docs: Path) -> None:
    one, other = write_run(tmp_path / "1.json"), write_run(tmp_path / "2.json")
    content = json.loads(other.read_text())
    content["machine"]["python"] = "cpython 3.13.0, /opt/python3.13"
    other.write_text(json.dumps(content))

    done = CliRunner().invoke(main, ["--docs", str(docs), str(one), str(other)])

    assert done.exit_code == 1
    assert "python is another one" in done.output


def test_a_quick_run_is_not_published(tmp_path: Path, docs: Path) -> None:
    before = (docs / "performance.md").read_text()

    done = publish(write_run(tmp_path / "run.json", quick=True), docs)

    assert done.exit_code == 1
    assert "a quick run has no figures" in done.output
    assert (docs / "performance.md").read_text() == before


@pytest.mark.parametrize("content", ["", "[]", json.dumps({"quick": False})])
def test_a_file_that_is_no_run_is_refused(tmp_path: Path, docs: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content)

    done = publish(tmp_path / "run.json", docs)

    assert done.exit_code == 1
    assert "is not what a run of the bench wrote" in done.output


def test_the_document_has_a_place_for_the_figures() -> None:
    text = (PROJECT / "docs" / "performance.md").read_text()

    assert text.count(BEGIN) == text.count(END_MARK) == 1
    for picture in (PROJECT / "docs" / "performance").glob("*.svg"):
        assert f"performance/{picture.name}" in text
