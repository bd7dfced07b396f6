"""The network between a client and the server, which breaks after so many bytes of one direction."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Final

TO_CLIENT: Final = "to the client"
TO_SERVER: Final = "to the server"


@dataclass(frozen=True, slots=True)
class PlannedCut:
    """After how many bytes of which direction, counted from when it is planned."""

    direction: str
    after: int


@dataclass(slots=True)
class _End:
    """One end of a connection, and what goes from it to the other."""

    socket: socket.socket
    direction: str
    """Of what is read here."""
    other: _End | None = None


class CuttingRelay:
    """Relays connections to a port; a context manager. Every method but those is for any thread."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._planned: PlannedCut | None = None
        self._passed = 0
        self.cuts = 0
        """How many planned cuts were made."""
        self._source = "127.0.0.1"
        self._ends: dict[socket.socket, _End] = {}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._wake, self._woken = socket.socketpair()
        self._stopping = False
        self._thread = threading.Thread(target=self._relay, name="cutting-relay")

    def __enter__(self) -> CuttingRelay:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        self._wake.send(b"x")
        self._thread.join()
        for end in (*self._ends, self._listener, self._wake, self._woken):
            end.close()

    def plan(self, cut: PlannedCut) -> None:
        """Break the connection after so many bytes from now on, in the middle of a line or of a character."""
        with self._lock:
            self._planned, self._passed = cut, 0

    def cancel(self) -> None:
        """Break nothing: what was planned and did not come is not to come any more."""
        with self._lock:
            self._planned = None

    def come_from(self, address: str) -> None:
        """New connections reach the server from this address: the PC got another one."""
        with self._lock:
            self._source = address

    def _relay(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ, self._accept)
            selector.register(self._woken, selectors.EVENT_READ, None)
            while not self._stopping:
                for key, _events in selector.select():
                    if isinstance(key.data, _End):
                        if key.fileobj in self._ends:  # else its other end broke it in this very round
                            self._pass_on(selector, key.data)
                    elif key.data is not None:
                        accept: Callable[[selectors.BaseSelector], None] = key.data
                        accept(selector)

    def _accept(self, selector: selectors.BaseSelector) -> None:
        near, _address = self._listener.accept()
        with self._lock:
            source = self._source
        try:
            far = socket.create_connection(("127.0.0.1", self._target), source_address=(source, 0))
        except OSError:  # the server is away
            near.close()
            return
        client, server = _End(near, TO_SERVER), _End(far, TO_CLIENT)
        client.other, server.other = server, client
        for end in (client, server):
            end.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._ends[end.socket] = end
            selector.register(end.socket, selectors.EVENT_READ, end)

    def _pass_on(self, selector: selectors.BaseSelector, source: _End) -> None:
        assert source.other is not None
        try:
            data = source.socket.recv(65536)
        except OSError:
            data = b""
        allowed, broken = self._allowed(source.direction, data)
        try:
            source.other.socket.sendall(data[:allowed])
        except OSError:
            broken = True
        if broken or not data:
            for end in (source, source.other):
                selector.unregister(end.socket)
                del self._ends[end.socket]
                with contextlib.suppress(OSError):
                    end.socket.shutdown(socket.SHUT_RDWR)
                end.socket.close()

    def _allowed(self, direction: str, data: bytes) -> tuple[int, bool]:
        """How much of it passes, and whether the connection breaks after that."""
        with self._lock:
            planned = self._planned
            if planned is None or planned.direction != direction or not data:
                return len(data), False
            self._passed += len(data)
            if self._passed <= planned.after:
                return len(data), False
            self._planned = None
            self.cuts += 1
            return len(data) - (self._passed - planned.after), True
