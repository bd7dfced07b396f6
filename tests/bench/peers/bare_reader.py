"""What no server can be faster than: a process that only reads the stream and splits it into events."""

from __future__ import annotations

import selectors
import socket
import time

CHUNK = 65536


class BareReader:
    """`recv(65536)` and `bytes.split`, over a loopback connection; lives in a process of its own."""

    def __init__(self) -> None:
        self.selector: selectors.BaseSelector = selectors.DefaultSelector()
        self._listening = socket.create_server(("127.0.0.1", 0))

    def port(self) -> int:
        """Where the feeder connects to."""
        return int(self._listening.getsockname()[1])

    def read(self, size: int) -> int:
        """Accept a connection, read so many bytes; returns when the last event was split off (ns)."""
        connection, _address = self._listening.accept()
        with connection:
            left = size
            while left > 0:
                data = connection.recv(CHUNK)
                if not data:
                    raise ConnectionError(f"the feeder stopped {left} bytes before the end")
                data.split(b"\r\n\r\n")
                left -= len(data)
        return time.perf_counter_ns()

    def turn(self) -> None:
        """Nothing is waited for between the calls."""

    def close(self) -> None:
        """Close the listening socket."""
        self._listening.close()
        self.selector.close()
