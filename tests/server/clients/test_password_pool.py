"""Slow passwords: computed by few threads, in turns, without delaying anybody else."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import random
import threading

import pytest

from astcti_server.clients.password_checks.fair_queue import FairQueue
from astcti_server.clients.password_checks.pool import PasswordPool
from schemas import passwords
from tests.fake.clock import FakeClock
from tests.fake.line_client import LineClient, md5
from tests.fake.listening_server import ANNA, CONFIGURATION, MARIO, ListeningServer
from tests.fake.patience import PATIENCE, until

SLOW_MARIO = dataclasses.replace(MARIO, password=passwords.make_stored_password("rosso"))
SLOW = dataclasses.replace(CONFIGURATION, operators=(SLOW_MARIO, ANNA))


class Gate:
    """Work that waits until it is let through."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.open = threading.Event()

    def pass_through(self) -> None:
        self.entered.set()
        assert self.open.wait(PATIENCE)


def occupied(server: ListeningServer) -> Gate:
    """Both threads of the pool have something else to do, until the gate is opened."""
    gate = Gate()
    for number in range(len(server.pool.threads)):
        entered = threading.Event()

        def work(entered: threading.Event = entered) -> None:
            entered.set()
            gate.pass_through()

        server.pool.compute("192.0.2.1", f"other{number}", work, lambda: None)
        assert entered.wait(PATIENCE)
    return gate


def waiting_login(server: ListeningServer, client: LineClient) -> None:
    """Send a password that has to be computed, and see it wait in the queue."""
    assert client.hear() == "100 WELCOME"
    assert client.ask("USER mario") == "100 OK"
    client.say(f"PASS {md5('rosso')}")
    until(lambda: server.pool.waiting == 1)


def test_addresses_take_turns_and_so_do_the_names_of_one_address() -> None:
    queue: FairQueue[str] = FairQueue()
    for number in range(3):
        queue.put("10.0.0.1", "flood", f"flood {number}")
    queue.put("10.0.0.1", "mario", "mario")
    queue.put("10.0.0.2", "anna", "anna")
    queue.put("10.0.0.2", "anna", "anna again")
    taken = [queue.take() for _ in range(len(queue))]
    assert taken == ["flood 0", "anna", "mario", "anna again", "flood 1", "flood 2"]


def test_however_many_addresses_guess_they_take_one_turn_of_four() -> None:
    queue: FairQueue[str] = FairQueue()
    for number in range(200):
        queue.put(f"10.0.1.{number}", "root", "guess", suspect=True)
    for number in range(6):
        queue.put(f"10.0.0.{number}", "mario", "right")
    assert [queue.take() for _ in range(8)] == ["right"] * 3 + ["guess"] + ["right"] * 3 + ["guess"]
    assert [queue.take() for _ in range(len(queue))] == ["guess"] * 198
    queue.put("10.0.1.1", "root", "one", suspect=True)
    assert queue.remove("10.0.1.1", "root", "one") and not len(queue)


def test_an_empty_queue_says_so_and_what_was_removed_is_not_taken() -> None:
    queue: FairQueue[str] = FairQueue()
    queue.put("10.0.0.1", "mario", "one")
    queue.put("10.0.0.1", "mario", "two")
    assert queue.remove("10.0.0.1", "mario", "one")
    assert not queue.remove("10.0.0.1", "mario", "one")
    assert not queue.remove("10.0.0.9", "mario", "two")
    assert queue.take() == "two"
    with pytest.raises(LookupError):
        queue.take()


@pytest.mark.parametrize("seed", range(20))
def test_nobody_waits_for_more_than_one_turn_of_each_address_and_each_name(seed: int) -> None:
    generator = random.Random(seed)
    queue: FairQueue[tuple[str, str]] = FairQueue()
    for _ in range(500):
        pair = (f"10.0.0.{generator.randrange(4)}", f"user{generator.randrange(5)}")
        queue.put(*pair, pair)
    queue.put("10.9.9.9", "mario", ("10.9.9.9", "mario"))
    assert ("10.9.9.9", "mario") in [queue.take() for _ in range(5)]
    queue.put("10.0.0.1", "late", ("10.0.0.1", "late"))
    assert ("10.0.0.1", "late") in [queue.take() for _ in range(4 * 6)]
    before = len(queue)
    assert len([queue.take() for _ in range(before)]) == before
    assert len(queue) == 0


def test_what_fails_to_be_computed_fails_for_who_asked_and_the_thread_goes_on() -> None:
    pool = PasswordPool(threads=1)
    pool.start()
    try:
        finished = threading.Event()

        def fail() -> bool:
            raise MemoryError("no 16 MiB")

        failed = pool.compute("10.0.0.1", "mario", fail, finished.set)
        assert finished.wait(PATIENCE)
        with pytest.raises(MemoryError, match="no 16 MiB"):
            failed.result()
        finished.clear()
        later = pool.compute("10.0.0.1", "mario", lambda: 42, finished.set)
        assert finished.wait(PATIENCE)
        assert later.result() == 42
    finally:
        pool.stop()
        for thread in pool.threads:
            thread.join(PATIENCE)


def test_what_is_not_computed_yet_has_no_result() -> None:
    waiting = PasswordPool(threads=1).compute("10.0.0.1", "mario", lambda: 1, lambda: None)
    assert not waiting.done
    with pytest.raises(RuntimeError, match="not computed"):
        waiting.result()


def test_a_pool_has_a_few_threads_at_most_and_stops_whatever_waits() -> None:
    pool, gate = PasswordPool(threads=1), Gate()
    assert 1 <= len(PasswordPool().threads) <= 4
    pool.start()
    pool.compute("10.0.0.1", "mario", gate.pass_through, lambda: None)
    assert gate.entered.wait(PATIENCE)
    never = pool.compute("10.0.0.1", "anna", lambda: 1, lambda: None)
    pool.stop()
    gate.open.set()
    for thread in pool.threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert not never.done


def test_the_time_in_the_servers_own_queue_is_not_taken_off_the_time_to_log_in() -> None:
    clock = FakeClock()
    with ListeningServer(clock=clock, login_time=15.0) as server:
        server.requests.in_force = SLOW
        gate = occupied(server)
        with server.client() as client:
            waiting_login(server, client)
            clock.go_on(600)
            server.listener.limits_changed()
            gate.open.set()
            assert client.hear() == "102 OK"


def test_the_time_to_log_in_goes_on_where_it_stood_when_the_password_was_wrong() -> None:
    clock = FakeClock()
    with ListeningServer(clock=clock, login_time=15.0) as server:
        server.requests.in_force = SLOW
        gate = occupied(server)
        with server.client() as client:
            assert client.hear() == "100 WELCOME"
            assert client.ask("USER mario") == "100 OK"
            clock.go_on(14)
            client.say(f"PASS {md5('wrong')}")
            until(lambda: server.pool.waiting == 1)
            clock.go_on(600)
            gate.open.set()
            assert client.hear() == "101 KO unknown user or wrong password"
            assert client.ask("NOOP") == "100 OK"
            clock.go_on(1)
            server.listener.limits_changed()
            assert client.hear_all() == ["101 KO login time expired"]


def test_while_a_password_waits_others_with_a_quick_one_or_a_known_one_log_in() -> None:
    with ListeningServer() as server:
        server.requests.in_force = SLOW
        with server.client() as first:
            assert first.log_in("mario", "rosso") == "102 OK"  # from now on it is known
        gate = occupied(server)
        with server.client() as anna, server.client() as mario:
            assert anna.log_in("anna", "verde") == "102 OK"
            assert mario.log_in("mario", "rosso") == "102 OK"
        gate.open.set()


def test_lines_after_a_password_that_waits_are_answered_in_their_order() -> None:
    with ListeningServer() as server:
        server.requests.in_force = SLOW
        gate = occupied(server)
        with server.client() as client:
            waiting_login(server, client)
            client.say("NOOP", "PAUSE SIDEWAYS")
            gate.open.set()
            assert client.hear() == "102 OK"
            assert client.hear() == "100 OK"
            assert client.hear() == "101 KO PAUSE takes IN or OUT"


def test_who_goes_away_while_the_password_waits_is_not_computed_for() -> None:
    with ListeningServer() as server:
        server.requests.in_force = SLOW
        gate = occupied(server)
        client = server.client()
        waiting_login(server, client)
        client.reset()
        until(lambda: server.pool.waiting == 0)
        gate.open.set()


def test_the_server_stops_although_passwords_wait() -> None:
    with ListeningServer() as server:
        server.requests.in_force = SLOW
        gate = occupied(server)
        client = server.client()
        waiting_login(server, client)
        assert server.listener.stop() == []  # nobody is late
        assert client.hear_all() == ["910 BYE SHUTDOWN the server stops"]
        client.close()
        gate.open.set()


def test_a_password_changed_while_it_waited_ends_the_session() -> None:
    with ListeningServer() as server:
        server.requests.in_force = SLOW
        gate = occupied(server)
        with server.client() as client:
            waiting_login(server, client)
            changed = dataclasses.replace(SLOW_MARIO, password=passwords.make_stored_password("nero"))
            server.requests.in_force = dataclasses.replace(SLOW, operators=(changed, ANNA))
            gate.open.set()
            assert client.hear_all() == ["102 OK", "910 BYE CONFIG the password changed"]


def test_an_error_while_computing_ends_that_client_alone_and_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    with ListeningServer() as server:
        server.requests.in_force = SLOW

        def fail(*_: object, **__: object) -> bytes:
            raise MemoryError("no 16 MiB")

        monkeypatch.setattr(hashlib, "scrypt", fail)
        with server.client() as client, server.client() as anna:
            assert client.hear() == "100 WELCOME"
            assert client.ask("USER mario") == "100 OK"
            client.say(f"PASS {md5('rosso')}")
            assert client.hear_all() == []
            assert anna.log_in("anna", "verde") == "102 OK"
    assert "its handler failed" in caplog.text
