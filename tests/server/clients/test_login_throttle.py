"""Guessing passwords gets slower; logging in does not."""

from __future__ import annotations

import pytest

from astcti_server.clients import login_throttle
from astcti_server.clients.login_throttle import (
    ALLOWED,
    FIRST_DELAY,
    FORGOTTEN_AFTER,
    LONGEST_DELAY,
    LoginSlowdown,
)
from tests.fake.clock import FakeClock
from tests.fake.counter import Counter


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def guard(clock: FakeClock) -> LoginSlowdown:
    return LoginSlowdown(clock)


def fail(guard: LoginSlowdown, address: str, username: str) -> float:
    delay = guard.begin(address, username)
    guard.failed(address, username)
    return delay


def test_each_failure_doubles_the_wait_up_to_a_limit(guard: LoginSlowdown) -> None:
    delays = [fail(guard, "10.0.0.1", "mario") for _ in range(8)]
    assert delays == [0.0, FIRST_DELAY, 1.0, 2.0, 4.0, LONGEST_DELAY, LONGEST_DELAY, LONGEST_DELAY]


def test_attempts_made_at_the_same_time_count_before_they_have_failed(guard: LoginSlowdown) -> None:
    assert [guard.begin("10.0.0.1", "mario") for _ in range(4)] == [0.0, 0.5, 1.0, 2.0]


def test_other_users_and_other_addresses_are_not_slowed(guard: LoginSlowdown) -> None:
    for _ in range(3):
        fail(guard, "10.0.0.1", "mario")
    assert guard.begin("10.0.0.1", "anna") == 0
    assert guard.begin("10.0.0.2", "mario") == 0


def test_an_address_that_tries_many_users_is_slowed_for_all_of_them(guard: LoginSlowdown) -> None:
    for number in range(ALLOWED):
        assert fail(guard, "10.0.0.1", f"user{number}") == 0
    fail(guard, "10.0.0.1", "one more")
    assert guard.begin("10.0.0.1", "mario") == FIRST_DELAY
    assert guard.begin("10.0.0.2", "anna") == 0


def test_a_user_that_is_tried_from_many_addresses_is_slowed(guard: LoginSlowdown) -> None:
    for number in range(ALLOWED + 1):
        assert fail(guard, f"10.0.0.{number}", "mario") == 0
    assert guard.begin("10.0.1.1", "mario") == FIRST_DELAY


def test_success_begins_anew_for_the_user_but_not_for_the_address(guard: LoginSlowdown) -> None:
    for _ in range(ALLOWED + 2):
        fail(guard, "10.0.0.1", "mario")
    guard.begin("10.0.0.1", "mario")
    guard.succeeded("10.0.0.1", "mario")
    assert guard.begin("10.0.0.2", "mario") == 0
    assert guard.begin("10.0.0.1", "anna") == 2 * FIRST_DELAY


def test_a_thousand_logins_from_one_address_are_not_slowed(guard: LoginSlowdown) -> None:
    assert {guard.begin("10.0.0.1", f"user{number}") for number in range(1000)} == {0.0}


def test_failures_are_forgotten_in_time(guard: LoginSlowdown, clock: FakeClock) -> None:
    fail(guard, "10.0.0.1", "mario")
    clock.go_on(FORGOTTEN_AFTER)
    assert guard.begin("10.0.0.1", "mario") == 0


def test_what_is_remembered_is_bounded(guard: LoginSlowdown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_throttle, "REMEMBERED", 10)
    for number in range(100):
        fail(guard, "10.0.0.1", f"user{number}")
    assert len(guard._failures) == 10
    assert guard.begin("10.0.0.1", "mario") > 0


def test_the_right_password_gets_in_however_short_the_time_to_log_in_is() -> None:
    with Counter(login_time=FIRST_DELAY) as counter:
        fail(counter.reception.slowdown, "127.0.0.1", "mario")
        with counter.client() as client:
            assert client.log_in("mario", "rosso") == "102 OK"
