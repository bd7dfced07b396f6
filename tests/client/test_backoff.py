"""Pauses between attempts, and noticing a sleep."""

from __future__ import annotations

import pytest

from astcti_client.net.backoff import FIRST_PAUSE, LONGEST_PAUSE, Backoff, SleepWatch
from tests.client.conftest import Clock


@pytest.mark.parametrize(
    ("chance", "expected"), [(0.0, [1, 2, 4, 8, 16, 30, 30, 30]), (1.0, [2, 4, 8, 16, 32, 60, 60, 60])]
)
def test_pauses_grow_up_to_a_limit_with_chance_in_them(chance: float, expected: list[float]) -> None:
    backoff = Backoff(chance=lambda: chance)
    assert [backoff.next_pause() for _ in expected] == expected


def test_pauses_stay_within_their_limits() -> None:
    backoff = Backoff()
    assert all(FIRST_PAUSE <= backoff.next_pause() <= LONGEST_PAUSE for _ in range(100))


def test_after_a_reset_the_pauses_are_short_again() -> None:
    backoff = Backoff(chance=lambda: 0.0)
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
