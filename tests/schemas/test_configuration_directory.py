"""Which file is in force: the newest valid one by time and name."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.configuration.directory import (
    ArrivalTimes,
    Candidate,
    InForce,
    SeenFile,
    choose_in_force,
    scan_directory,
)


def seen(name: str, modified: float, number: int = 0) -> SeenFile:
    """A file as a scan would see it."""
    return SeenFile(name, Path("/etc/astcti") / name, modified, modified, (number, int(modified * 1000)))


def newest_first(*files: tuple[str, float]) -> list[Candidate]:
    """Candidates that arrived long ago."""
    return ArrivalTimes().order([seen(name, modified) for name, modified in files], 1e9)


def valid(*names: str) -> Callable[[Candidate], bool]:
    """Take these files for valid."""
    return lambda candidate: candidate.name in names


def test_the_newest_valid_file_is_chosen_and_newer_ones_are_refused() -> None:
    choice = choose_in_force(newest_first(("a", 1), ("b", 2), ("c", 3), ("d", 4)), valid("a", "b"))
    assert choice.chosen is not None and choice.chosen.name == "b"
    assert [candidate.name for candidate in choice.refused] == ["d", "c"]
    assert [candidate.name for candidate in choice.older] == ["a"]


def test_of_two_files_of_one_time_the_later_name_wins() -> None:
    choice = choose_in_force(newest_first(("b.xml", 1), ("a.xml", 1)), valid("a.xml", "b.xml"))
    assert choice.chosen is not None and choice.chosen.name == "b.xml"


def test_nothing_valid_chooses_nothing() -> None:
    choice = choose_in_force(newest_first(("a", 1), ("b", 2)), valid())
    assert choice.chosen is None and len(choice.refused) == 2


def test_older_files_are_never_looked_into() -> None:
    asked: list[str] = []

    def accepted(file: Candidate) -> bool:
        asked.append(file.name)
        return True

    choose_in_force(newest_first(("a", 1), ("b", 2)), accepted)
    assert asked == ["b"]


def test_a_deleted_file_stays_in_force_against_older_ones_but_not_against_newer() -> None:
    gone = InForce(2, "b", unchanged=False, replaced=False)
    choice = choose_in_force(newest_first(("a", 1)), valid("a"), gone)
    assert choice.chosen is None and [candidate.name for candidate in choice.older] == ["a"]
    choice = choose_in_force(newest_first(("a", 3)), valid("a"), gone)
    assert choice.chosen is not None and choice.chosen.name == "a"


def test_a_file_that_became_invalid_stays_in_force_as_it_was_loaded() -> None:
    spoilt = InForce(2, "b", unchanged=False, replaced=False)
    choice = choose_in_force(newest_first(("a", 1), ("b", 5)), valid("a"), spoilt)
    assert choice.chosen is None
    assert [candidate.name for candidate in choice.refused] == ["b"]


def test_a_file_replaced_by_another_valid_content_of_an_older_time_is_chosen_anew() -> None:
    replaced = InForce(9, "b", unchanged=False, replaced=True)
    choice = choose_in_force(newest_first(("a", 1), ("b", 5)), valid("a", "b"), replaced)
    assert choice.chosen is not None and choice.chosen.name == "b"


def test_an_unchanged_file_is_not_judged_again() -> None:
    current = InForce(2, "b", unchanged=True, replaced=False)
    choice = choose_in_force(newest_first(("b", 2), ("c", 3)), valid(), current)
    assert choice.chosen is not None and choice.chosen.name == "b"
    assert [candidate.name for candidate in choice.refused] == ["c"]


def test_a_time_in_the_future_counts_as_the_moment_of_arrival() -> None:
    arrivals = ArrivalTimes()
    future = seen("future.xml", 5000.0)
    assert arrivals.order([future, seen("old.xml", 90.0)], 100.0)[0][:2] == (100.0, "future.xml")
    order = arrivals.order([future, seen("new.xml", 150.0)], 200.0)
    assert [candidate[:2] for candidate in order] == [(150.0, "new.xml"), (100.0, "future.xml")]
    assert arrivals.order([future], 6000.0)[0].modified == 100.0


def test_a_file_that_was_there_when_the_clock_was_set_back_is_older_than_what_comes_next() -> None:
    arrivals = ArrivalTimes()
    early = seen("early.xml", 5000.0)
    arrivals.order([early], 5100.0)
    arrivals.note([early], 100.0)
    order = arrivals.order([early, seen("next.xml", 100.5)], 101.0)
    assert [candidate.name for candidate in order] == ["next.xml", "early.xml"]


def test_a_future_file_that_is_written_again_arrives_again() -> None:
    arrivals = ArrivalTimes()
    arrivals.order([seen("a", 5000.0, 1)], 100.0)
    assert arrivals.order([seen("a", 5000.0, 2)], 200.0)[0].modified == 200.0


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 5)), unique_by=lambda file: file[0]),
    st.sets(st.sampled_from("abcdef")),
)
def test_at_a_start_the_choice_is_the_greatest_valid_time_and_name(files, good) -> None:
    choice = choose_in_force(newest_first(*files), valid(*good))
    expected = max(((modified, name) for name, modified in files if name in good), default=None)
    assert (choice.chosen[:2] if choice.chosen else None) == expected
    parts = [*choice.refused, *choice.older] + ([choice.chosen] if choice.chosen else [])
    assert sorted(candidate.name for candidate in parts) == sorted(name for name, _ in files)


def test_a_scan_sees_files_links_and_what_it_ignores(tmp_path: Path) -> None:
    for name in ("server.xml", "a.xml", "b.sqlite", "notes.txt", ".hidden.xml", "c.XML"):
        (tmp_path / name).write_text(name)
    (tmp_path / "sub.xml").mkdir()
    (tmp_path / "link.xml").symlink_to(tmp_path / "a.xml")
    (tmp_path / "broken.xml").symlink_to(tmp_path / "none.xml")
    os.mkfifo(tmp_path / "pipe.xml")
    found = scan_directory(tmp_path)
    assert [candidate.name for candidate in found.candidates] == ["a.xml", "b.sqlite", "c.XML", "link.xml"]
    assert found.settings is not None and found.settings.name == "server.xml"
    assert dict(found.ignored) == {
        "broken.xml": "the link leads nowhere",
        "notes.txt": "its name ends in neither .xml nor .sqlite",
        "pipe.xml": "it is no file",
    }


def test_of_a_link_the_later_time_of_link_and_target_counts(tmp_path: Path) -> None:
    target = tmp_path / ".target"
    target.write_text("x")
    link = tmp_path / "link.xml"
    link.symlink_to(target)
    os.utime(target, (1000, 1000))
    os.utime(link, (2000, 2000), follow_symlinks=False)
    assert scan_directory(tmp_path).candidates[0].modified == 2000
    before = scan_directory(tmp_path).candidates[0].signature
    os.utime(target, (3000, 3000))
    assert scan_directory(tmp_path).candidates[0].modified == 3000
    assert scan_directory(tmp_path).candidates[0].signature != before


def test_a_directory_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        scan_directory(tmp_path / "none")
