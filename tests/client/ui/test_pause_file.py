"""The pause that the next run of the client finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from astcti_client.ui.app.pause_records import PauseRecords
from astcti_client.ui.state.pause_file import KEPT_FOR, LeftPause, PauseFile
from astcti_client.ui.state.seat_model import SeatModel
from tests.client.ui.tools.model_driver import hear_reply

PLACE = "cti.example:5000 mario"
LUNCH = LeftPause("Lunch", 60.0)


class Hours:
    """A wall clock set by hand."""

    def __init__(self) -> None:
        self.now = 1_795_430_727.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def wall() -> Hours:
    return Hours()


@pytest.fixture
def file(tmp_path: Path, wall: Hours) -> PauseFile:
    return PauseFile(tmp_path / "new" / "pause", wall)


def test_a_pause_goes_on_while_no_client_runs(file: PauseFile, wall: Hours) -> None:
    file.save(PLACE, LUNCH)
    wall.now += 600
    assert file.load(PLACE) == LeftPause("Lunch", 660.0)


def test_it_is_of_one_user_at_one_server(file: PauseFile) -> None:
    file.save(PLACE, LUNCH)
    assert file.load("cti.example:5000 luigi") is None


def test_one_that_began_long_ago_or_later_than_now_does_not_count(file: PauseFile, wall: Hours) -> None:
    file.save(PLACE, LUNCH)
    wall.now += KEPT_FOR
    assert file.load(PLACE) is None
    wall.now -= KEPT_FOR + 120
    assert file.load(PLACE) is None


def test_none_is_none(file: PauseFile) -> None:
    assert file.load(PLACE) is None
    file.save(PLACE, LUNCH)
    file.save(PLACE, None)
    file.save(PLACE, None)
    assert file.load(PLACE) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 100000,
        b'{"place": "cti.example:5000 mario", "reason": "x"}',
        b'{"place": "cti.example:5000 mario", "reason": "x", "since": "soon"}',
        b'{"place": "cti.example:5000 mario", "reason": "x", "since": NaN}',
        b'{"place": "cti.example:5000 mario", "reason": "x", "since": 1e999}',
        b'{"place": "cti.example:5000 mario", "reason": "\\ud800", "since": 1795430667}',
    ],
)
def test_a_damaged_file_is_none(tmp_path: Path, content: bytes, wall: Hours) -> None:
    (tmp_path / "pause").write_bytes(content)
    assert PauseFile(tmp_path / "pause", wall).load(PLACE) is None


def test_a_disk_that_cannot_is_logged_and_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    PauseFile(tmp_path / "file" / "pause").save(PLACE, LUNCH)
    assert "the pause is not kept there" in caplog.text


def test_the_next_run_begins_in_the_pause_that_the_last_one_was_killed_in(file: PauseFile) -> None:
    now = [100.0]
    first = SeatModel(lambda: now[0])
    records = PauseRecords(file, first, lambda: now[0])
    records.begin(PLACE)
    hear_reply(first, "310 IN Lunch")
    now[0] += 60
    records.note()
    second = SeatModel(lambda: now[0])
    PauseRecords(file, second, lambda: now[0]).begin(PLACE)
    assert (second.pause.phase, second.pause.reason) == ("in", "Lunch")
    assert second.pause.since == pytest.approx(100.0)
    hear_reply(first, "310 OUT")
    records.note()
    third = SeatModel(lambda: now[0])
    PauseRecords(file, third, lambda: now[0]).begin(PLACE)
    assert third.pause.phase == "out"
