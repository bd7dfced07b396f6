"""The clients: a process with one select loop that holds every seat's connection and checks what arrives."""

from __future__ import annotations

import re
import selectors
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.bench.workload.call_centre import SeatLogin
from tests.bench.workload.traffic import ExpectedLink

LINK = b'<event id="Link"'
SMALL = 4096  # bytes of receive buffer of a client that is going to stop reading
_LINK_DATA = re.compile(
    rb"<calleridnum>([^<]*)</calleridnum>.*?<appdata>(?:<data key=\"calldata\">([^<]*)</data>)?.*?</appdata>"
)


Answer = Callable[[bytes], bytes]
"""What a client says to the line that came; empty for nothing."""


def saying(command: str) -> Answer:
    """Always the same."""
    return lambda _line: f"{command}\n".encode()


def nothing(_line: bytes) -> bytes:
    """Nothing is said."""
    return b""


@dataclass(frozen=True, slots=True)
class LoginResult:
    """How the logins went: how long until the last one was in (s), and who is not."""

    seconds: float
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CollectedLinks:
    """Which Links arrived: the time of the last one (ns), of each by its calldata, and what was wrong."""

    last: int
    arrivals: dict[str, int]
    missing: tuple[ExpectedLink, ...]
    unexpected: tuple[str, ...]


@dataclass(slots=True)
class SeatClient:
    """The connection of one seat."""

    connection: socket.socket
    login: SeatLogin
    tail: bytes = b""
    awaited: list[tuple[bytes, Answer]] = field(default_factory=list)
    """Beginnings of the lines that come next, each with what is sent then."""


class SeatClients:
    """Lives in a process of its own."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.clients: list[SeatClient] = []
        self._waiting: dict[bytes, ExpectedLink] = {}
        self._arrivals: dict[str, int] = {}
        self._unexpected: list[str] = []
        self._logging_in = 0
        self._last_read = 0.0

    def log_in(
        self, port: int, logins: list[SeatLogin], joining: str, stalled: int, timeout: float
    ) -> LoginResult:
        """All at once. A login is done when the client was told that it is in the queue `joining`.

        The first `stalled` clients never read again afterwards.
        """
        begun = time.perf_counter()
        fresh = [self.connect(port, login, joining, number < stalled) for number, login in enumerate(logins)]
        self._logging_in = len(fresh)
        deadline = begun + timeout
        while self._logging_in and (left := deadline - time.perf_counter()) > 0:
            self.serve(left)
        seconds = time.perf_counter() - begun
        for client in fresh[:stalled]:
            self.selector.unregister(client.connection)
        return LoginResult(seconds, tuple(client.login.username for client in fresh if client.awaited))

    def expect(self, links: Iterable[ExpectedLink]) -> None:
        """These Links must come, each once, and no others. Until now none came that was not expected."""
        self._waiting = {link.calldata.encode(): link for link in links}
        self._arrivals.clear()

    def collect(self, timeout: float, quiet: float) -> CollectedLinks:
        """Read until every Link is there and then nothing came for a while, or until the time is up (s)."""
        deadline = time.perf_counter() + timeout
        self._last_read = time.perf_counter()
        while True:
            now = time.perf_counter()
            left = (deadline if self._waiting else min(deadline, self._last_read + quiet)) - now
            if left <= 0:
                break
            self.serve(left)
        missing = tuple(self._waiting.values())
        unexpected, self._unexpected = tuple(self._unexpected), []
        return CollectedLinks(
            max(self._arrivals.values(), default=0), dict(self._arrivals), missing, unexpected
        )

    def leave(self) -> None:
        """Close every connection."""
        for client in self.clients:
            client.connection.close()
        self.clients.clear()
        self.selector.close()
        self.selector = selectors.DefaultSelector()

    def turn(self) -> None:
        """Read what came."""
        self.serve(0.0)

    def close(self) -> None:
        """Close everything."""
        self.leave()
        self.selector.close()

    def open(self, port: int, login: SeatLogin, *, stalled: bool = False) -> SeatClient:
        """Begin to connect; whatever comes is taken in from now on."""
        connection = socket.socket()
        if stalled:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        connection.setblocking(False)
        connection.connect_ex(("127.0.0.1", port))
        client = SeatClient(connection, login)
        self.clients.append(client)
        self.selector.register(connection, selectors.EVENT_READ, client)
        return client

    def connect(self, port: int, login: SeatLogin, joining: str, stalled: bool = False) -> SeatClient:
        """Begin to connect and to log in; done when the client was told that it is in the queue."""
        client = self.open(port, login, stalled=stalled)
        client.awaited = [*self.handshake(login), (b"200 " + joining.encode(), nothing)]
        return client

    def handshake(self, login: SeatLogin) -> list[tuple[bytes, Answer]]:
        """The lines up to the end of the login."""
        return [
            (b"100 WELCOME", saying(f"USER {login.username}")),
            (b"100 OK", saying(f"PASS {login.password_md5}")),
            (b"102 OK", nothing),
        ]

    def serve(self, timeout: float) -> None:
        """Read what is there, or what comes first within so many seconds."""
        for key, _events in self.selector.select(timeout):
            self._read(key.data)

    def _read(self, client: SeatClient) -> None:
        try:
            data = client.connection.recv(65536)
        except BlockingIOError:
            return
        except OSError as error:
            data = str(error).encode()
            self.lost(client, f"connection lost: {error}")
            return
        now = time.perf_counter_ns()
        if not data:
            self.lost(client, "closed by the server")
            return
        self.take(client, data, now)
        self._last_read = now / 1e9

    def take(self, client: SeatClient, data: bytes, now: int) -> None:
        """Take in what the server sent, at that time (ns)."""
        *lines, client.tail = (client.tail + data).split(b"\n")
        for line in lines:
            self.take_line(client, line, now)

    def take_line(self, client: SeatClient, line: bytes, now: int) -> None:
        """One line without its end."""
        if line.startswith(LINK):
            self._link(client, line, now)
        elif client.awaited and not line.startswith(b"<"):
            self._log_in_further(client, line)

    def _log_in_further(self, client: SeatClient, line: bytes) -> None:
        beginning, answers = client.awaited[0]
        if not line.startswith(beginning):
            return  # an announcement, or a refusal that leaves this login undone
        del client.awaited[0]
        if answer := answers(line):
            client.connection.send(answer)
        if not client.awaited:
            self._logging_in -= 1

    def _link(self, client: SeatClient, line: bytes, now: int) -> None:
        found = _LINK_DATA.search(line)
        number, calldata = (found[1], found[2] or b"") if found else (b"", b"")
        link = self._waiting.get(calldata)
        there = (client.login.extension, number.decode())
        if link is None or b"repeat=" in line or there != (link.extension, link.number):
            self._unexpected.append(f"{client.login.extension}: {line.decode()}")
            return
        del self._waiting[calldata]
        self._arrivals[link.calldata] = now

    def lost(self, client: SeatClient, reason: str) -> None:
        """A connection is over; the text says why."""
        self.selector.unregister(client.connection)
        self._unexpected.append(f"{client.login.extension}: {reason}")
