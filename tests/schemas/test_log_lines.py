"""One line for each record, whatever is in it; a full disk is told once, and over when it is over."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

import pytest

from schemas.log_lines import LineFormatter, LineHandler
from schemas.log_repeats import SAME_TEXT, WINDOW, RepeatedLines
from schemas.problems import Problem
from tests.fake.clock import FakeClock

FORGED = "x.xml\n2026-01-01 00:00:00,000 CRITICAL [main] all is lost\x1b[2J\u2028\udcff"


class FailingFile(FileIO):
    """A file on a disk that is full now and then: `room` is how many bytes it takes, None for any."""

    room: int | None = None

    def write(self, data: bytes) -> int:  # type: ignore[override]
        if self.room is None:
            return super().write(data)
        if not self.room:
            raise OSError(28, "No space left on device")
        written = super().write(data[: self.room])
        self.room -= written
        return written


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.log"


@pytest.fixture
def file(path: Path) -> FailingFile:
    return FailingFile(path, "ab")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def handler(file: FailingFile, clock: FakeClock) -> LineHandler:
    found = LineHandler(file, "the log file a.log", RepeatedLines(clock))
    found.setFormatter(LineFormatter("%(levelname)s %(message)s"))
    return found


@pytest.fixture
def log(handler: LineHandler) -> Iterator[logging.Logger]:
    logger = logging.Logger("test", logging.DEBUG)
    logger.addHandler(handler)
    yield logger
    handler.close()


def test_no_name_makes_a_line_of_its_own(log: logging.Logger, path: Path) -> None:
    log.info("%s is in force now", FORGED)
    (line,) = path.read_text(encoding="utf-8").splitlines()
    assert line.startswith("INFO x.xml\\n2026-01-01")
    assert "\\x1b[2J\\u2028\\udcff is in force now" in line


def test_the_text_of_an_exception_makes_no_line_at_the_left_edge(log: logging.Logger, path: Path) -> None:
    try:
        raise ValueError(FORGED)
    except ValueError:
        log.exception("it failed")
    first, *rest = path.read_text(encoding="utf-8").splitlines()
    assert first == "ERROR it failed"
    assert rest and all(line.startswith("    ") for line in rest)
    assert "\x1b" not in path.read_text(encoding="utf-8")


def test_a_problem_of_a_file_is_one_line_whatever_the_file_is_called() -> None:
    assert "\n" not in str(Problem(FORGED, 3, "bad")) and "\x1b" not in str(Problem(FORGED, 3, "bad"))


def test_a_full_disk_is_told_once_and_lines_come_again_when_there_is_room(
    log: logging.Logger, file: FailingFile, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log.info("before")
    file.room = 0
    for number in range(1000):
        log.info("lost %d", number)
    assert capsys.readouterr().err == "the log file a.log cannot be written: No space left on device\n"
    file.room = None
    log.info("after")
    log.info("and after that")
    assert path.read_text().splitlines() == [
        "INFO before",
        "WARNING 1000 lines of this log could not be written and are lost",
        "INFO after",
        "INFO and after that",
    ]
    assert capsys.readouterr().err == ""


def test_a_line_of_which_half_was_written_does_not_spoil_the_next_one(
    log: logging.Logger, file: FailingFile, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.room = 8
    log.info("a long line")
    file.room = None
    log.info("after")
    assert path.read_text().splitlines() == [
        "INFO a l",
        "WARNING 1 line of this log could not be written and is lost",
        "INFO after",
    ]
    assert capsys.readouterr().err.count("\n") == 1


def test_a_record_that_cannot_be_formatted_is_shown_as_a_mistake(
    log: logging.Logger, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log.info("%d", "no number")
    assert "Logging error" in capsys.readouterr().err
    assert path.read_text() == ""


def test_counts_are_written_when_asked_and_at_the_end(
    log: logging.Logger, handler: LineHandler, path: Path, clock: FakeClock
) -> None:
    for _ in range(SAME_TEXT + 5):
        log.info("again")
    clock.go_on(WINDOW)
    handler.tell_repeats()
    assert path.read_text().splitlines()[SAME_TEXT:] == ["INFO again ... repeated 5 times in 60 s"]
    for _ in range(3):
        log.info("again")
    handler.close()
    assert path.read_text().splitlines()[SAME_TEXT + 1 :] == ["INFO again ... repeated 3 times in 1 s"]
