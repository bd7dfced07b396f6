"""What programs say to an X server: a display beside the real one that hands everything on and counts it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Literal

FIRST_PORT = 6000  # display 0 over TCP; the number of a display is its port less this


class XTraffic:
    """Use `display` as DISPLAY. Several programs may; each connection has two threads."""

    def __init__(self, display: str) -> None:
        """`display` is one of this machine, as ":7", that needs no password."""
        self._real = f"/tmp/.X11-unix/X{display.removeprefix(':').partition('.')[0]}"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.display = f"127.0.0.1:{self._listener.getsockname()[1] - FIRST_PORT}"
        self._counting = threading.Lock()
        self._requests: Counter[int] = Counter()
        self._answered = 0
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def requests(self) -> Counter[int]:
        """How many requests of each kind there were until now, by their codes in the X protocol."""
        with self._counting:
            return Counter(self._requests)

    @property
    def answered(self) -> int:
        """Bytes that came back until now: answers and events."""
        with self._counting:
            return self._answered

    def close(self) -> None:
        """Take nobody more, and end the connections."""
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes its thread, which closing does not
        self._listener.close()
        self._threads[0].join()  # from now on there is no new connection
        for end in self._open:
            _shut(end)
        for thread in self._threads[1:]:
            thread.join()
        for end in self._open:
            end.close()

    def _accept(self) -> None:
        while True:
            try:
                program, _ = self._listener.accept()
            except OSError:
                return  # closed
            program.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._real)
            self._open += [program, server]
            for thread in (
                threading.Thread(target=self._ask, args=(program, server), daemon=True),
                threading.Thread(target=self._answer, args=(server, program), daemon=True),
            ):
                self._threads.append(thread)
                thread.start()

    def _ask(self, program: socket.socket, server: socket.socket) -> None:
        counted = _RequestCounter()
        for data in _handed_on(program, server):
            found = counted.take(data)
            with self._counting:
                self._requests.update(found)

    def _answer(self, server: socket.socket, program: socket.socket) -> None:
        for data in _handed_on(server, program):
            with self._counting:
                self._answered += len(data)


def _handed_on(one: socket.socket, other: socket.socket) -> Iterator[bytes]:
    """What comes from one end, each piece once it was sent to the other; until either goes."""
    with contextlib.suppress(OSError):  # either went meanwhile
        while data := one.recv(65536):
            other.sendall(data)
            yield data
    for end in (one, other):  # wakes the thread of the other direction, which closing does not
        _shut(end)


def _shut(end: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it is shut already
        end.shutdown(socket.SHUT_RDWR)


class _RequestCounter:
    """Cuts what one program sends into requests. Source: X Window System Protocol, Version 11, appendix B."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._order: Literal["little", "big"] | None = None
        """Not known before the connection's set-up."""

    def take(self, data: bytes) -> list[int]:
        """The codes of the requests that are complete now."""
        self._pending += data
        found = list[int]()
        while (size := self._size()) and len(self._pending) >= size:
            if self._order is None:
                self._order = "little" if self._pending[:1] == b"l" else "big"
            else:
                found.append(self._pending[0])
            del self._pending[:size]
        return found

    def _size(self) -> int:
        """Of the first message, in bytes; 0 while that cannot be told."""
        if self._order is None:
            return self._set_up_size()
        if len(self._pending) < 4:
            return 0
        size = int.from_bytes(self._pending[2:4], self._order)
        if not size and len(self._pending) >= 8:  # extension BIG-REQUESTS
            size = int.from_bytes(self._pending[4:8], self._order)
        return 4 * size

    def _set_up_size(self) -> int:
        if len(self._pending) < 12:
            return 0
        order: Literal["little", "big"] = "little" if self._pending[:1] == b"l" else "big"
        name, proof = (int.from_bytes(self._pending[at : at + 2], order) for at in (6, 8))
        return 12 + (name + 3) // 4 * 4 + (proof + 3) // 4 * 4
