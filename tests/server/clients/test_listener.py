"""Accepting clients: when, how many, and how it all ends."""

from __future__ import annotations

import errno
import gc
import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from astcti_server.clients import admission, handler_threads
from astcti_server.clients.listener import CtiServer, ListenError
from schemas.configuration.model import Configuration, Operator, Seat
from schemas.server.settings import ListenSettings
from tests.fake.counter import CONFIGURATION, SEAT_2, Counter
from tests.fake.line_client import LineClient, md5
from tests.fake.patience import PATIENCE, until


def ipv6_works() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def test_clients_that_come_before_the_opening_are_welcomed_after_it() -> None:
    counter = Counter()
    with LineClient(counter.server.port) as early:
        early.socket.settimeout(0.05)
        with pytest.raises(TimeoutError):
            early.hear()
        early.socket.settimeout(PATIENCE)
        with counter:
            assert early.hear() == "100 WELCOME"


def test_opening_twice_is_opening_once() -> None:
    with Counter() as counter, counter.client() as client:
        counter.server.open()
        assert client.hear() == "100 WELCOME"


def test_a_server_that_never_opened_can_be_stopped() -> None:
    counter = Counter()
    assert counter.server.stop() == []
    assert counter.server.stop() == []
    counter.server.open()
    with pytest.raises(ConnectionRefusedError):
        LineClient(counter.server.port)


def test_the_stop_says_goodbye_to_everyone_and_leaves_no_thread() -> None:
    with Counter() as counter, counter.seated() as mario, counter.client() as stranger:
        assert stranger.hear() == "100 WELCOME"
        assert counter.server.stop() == []
        assert mario.hear_all() == ["910 BYE SHUTDOWN the server stops"]
        assert stranger.hear_all() == ["910 BYE SHUTDOWN the server stops"]
        assert counter.registry.count == 0
        assert counter.desk.next_departure() == (counter.desk.next_arrival().session_id, False)
        with pytest.raises(ConnectionRefusedError):
            counter.client()


def test_the_stop_names_the_handlers_that_are_late(caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()
    counter = Counter()
    counter.desk.left = lambda *_: release.wait(PATIENCE)  # type: ignore[assignment,method-assign,return-value]
    counter.server.open()
    with counter.seated():
        assert counter.server.stop(within=0.2) == ["client-1"]
        assert "client-1" in caplog.text
        assert counter.server.handlers == ["client-1"]
        release.set()
    until(lambda: not counter.server.handlers)


def test_handler_threads_leave_no_trace_in_the_list_of_threads() -> None:
    with Counter() as counter:
        for _ in range(5):
            with counter.client() as client:
                assert client.hear() == "100 WELCOME"
        until(lambda: not counter.server.handlers)
        assert [one.name for one in threading.enumerate() if one.name.startswith(("client-", "Dummy"))] == []


def test_a_handler_that_begins_during_the_stop_is_ended_at_once() -> None:
    register = handler_threads.Attendants()
    ended = []
    register.dismiss(ended.append)
    session = object()
    register.introduce("client-1", session)  # type: ignore[arg-type]
    assert ended == [session]


def test_two_hundred_clients_log_in_at_once() -> None:
    count = 200
    operators = tuple(
        Operator(f"agent{number}", "", f"md5:{md5('x')}", f"02:00:00:00:00:{number:02x}")
        for number in range(count)
    )
    seats = tuple(Seat(one.seat, f"SIP/{number}", f"SIP/{number}") for number, one in enumerate(operators))
    together = threading.Barrier(50)

    def log_in(number: int) -> LineClient:
        if number < 50:
            together.wait(PATIENCE)
        client = LineClient(counter.server.port)
        assert client.log_in(f"agent{number}", "x") == "102 OK"
        return client

    with Counter(max_per_address=count) as counter, ThreadPoolExecutor(50) as pool:
        counter.desk.in_force = Configuration(operators=operators, seats=seats)
        clients = list(pool.map(log_in, range(count)))
        assert counter.registry.count == count
        assert len(counter.registry.attendance) == count
        arrived = {counter.desk.next_arrival().username for _ in range(count)}
        assert arrived == {one.username for one in operators}
        for client in clients:
            client.close()


def test_more_clients_than_allowed_are_refused_and_that_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    with Counter(max=2) as counter:
        with counter.client() as one, counter.client() as two:
            assert [one.hear(), two.hear()] == ["100 WELCOME", "100 WELCOME"]
            for _ in range(3):
                with counter.client() as third:
                    assert third.hear_all() == ["101 KO too many clients"]
        until(lambda: not counter.server.handlers)
        with counter.client() as again:
            assert again.hear() == "100 WELCOME"
    assert [record.getMessage() for record in caplog.records] == [
        "refusing clients: 2 are connected",
        "accepting clients again, after 3 were refused",
    ]


def test_more_clients_from_one_address_than_allowed_are_refused(caplog: pytest.LogCaptureFixture) -> None:
    with Counter(max_per_address=1) as counter:
        with counter.client() as one:
            assert one.hear() == "100 WELCOME"
            with counter.client() as two:
                assert two.hear_all() == ["101 KO too many clients from your address"]
        until(lambda: not counter.server.handlers)
        with counter.client() as three:
            assert three.hear() == "100 WELCOME"
    assert "refusing clients from 127.0.0.1: 1 are connected" in caplog.text


def test_limits_of_a_reload_count_at_once() -> None:
    with Counter(max=1) as counter, counter.client() as one:
        assert one.hear() == "100 WELCOME"
        counter.limit(max=2)
        with counter.client() as two:
            assert two.hear() == "100 WELCOME"


def test_without_descriptors_accepting_waits_and_goes_on_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Counter() as counter, monkeypatch.context() as patch:
        tried = threading.Semaphore(0)

        def accept() -> None:
            tried.release()
            raise OSError(errno.EMFILE, "Too many open files")

        real = counter.server.socket
        starved = type(
            "Starved",
            (),
            {
                "accept": staticmethod(accept),
                "fileno": real.fileno,
                "close": real.close,
                "shutdown": real.shutdown,
            },
        )()
        patch.setattr(counter.server, "socket", starved)
        with counter.client() as client:
            for _ in range(3):
                assert tried.acquire(timeout=PATIENCE)
            patch.setattr(counter.server, "socket", real)
            assert client.hear() == "100 WELCOME"
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == [
        "no client can be accepted: Too many open files"
    ]


def test_without_threads_a_client_is_turned_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def none_left(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    with Counter() as counter:
        with monkeypatch.context() as patch:
            patch.setattr(handler_threads._thread, "start_new_thread", none_left)
            with counter.client() as client:
                assert client.hear() == ""
        with counter.client() as client:
            assert client.hear() == "100 WELCOME"
    assert "no thread for a client from 127.0.0.1" in caplog.text


def test_an_exception_while_a_client_is_accepted_does_not_end_the_accepting(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with Counter() as counter:
        working = counter.desk.settings

        def broken_once() -> object:
            counter.desk.settings = working  # type: ignore[method-assign]
            raise RuntimeError("no settings")

        counter.desk.settings = broken_once  # type: ignore[method-assign,assignment]
        with counter.client() as client:
            assert client.hear() == ""
        with counter.client() as client:
            assert client.hear() == "100 WELCOME"
    assert "no settings" in caplog.text


def test_a_plain_listener_off_loopback_has_to_be_allowed_and_is_warned_about(
    caplog: pytest.LogCaptureFixture,
) -> None:
    counter = Counter()
    counter.server.stop()
    with pytest.raises(ListenError, match='plain="yes"'):
        CtiServer(ListenSettings("0.0.0.0", 0), counter.reception)
    server = CtiServer(ListenSettings("0.0.0.0", 0, plain=True), counter.reception)
    server.stop()
    assert "unencrypted" in caplog.text


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost"])
def test_a_plain_listener_on_loopback_needs_no_leave(address: str, caplog: pytest.LogCaptureFixture) -> None:
    with Counter(ListenSettings(address, 0)):
        assert not caplog.records


@pytest.mark.skipif(not ipv6_works(), reason="no IPv6 here")
def test_ipv6_clients_are_welcome() -> None:
    with Counter(ListenSettings("::1", 0)) as counter, LineClient(counter.server.port, host="::1") as client:
        assert client.log_in("mario", "rosso") == "102 OK"


@pytest.mark.skipif(not ipv6_works(), reason="no IPv6 here")
def test_an_ipv4_client_of_an_ipv6_listener_has_its_ipv4_address() -> None:
    with Counter(ListenSettings("::", 0, plain=True)) as counter:
        counter.desk.in_force = Configuration(seats=(Seat(SEAT_2, "SIP/1", "SIP/1", address="127.0.0.1"),))
        with counter.client() as client:
            assert client.hear() == "100 WELCOME"
            assert client.ask(f"MAC {SEAT_2}") == "100 OK SIP/1"


def test_a_port_in_use_is_named() -> None:
    with Counter() as counter:
        port = counter.server.port
        expected = rf"cannot listen on 127\.0\.0\.1 port {port}: Address already in use"
        with pytest.raises(ListenError, match=expected):
            CtiServer(ListenSettings(port=port), counter.reception)


def test_an_address_of_another_machine_is_named() -> None:
    counter = Counter()
    counter.server.stop()
    with pytest.raises(ListenError, match=r"cannot listen on 192\.0\.2\.1 port 0"):
        CtiServer(ListenSettings("192.0.2.1", 0, plain=True), counter.reception)


def test_the_limit_of_open_files_is_raised_as_far_as_it_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {"now": (1024, 10_100)}
    monkeypatch.setattr(admission.resource, "getrlimit", lambda _: limits["now"])
    monkeypatch.setattr(admission.resource, "setrlimit", lambda _, new: limits.update(now=new))
    assert admission.raise_descriptor_limit() == 5_000
    assert limits["now"] == (10_100, 10_100)


def test_a_limit_of_open_files_that_cannot_be_raised_caps_the_clients(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(*_: object) -> None:
        raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr(admission.resource, "getrlimit", lambda _: (300, 1000))
    monkeypatch.setattr(admission.resource, "setrlimit", refused)
    assert admission.raise_descriptor_limit() == 100
    assert "stays at 300" in caplog.text


def test_every_client_gets_its_descriptors_back() -> None:
    def open_files() -> int:
        return len(socket.os.listdir("/proc/self/fd"))  # type: ignore[attr-defined]

    with Counter() as counter:
        with counter.seated():
            pass
        until(lambda: not counter.server.handlers)
        gc.collect()  # what earlier tests left, so that it does not go meanwhile
        before = open_files()
        for _ in range(20):
            with counter.seated() as client:
                client.ask("QUIT")
        until(lambda: not counter.server.handlers)
        assert open_files() == before
    assert CONFIGURATION.operators
