"""Runs add up: each goes on where the one before ended, as long as the harness is the same."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path

import pytest

from tests.checks.made_part import END, begin_of, with_made_part
from tests.fuzz import campaign, publish, record, summary
from tests.fuzz.campaign import Campaign, Plan, TargetResult
from tests.fuzz.progress import FuzzProgress, ProgressFiles
from tests.fuzz.revision import program_of, revision_of
from tests.fuzz.shard import Tried
from tests.fuzz.target import Attempt, FuzzTarget
from tests.fuzz.targets import TARGETS


def example(attempt: Attempt = lambda data: "long" if len(data) > 6 else "short") -> FuzzTarget:
    return FuzzTarget("example", "of a test", lambda: attempt, lambda: [b"abc 123\n", b""])


def run(target: FuzzTarget, folder: Path, inputs: int) -> TargetResult:
    (result,) = Campaign([target], Plan(3, inputs, jobs=2), lambda text: None, ProgressFiles(3, folder)).run()
    return result


def test_a_run_goes_on_where_the_one_before_ended(tmp_path: Path) -> None:
    first = run(example(), tmp_path, 300)
    second = run(example(), tmp_path, 500)
    assert first.tried.inputs == 300
    assert second.tried.inputs == second.tried.kinds.total() == 500
    assert second.progress.stretches == [(0, 500)]
    assert second.progress.corpus == first.progress.corpus


def test_the_inputs_of_two_runs_are_those_of_one(tmp_path: Path) -> None:
    run(example(), tmp_path / "two", 300)
    two = run(example(), tmp_path / "two", 500)
    whole = Campaign(
        [example()],
        Plan(3, 500, jobs=1),
        lambda text: None,
        _with_corpus(tmp_path / "one", two.progress.corpus),
    ).run()
    assert whole[0].tried.kinds == two.tried.kinds


def _with_corpus(folder: Path, corpus: list[bytes]) -> ProgressFiles:
    files = ProgressFiles(3, folder)
    files.save_corpus(example(), corpus)
    files.save(example(), FuzzProgress(revision_of(example())))
    return files


def test_a_run_that_has_nothing_left_to_try_tries_nothing(tmp_path: Path) -> None:
    run(example(), tmp_path, 200)

    def never(data: bytes) -> str:
        raise AssertionError("tried again")

    again = run(example(never), tmp_path, 200)
    assert not again.findings
    assert again.tried.inputs == 200


def test_another_harness_begins_anew(tmp_path: Path) -> None:
    target = example()
    run(target, tmp_path, 200)
    other = dataclasses.replace(target, tokens=(b"x",))
    assert ProgressFiles(3, tmp_path).load(other).tried.inputs == 0
    assert ProgressFiles(4, tmp_path).load(target).tried.inputs == 0
    assert ProgressFiles(3, tmp_path).load(target).tried.inputs == 200


def test_a_revision_is_of_one_target_and_of_what_its_modules_do(tmp_path: Path) -> None:
    assert all(len(revision_of(target)) == 12 for target in TARGETS)
    assert len({revision_of(target) for target in TARGETS}) == len(TARGETS)
    files = [tmp_path / f"{number}.py" for number in range(3)]
    files[0].write_text('"""Says."""\nx = 1  # one\n')
    files[1].write_text('"""Says more."""\n\nx = (1)\n')
    files[2].write_text('"""Says."""\nx = 2\n')
    one, same, other = map(program_of, files)
    assert one == same != other


def test_what_was_tried_is_kept_while_a_process_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that is ended at once loses what was not yet told, and nothing else."""
    monkeypatch.setattr(campaign, "STUCK", 1.0)
    monkeypatch.setattr(campaign, "EXPLORING", 0.0)

    def attempt(data: bytes) -> str:
        while data.startswith(b"b"):
            pass
        return "fine"

    result = run(example(attempt), tmp_path, 400)
    kept = ProgressFiles(3, tmp_path).load(example(attempt))
    assert kept.tried.inputs == result.tried.inputs > 0
    assert sum(end - first for first, end in kept.stretches) == kept.tried.inputs
    assert kept.findings == list(result.findings)


def test_stretches_join_and_what_lies_between_is_missing() -> None:
    progress = FuzzProgress("x")
    for first, end in ((50, 60), (0, 10), (10, 20), (55, 70), (80, 80)):
        progress.cover(first, end)
    assert progress.stretches == [(0, 20), (50, 70)]
    assert list(progress.missing(100)) == [(20, 50), (70, 100)]
    assert list(progress.missing(60)) == [(20, 50)]
    assert list(progress.missing(15)) == []


def test_the_table_of_the_page_is_of_all_runs_and_machines(tmp_path: Path) -> None:
    target = example()
    page, file = tmp_path / "page.md", tmp_path / "tried.json"
    page.write_text(f"before\n{begin_of(publish.TARGET)}old\n{END}after\n")
    for machine, seed, inputs in (("a", 1, 300), ("b", 2, 200), ("a", 1, 400), ("b", 2, 200)):
        files = ProgressFiles(seed, tmp_path / machine)
        counts = Tried(inputs, inputs / 2000, 0.05, 0, Counter({"fine": inputs}))
        files.save_corpus(target, [b"x"])
        files.save(target, FuzzProgress(revision_of(target), counts, findings=["one"]))
        known = record.load([target], file)
        known.take_in(seed, files)
        record.save(known, file)
    made = summary.table(record.load([target], file).rows())
    assert "| `example` | of a test | 600 | fine 100% | 2,000 | 50 ms | 2 |" in made
    other = dataclasses.replace(target, tokens=(b"x",))
    assert record.load([other], file).rows()[0].tried.inputs == 0


def test_what_was_tried_is_put_into_the_page_and_stays_there(tmp_path: Path) -> None:
    target = TARGETS[0]
    page, file = tmp_path / "page.md", tmp_path / "tried.json"
    page.write_text(f"before\n{begin_of(publish.TARGET)}old\n{END}after\n")
    files = ProgressFiles(7, tmp_path / "fuzz")
    files.save_corpus(target, [b"x"])
    files.save(target, FuzzProgress(revision_of(target), Tried(5, 1.0, 0.0, 0, Counter({"fine": 5}))))
    there = ["--record", str(file), "--page", str(page)]
    publish.main(["--seed", "7", "--progress", str(tmp_path / "fuzz"), *there])
    first = page.read_text()
    assert f"| `{target.name}` | {target.reads} | 5 | fine 100% |" in first
    publish.main(["--seed", "8", "--progress", str(tmp_path / "nothing"), *there])
    assert page.read_text() == first
    with pytest.raises(ValueError, match="made by"):
        with_made_part("no marks", publish.TARGET, first)
