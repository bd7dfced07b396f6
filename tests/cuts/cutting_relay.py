"""The network between a client and the server, which breaks after so many bytes of one direction."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from tests.fake.wire_cutter import WireCutter


@dataclass(frozen=True, slots=True)
class PlannedCut:
    """After how many bytes of one direction, counted from when it is planned."""

    after: int
    from_server: bool


class CuttingRelay(WireCutter):
    """Every method but those of the relay's own thread is for any thread."""

    def __init__(self, target: int) -> None:
        super().__init__(target)
        self._planned: PlannedCut | None = None
        self._passed = 0
        self.cuts = 0
        """How many planned cuts were made."""
        self._source = "127.0.0.1"

    def plan(self, cut: PlannedCut) -> None:
        """Break the connection after so many bytes from now on, in the middle of a line or of a character."""
        with self._lock:
            self._planned, self._passed = cut, 0

    def cancel(self) -> None:
        """Break nothing: what was planned and did not come is not to come any more."""
        with self._lock:
            self._planned = None

    def come_from(self, address: str) -> None:
        """New connections reach the server from this address: the PC got another one."""
        with self._lock:
            self._source = address

    def reach_target(self) -> socket.socket:
        with self._lock:
            source = self._source
        return socket.create_connection(("127.0.0.1", self._target), source_address=(source, 0))

    def let_through(self, data: bytes, *, from_target: bool) -> tuple[bytes, bool]:
        with self._lock:
            planned = self._planned
            if planned is None or planned.from_server != from_target:
                return data, False
            room = planned.after - self._passed
            self._passed += len(data)
            if len(data) <= room:
                return data, False
            self._planned = None
            self.cuts += 1
            return data[:room], True
