"""One TCP connection to Asterisk: every address of the host is tried, and each end of it is told in words."""

from __future__ import annotations

import errno
import selectors
import socket
import struct
from collections.abc import Iterator

import pytest

from astcti_server.ami.connection import UNSENT_LIMIT, AmiConnection, ConnectionFailedError
from schemas.server.settings import AmiSettings
from tests.fake.patience import PATIENCE
from tests.fake.ports import free_port


@pytest.fixture
def asterisk() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(PATIENCE)
        yield listening


@pytest.fixture
def selector() -> Iterator[selectors.BaseSelector]:
    with selectors.DefaultSelector() as made:
        yield made


def connect(selector: selectors.BaseSelector, port: int) -> AmiConnection:
    """A connection that is open; raises ConnectionFailedError if it cannot be had."""
    settings = AmiSettings("astcti", "secret", "127.0.0.1", port)
    connection = AmiConnection(settings, selector, lambda _mask: None)
    connection.start()
    while not connection.is_open:
        assert selector.select(PATIENCE)
        connection.ready()
    return connection


def addresses(monkeypatch: pytest.MonkeyPatch, *found: tuple[int, tuple[str, int]]) -> None:
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda *_a, **_k: [(family, socket.SOCK_STREAM, 0, "", address) for family, address in found],
    )


def test_the_next_address_of_the_host_is_tried(
    monkeypatch: pytest.MonkeyPatch, asterisk: socket.socket, selector: selectors.BaseSelector
) -> None:
    port = asterisk.getsockname()[1]
    unknown_family = 12345
    addresses(
        monkeypatch,
        (unknown_family, ("127.0.0.1", port)),
        (socket.AF_INET, ("127.0.0.1", free_port())),
        (socket.AF_INET, ("127.0.0.1", port)),
    )
    connection = connect(selector, port)
    asterisk.accept()[0].close()
    connection.close()
    connection.close()
    assert not connection.is_open


def test_a_host_without_a_usable_address_is_told(
    monkeypatch: pytest.MonkeyPatch, selector: selectors.BaseSelector
) -> None:
    addresses(monkeypatch, (12345, ("127.0.0.1", 5038)))
    with pytest.raises(ConnectionFailedError, match=r"cannot connect to 127\.0\.0\.1:5038"):
        connect(selector, 5038)


@pytest.mark.parametrize(
    ("code", "words"),
    [(errno.EHOSTUNREACH, "cannot connect to"), (errno.ETIMEDOUT, "and the firewall between")],
    ids=["unreachable", "timed-out"],
)
def test_what_the_system_says_of_an_attempt_is_told(
    monkeypatch: pytest.MonkeyPatch, selector: selectors.BaseSelector, code: int, words: str
) -> None:
    monkeypatch.setattr(socket.socket, "connect_ex", lambda _self, _address: code)
    with pytest.raises(ConnectionFailedError, match=words):
        connect(selector, 5038)


def reset(peer: socket.socket) -> None:
    """Break the connection, as a host does that was switched off and on again."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def test_a_connection_that_breaks_is_told_by_reading_and_by_sending(
    asterisk: socket.socket, selector: selectors.BaseSelector
) -> None:
    connection = connect(selector, asterisk.getsockname()[1])
    peer, _address = asterisk.accept()
    assert connection.read() is None
    reset(peer)
    assert selector.select(PATIENCE)
    with pytest.raises(ConnectionFailedError, match="the connection broke"):
        connection.read()
    with pytest.raises(ConnectionFailedError, match="the connection broke"):
        connection.send(b"Action: Ping\r\n\r\n")
    connection.close()


def test_what_the_kernel_does_not_take_waits_within_a_limit(
    asterisk: socket.socket, selector: selectors.BaseSelector
) -> None:
    connection = connect(selector, asterisk.getsockname()[1])
    peer, _address = asterisk.accept()
    with peer:
        with pytest.raises(ConnectionFailedError, match="does not take our actions any more"):
            for _ in range(100):
                connection.send(bytes(UNSENT_LIMIT // 2))
        peer.settimeout(PATIENCE)
        assert peer.recv(1000)
        connection.flush()
    connection.close()


def test_what_is_gathered_goes_out_in_one_piece_when_it_is_asked_for(
    asterisk: socket.socket, selector: selectors.BaseSelector
) -> None:
    connection = connect(selector, asterisk.getsockname()[1])
    peer, _address = asterisk.accept()
    with peer:
        for number in range(3):
            connection.gather(b"%d " % number)
        peer.setblocking(False)
        with pytest.raises(BlockingIOError):
            peer.recv(1000)
        connection.flush_gathered()
        peer.settimeout(PATIENCE)
        assert peer.recv(1000) == b"0 1 2 "
    connection.close()


def test_more_may_be_gathered_than_may_wait_for_an_asterisk_that_takes_nothing(
    asterisk: socket.socket, selector: selectors.BaseSelector
) -> None:
    connection = connect(selector, asterisk.getsockname()[1])
    peer, _address = asterisk.accept()
    taken = 0
    with peer:
        peer.settimeout(PATIENCE)
        for _ in range(3 * UNSENT_LIMIT // 65536):
            for _ in range(64):
                connection.gather(bytes(1024))
            taken += len(peer.recv(1 << 20))
        connection.flush_gathered()
        while taken < 3 * UNSENT_LIMIT:
            taken += len(peer.recv(1 << 20))
    connection.close()
