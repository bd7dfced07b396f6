"""Clients that lose their server and come back as the real client does: with its own code for the pauses."""

from __future__ import annotations

import heapq
import itertools
import time
from dataclasses import dataclass

from astcti_client.net.backoff import Backoff
from tests.bench.processes.seat_clients import SeatClient, SeatClients
from tests.bench.workload.call_centre import SeatLogin


@dataclass(frozen=True, slots=True)
class ReturnResult:
    """How the return went: when each was in again (s from the port's opening), and who is not."""

    seconds: tuple[float, ...]
    away: tuple[float, ...]
    """How long each was without a session (s): from the loss to the end of the login."""
    attempts: int
    """Connections that were tried by all together, from the loss on."""
    missing: tuple[str, ...]


class ReturningClients(SeatClients):
    """Lives in a process of its own. Between its calls it takes no notice of what is lost."""

    def __init__(self) -> None:
        super().__init__()
        self._due: list[tuple[float, int, SeatLogin]] = []
        self._order = itertools.count()  # of attempts that are due in one moment
        self._backoffs: dict[str, Backoff] = {}
        self._opened: float | None = None
        self._back: dict[str, float] = {}
        self._lost: dict[str, float] = {}

    def come_back(self, port: int, joining: str, timeout: float) -> ReturnResult:
        """Everybody who was in: wait for the loss, then try until the login is done, or for `timeout` s."""
        self._backoffs = {client.login.username: Backoff() for client in self.clients}
        attempts = 0
        deadline = time.monotonic() + timeout
        while len(self._back) < len(self._backoffs) and (now := time.monotonic()) < deadline:
            while self._due and self._due[0][0] <= now:
                self.connect(port, heapq.heappop(self._due)[2], joining)
                attempts += 1
            self.serve(max(0.0, (self._due[0][0] if self._due else deadline) - now))
        opened = self._opened or 0.0
        seconds = tuple(sorted(moment - opened for moment in self._back.values()))
        away = tuple(sorted(moment - self._lost[name] for name, moment in self._back.items()))
        return ReturnResult(seconds, away, attempts, tuple(self._backoffs.keys() - self._back.keys()))

    def take_line(self, client: SeatClient, line: bytes, now: int) -> None:
        logging_in = bool(client.awaited)
        super().take_line(client, line, now)
        if not self._backoffs:
            return
        if self._opened is None and logging_in:
            self._opened = time.monotonic()  # the server speaks first
        if logging_in and not client.awaited:
            self._back.setdefault(client.login.username, time.monotonic())

    def lost(self, client: SeatClient, reason: str) -> None:
        if not self._backoffs:
            super().lost(client, reason)
            return
        self.selector.unregister(client.connection)
        client.connection.close()
        self.clients.remove(client)
        self._lost.setdefault(client.login.username, time.monotonic())
        pause = self._backoffs[client.login.username].next_pause()
        heapq.heappush(self._due, (time.monotonic() + pause, next(self._order), client.login))
