"""Real clients lose the real server in every way: nothing is lost, nothing comes twice.

`make test-cuts` makes 200 cuts in each round of them, or `CUTS=`, from `SEED=`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cuts.client_with_clock import move_clock, take_over_clock
from tests.cuts.office import ANSWER, HANGUP, CarriedOut, Office
from tests.cuts.plays import Expectation, Play

CUTS = int(os.environ.get("CUTS", "15"))
SEED = int(os.environ.get("SEED", "1"))
AGENTS = 6
ROUNDS = 1 + CUTS // 30
KEEP_ALIVE = 3


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    """One office for all that happens in it: so each test has what the ones before left behind."""
    print(f"seed {SEED}")
    folder = tmp_path_factory.mktemp("office")
    with Office(folder, AGENTS, SEED, clients=f'keep-alive="{KEEP_ALIVE}"') as office:
        yield Play(office)


def test_connections_that_are_cut_at_any_byte_lose_and_double_nothing(play: Play) -> None:
    made = play.cuts(CUTS)
    assert play.verdict() == []
    assert made >= CUTS


def test_clients_that_sleep_or_come_from_another_address_lose_and_double_nothing(play: Play) -> None:
    server = play.office.server
    before, gone = server.log.count("keep-alive expired"), len(play.office.agents[::2])
    play.sleeping_clients(lambda: server.log.count("keep-alive expired") >= before + gone)
    play.other_addresses()
    assert play.verdict() == []


def test_answers_while_the_server_was_dead_are_shown_once_it_is_back(play: Play) -> None:
    for _ in range(ROUNDS):
        play.killed_server()
    assert play.verdict() == []


def test_a_killed_client_carries_out_nothing_twice_and_says_what_was_interrupted(play: Play) -> None:
    for _ in range(ROUNDS):
        play.killed_clients()
    assert play.verdict() == []


def test_the_expectation_finds_what_is_lost_doubled_and_nobodys() -> None:
    expected = Expectation(always={("anna", "1"), ("carl", "3")}, at_most={("bruno", "2")})
    found = {
        CarriedOut("anna", ANSWER, "1"): 2,
        CarriedOut("anna", HANGUP, "1"): 1,
        CarriedOut("carl", ANSWER, "3"): 1,
        CarriedOut("carl", HANGUP, "3"): 1,
        CarriedOut("carl", ANSWER, "2"): 1,
    }
    assert sorted(expected.check(found)) == [
        f"{CarriedOut('anna', ANSWER, '1')}: 2 times",
        "lost: bruno Hangup 2",
        f"nobody's: {CarriedOut('carl', ANSWER, '2')}",
    ]


def test_what_was_interrupted_is_not_lost_but_the_rest_of_its_call_is_and_a_second_time_is_one_too_many() -> (
    None
):
    interrupted = {CarriedOut("anna", ANSWER, "1"), CarriedOut("anna", HANGUP, "2")}
    expected = Expectation(always={("anna", "1"), ("anna", "2")}, interrupted=interrupted)
    found = {CarriedOut("anna", ANSWER, "2"): 1, CarriedOut("anna", HANGUP, "2"): 2}
    assert expected.check(found) == [f"{CarriedOut('anna', HANGUP, '2')}: 2 times", "lost: anna Hangup 1"]


def test_the_clock_of_a_client_goes_where_it_is_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true_time = time.time
    monkeypatch.setattr(time, "time", true_time)  # to have it back afterwards
    file = tmp_path / "clock"
    move_clock(file, 0.0)
    take_over_clock(file)
    for ahead in (0.0, 3600.0, -60.0):
        move_clock(file, ahead)
        before, moved, after = true_time(), time.time() - ahead, true_time()
        assert before - 0.001 <= moved <= after + 0.001
