"""Clients that log in by SCRAM, with keys that they have from an earlier login."""

from __future__ import annotations

from schemas.scram import ScramClient, ScramSecret
from tests.bench.processes.seat_clients import Answer, SeatClients, saying
from tests.bench.workload.call_centre import SeatLogin


class ScramSeatClients(SeatClients):
    """What 1,000 PCs would each compute once is computed beforehand: measured is the server."""

    def __init__(self, secrets: dict[str, ScramSecret]) -> None:
        super().__init__()
        self._secrets = secrets

    def handshake(self, login: SeatLogin) -> list[tuple[bytes, Answer]]:
        """The three lines up to the end of the login."""
        secret = self._secrets[login.username]
        by = ScramClient(login.username, lambda _salt, _iterations: secret)

        def prove(line: bytes) -> bytes:
            return f"SCRAM {by.final(line.decode().split()[2])}\n".encode()

        def check(line: bytes) -> bytes:
            if not by.server_proved(line.decode().split()[2]):
                raise RuntimeError(f"{login.username}: the server proved nothing")
            return b""

        return [(b"100 WELCOME", saying(f"SCRAM {by.first()}")), (b"106 SCRAM", prove), (b"102 OK", check)]
