"""Guessing passwords gets slower; logging in does not."""

from __future__ import annotations

import pytest

from astcti_server.clients import login_protection
from astcti_server.clients.login_protection import (
    ALLOWED,
    FIRST_DELAY,
    FORGOTTEN_AFTER,
    LONGEST_DELAY,
    LoginThrottle,
    stand_in_password,
)
from schemas.configuration.model import Configuration, Operator
from schemas.passwords import Scrypt, make_stored_password, parse_stored_password
from tests.fake.clock import FakeClock
from tests.fake.listening_server import ListeningServer


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def throttle(clock: FakeClock) -> LoginThrottle:
    return LoginThrottle(clock)


def fail(throttle: LoginThrottle, address: str, username: str) -> float:
    delay = throttle.begin(address, username)
    throttle.failed(address, username)
    return delay


def test_each_failure_doubles_the_wait_up_to_a_limit(throttle: LoginThrottle) -> None:
    delays = [fail(throttle, "10.0.0.1", "mario") for _ in range(8)]
    assert delays == [0.0, FIRST_DELAY, 1.0, 2.0, 4.0, LONGEST_DELAY, LONGEST_DELAY, LONGEST_DELAY]


def test_attempts_made_at_the_same_time_count_before_they_have_failed(throttle: LoginThrottle) -> None:
    assert [throttle.begin("10.0.0.1", "mario") for _ in range(4)] == [0.0, 0.5, 1.0, 2.0]


def test_other_users_and_other_addresses_are_not_slowed(throttle: LoginThrottle) -> None:
    for _ in range(3):
        fail(throttle, "10.0.0.1", "mario")
    assert throttle.begin("10.0.0.1", "anna") == 0
    assert throttle.begin("10.0.0.2", "mario") == 0


def test_an_address_that_tries_many_users_is_slowed_for_all_of_them(throttle: LoginThrottle) -> None:
    for number in range(ALLOWED):
        assert fail(throttle, "10.0.0.1", f"user{number}") == 0
    fail(throttle, "10.0.0.1", "one more")
    assert throttle.begin("10.0.0.1", "mario") == FIRST_DELAY
    assert throttle.begin("10.0.0.2", "anna") == 0


def test_a_user_that_is_tried_from_many_addresses_is_slowed(throttle: LoginThrottle) -> None:
    for number in range(ALLOWED + 1):
        assert fail(throttle, f"10.0.0.{number}", "mario") == 0
    assert throttle.begin("10.0.1.1", "mario") == FIRST_DELAY


def test_success_begins_anew_for_the_user_but_not_for_the_address(throttle: LoginThrottle) -> None:
    for _ in range(ALLOWED + 2):
        fail(throttle, "10.0.0.1", "mario")
    throttle.begin("10.0.0.1", "mario")
    throttle.succeeded("10.0.0.1", "mario")
    assert throttle.begin("10.0.0.2", "mario") == 0
    assert throttle.begin("10.0.0.1", "anna") == 2 * FIRST_DELAY


def test_a_thousand_logins_from_one_address_are_not_slowed(throttle: LoginThrottle) -> None:
    assert {throttle.begin("10.0.0.1", f"user{number}") for number in range(1000)} == {0.0}


def test_failures_are_forgotten_in_time(throttle: LoginThrottle, clock: FakeClock) -> None:
    fail(throttle, "10.0.0.1", "mario")
    clock.go_on(FORGOTTEN_AFTER)
    assert throttle.begin("10.0.0.1", "mario") == 0


def test_what_is_remembered_is_bounded(throttle: LoginThrottle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_protection, "REMEMBERED", 10)
    for number in range(100):
        fail(throttle, f"10.0.0.{number}", f"user{number}")
    assert throttle.begin("10.0.0.99", "user99") > 0
    assert throttle.begin("10.0.0.1", "user1") == 0


def test_the_right_password_gets_in_however_short_the_time_to_log_in_is() -> None:
    with ListeningServer(login_time=FIRST_DELAY) as server:
        fail(server.context.login_throttle, "127.0.0.1", "mario")
        with server.client() as client:
            assert client.log_in("mario", "rosso") == "102 OK"


def test_the_stand_in_for_an_unknown_user_is_of_the_kind_of_somebodys_password() -> None:
    assert stand_in_password(Configuration(), "nobody") == ""
    scrypt = Operator("mario", "", make_stored_password("rosso"))
    digest = Operator("anna", "", make_stored_password("verde", "md5"))
    assert parse_stored_password(
        stand_in_password(Configuration(operators=(digest,)), "nobody")
    ) != parse_stored_password(digest.password)
    stand_in = stand_in_password(Configuration(operators=(scrypt,)), "nobody")
    found, real = parse_stored_password(stand_in), parse_stored_password(scrypt.password)
    assert isinstance(found, Scrypt) and isinstance(real, Scrypt)
    assert found[:4] == real[:4]
    assert len(found.digest) == len(real.digest) and found.digest != real.digest
    assert stand_in == stand_in_password(Configuration(operators=(scrypt,)), "nobody")
    assert stand_in != stand_in_password(Configuration(operators=(scrypt,)), "somebody")
