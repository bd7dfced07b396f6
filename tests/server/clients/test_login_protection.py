"""Guessing passwords gets slower; logging in does not."""

from __future__ import annotations

from contextlib import suppress

import pytest

from astcti_server.clients import login_protection
from astcti_server.clients.login_protection import (
    ADDRESS_ALLOWED,
    ADDRESS_FORGIVEN_EVERY,
    ADDRESS_WAITING,
    FIRST_DELAY,
    FORGIVEN_EVERY,
    LOGINS_ALLOWED,
    LONGEST_DELAY,
    MOST_COUNTED,
    MOST_WAITING,
    NAME_ALLOWED,
    LoginThrottle,
    stand_in_password,
)
from astcti_server.clients.ports import NotCarriedOut
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


def succeed(throttle: LoginThrottle, address: str, username: str) -> float:
    delay = throttle.begin(address, username)
    throttle.succeeded(address, username)
    return delay


def test_each_failure_doubles_the_wait_up_to_a_limit(throttle: LoginThrottle, clock: FakeClock) -> None:
    delays = []
    for _ in range(8):
        delays.append(fail(throttle, "10.0.0.1", "mario"))
        clock.go_on(delays[-1])
    assert delays == [0.0, FIRST_DELAY, 1.0, 2.0, 4.0, LONGEST_DELAY, LONGEST_DELAY, LONGEST_DELAY]


def test_attempts_made_at_the_same_time_count_before_they_have_failed(throttle: LoginThrottle) -> None:
    assert [throttle.begin("10.0.0.1", "mario") for _ in range(4)] == [0.0, 0.5, 1.0, 2.0]


def test_few_attempts_of_a_pair_wait_at_a_time_over_however_many_connections(
    throttle: LoginThrottle, clock: FakeClock
) -> None:
    looked_at = 0
    for _ in range(600):  # ten minutes, twenty connections that try each second
        for _ in range(20):
            with suppress(NotCarriedOut):
                throttle.begin("10.0.0.1", "mario")
                looked_at += 1
        clock.go_on(1.0)
    assert looked_at <= 600 / LONGEST_DELAY * MOST_WAITING + 10


def test_who_is_refused_for_too_many_attempts_is_told_when_to_come_again(throttle: LoginThrottle) -> None:
    for _ in range(MOST_WAITING + 1):
        throttle.begin("10.0.0.1", "mario")
    with pytest.raises(NotCarriedOut, match="too many failed logins: try again in 8 s"):
        throttle.begin("10.0.0.1", "mario")


def test_colleagues_at_the_same_address_do_not_wait_for_wrong_passwords_of_one(
    throttle: LoginThrottle, clock: FakeClock
) -> None:
    for _ in range(30):
        clock.go_on(fail(throttle, "10.0.0.1", "mario"))
    assert throttle.begin("10.0.0.1", "anna") == 0
    for number in range(30):
        fail(throttle, "10.0.0.1", f"guessed{number}")
    assert throttle.begin("10.0.0.1", "luca") == 0


def test_an_operator_does_not_wait_for_who_tries_the_name_from_elsewhere(throttle: LoginThrottle) -> None:
    assert succeed(throttle, "10.0.0.1", "mario") == 0
    for number in range(1000):
        with suppress(NotCarriedOut):
            fail(throttle, f"192.0.{number // 250}.{number % 250}", "mario")
    with pytest.raises(NotCarriedOut):  # a stranger does, or is sent away
        throttle.begin("198.51.100.1", "mario")
    assert throttle.begin("10.0.0.1", "mario") == 0


def test_who_logged_in_from_there_before_does_not_wait_for_strangers_at_the_address(
    throttle: LoginThrottle,
) -> None:
    assert succeed(throttle, "10.0.0.1", "anna") == 0
    for number in range(1000):
        with suppress(NotCarriedOut):
            fail(throttle, "10.0.0.1", f"user{number}")
    assert throttle.begin("10.0.0.1", "anna") == 0


def test_an_address_that_tries_many_users_is_slowed_for_all_strangers(
    throttle: LoginThrottle, clock: FakeClock
) -> None:
    for number in range(ADDRESS_ALLOWED):
        assert fail(throttle, "10.0.0.1", f"user{number}") == 0
    fail(throttle, "10.0.0.1", "one more")
    assert throttle.begin("10.0.0.1", "mario") == FIRST_DELAY
    assert throttle.begin("10.0.0.2", "anna") == 0
    looked_at = 0
    for second in range(600):
        for number in range(20):
            with suppress(NotCarriedOut):
                fail(throttle, "10.0.0.1", f"guessed{second}-{number}")
                looked_at += 1
        clock.go_on(1.0)
    assert looked_at <= 600 / LONGEST_DELAY * ADDRESS_WAITING + 100


def test_a_user_that_is_tried_from_many_addresses_is_slowed_for_strangers(throttle: LoginThrottle) -> None:
    for number in range(NAME_ALLOWED + 1):
        assert fail(throttle, f"10.0.0.{number}", "mario") == 0
    assert throttle.begin("10.0.1.1", "mario") == FIRST_DELAY


def test_another_address_of_the_same_ipv6_network_is_no_other_address(throttle: LoginThrottle) -> None:
    fail(throttle, "2001:db8:0:1::1", "mario")
    assert throttle.begin("2001:db8:0:1:ffff::2", "mario") == FIRST_DELAY
    assert throttle.begin("2001:db8:0:2::1", "mario") == 0
    fail(throttle, "::ffff:10.0.0.1", "anna")
    assert throttle.begin("10.0.0.1", "anna") == FIRST_DELAY
    assert throttle.begin("::ffff:10.0.0.2", "anna") == 0


def test_success_begins_anew_for_the_pair_but_not_for_the_address(throttle: LoginThrottle) -> None:
    for number in range(ADDRESS_ALLOWED + 2):
        fail(throttle, "10.0.0.1", f"user{number}")
    throttle.begin("10.0.0.1", "mario")
    throttle.succeeded("10.0.0.1", "mario")
    assert throttle.begin("10.0.0.1", "mario") == 0
    assert throttle.begin("10.0.0.1", "anna") == 2 * FIRST_DELAY


def test_a_thousand_logins_from_one_address_are_not_slowed(throttle: LoginThrottle) -> None:
    assert {throttle.begin("10.0.0.1", f"user{number}") for number in range(1000)} == {0.0}


def test_who_logs_in_over_and_over_waits(throttle: LoginThrottle, clock: FakeClock) -> None:
    for _ in range(LOGINS_ALLOWED):
        assert succeed(throttle, "10.0.0.1", "mario") == 0
    assert succeed(throttle, "10.0.0.1", "mario") == 0
    assert succeed(throttle, "10.0.0.1", "mario") == FIRST_DELAY
    assert succeed(throttle, "10.0.0.1", "anna") == 0
    clock.go_on(LOGINS_ALLOWED)
    assert succeed(throttle, "10.0.0.1", "mario") == 0


def test_an_address_with_a_wrong_password_is_suspect_for_a_while_but_not_to_who_is_known_there(
    throttle: LoginThrottle, clock: FakeClock
) -> None:
    succeed(throttle, "10.0.0.1", "anna")
    assert not throttle.suspects("10.0.0.1", "mario")
    fail(throttle, "10.0.0.1", "mario")
    assert throttle.suspects("10.0.0.1", "mario") and throttle.suspects("10.0.0.1", "luisa")
    assert not throttle.suspects("10.0.0.1", "anna")
    assert not throttle.suspects("10.0.0.2", "mario")
    clock.go_on(ADDRESS_FORGIVEN_EVERY)
    assert not throttle.suspects("10.0.0.1", "mario")


def test_failures_are_forgotten_in_time(throttle: LoginThrottle, clock: FakeClock) -> None:
    for _ in range(30):
        with suppress(NotCarriedOut):
            fail(throttle, "10.0.0.1", "mario")
    clock.go_on(FORGIVEN_EVERY * MOST_COUNTED)
    assert throttle.begin("10.0.0.1", "mario") == 0


def test_what_is_remembered_is_bounded(throttle: LoginThrottle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_protection, "REMEMBERED", 10)
    for number in range(100):
        fail(throttle, f"10.0.0.{number}", f"user{number}")
    assert throttle.begin("10.0.0.99", "user99") > 0
    assert throttle.begin("10.0.0.1", "user1") == 0


def test_failures_do_not_push_out_who_logged_in(
    throttle: LoginThrottle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_protection, "REMEMBERED", 10)
    succeed(throttle, "10.0.0.1", "anna")
    for number in range(ADDRESS_ALLOWED + 20):
        fail(throttle, "10.0.0.1", f"user{number}")
    assert throttle.begin("10.0.0.1", "anna") == 0


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
