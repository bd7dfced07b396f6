"""Which lines of a log are counted instead of written, and when the counts are told."""

from __future__ import annotations

import logging
import sys

import pytest

from schemas import log_repeats
from schemas.log_repeats import (
    SAME_KIND,
    SAME_KIND_OF_SOURCES,
    SAME_SOURCE,
    SAME_TEXT,
    WINDOW,
    RepeatedLines,
    counted_by,
)
from tests.fake.clock import FakeClock


class Log:
    """Writes into `lines` what passes."""

    def __init__(self, clock: FakeClock) -> None:
        self.repeats = RepeatedLines(clock)
        self.lines: list[str] = []

    def say(self, text: str, *args: object, source: str = "", level: int = logging.INFO) -> None:
        """One line. As the handlers do: what is due comes first."""
        self.tell()
        record = logging.LogRecord("test", level, "", 0, text, args, None)
        record.__dict__.update(counted_by(source) if source else {})
        if self.repeats.passes(record):
            self.lines.append(record.getMessage())

    def tell(self) -> None:
        """Write the counts that are due."""
        self.lines += [record.getMessage() for record in self.repeats.due()]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def log(clock: FakeClock) -> Log:
    return Log(clock)


def test_the_same_line_is_counted_after_a_few_times_and_told_each_minute(log: Log, clock: FakeClock) -> None:
    for _ in range(SAME_TEXT + 4312):
        log.say("no route to %s", "host")
    assert log.lines == ["no route to host"] * SAME_TEXT
    clock.go_on(WINDOW)
    log.say("no route to %s", "host")
    assert log.lines[SAME_TEXT:] == ["no route to host ... repeated 4,312 times in 60 s"]
    clock.go_on(WINDOW)
    log.tell()
    assert log.lines[SAME_TEXT + 1 :] == ["no route to host"]  # that one, a minute late but not lost
    clock.go_on(2 * WINDOW)
    log.tell()
    log.say("no route to %s", "host")
    assert log.lines[SAME_TEXT + 2 :] == ["no route to host"]


def test_lines_that_differ_are_all_written(log: Log) -> None:
    for number in range(1000):
        log.say("%s is a member of queue %s", f"agent{number}", "support")
    assert len(log.lines) == 1000


def test_one_address_that_connects_in_a_loop_hides_no_other(log: Log, clock: FakeClock) -> None:
    for number in range(5000):
        log.say("client-%d: connected from %s", number, "192.0.2.1", source="192.0.2.1")
    log.say("client-%d: connected from %s", 5001, "192.0.2.2", source="192.0.2.2")
    assert len(log.lines) == SAME_SOURCE + 1
    assert log.lines[-1] == "client-5001: connected from 192.0.2.2"
    clock.go_on(WINDOW)
    log.tell()
    (told,) = log.lines[SAME_SOURCE + 1 :]
    assert told == f"client-4999: connected from 192.0.2.1 ... repeated {5000 - SAME_SOURCE:,} times in 60 s"


def test_many_addresses_together_are_counted_too(log: Log, clock: FakeClock) -> None:
    for number in range(SAME_KIND_OF_SOURCES + 2000):
        log.say("client-%d: connected", number, source=f"192.0.2.{number}")
    assert len(log.lines) == SAME_KIND_OF_SOURCES
    clock.go_on(WINDOW)
    log.tell()
    assert log.lines[-1] == "client-4999: connected ... repeated 2,000 times in 60 s"


def test_no_kind_of_line_is_written_without_end(log: Log) -> None:
    for number in range(SAME_KIND + 500):
        log.say("line %d", number)
    assert len(log.lines) == SAME_KIND


def test_tracebacks_of_one_kind_are_counted_whatever_they_are_about(log: Log) -> None:
    try:
        raise ValueError("bad")
    except ValueError:
        info = sys.exc_info()
    passed = [
        log.repeats.passes(logging.LogRecord("test", logging.ERROR, "", 0, "event %s", (number,), info))
        for number in range(100)
    ]
    assert passed.count(True) == SAME_TEXT


def test_what_is_written_for_looking_into_a_problem_is_not_counted(log: Log) -> None:
    for _ in range(100):
        log.say("the same", level=logging.DEBUG)
    assert len(log.lines) == 100


def test_at_the_end_all_counts_are_told(log: Log) -> None:
    for _ in range(SAME_TEXT + 2):
        log.say("the same")
    assert [record.getMessage() for record in log.repeats.all()] == ["the same ... repeated 2 times in 1 s"]
    assert log.repeats.all() == []


def test_a_count_that_has_to_give_way_is_told(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_repeats, "REMEMBERED", 5)
    for _ in range(SAME_TEXT + 2):
        log.say("the same")
    for number in range(10):
        log.say("another %d", number)
    assert log.lines.count("the same ... repeated 2 times in 1 s") == 1
