"""File events: what is noticed, and what watchdog leaves in the log and among the threads."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from astcti_server.config.file_events import THREADS_NAME, FileEvents
from tests.fake.patience import PATIENCE


@pytest.fixture
def noticed() -> threading.Event:
    return threading.Event()


@pytest.fixture
def before() -> set[threading.Thread]:
    return set(threading.enumerate())


@pytest.fixture
def events(tmp_path: Path, noticed: threading.Event, before: set[threading.Thread]) -> Iterator[FileEvents]:
    events = FileEvents(tmp_path, noticed.set)
    status = tmp_path.stat()
    events.follow((status.st_dev, status.st_ino))
    yield events
    events.stop()


def test_its_threads_have_the_name_that_the_log_explains(
    events: FileEvents, before: set[threading.Thread]
) -> None:
    assert {thread.name for thread in set(threading.enumerate()) - before} == {THREADS_NAME}


def test_file_events_leave_no_line_in_the_log_of_a_server_that_says_everything(
    events: FileEvents, noticed: threading.Event, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    (tmp_path / "a.xml").write_text("x")
    assert noticed.wait(PATIENCE)
    assert [record for record in caplog.records if record.name.startswith("watchdog")] == []
