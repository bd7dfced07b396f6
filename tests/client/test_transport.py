"""How the client reaches its server: which address, how long, and what is said when it fails."""

from __future__ import annotations

import errno
import itertools
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from astcti_client.net.transport import (
    CONNECT_TIME,
    Interrupted,
    PlainNotAllowed,
    ServerAddress,
    ServerTransport,
    TransportError,
    Waiter,
    open_transport,
)

HOST = "cti.example"


@pytest.fixture
def waiter() -> Iterator[Waiter]:
    waiter = Waiter()
    yield waiter
    waiter.close()


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.fixture
def connected(listening: socket.socket) -> Iterator[tuple[ServerTransport, socket.socket]]:
    """A transport, and the server's side of it."""
    ours = socket.create_connection(listening.getsockname())
    ours.setblocking(False)
    theirs, _ = listening.accept()
    transport = ServerTransport(ours)
    with theirs:
        yield transport, theirs
    transport.close()


def never() -> bool:
    return False


def resolve(monkeypatch: pytest.MonkeyPatch, *ports: int) -> None:
    """Have the server's name stand for these ports of this machine."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port)) for port in ports]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_options: found)


def reason(waiter: Waiter, address: ServerAddress, **options: Any) -> str:
    """Why there is no connection."""
    with pytest.raises(TransportError) as raised:
        open_transport(address, waiter, never, **options)
    return str(raised.value)


# --- connecting ---


def test_the_next_address_of_a_name_is_tried_when_one_refuses(
    waiter: Waiter, listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port_without_a_server = gone.getsockname()[1]
    resolve(monkeypatch, port_without_a_server, listening.getsockname()[1])
    transport = open_transport(ServerAddress(HOST, 5000), waiter, never)
    assert transport.local_address() == "127.0.0.1"
    transport.close()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ECONNREFUSED, "cti.example:5000 refuses connections"),
        (errno.ETIMEDOUT, "cti.example:5000 does not answer; check host, port, firewalls"),
        (errno.ENETUNREACH, "cti.example:5000 cannot be reached from this network: Network is unreachable"),
        (errno.EACCES, "no connection to cti.example:5000: Permission denied"),
    ],
)
def test_each_way_to_fail_is_told_in_its_own_words(
    waiter: Waiter, monkeypatch: pytest.MonkeyPatch, code: int, words: str
) -> None:
    resolve(monkeypatch, 5000)
    monkeypatch.setattr(socket.socket, "connect_ex", lambda _socket, _where: code)
    assert reason(waiter, ServerAddress(HOST, 5000)).startswith(words)


def test_a_server_that_does_not_answer_is_given_up_in_time(
    waiter: Waiter, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve(monkeypatch, 5000)
    monkeypatch.setattr(socket.socket, "connect_ex", lambda _socket, _where: errno.EINPROGRESS)
    seconds = itertools.count()
    said = reason(waiter, ServerAddress(HOST, 5000), clock=lambda: float(next(seconds)))
    assert said == "cti.example:5000 does not answer within 10 s; check host, port, firewalls"
    assert next(seconds) >= CONNECT_TIME


def test_a_stop_ends_the_wait_for_a_server_at_once(waiter: Waiter, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve(monkeypatch, 5000)
    monkeypatch.setattr(socket.socket, "connect_ex", lambda _socket, _where: errno.EINPROGRESS)
    answers = itertools.chain([False], itertools.repeat(True))
    for stopping in (lambda: True, lambda: next(answers)):
        with pytest.raises(Interrupted):
            open_transport(ServerAddress(HOST, 5000), waiter, stopping)


def test_a_name_without_an_address_is_told_as_such(waiter: Waiter, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve(monkeypatch)
    assert reason(waiter, ServerAddress(HOST, 5000)) == "cti.example has no address"


def test_an_address_of_the_new_internet_is_written_in_brackets() -> None:
    assert str(ServerAddress("::1", 5000)) == "[::1]:5000"


# --- without TLS ---

ELSEWHERE = "0.0.0.0"  # no loopback address, but on Linux this machine answers


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "fe80::1%lo", ELSEWHERE])
def test_nothing_leaves_this_pc_unencrypted_unless_that_is_allowed(
    waiter: Waiter, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(socket.socket, "connect_ex", lambda *_: pytest.fail("it connects"))
    with pytest.raises(PlainNotAllowed) as raised:
        open_transport(ServerAddress(address, 5000), waiter, never)
    assert "tls = true" in str(raised.value)
    assert "plain = true" in str(raised.value)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_this_pc_needs_no_encryption(waiter: Waiter, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setattr(socket.socket, "connect_ex", lambda *_: 0)
    transport = open_transport(ServerAddress(address, 5000), waiter, never)
    assert transport.protection == "loopback"
    transport.close()


def test_of_a_name_with_several_addresses_only_the_allowed_ones_are_tried(
    waiter: Waiter, listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = listening.getsockname()[1]
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, port)) for address in ("192.0.2.1", "127.0.0.1")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_options: found)
    transport = open_transport(ServerAddress(HOST, 5000), waiter, never)
    assert transport.local_address() == "127.0.0.1"
    transport.close()


def test_an_allowed_connection_without_encryption_is_known_as_such(
    waiter: Waiter, listening: socket.socket
) -> None:
    address = ServerAddress(ELSEWHERE, listening.getsockname()[1], plain=True)
    transport = open_transport(address, waiter, never)
    assert transport.protection == "plain"
    transport.close()


# --- TLS ---


def test_a_file_without_certificates_is_told_before_anything_is_sent(waiter: Waiter, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("no certificate")
    said = reason(waiter, ServerAddress("127.0.0.1", 1, tls=True, ca_file=str(file)))
    assert said.startswith(f"ca-file {file}: no certificates in PEM form")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            ConnectionResetError(errno.ECONNRESET, "reset"),
            "closed the connection during the TLS handshake: reset",
        ),
        (OSError(errno.EIO, "an error of the line"), "no TLS connection to 127.0.0.1:"),
    ],
)
def test_a_handshake_that_fails_otherwise_says_how(
    waiter: Waiter, listening: socket.socket, monkeypatch: pytest.MonkeyPatch, error: OSError, words: str
) -> None:
    def fail(_socket: ssl.SSLSocket, _block: bool = False) -> None:
        raise error

    monkeypatch.setattr(ssl.SSLSocket, "do_handshake", fail)
    assert words in reason(waiter, ServerAddress("127.0.0.1", listening.getsockname()[1], tls=True))


@pytest.mark.parametrize("wants", [ssl.SSLWantReadError, ssl.SSLWantWriteError])
def test_a_server_that_says_nothing_in_tls_is_given_up_in_time(
    waiter: Waiter, listening: socket.socket, monkeypatch: pytest.MonkeyPatch, wants: type[ssl.SSLError]
) -> None:
    def want(_socket: ssl.SSLSocket, _block: bool = False) -> None:
        waiter.wake()  # as if time passed: nothing arrives
        raise wants

    monkeypatch.setattr(ssl.SSLSocket, "do_handshake", want)
    seconds = itertools.count()
    address = ServerAddress("127.0.0.1", listening.getsockname()[1], tls=True)
    assert "does not answer in TLS" in reason(waiter, address, clock=lambda: float(next(seconds)))


# --- reading and writing ---


def test_what_cannot_be_sent_yet_stays_for_the_next_time(
    connected: tuple[ServerTransport, socket.socket],
) -> None:
    transport, theirs = connected
    outgoing = bytearray(32 << 20)  # more than two sockets hold
    transport.write(outgoing)
    left = len(outgoing)
    assert 0 < left < 32 << 20
    while theirs.recv(1 << 20) and len(outgoing) == left:
        transport.write(outgoing)
    assert len(outgoing) < left


def test_nothing_is_read_while_nothing_comes_and_the_end_is_told_from_it(
    connected: tuple[ServerTransport, socket.socket],
) -> None:
    transport, theirs = connected
    assert transport.read() is None
    theirs.sendall(b"100 WELCOME\n")
    theirs.shutdown(socket.SHUT_WR)
    received = []
    while (data := transport.read()) != b"":
        received.append(data or b"")
    assert b"".join(received) == b"100 WELCOME\n"


def test_a_broken_connection_is_told_whatever_is_tried_with_it(
    connected: tuple[ServerTransport, socket.socket],
) -> None:
    transport, _theirs = connected
    transport.close()
    for attempt in (transport.local_address, transport.read, lambda: transport.write(bytearray(b"x"))):
        with pytest.raises(TransportError, match="the connection broke: Bad file descriptor"):
            attempt()


def test_waking_somebody_is_harmless_at_any_time(waiter: Waiter) -> None:
    for _ in range(100_000):  # more than the wake-up's own socket holds
        waiter.wake()
    waiter.wait(60)
    waiter.close()
    waiter.wake()
