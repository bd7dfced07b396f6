"""The bad network of the endurance run: what gets through it, what does not, and who notices."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.endurance.wire import GARBAGE, Wire, WireState
from tests.fake.patience import PATIENCE, until


@dataclass
class Ends:
    """A wire with a connection through it."""

    wire: Wire
    listening: socket.socket
    near: socket.socket
    far: socket.socket

    def connect(self) -> tuple[socket.socket, socket.socket]:
        near = socket.create_connection(("127.0.0.1", self.wire.port), PATIENCE)
        far, _address = self.listening.accept()
        far.settimeout(PATIENCE)
        return near, far


@pytest.fixture
def ends() -> Iterator[Ends]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(PATIENCE)
        with Wire(listening.getsockname()[1]) as wire:
            found = Ends(wire, listening, listening, listening)
            found.near, found.far = found.connect()
            with found.near, found.far:
                yield found


def hear(end: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := end.recv(size - len(data))):
        data += more
    return data


def is_silent(end: socket.socket) -> bool:
    """Whether nothing comes for a moment: it may only be wrong where nothing should come."""
    end.settimeout(0.2)
    try:
        return not end.recv(1)
    except TimeoutError:
        return True
    finally:
        end.settimeout(PATIENCE)


def test_a_whole_wire_carries_everything_both_ways(ends: Ends) -> None:
    data = bytes(range(256)) * 2000
    ends.near.sendall(b"hello")
    assert hear(ends.far, 5) == b"hello"
    ends.far.sendall(data)
    assert hear(ends.near, len(data)) == data


def test_a_closed_end_is_told_after_what_was_said(ends: Ends) -> None:
    ends.far.sendall(b"910 BYE\n")
    ends.far.close()
    assert hear(ends.near, 100) == b"910 BYE\n"


def test_a_cut_wire_ends_connections_and_takes_none(ends: Ends) -> None:
    ends.wire.become(WireState.CUT)
    assert hear(ends.near, 1) == b""
    assert hear(ends.far, 1) == b""
    with socket.create_connection(("127.0.0.1", ends.wire.port), PATIENCE) as refused:
        assert hear(refused, 1) == b""
    ends.wire.become(WireState.WHOLE)
    near, far = ends.connect()
    with near, far:
        near.sendall(b"x")
        assert hear(far, 1) == b"x"


def test_a_stalled_wire_keeps_what_it_was_given(ends: Ends) -> None:
    ends.wire.become(WireState.STALLED)
    ends.near.sendall(b"up")
    ends.far.sendall(b"down")
    assert is_silent(ends.far)
    assert is_silent(ends.near)
    ends.wire.become(WireState.WHOLE)
    assert hear(ends.far, 2) == b"up"
    assert hear(ends.near, 4) == b"down"


def test_a_deaf_wire_carries_one_way_only(ends: Ends) -> None:
    ends.wire.become(WireState.DEAF)
    ends.near.sendall(b"up")
    ends.far.sendall(b"down")
    assert hear(ends.far, 2) == b"up"
    assert is_silent(ends.near)
    ends.wire.become(WireState.WHOLE)
    assert hear(ends.near, 4) == b"down"


def test_a_slow_wire_carries_everything_in_the_end(ends: Ends) -> None:
    ends.wire.become(WireState.SLOW)
    ends.far.sendall(b"x" * 2000)
    assert hear(ends.near, 2000) == b"x" * 2000


def test_a_garbled_wire_leaves_whole_blocks_alone(ends: Ends) -> None:
    ends.wire.become(WireState.GARBLED)
    block = b"Event: FullyBooted\r\nPrivilege: system,all\r\n\r\n"
    ends.far.sendall(block[:20])
    ends.far.sendall(block[20:] + block[:7])
    ends.far.sendall(block[7:])
    ends.far.close()
    data = hear(ends.near, 10**6)
    assert data != block * 2
    for garbage in sorted(GARBAGE, key=len, reverse=True):
        data = data.replace(garbage, b"") if len(garbage) > 4 else data
    assert data.startswith(block)
    assert data.count(block) == 2


def test_nobody_hears_that_a_vanished_connection_is_over(ends: Ends) -> None:
    ends.wire.vanish()
    ends.near.sendall(b"are you there")
    assert is_silent(ends.far)
    assert is_silent(ends.near)
    assert ends.wire.unnoticed == 1
    near, far = ends.connect()
    with near, far:
        near.sendall(b"x")
        assert hear(far, 1) == b"x"
    ends.near.close()
    until(lambda: ends.wire.unnoticed == 0)
    assert hear(ends.far, 1) == b""
