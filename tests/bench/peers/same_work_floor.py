"""What no server in Python can be faster than at this job: recv, split, and one send for each line.

It knows nothing of calls. The bench hands it each stream's lines beforehand, with the event after which each
is due: it cuts the stream into events, counts them, and sends equal bytes to the same one of the clients,
without ever waiting for one.
"""

from __future__ import annotations

import json
import pickle
import selectors
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from schemas.configuration import xml_form
from schemas.server import settings_xml
from tests.bench.workload.call_centre import CallCentre
from tests.bench.workload.event_script import END

BACKLOG = 4096
CHUNK = 65536
PLAN = b"Event: BenchPlan"
"""Read the plan before the next bytes."""
PLAN_FILE = "plan"
READY = "plan-ready.json"
LAST = 1 << 62


class DueLine(NamedTuple):
    """A line that is sent once so many events were seen."""

    events: int
    extension: str
    line: bytes


class SameWorkFloor:
    """One thread: clients log in while no stream is announced; during a stream it only reads and sends."""

    def __init__(self, directory: Path, state: Path) -> None:
        self._state = state
        configuration = xml_form.load_xml(directory / CallCentre.FILE)
        self._extension_of = {
            operator.username: configuration.seat_by_mac[operator.seat].extension
            for operator in configuration.operators
        }
        settings = settings_xml.load_settings(directory / "server.xml")
        self._queue = configuration.services[0].queue_name
        self._clients: dict[str, socket.socket] = {}
        self._names: dict[socket.socket, str] = {}
        self._selector = selectors.DefaultSelector()
        self._asterisk = socket.create_connection((settings.ami.host, settings.ami.port))
        login = f"Action: Login\r\nUsername: {settings.ami.username}\r\nSecret: {settings.ami.secret}\r\n\r\n"
        self._asterisk.sendall(f"{login}Action: QueueStatus\r\n\r\n".encode())
        address = (settings.listen.address, settings.listen.port)
        self._listening = socket.create_server(address, backlog=BACKLOG)
        for connection in (self._asterisk, self._listening):
            self._selector.register(connection, selectors.EVENT_READ)

    def serve(self) -> None:
        """Until it is killed."""
        while True:
            for key, _events in self._selector.select():
                if key.fileobj is self._listening:
                    self._accept()
                elif key.fileobj is not self._asterisk:
                    assert isinstance(key.fileobj, socket.socket)
                    self._answer(key.fileobj)
                elif PLAN in self._asterisk.recv(CHUNK):  # alone: the bench waits until the plan is read
                    self._stream()

    def _stream(self) -> None:
        """A whole stream as it was announced."""
        with (self._state / PLAN_FILE).open("rb") as file:
            events, lines = pickle.load(file)
        part = (self._state / READY).with_suffix(".part")
        part.write_text(json.dumps(True))
        part.rename(self._state / READY)
        read_and_send(self._asterisk, self._clients, events, lines)

    def _accept(self) -> None:
        connection, _address = self._listening.accept()
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(connection, selectors.EVENT_READ)
        connection.send(b"100 WELCOME\n")

    def _answer(self, connection: socket.socket) -> None:
        """Each line comes alone: the bench's clients wait for every reply."""
        token, _, argument = connection.recv(CHUNK).decode().strip().partition(" ")
        if token == "USER":
            self._names[connection] = argument
            connection.send(b"100 OK\n")
        elif token == "PASS":
            self._clients[self._extension_of[self._names[connection]]] = connection
            connection.send(f"102 OK\n200 {self._queue}\n".encode())
        else:
            self._selector.unregister(connection)
            connection.close()


def read_and_send(
    asterisk: socket.socket, clients: dict[str, socket.socket], events: int, lines: Sequence[DueLine]
) -> None:
    """Read so many events, and send each line when it is due. Raises BlockingIOError if a client is full."""
    seen, tail = 0, b""
    due = iter(
        [*((line.events, clients[line.extension], line.line) for line in lines), (LAST, asterisk, b"")]
    )
    at, client, line = next(due)
    while seen < events:
        *blocks, tail = (tail + asterisk.recv(CHUNK)).split(END)
        seen += len(blocks)
        while at <= seen:
            client.send(line)
            at, client, line = next(due)


def main(directory: Path, state: Path) -> None:
    """Run with the configuration in a directory, until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    SameWorkFloor(directory, state).serve()


if __name__ == "__main__":
    options = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True))
    main(Path(options["--config"]), Path(options["--state"]))
