"""Wrong passwords without end, from many addresses of loopback and with many user names."""

from __future__ import annotations

import selectors
import socket
import threading
from itertools import count

from tests.bench.workload.call_centre import SeatLogin
from tests.fake.line_client import md5

SENDERS = 64
ADDRESSES = 16
"""At a time, each of several senders."""
FROM_ONE_ADDRESS = 8
"""Wrong passwords; then another address, before this one is slowed for its failures."""
TIMEOUT = 60.0  # seconds for a reply


class PasswordFlood:
    """Lives in a process of its own."""

    def __init__(self) -> None:
        self.selector: selectors.BaseSelector = selectors.DefaultSelector()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._refused = 0
        self._counters = [count() for _ in range(ADDRESSES)]

    def begin(self, port: int, logins: list[SeatLogin]) -> None:
        """From now on passwords are sent for these operators."""
        self._threads = [
            threading.Thread(target=self._send, args=(port, logins, number)) for number in range(SENDERS)
        ]
        for thread in self._threads:
            thread.start()

    def end(self) -> int:
        """Stop; how many passwords were refused."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        return self._refused

    def turn(self) -> None:
        """There is nothing to be served."""

    def close(self) -> None:
        """End whatever goes on."""
        self.end()
        self.selector.close()

    def _send(self, port: int, logins: list[SeatLogin], sender: int) -> None:
        group = sender % ADDRESSES
        while not self._stopping.is_set():
            number = next(self._counters[group])
            turn = number // FROM_ONE_ADDRESS
            source = f"127.{1 + group}.{turn // 200 % 200}.{1 + turn % 200}"
            try:
                with socket.create_connection(("127.0.0.1", port), TIMEOUT, (source, 0)) as connection:
                    self._guess(connection, logins[(sender * 7 + number) % len(logins)])
            except OSError:
                continue  # refused, or closed after too many failures

    def _guess(self, connection: socket.socket, login: SeatLogin) -> None:
        lines = connection.makefile("rb")
        lines.readline()
        connection.sendall(f"USER {login.username}\nPASS {md5('wrong')}\n".encode())
        lines.readline()
        if lines.readline().startswith(b"101"):
            with self._lock:
                self._refused += 1
