"""A TCP relay that a test can cut and mend: the network between the server and Asterisk."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from types import TracebackType


class WireCutter:
    """Relays connections to a port. `cut` breaks them and refuses new ones until `mend`."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._is_cut = False
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._wake, self._woken = socket.socketpair()
        self._stopping = False
        self._thread = threading.Thread(target=self._relay, name="wire-cutter")

    def __enter__(self) -> WireCutter:
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

    def _relay(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while not self._stopping:
                for key, _events in selector.select():
                    if key.fileobj is self._listener:
                        self._accept(selector)
                    elif key.fileobj in self._pairs:
                        self._pass_on(selector, key.fileobj)

    def _accept(self, selector: selectors.BaseSelector) -> None:
        near, _address = self._listener.accept()
        with self._lock:
            if self._is_cut:
                near.close()
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            self._pairs[near], self._pairs[far] = far, near
        selector.register(near, selectors.EVENT_READ)
        selector.register(far, selectors.EVENT_READ)

    def _pass_on(self, selector: selectors.BaseSelector, source: socket.socket) -> None:
        try:
            data = source.recv(65536)
            if data:
                self._pairs[source].sendall(data)
                return
        except OSError:
            pass
        with self._lock:
            other = self._pairs.pop(source)
            self._pairs.pop(other, None)
        for end in (source, other):
            selector.unregister(end)
            end.close()
