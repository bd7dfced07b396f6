"""Other programs' parsers, fed in memory: what an event costs there before anybody does anything with it.

They are optional: `make bench` installs them if it can.
"""

from __future__ import annotations

import importlib
import importlib.util
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

CHUNK = 65536
Parse = Callable[[bytes], int]
"""Parses a whole stream, greeting included; returns how many events it found."""


def available() -> Iterator[tuple[str, Parse]]:
    """Those that are installed, by name."""
    for name, module, parse in (
        ("panoramisk", "panoramisk", _panoramisk),
        ("asterisk-ami", "asterisk.ami", _asterisk_ami),
    ):
        if _installed(module):
            yield name, parse


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _panoramisk(stream: bytes) -> int:
    protocol = importlib.import_module("panoramisk.ami_protocol").AMIProtocol()
    found = 0

    def dispatch(_message: Any) -> None:
        nonlocal found
        found += 1

    protocol.connection_made(None)
    protocol.factory = SimpleNamespace(dispatch=dispatch, save_stream=None)
    for at in range(0, len(stream), CHUNK):
        protocol.data_received(stream[at : at + CHUNK])
    return found


def _asterisk_ami(stream: bytes) -> int:
    client = importlib.import_module("asterisk.ami").AMIClient()
    found = 0

    def on_event(**_event: Any) -> None:
        nonlocal found
        found += 1

    client.add_event_listener(on_event)
    client.finished = threading.Event()
    client._socket = _MemorySocket(stream)
    packs = client._next_pack()
    next(packs)
    for pack in packs:
        client.fire_recv_pack(pack)
    return found


class _MemorySocket:
    """A stream that reads like a socket."""

    def __init__(self, stream: bytes) -> None:
        self._stream = memoryview(stream)
        self._position = 0

    def recv(self, size: int) -> bytes:
        begin = self._position
        self._position += size
        return bytes(self._stream[begin : begin + size])

    def close(self) -> None:
        """Nothing is open."""
