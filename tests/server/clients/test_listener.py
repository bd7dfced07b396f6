"""Accepting clients: when, how many, and how it all ends."""

from __future__ import annotations

import _thread
import contextlib
import errno
import gc
import logging
import resource
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from astcti_server.clients import admission
from astcti_server.clients.handler_threads import HandlerThreads
from astcti_server.clients.listener import UNANSWERED, ClientListener, ListenError
from astcti_server.clients.session import Session
from astcti_server.clients.transport import PlainTransport
from schemas.configuration.model import Configuration, Operator, Seat
from schemas.server.settings import ListenSettings
from tests.fake.line_client import LineClient, md5
from tests.fake.listening_server import CONFIGURATION, SEAT_2, ListeningServer
from tests.fake.patience import PATIENCE, until


def ipv6_works() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def test_clients_that_come_before_the_opening_are_welcomed_after_it() -> None:
    server = ListeningServer()
    with LineClient(server.listener.port) as early:
        early.socket.settimeout(0.05)
        with pytest.raises(TimeoutError):
            early.hear()
        early.socket.settimeout(PATIENCE)
        with server:
            assert early.hear() == "100 WELCOME"


def test_a_thousand_clients_that_come_back_in_one_moment_can_wait_to_be_accepted() -> None:
    server = ListeningServer(max=2000, max_per_address=2000)
    with contextlib.ExitStack() as connected:
        # None is accepted yet: whoever the queue has no room for would connect in vain.
        clients = [connected.enter_context(LineClient(server.listener.port)) for _ in range(1000)]
        with server:
            assert {client.hear() for client in clients} == {"100 WELCOME"}


def test_opening_twice_is_opening_once() -> None:
    with ListeningServer() as server, server.client() as client:
        server.listener.open()
        assert client.hear() == "100 WELCOME"


def test_a_server_that_never_opened_can_be_stopped() -> None:
    server = ListeningServer()
    assert server.listener.stop() == []
    assert server.listener.stop() == []
    server.listener.open()
    with pytest.raises(ConnectionRefusedError):
        LineClient(server.listener.port)


def test_the_stop_says_goodbye_to_everyone_and_leaves_no_thread() -> None:
    with ListeningServer() as server, server.seated() as mario, server.client() as stranger:
        assert stranger.hear() == "100 WELCOME"
        assert server.listener.stop() == []
        assert mario.hear_all() == ["910 BYE SHUTDOWN the server stops"]
        assert stranger.hear_all() == ["910 BYE SHUTDOWN the server stops"]
        assert server.registry.count == 0
        assert server.requests.next_departure() == (server.requests.next_arrival().session_id, False)
        with pytest.raises(ConnectionRefusedError):
            server.client()


def test_the_stop_names_the_handlers_that_are_late(caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()
    server = ListeningServer()
    server.requests.left = lambda *_: release.wait(PATIENCE)  # type: ignore[assignment,method-assign]
    server.listener.open()
    with server.seated():
        assert server.listener.stop(within=0.2) == ["client-1"]
        assert "client-1" in caplog.text
        assert server.listener.handlers == ["client-1"]
        release.set()
    until(lambda: not server.listener.handlers)


def test_handler_threads_leave_no_trace_in_the_list_of_threads() -> None:
    with ListeningServer() as server:
        for _ in range(5):
            with server.client() as client:
                assert client.hear() == "100 WELCOME"
        until(lambda: not server.listener.handlers)
        assert [
            thread.name for thread in threading.enumerate() if thread.name.startswith(("client-", "Dummy"))
        ] == []


def test_a_handler_that_begins_during_the_stop_is_ended_at_once() -> None:
    threads = HandlerThreads()
    ended: list[Session] = []
    threads.end_sessions(ended.append)
    session = Session("client-1", PlainTransport(socket.socket()), "127.0.0.1", 100)
    threads.session_begun("client-1", session)
    session.finish()
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
        client = LineClient(server.listener.port)
        assert client.log_in(f"agent{number}", "x") == "102 OK"
        return client

    with ListeningServer(max_per_address=count) as server, ThreadPoolExecutor(50) as pool:
        server.requests.in_force = Configuration(operators=operators, seats=seats)
        clients = list(pool.map(log_in, range(count)))
        assert server.registry.count == count
        assert len(server.registry.seated_operators) == count
        arrived = {server.requests.next_arrival().username for _ in range(count)}
        assert arrived == {operator.username for operator in operators}
        for client in clients:
            client.close()


def test_more_clients_than_allowed_are_refused_and_that_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    with ListeningServer(max=2) as server:
        with server.seated(), server.seated("anna", "verde"):
            for _ in range(3):
                with server.client() as third:
                    assert third.hear_all() == ["101 KO too many clients"]
        until(lambda: not server.listener.handlers)
        with server.client() as again:
            assert again.hear() == "100 WELCOME"
    assert [record.getMessage() for record in caplog.records] == [
        "refusing clients: 2 are connected",
        "accepting clients again, after 3 were refused",
    ]


def test_more_clients_from_one_address_than_allowed_are_refused(caplog: pytest.LogCaptureFixture) -> None:
    with ListeningServer(max_per_address=1) as server:
        with server.seated(), server.client() as two:
            assert two.hear_all() == ["101 KO too many clients from your address"]
        until(lambda: not server.listener.handlers)
        with server.client() as three:
            assert three.hear() == "100 WELCOME"
    assert "refusing clients from 127.0.0.1: 1 are connected" in caplog.text


@pytest.mark.parametrize(
    ("limit", "text"),
    [("max", "too many clients"), ("max_per_address", "too many clients from your address")],
)
def test_connections_that_do_not_log_in_shut_nobody_out(
    limit: str, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    with ListeningServer() as server:
        server.limit(**{limit: 20})
        with ExitStack() as stack:
            anna = stack.enter_context(server.seated("anna", "verde"))
            idle = [stack.enter_context(server.client()) for _ in range(19)]
            assert {client.hear() for client in idle} == {"100 WELCOME"}
            stack.enter_context(server.seated())
            assert idle[0].hear_all() == [f"101 KO {text}"]
            assert idle[1].ask("NOOP") == "100 OK"
            assert anna.ask("NOOP") == "100 OK"
            assert len(server.listener.handlers) <= 21
        until(lambda: not server.listener.handlers)
    where = " from 127.0.0.1" if limit == "max_per_address" else ""
    assert [record.getMessage() for record in caplog.records] == [
        f"clients{where} that do not log in make room: 20 are connected",
        f"clients{where} need no more room, after 1 had to make it",
    ]


def test_limits_of_a_reload_count_at_once() -> None:
    with ListeningServer(max=1) as server, server.client() as one:
        assert one.hear() == "100 WELCOME"
        server.limit(max=2)
        with server.client() as two:
            assert two.hear() == "100 WELCOME"


def test_without_descriptors_accepting_waits_and_goes_on_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with ListeningServer() as server, monkeypatch.context() as patch:
        tried = threading.Semaphore(0)

        def accept() -> None:
            tried.release()
            raise OSError(errno.EMFILE, "Too many open files")

        real = server.listener.socket
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
        patch.setattr(server.listener, "socket", starved)
        with server.client() as client:
            for _ in range(3):
                assert tried.acquire(timeout=PATIENCE)
            patch.setattr(server.listener, "socket", real)
            assert client.hear() == "100 WELCOME"
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == [
        "no client can be accepted: Too many open files"
    ]


def test_without_threads_a_client_is_turned_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def none_left(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    with ListeningServer() as server:
        with monkeypatch.context() as patch:
            patch.setattr(_thread, "start_new_thread", none_left)
            with server.client() as client:
                assert client.hear() == ""
        with server.client() as client:
            assert client.hear() == "100 WELCOME"
    assert "no thread for a client from 127.0.0.1" in caplog.text


def test_an_exception_while_a_client_is_accepted_does_not_end_the_accepting(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with ListeningServer() as server:
        working = server.requests.settings

        def broken_once() -> object:
            server.requests.settings = working  # type: ignore[method-assign]
            raise RuntimeError("no settings")

        server.requests.settings = broken_once  # type: ignore[method-assign,assignment]
        with server.client() as client:
            assert client.hear() == ""
        with server.client() as client:
            assert client.hear() == "100 WELCOME"
    assert "no settings" in caplog.text


def test_a_plain_listener_off_loopback_has_to_be_allowed_and_is_warned_about(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = ListeningServer()
    server.listener.stop()
    with pytest.raises(ListenError, match='plain="yes"'):
        ClientListener(ListenSettings("0.0.0.0", 0), server.context)
    ClientListener(ListenSettings("0.0.0.0", 0, plain=True), server.context).stop()
    assert "unencrypted" in caplog.text


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost"])
def test_a_plain_listener_on_loopback_needs_no_leave(address: str, caplog: pytest.LogCaptureFixture) -> None:
    with ListeningServer(ListenSettings(address, 0)):
        assert not caplog.records


@pytest.mark.skipif(not ipv6_works(), reason="no IPv6 here")
def test_ipv6_clients_are_welcome() -> None:
    with (
        ListeningServer(ListenSettings("::1", 0)) as server,
        LineClient(server.listener.port, host="::1") as client,
    ):
        assert client.log_in("mario", "rosso") == "102 OK"


@pytest.mark.skipif(not ipv6_works(), reason="no IPv6 here")
def test_an_ipv4_client_of_an_ipv6_listener_has_its_ipv4_address() -> None:
    with ListeningServer(ListenSettings("::", 0, plain=True)) as server:
        server.requests.in_force = Configuration(seats=(Seat(SEAT_2, "SIP/1", "SIP/1", address="127.0.0.1"),))
        with server.client() as client:
            assert client.hear() == "100 WELCOME"
            assert client.ask(f"MAC {SEAT_2}") == "100 OK SIP/1"


def test_a_port_in_use_is_named() -> None:
    with ListeningServer() as server:
        port = server.listener.port
        expected = rf"cannot listen on 127\.0\.0\.1 port {port}: Address already in use"
        with pytest.raises(ListenError, match=expected):
            ClientListener(ListenSettings(port=port), server.context)


def test_an_address_of_another_machine_is_named() -> None:
    server = ListeningServer()
    server.listener.stop()
    with pytest.raises(ListenError, match=r"cannot listen on 192\.0\.2\.1 port 0"):
        ClientListener(ListenSettings("192.0.2.1", 0, plain=True), server.context)


def test_the_limit_of_open_files_is_raised_as_far_as_it_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {"now": (1024, 10_100)}
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits["now"])
    monkeypatch.setattr(resource, "setrlimit", lambda _, new: limits.update(now=new))
    assert admission.raise_descriptor_limit() == 4_950
    assert limits["now"] == (10_100, 10_100)


def test_a_limit_of_open_files_that_cannot_be_raised_caps_the_clients(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(*_: object) -> None:
        raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr(resource, "getrlimit", lambda _: (300, 1000))
    monkeypatch.setattr(resource, "setrlimit", refused)
    assert admission.raise_descriptor_limit() == 50
    assert "stays at 300" in caplog.text


def test_every_client_gets_its_descriptors_back() -> None:
    def open_files() -> int:
        return len(socket.os.listdir("/proc/self/fd"))  # type: ignore[attr-defined]

    with ListeningServer() as server:
        with server.seated():
            pass
        until(lambda: not server.listener.handlers)
        gc.collect()  # what earlier tests left, so that it does not go meanwhile
        before = open_files()
        for _ in range(20):
            with server.seated() as client:
                client.ask("QUIT")
        until(lambda: not server.listener.handlers)
        assert open_files() == before
    assert CONFIGURATION.operators


@pytest.mark.skipif(sys.platform != "linux", reason="other systems may not hand them on")
def test_what_a_clients_socket_needs_comes_from_the_listening_one() -> None:
    """A pop-up goes out at once, and who is gone is found out, without a call for each client."""
    listener = ListeningServer().listener
    listener.socket.setblocking(True)
    with LineClient(listener.port):
        accepted, _address = listener.socket.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == UNANSWERED
    listener.stop()
