"""The clients of a message broker: each subscribes to the topic of its seat, and checks what arrives."""

from __future__ import annotations

import time

from tests.bench.peers import mqtt
from tests.bench.processes.seat_clients import LoginResult, SeatClient, SeatClients
from tests.bench.workload.call_centre import SeatLogin


class BrokerClients(SeatClients):
    """Lives in a process of its own."""

    def subscribe(self, port: int, logins: list[SeatLogin], timeout: float) -> LoginResult:
        """Everybody at once; done when the broker has acknowledged all subscriptions."""
        begun = time.perf_counter()
        for login in logins:
            client = self.open(port, login)
            client.connection.setblocking(True)  # the broker is on this machine, and reads
            client.connection.sendall(mqtt.connect(login.username))
            client.connection.setblocking(False)
        fresh = self.clients[-len(logins) :]
        self._subscribing = {client.login.extension for client in fresh}
        deadline = begun + timeout
        while self._subscribing and (left := deadline - time.perf_counter()) > 0:
            self.serve(left)
        return LoginResult(time.perf_counter() - begun, tuple(sorted(self._subscribing)))

    def take(self, client: SeatClient, data: bytes, now: int) -> None:
        """Take in what the broker sent."""
        packets, client.tail = mqtt.take(client.tail + data)
        for kind, body in packets:
            if kind == mqtt.PUBLISH:
                self.take_line(client, mqtt.payload(body).removesuffix(b"\n"), now)
            elif kind == mqtt.CONNACK:
                client.connection.send(mqtt.subscribe(client.login.extension))
            elif kind == mqtt.SUBACK:
                self._subscribing.discard(client.login.extension)
