"""What the client's tests share: a scripted server, connections that always end, and a clock set by hand."""

from __future__ import annotations

import queue
import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from astcti_client.backoff import Backoff
from astcti_client.connection import Connection
from astcti_client.messages import ConnectionState, Message
from astcti_client.password import Password
from astcti_client.transport import Address
from tests.fake.cti_server import PATIENCE, CtiServer

Wanted = TypeVar("Wanted")
MACS = ("00:11:22:33:44:55", "00:11:22:33:44:66")


@dataclass
class Clock:
    """A clock that stands still until it is set."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Client:
    """A running connection and its mailbox."""

    connection: Connection
    mailbox: queue.Queue[Message] = field(default_factory=queue.Queue)
    seen: list[Message] = field(default_factory=list)

    def next(self, kind: type[Wanted], where: Callable[[Any], bool] = lambda _: True) -> Wanted:
        """The next message of this kind for which `where` holds; those before it are passed over."""
        while True:
            message = self.mailbox.get(timeout=PATIENCE)
            self.seen.append(message)
            if isinstance(message, kind) and where(message):
                return message

    def state(self, phase: str) -> ConnectionState:
        """The next state of that phase."""
        return self.next(ConnectionState, lambda state: state.phase == phase)

    def end(self) -> ConnectionState:
        """Stop the connection, if it still runs, and return its last state."""
        self.connection.stop()
        return self.state("ended")


@pytest.fixture
def server() -> Iterator[CtiServer]:
    with CtiServer() as one:
        yield one


@pytest.fixture
def connect(server: CtiServer) -> Iterator[Callable[..., Client]]:
    """Start connections; without other wishes to `server`, as mario, with hardly a pause between attempts."""
    started: list[Connection] = []

    def start(**wishes: Any) -> Client:
        mailbox: queue.Queue[Message] = queue.Queue()
        address = wishes.pop("address", None) or Address("127.0.0.1", server.port)
        wishes.setdefault("macs", lambda _local: MACS)
        wishes.setdefault("backoff", Backoff(first=0.01, longest=0.02))
        connection = Connection(address, "mario", Password.from_text("test"), mailbox, **wishes)
        started.append(connection)
        connection.start()
        return Client(connection, mailbox)

    yield start
    for connection in started:
        connection.stop()
    server.close()
    for connection in started:
        assert connection.join(PATIENCE)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate for localhost, and a server context that uses it."""

    file: Path
    context: ssl.SSLContext


@pytest.fixture
def wall() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    openssl = shutil.which("openssl")
    assert openssl, "these tests make a certificate with the program openssl"
    place = tmp_path_factory.mktemp("certificate")
    file, key = place / "server.pem", place / "server.key"
    command = f"{openssl} req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    more = [
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
        "-keyout",
        str(key),
        "-out",
        str(file),
    ]
    subprocess.run([*command.split(), *more], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    return Certificate(file, context)
