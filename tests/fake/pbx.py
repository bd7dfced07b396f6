"""The demo PBX for tests: the engine alone with time that stands still, or the whole thing on a port."""

from __future__ import annotations

import socket

from astcti_server.demo.ami.blocks import DemoEvent
from astcti_server.demo.calls.engine import Engine
from tests.fake.clock import TimerWheel
from tests.fake.patience import PATIENCE

START = 1795430724.0


class StillEngine(Engine):
    """An engine whose time moves by `wheel.advance` only, and which keeps every event."""

    def __init__(self, seed: int = 1) -> None:
        self.wheel = TimerWheel(START)
        super().__init__(self.wheel, seed)
        self.events: list[DemoEvent] = []
        self.listeners.append(self.events.append)

    def log_in(self, *devices: str, queue: str = "astcti", penalty: int = 1) -> None:
        """Make phones members of a queue, named as the phones are numbered."""
        for device in devices:
            self.queues.add(queue, device, name=f"Agent {self.phones[device].number}", penalty=penalty)

    def take(self) -> list[DemoEvent]:
        """The events since the last time."""
        taken, self.events[:] = list(self.events), []
        return taken

    def names(self) -> list[str]:
        """The names of the events since the last time."""
        return [event.name for event in self.take()]


class AmiClient:
    """An AMI client that reads blocks as they are, one at a time."""

    def __init__(self, address: tuple[str, int], timeout: float = PATIENCE) -> None:
        self._socket = socket.create_connection(address, timeout)
        self._file = self._socket.makefile("rb")
        self.banner = self._file.readline()

    def send(self, name: str, /, **headers: str) -> None:
        lines = [f"Action: {name}", *(f"{key}: {value}" for key, value in headers.items())]
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())

    def read(self) -> dict[str, str]:
        """The next block; empty at the end of the connection."""
        fields: dict[str, str] = {}
        for line in iter(self._file.readline, b""):
            if line == b"\r\n":
                break
            key, _, value = line.decode().rstrip("\r\n").partition(": ")
            fields.setdefault(key, value)
        return fields

    def ask(self, name: str, /, **headers: str) -> dict[str, str]:
        """Send an action and return its response; what comes before it is passed over."""
        self.send(name, **headers)
        return self.until("Response")

    def until(self, key: str, value: str = "") -> dict[str, str]:
        """Read on to the next block that has this field."""
        while fields := self.read():
            if key in fields and value in ("", fields[key]):
                return fields
        raise AssertionError(f"the connection ended before a block with {key}: {value}")

    def log_in(self, username: str = "astcti", secret: str = "astcti") -> None:
        answer = self.ask("Login", Username=username, Secret=secret)
        assert answer["Message"] == "Authentication accepted"

    def close(self) -> None:
        self._file.close()
        self._socket.close()
