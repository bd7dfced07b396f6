"""The network between two programs, as bad as a network can be: a TCP relay for the endurance run."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType

MOST_WAITING = 256 * 1024  # bytes under way in one direction; then the relay reads no more
SLICE = 0.02  # seconds between two portions of a slow wire
GARBAGE = (
    b"\x00\xff\xfe\x80 not a header\r\n\r\n",
    b"Event\r\nno colon here\r\n\r\n",
    b"Event: Nonsense\r\nUniqueid:\r\nKey: " + b"x" * 900 + b"\r\n\r\n",
    b"\r\n\r\n",
)
"""Blocks that no Asterisk sends. They stand between its own, whose bytes are left alone."""
END = b"\r\n\r\n"


class WireState(Enum):
    """What the wire does with what it is given."""

    WHOLE = "whole"
    CUT = "cut"
    STALLED = "stalled"
    """Nothing gets through, and nobody is told."""
    DEAF = "deaf"
    """What the target says does not get through."""
    SLOW = "slow"
    GARBLED = "garbled"
    """Garbage stands between the blocks that the target says."""


@dataclass(eq=False)
class _Flow:
    """One direction of a connection."""

    source: socket.socket
    sink: socket.socket
    from_target: bool
    data: bytearray = field(default_factory=bytearray)
    ended: bool = False
    partial: bytes = b""
    """The beginning of a block while the wire is garbled."""


class Wire:
    """Relays connections to a port of this machine; a context manager. Methods are for any thread."""

    def __init__(self, target: int, port: int = 0, *, speed: int = 5000) -> None:
        """`speed` is that of a slow wire, in bytes a second."""
        self._target, self._speed = target, speed
        self._listener = socket.create_server(("127.0.0.1", port), backlog=512)
        self._listener.setblocking(False)
        self.port = int(self._listener.getsockname()[1])
        self._lock = threading.Lock()
        self._state = WireState.WHOLE
        self._of_source: dict[socket.socket, _Flow] = {}
        self._of_sink: dict[socket.socket, _Flow] = {}
        self._dead: dict[socket.socket, socket.socket] = {}
        """Ends of vanished connections, each with its other end."""
        self._makers: set[socket.socket] = set()
        self._garbage = 0
        self._budget = 0.0
        self._wake, self._woken = socket.socketpair()
        self._woken.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._stopping = False
        self._thread = threading.Thread(target=self._relay, name="wire")

    def __enter__(self) -> Wire:
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        self._wake.send(b"x")
        self._thread.join()
        self._selector.close()
        for end in (*self._of_source, *self._dead, self._listener, self._wake, self._woken):
            end.close()

    def become(self, state: WireState) -> None:
        """From now on the wire is like that. To be cut ends every connection, and each new one."""
        with self._lock:
            self._state = state
            if state is WireState.CUT:
                for end in list(self._of_source):
                    self._drop(end)
            for end in list(self._of_source):
                self._watch(end)
        self._wake.send(b"x")

    def vanish(self) -> None:
        """Nobody hears any more of the connections of now, nor that they are over; new ones are whole."""
        with self._lock:
            for end, flow in list(self._of_source.items()):
                self._forget(end)
                self._dead[end] = flow.sink
                self._makers.update(() if flow.from_target else (end,))
                self._selector.register(end, selectors.EVENT_READ)
        self._wake.send(b"x")

    @property
    def unnoticed(self) -> int:
        """Vanished connections in which the program that made them still believes."""
        with self._lock:
            return len(self._makers)

    @property
    def connections(self) -> int:
        """How many go through."""
        with self._lock:
            return len(self._of_source) // 2

    # -- the relay's thread -------------------------------------------------------------------------------

    def _relay(self) -> None:
        while not self._stopping:
            ready = self._selector.select(SLICE if self._state is WireState.SLOW else None)
            if self._state is WireState.SLOW:
                time.sleep(SLICE)
                self._budget = self._speed * SLICE
            with self._lock:
                for key, mask in ready:
                    self._serve(key.fileobj, mask)  # type: ignore[arg-type]  # only sockets are registered

    def _serve(self, end: socket.socket, mask: int) -> None:
        if end is self._listener:
            self._accept()
        elif end is self._woken:
            with contextlib.suppress(BlockingIOError):
                self._woken.recv(4096)
        elif end in self._dead:
            self._swallow(end)
        else:
            if mask & selectors.EVENT_WRITE and end in self._of_sink:
                self._send(self._of_sink[end])
            if mask & selectors.EVENT_READ and end in self._of_source:
                self._receive(self._of_source[end])

    def _accept(self) -> None:
        try:
            near, _address = self._listener.accept()
        except OSError:
            return
        if self._state is WireState.CUT:
            near.close()
            return
        try:
            far = socket.create_connection(("127.0.0.1", self._target), 1.0)
        except OSError:
            near.close()
            return
        for end in (near, far):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for flow in (_Flow(near, far, False), _Flow(far, near, True)):
            self._of_source[flow.source] = self._of_sink[flow.sink] = flow
        for end in (near, far):
            self._selector.register(end, selectors.EVENT_READ)
            self._watch(end)

    def _receive(self, flow: _Flow) -> None:
        try:
            data = flow.source.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            self._drop(flow.source)
            return
        if not data:
            flow.data += flow.partial
            flow.partial, flow.ended = b"", True
        elif flow.from_target:
            flow.data += self._garbled(flow, data)
        else:
            flow.data += data
        self._send(flow)

    def _garbled(self, flow: _Flow, data: bytes) -> bytes:
        if self._state is not WireState.GARBLED:
            whole, flow.partial = flow.partial + data, b""
            return whole
        blocks, end, flow.partial = (flow.partial + data).rpartition(END)
        if not end:
            return b""
        self._garbage += 1
        return blocks + end + GARBAGE[self._garbage % len(GARBAGE)]

    def _send(self, flow: _Flow) -> None:
        if self._blocked(flow):
            self._watch(flow.source)
            self._watch(flow.sink)
            return
        portion = len(flow.data)
        if self._state is WireState.SLOW:
            portion = min(portion, int(self._budget))
            self._budget -= portion
        try:
            sent = flow.sink.send(flow.data[:portion]) if portion else 0
        except BlockingIOError:
            sent = 0
        except OSError:
            self._drop(flow.sink)
            return
        del flow.data[:sent]
        if flow.ended and not flow.data:
            self._drop(flow.source)
            return
        self._watch(flow.source)
        self._watch(flow.sink)

    def _blocked(self, flow: _Flow) -> bool:
        return self._state is WireState.STALLED or (self._state is WireState.DEAF and flow.from_target)

    def _watch(self, end: socket.socket) -> None:
        """Say what is waited for at this end."""
        reading, writing = self._of_source.get(end), self._of_sink.get(end)
        if reading is None or writing is None:
            return
        mask = 0
        if len(reading.data) < MOST_WAITING and not reading.ended and not self._blocked(reading):
            mask |= selectors.EVENT_READ
        if writing.data and not self._blocked(writing):
            mask |= selectors.EVENT_WRITE
        registered = end in self._selector.get_map()
        if mask and registered:
            self._selector.modify(end, mask)
        elif mask:
            self._selector.register(end, mask)
        elif registered:
            self._selector.unregister(end)

    def _swallow(self, end: socket.socket) -> None:
        try:
            if end.recv(65536):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        other = self._dead.pop(end)
        self._selector.unregister(end)
        end.close()
        if end in self._makers:
            self._makers.discard(end)
            if other in self._dead:  # who was called would never notice by itself
                del self._dead[other]
                self._selector.unregister(other)
                other.close()

    def _forget(self, end: socket.socket) -> None:
        self._of_source.pop(end, None)
        self._of_sink.pop(end, None)
        if end in self._selector.get_map():
            self._selector.unregister(end)

    def _drop(self, end: socket.socket) -> None:
        """End the connection that this is an end of."""
        flow = self._of_source.get(end)
        if flow is None:
            return
        for both in (flow.source, flow.sink):
            self._forget(both)
            both.close()
