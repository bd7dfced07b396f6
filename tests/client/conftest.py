"""What the client's tests share: a scripted server, connections that always end, and a clock set by hand."""

from __future__ import annotations

import os
import queue
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from astcti_client.net.backoff import Backoff
from astcti_client.net.connection import ServerConnection
from astcti_client.net.messages import ConnectionMessage, ConnectionState
from astcti_client.net.transport import ServerAddress
from astcti_client.password import Password
from tests.fake.certificates import make_certificate
from tests.fake.cti_server import CtiServer, Peer
from tests.fake.patience import PATIENCE

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

    connection: ServerConnection
    inbox: queue.Queue[ConnectionMessage] = field(default_factory=queue.Queue)
    seen: list[ConnectionMessage] = field(default_factory=list)

    def next(self, kind: type[Wanted], where: Callable[[Any], bool] = lambda _: True) -> Wanted:
        """The next message of this kind for which `where` holds; those before it are passed over."""
        while True:
            message = self.inbox.get(timeout=PATIENCE)
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
    with CtiServer() as listening:
        yield listening


@pytest.fixture
def connect(server: CtiServer) -> Iterator[Callable[..., Client]]:
    """Start connections; without other wishes to `server`, as mario, with hardly a pause between attempts."""
    started: list[ServerConnection] = []

    def start(**wishes: Any) -> Client:
        inbox: queue.Queue[ConnectionMessage] = queue.Queue()
        address = wishes.pop("address", None) or ServerAddress("127.0.0.1", server.port)
        wishes.setdefault("macs", lambda _local: MACS)
        wishes.setdefault("backoff", Backoff(first=0.01, longest=0.02))
        connection = ServerConnection(address, "mario", Password.from_text("test"), inbox, **wishes)
        started.append(connection)
        connection.start()
        return Client(connection, inbox)

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
    file, key = make_certificate(tmp_path_factory.mktemp("certificate"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    return Certificate(file, context)


# --- the client as a program ---


class Program:
    """A running astcti-client whose output can be waited for."""

    def __init__(self, arguments: list[str], environ: dict[str, str], tree: Path | None = None) -> None:
        """`tree`: the files of another version, which is run then."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "astcti_client", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environ,
            cwd=tree,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self.printed: list[str] = []
        self._reader = threading.Thread(target=self._read, name="output-of-the-client")
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._lines.put(line.rstrip("\n"))

    def line(self, beginning: str) -> str:
        """Wait for a line that begins so."""
        while True:
            try:
                line = self._lines.get(timeout=PATIENCE)
            except queue.Empty:
                pytest.fail(f"no line begins with {beginning!r}: {self.printed}")
            self.printed.append(line)
            if line.startswith(beginning):
                return line

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self) -> tuple[int, str]:
        """Wait for the end: exit code and standard error."""
        assert self._process.stderr
        errors = self._process.stderr.read()
        code = self._process.wait(PATIENCE)
        return code, errors

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdout, self._process.stderr):
            assert pipe
            pipe.close()


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ASTCTI_CLIENT_")}
    return {
        **kept,
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
        "XDG_RUNTIME_DIR": str(tmp_path),
        "ASTCTI_CLIENT_PASSWORD": "test",
    }


@pytest.fixture
def run(environ: dict[str, str]) -> Iterator[Callable[..., Program]]:
    started: list[Program] = []

    def start(*arguments: str, **more: str) -> Program:
        started.append(Program(list(arguments), {**environ, **more}))
        return started[-1]

    yield start
    for program in started:
        program.close()


@pytest.fixture
def headless(run: Callable[..., Program], server: CtiServer) -> Callable[..., Program]:
    def start(*arguments: str, **more: str) -> Program:
        usual = ("--headless", "--port", str(server.port), "--user", "mario", "--mac", "00-11-22-33-44-55")
        return run(*usual, *arguments, **more)

    return start


def log_in(server: CtiServer, program: Program) -> Peer:
    peer = server.accept()
    assert peer.log_in() == ["00:11:22:33:44:55"]
    program.line("-- logged in as mario")
    return peer
