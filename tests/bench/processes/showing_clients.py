"""Clients that resume, and say when a call is on their screen."""

from __future__ import annotations

import re

from tests.bench.processes.seat_clients import Answer, SeatClient, SeatClients, saying
from tests.bench.workload.call_centre import SeatLogin

_SEQ = re.compile(rb'<event id="Link" seq="([0-9]+)"')


class ShowingClients(SeatClients):
    """Lives in a process of its own. Each says SHOWN as soon as its Link was read."""

    def handshake(self, login: SeatLogin) -> list[tuple[bytes, Answer]]:
        first, *rest = super().handshake(login)
        return [(first[0], saying("RESUME NEW")), (b"100 OK", first[1]), *rest]

    def take_line(self, client: SeatClient, line: bytes, now: int) -> None:
        super().take_line(client, line, now)
        if found := _SEQ.match(line):
            client.connection.send(b"SHOWN %s 0\n" % found[1])
