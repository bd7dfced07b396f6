"""The clients' side of a CTI server on somebody else's manager client, with asyncio: logins and lines.

As much of the protocol as the bench's clients use: USER, PASS, and being told of the queue that they joined.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Protocol

from schemas.configuration import xml_form
from schemas.configuration.model import Configuration, Operator
from schemas.passwords import PasswordChecker
from schemas.server import settings_xml
from schemas.server.settings import ServerSettings
from tests.bench.workload.call_centre import CallCentre

BACKLOG = 4096
Join = Callable[[str, str], None]
"""Adds an interface to a queue."""


class PeerSeats:
    """Who sits where. The loop's thread only."""

    def __init__(self, configuration: Configuration, join: Join) -> None:
        self._configuration = configuration
        self._join = join
        self._passwords = PasswordChecker()
        self._at: dict[str, asyncio.Transport] = {}

    async def listen(self, address: str, port: int) -> None:
        """Accept clients from now on."""
        loop = asyncio.get_running_loop()
        await loop.create_server(lambda: SeatProtocol(self), address, port, backlog=BACKLOG)

    def tell(self, extension: str, line: bytes) -> None:
        """Bring a line to whoever sits there; asyncio sends at once, and keeps what the kernel leaves."""
        transport = self._at.get(extension)
        if transport is not None:
            transport.write(line)

    def joined(self, queue: str, extension: str) -> None:
        """Asterisk says that an interface is a member of a queue."""
        self.tell(extension, f"200 {queue}\n".encode())

    def operator(self, username: str, password: str) -> Operator | None:
        """Who that is, if the password is right."""
        operator = self._configuration.operator_by_username.get(username)
        right = operator is not None and self._passwords.matches(operator.password, password)
        return operator if right else None

    def sit(self, operator: Operator, transport: asyncio.Transport) -> None:
        """Calls of the operator's phone go to this client, and the queues' to the phone."""
        extension = self._configuration.seat_by_mac[operator.seat].extension
        self._at[extension] = transport
        for service in self._configuration.services_of(operator.username):
            self._join(service.queue_name, extension)


class SeatProtocol(asyncio.Protocol):
    """One client."""

    def __init__(self, seats: PeerSeats) -> None:
        self._seats = seats
        self._tail = b""
        self._username = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The server speaks first."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"100 WELCOME\n")

    def data_received(self, data: bytes) -> None:
        """Answer each line."""
        *lines, self._tail = (self._tail + data).split(b"\n")
        for line in lines:
            self._answer(*line.decode().strip().partition(" ")[::2])

    def _answer(self, token: str, argument: str) -> None:
        if token == "USER":
            self._username = argument
            self._transport.write(b"100 OK\n")
        elif token == "PASS":
            operator = self._seats.operator(self._username, argument)
            self._transport.write(b"101 KO\n" if operator is None else b"102 OK\n")
            if operator is not None:
                self._seats.sit(operator, self._transport)


class PeerServer(Protocol):
    """A CTI server on a manager client."""

    async def serve(self, settings: ServerSettings) -> None:
        """Log in to Asterisk, and accept clients; runs on."""


def run(make: Callable[[Configuration], PeerServer]) -> None:
    """Run with the configuration in the directory that `--config` names, until SIGTERM."""
    directory = Path(sys.argv[sys.argv.index("--config") + 1])
    configuration = xml_form.load_xml(directory / CallCentre.FILE)
    settings = settings_xml.load_settings(directory / "server.xml")
    asyncio.run(_until_stopped(make(configuration).serve(settings)))


async def _until_stopped(serving: Coroutine[Any, Any, None]) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    task = asyncio.ensure_future(serving)
    stopped = asyncio.ensure_future(stop.wait())
    await asyncio.wait([task, stopped], return_when=asyncio.FIRST_EXCEPTION)
    if task.done():
        task.result()
        await stopped
