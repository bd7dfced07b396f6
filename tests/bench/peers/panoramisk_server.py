"""A CTI server on panoramisk: everything in one asyncio loop, as panoramisk means it.

One callback for all events, and a dictionary behind it: panoramisk compares each registered pattern with each
event, so that a pattern for every name would cost it more.
"""

from __future__ import annotations

from typing import Any

from panoramisk import Manager

from schemas.configuration.model import Configuration
from schemas.server.settings import ServerSettings
from tests.bench.peers.cti_calls import PeerCalls
from tests.bench.peers.cti_seats import PeerSeats, run


class PanoramiskServer:
    """Runs on its loop."""

    def __init__(self, configuration: Configuration) -> None:
        self._seats = PeerSeats(configuration, self._join)
        self._handlers = PeerCalls(configuration, self._seats.tell).handlers
        self._manager: Any = None

    async def serve(self, settings: ServerSettings) -> None:
        """Log in to Asterisk, and accept clients."""
        ami, listen = settings.ami, settings.listen
        self._manager = Manager(host=ami.host, port=ami.port, username=ami.username, secret=ami.secret)
        self._manager.register_event("*", self._take)
        await self._manager.connect()
        await self._manager.authenticated_future
        await self._manager.send_action({"Action": "QueueStatus"}, as_list=True)
        await self._seats.listen(listen.address, listen.port)

    def _take(self, _manager: Any, event: Any) -> None:
        handler = self._handlers.get(event.event)
        if handler is not None:
            handler(event)
        elif event.event == "QueueMemberAdded":
            self._seats.joined(event["Queue"], event["Interface"])

    def _join(self, queue: str, interface: str) -> None:
        self._manager.send_action({"Action": "QueueAdd", "Queue": queue, "Interface": interface})


if __name__ == "__main__":
    run(PanoramiskServer)
