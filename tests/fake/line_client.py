"""A client that a test types for: sends lines, and waits for each answer with a time limit. No thread."""

from __future__ import annotations

import hashlib
import socket
import ssl
import struct
from types import TracebackType
from typing import Self

from schemas.scram import ScramClient, derive_secret
from tests.fake.patience import PATIENCE


def md5(password: str) -> str:
    """What PASS takes."""
    return hashlib.md5(password.encode(), usedforsecurity=False).hexdigest()


def scram_speaker(username: str, password: str) -> ScramClient:
    """The client's side of one login by SCRAM."""
    return ScramClient(username, lambda salt, iterations: derive_secret(md5(password), salt, iterations))


class TakingTransport:
    """A client without a socket, for a session alone: it takes everything, and says nothing."""

    one_at_a_time = False
    wants_to_write = False

    def __init__(self) -> None:
        self.taken = b""

    def fileno(self) -> int:
        return 0

    def shake_hands(self) -> int:
        return 0

    def receive(self) -> bytes | None:
        return b""

    def pending(self) -> bool:
        return False

    def send(self, data: bytes) -> int:
        self.taken += data
        return len(data)

    def end(self) -> None:
        pass

    def close(self) -> None:
        pass


class LineClient:
    """One connection to the server. `hear` returns the lines in order, without their endings."""

    def __init__(
        self,
        port: int,
        *,
        host: str = "127.0.0.1",
        context: ssl.SSLContext | None = None,
        receive_buffer: int = 0,
    ) -> None:
        connection = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(PATIENCE)
        self.socket = connection
        try:
            connection.connect((host, port))
            if context:
                self.socket = context.wrap_socket(connection, server_hostname="localhost")
        except OSError:
            connection.close()
            raise
        self._received = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up without a word."""
        self.socket.close()

    def reset(self) -> None:
        """Vanish: the server's side of the connection breaks."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def say(self, *lines: str) -> None:
        """Send lines."""
        self.say_bytes("".join(line + "\n" for line in lines).encode())

    def say_bytes(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(data)

    def hear_bytes(self) -> bytes:
        """The next line; empty once the server closed the connection. TimeoutError if nothing comes."""
        while b"\n" not in self._received:
            try:
                data = self.socket.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                rest, self._received = self._received, b""
                return rest
            self._received += data
        line, _, self._received = self._received.partition(b"\n")
        return line

    def hear(self) -> str:
        """The next line as text."""
        return self.hear_bytes().decode()

    def hear_all(self) -> list[str]:
        """Every line until the server closes the connection."""
        lines = []
        while line := self.hear():
            lines.append(line)
        return lines

    def ask(self, line: str) -> str:
        """Send a line; the next line that comes."""
        self.say(line)
        return self.hear()

    def log_in(self, username: str, password: str, mac: str = "") -> str:
        """From the welcome to the last answer: `102 OK`, or what else the server says to PASS or MAC."""
        assert self.hear() == "100 WELCOME"
        assert self.ask(f"USER {username}") == "100 OK"
        answer = self.ask(f"PASS {md5(password)}")
        return self.ask(f"MAC {mac}") if mac and answer == "102 OK" else answer

    def begin_scram(self, by: ScramClient) -> str:
        """Send the first message of SCRAM; the server's, in base64."""
        answer = self.ask(f"SCRAM {by.first()}")
        assert answer.startswith("106 SCRAM "), answer
        return answer.removeprefix("106 SCRAM ")

    def log_in_by_scram(self, username: str, password: str) -> str:
        """From after the welcome to the last answer: `102 OK` only if the server proved itself, too."""
        by = scram_speaker(username, password)
        answer = self.ask(f"SCRAM {by.final(self.begin_scram(by))}")
        if answer.startswith("102 OK "):
            assert by.server_proved(answer.removeprefix("102 OK "))
            return "102 OK"
        return answer
