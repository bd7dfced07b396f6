"""A TCP relay that a test can cut and mend: the network between two programs."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from types import TracebackType
from typing import Self


class WireCutter:
    """Relays connections to a port. `cut` breaks them and refuses new ones until `mend`."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._is_cut = False
        self._pairs: dict[socket.socket, socket.socket] = {}
        """Each end of a connection, with its other end."""
        self._targets: set[socket.socket] = set()
        """The ends at the target."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._wake, self._woken = socket.socketpair()
        self._stopping = False
        self._thread = threading.Thread(target=self._relay, name="wire-cutter")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        self._wake.send(b"x")
        self._thread.join()
        for end in (*self._pairs, self._listener, self._wake, self._woken):
            end.close()

    def cut(self) -> None:
        """Break every connection; new ones are closed at once."""
        with self._lock:
            self._is_cut = True
            for end in self._pairs:
                with contextlib.suppress(OSError):  # its other end may have gone already
                    end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Let connections through again."""
        with self._lock:
            self._is_cut = False

    # -- the relay's thread, for relays that do more ---------------------------------------------------------

    def reach_target(self) -> socket.socket:
        """A new connection to the target. Raises OSError if it is away: then the other end is closed."""
        return socket.create_connection(("127.0.0.1", self._target))

    def let_through(self, data: bytes, *, from_target: bool) -> tuple[bytes, bool]:
        """What goes on of the data that came, and whether the connection breaks after that."""
        return data, False

    def _relay(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while not self._stopping:
                for key, _events in selector.select():
                    if key.fileobj is self._listener:
                        self._accept(selector)
                    elif key.fileobj in self._pairs:  # else its other end broke it in this very round
                        self._pass_on(selector, key.fileobj)

    def _accept(self, selector: selectors.BaseSelector) -> None:
        near, _address = self._listener.accept()
        if self._is_cut:
            near.close()
            return
        try:
            far = self.reach_target()
        except OSError:
            near.close()
            return
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            if self._is_cut:  # meanwhile
                near.close()
                far.close()
                return
            self._pairs[near], self._pairs[far] = far, near
            self._targets.add(far)
        selector.register(near, selectors.EVENT_READ)
        selector.register(far, selectors.EVENT_READ)

    def _pass_on(self, selector: selectors.BaseSelector, source: socket.socket) -> None:
        other = self._pairs[source]
        try:
            data = source.recv(65536)
            broken = not data
            if data:
                data, broken = self.let_through(data, from_target=source in self._targets)
                other.sendall(data)
        except OSError:
            broken = True
        if not broken:
            return
        with self._lock:
            for end in (source, other):
                del self._pairs[end]
                self._targets.discard(end)
        for end in (source, other):
            selector.unregister(end)
            end.close()
