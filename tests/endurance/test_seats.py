"""What is written down of a seat of the endurance run."""

from __future__ import annotations

import queue
from pathlib import Path
from typing import Any

import pytest

from astcti_client.net.messages import ConnectionState, ServerReply
from schemas.wire import Reply
from tests.endurance.checks.seat_times import SeatTimes
from tests.endurance.history import HistoryWriter, read_history
from tests.endurance.programs.seats_process import SoakSeat
from tests.fake.patience import PATIENCE

PHONE = "PJSIP/1001"


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


def heard(tmp_path: Path, *messages: Any) -> SeatTimes:
    """What is known of a seat that heard this."""
    history, inbox = HistoryWriter(tmp_path / "history"), queue.SimpleQueue[Any]()
    seat = SoakSeat(PHONE, 1, history, inbox)
    for message in messages:
        seat.handle(message)
    seat.connection.stop()
    seat.connection.start()  # which closes what it has
    assert seat.connection.join(PATIENCE)
    history.close()
    times = SeatTimes(PHONE)
    for fact in read_history(tmp_path / "history"):
        times.take(fact)
    return times


LOGGING_IN, UP = ConnectionState("logging-in", ""), ConnectionState("up", "")
PBX_DOWN = ServerReply("901 PBX DOWN", Reply(901, "PBX", "DOWN"))


def test_a_seat_that_is_told_so_at_its_login_is_without_the_pbx(tmp_path: Path) -> None:
    assert not heard(tmp_path, LOGGING_IN, PBX_DOWN, UP).pbx_up


def test_what_a_login_heard_that_was_cut_is_not_true_of_the_next_one(tmp_path: Path) -> None:
    waiting = ConnectionState("waiting", "the server closed the connection")
    times = heard(tmp_path, LOGGING_IN, PBX_DOWN, waiting, LOGGING_IN, UP)
    assert times.up
    assert times.pbx_up
