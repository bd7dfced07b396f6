"""Pauses between attempts, and noticing a sleep."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astcti_client.net.backoff import FIRST_PAUSE, HURRY_TIME, LONGEST_PAUSE, Backoff, SleepWatch
from tests.client.conftest import Clock


@pytest.mark.parametrize(
    ("chance", "expected"), [(0.0, [0.6, 1.2, 2.4, 4.8, 5.0, 5.0]), (1.0, [1.2, 2.4, 4.8, 9.6, 10.0, 10.0])]
)
def test_pauses_grow_up_to_a_limit_once_the_time_for_haste_is_over(
    clock: Clock, chance: float, expected: list[float]
) -> None:
    backoff = Backoff(chance=lambda: chance, clock=clock)
    short = FIRST_PAUSE * (1 + chance)
    assert [backoff.next_pause() for _ in range(3)] == [short] * 3
    clock.now += HURRY_TIME
    assert [backoff.next_pause() for _ in expected] == pytest.approx(expected)


def test_a_server_that_turns_clients_away_is_not_asked_in_haste(clock: Clock) -> None:
    backoff = Backoff(chance=lambda: 1.0, clock=clock)
    pauses = [backoff.next_pause(turned_away=True) for _ in range(5)]
    assert pauses == pytest.approx([1.2, 2.4, 4.8, 9.6, 10.0])


def attempts(seed: int, until: float) -> list[float]:
    """When a client whose server is gone from 0 on tries, up to the first time after `until`."""
    clock = Clock(0.0)
    backoff = Backoff(chance=random.Random(seed).random, clock=clock)
    times: list[float] = []
    while not times or times[-1] < until:
        clock.now += backoff.next_pause()
        times.append(clock.now)
    return times


@given(seed=st.integers(0, 2**32), outage=st.floats(0.0, 3600.0))
def test_a_client_is_back_within_the_longest_pause_however_long_the_server_was_away(
    seed: int, outage: float
) -> None:
    times = attempts(seed, outage)
    allowed = 2 * FIRST_PAUSE if outage < HURRY_TIME else LONGEST_PAUSE
    assert times[-1] - outage <= allowed
    gaps = [later - earlier for earlier, later in zip([0.0, *times], times, strict=False)]
    assert min(gaps) >= FIRST_PAUSE - 1e-9


def test_a_thousand_clients_do_not_come_back_in_one_moment() -> None:
    back = [attempts(seed, 45.0)[-1] - 45.0 for seed in range(1000)]
    a_second = [sum(second <= time < second + 1 for time in back) for second in range(10)]
    assert sum(a_second) == 1000
    assert max(a_second) < 250


def test_after_a_reset_the_pauses_are_short_again(clock: Clock) -> None:
    backoff = Backoff(chance=lambda: 0.0, clock=clock)
    backoff.next_pause()
    clock.now += HURRY_TIME
    for _ in range(9):
        backoff.next_pause()
    backoff.reset()
    assert backoff.next_pause() == FIRST_PAUSE


@pytest.mark.parametrize(
    ("passed", "wall_passed", "slept"),
    [(2, 2, False), (2, 8, False), (2, 600, True), (600, 600, True), (2, -3600, False), (9, 9, False)],
)
def test_a_sleep_is_told_from_a_wait(
    clock: Clock, wall: Clock, passed: float, wall_passed: float, slept: bool
) -> None:
    watch = SleepWatch(clock, wall)
    clock.now += passed
    wall.now += wall_passed
    assert watch.slept(2.0) is slept
    assert watch.slept(2.0) is False


def test_what_happened_before_a_restart_does_not_count(clock: Clock, wall: Clock) -> None:
    watch = SleepWatch(clock, wall)
    clock.now += 600
    watch.restart()
    assert not watch.slept(0.0)
