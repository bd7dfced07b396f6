"""A listener for clients on a free port, with faked requests behind it, and a small configuration."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from astcti_server.clients.conversation import HandlerContext
from astcti_server.clients.listener import ClientListener
from astcti_server.clients.password_checks.pool import PasswordPool
from astcti_server.clients.registry import Registry
from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service
from schemas.server.settings import ListenSettings
from tests.fake.fake_requests import FakeRequests
from tests.fake.line_client import LineClient, md5
from tests.fake.patience import PATIENCE

SEAT_1, SEAT_2, SEAT_3 = "00:11:22:33:44:01", "00:11:22:33:44:02", "00:11:22:33:44:03"
MARIO = Operator("mario", "Mario Rossi", f"md5:{md5('rosso')}", seat=SEAT_1)
ANNA = Operator("anna", "Anna Verdi", f"md5:{md5('verde')}", begin_in_pause=True)
LUCA = Operator("luca", "Luca Bianchi", f"md5:{md5('bianco')}", enabled=False)
CONFIGURATION = Configuration(
    services=(
        Service(
            "Demo",
            "astctidemo",
            "inbound",
            True,
            "astcti",
            operators=(Binding("mario", 1), Binding("anna", 2)),
        ),
        Service("Outside line", "outbound", "outbound", operators=(Binding("mario"),)),
        Service("Closed", "closed", "outbound", enabled=False, operators=(Binding("mario"),)),
        Service("Other", "other", "outbound", operators=(Binding("anna"),)),
    ),
    seats=(
        Seat(SEAT_1, "PJSIP/201", "PJSIP/201"),
        Seat(SEAT_2, "SIP/202", "Local/202@agents/n", "SIP/202"),
        Seat(SEAT_3, "SIP/203", "SIP/203", address="192.0.2.3"),
    ),
    operators=(MARIO, ANNA, LUCA),
    pause_reasons=("Lunch break", "Training"),
)


class ListeningServer:
    """Where clients come to: use it in a `with` block; on leaving it nobody may be left behind."""

    def __init__(
        self,
        listen: ListenSettings | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        **clients: float,
    ) -> None:
        """`clients` replaces settings of the clients: `keep_alive=1.0`."""
        self.requests = FakeRequests(CONFIGURATION)
        self.limit(**clients)
        self.registry = Registry()
        self.deaths: list[str] = []
        self.pool = PasswordPool(lambda name, error: self.deaths.append(name), threads=2)
        self.context = HandlerContext.of(self.requests, self.registry, self.pool, b"k" * 32, clock)
        self.listener = ClientListener(
            listen or ListenSettings(port=0), self.context, lambda name, error: self.deaths.append(name)
        )

    def limit(self, **clients: float) -> None:
        """Change settings of the clients."""
        settings = self.requests.server_settings
        changed = dataclasses.replace(settings.clients, **clients)  # type: ignore[arg-type]
        self.requests.server_settings = dataclasses.replace(settings, clients=changed)

    def __enter__(self) -> ListeningServer:
        self.pool.start()
        self.listener.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        late = self.listener.stop()
        self.pool.stop()
        for thread in self.pool.threads:
            thread.join(PATIENCE)
        assert late == []
        assert self.listener.handlers == []
        assert self.deaths == []

    def announce(self, extension: str, line: bytes) -> bool:
        """Announce a line to whoever sits at a phone, as the router does; False if nobody is reached."""
        session = self.registry.at_extension(extension)
        return session is not None and session.announce(line)

    def client(self, **how: Any) -> LineClient:
        """A new client, not greeted yet."""
        return LineClient(self.listener.port, **how)

    def seated(
        self, username: str = "mario", password: str = "rosso", mac: str = "", **how: Any
    ) -> LineClient:
        """A client that is logged in and sits on a seat; the rest of the server knows it."""
        client = self.client(**how)
        answer = client.log_in(username, password, mac)
        assert answer.startswith("100 OK" if mac else "102 OK"), answer
        return client
