"""A CTI server on asterisk-ami with asyncio: calls are kept on the library's thread, clients on the loop's.

The library reads in a thread of its own and calls back there. To hand each event over to the loop would cost
two context switches an event; so the calls are kept where their events come, and only lines cross, many at a
time: the loop is woken once for all that came before it runs.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from asterisk.ami import AMIClient, SimpleAction

from schemas.configuration.model import Configuration
from schemas.server.settings import ServerSettings
from tests.bench.peers.cti_calls import PeerCalls
from tests.bench.peers.cti_seats import PeerSeats, run

READ_SIZE = (
    8192  # measured: 1024, the library's own, needs more calls; 65536 copies more, as it cuts off events
)


class AsteriskAmiServer:
    """Events on the library's thread, the rest on the loop's."""

    def __init__(self, configuration: Configuration) -> None:
        self._seats = PeerSeats(configuration, self._join)
        self._handlers = PeerCalls(configuration, self._hand_over).handlers
        self._lines: deque[tuple[str, bytes]] = deque()
        self._woken = False

    async def serve(self, settings: ServerSettings) -> None:
        """Log in to Asterisk, and accept clients."""
        ami, listen = settings.ami, settings.listen
        self._loop = asyncio.get_running_loop()
        # Without a limit: by default the library hangs up on an Asterisk that is quiet for three seconds.
        self._client = AMIClient(address=ami.host, port=ami.port, timeout=None, buffer_size=READ_SIZE)
        self._client.add_event_listener(self._take)
        login = self._client.login(username=ami.username, secret=ami.secret)
        await asyncio.to_thread(login.get_response)
        self._client.send_action(SimpleAction("QueueStatus"))
        await self._seats.listen(listen.address, listen.port)

    def _take(self, event: Any, **_: Any) -> None:
        """On the library's thread."""
        handler = self._handlers.get(event.name)
        if handler is not None:
            handler(event.keys)
        elif event.name == "QueueMemberAdded":
            keys = event.keys
            self._loop.call_soon_threadsafe(self._seats.joined, keys["Queue"], keys["Interface"])

    def _hand_over(self, extension: str, line: bytes) -> None:
        self._lines.append((extension, line))
        if not self._woken:
            self._woken = True
            self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        """On the loop's thread: all lines that are there. What comes from now on wakes it again."""
        self._woken = False
        while self._lines:
            self._seats.tell(*self._lines.popleft())

    def _join(self, queue: str, interface: str) -> None:
        self._client.send_action(SimpleAction("QueueAdd", Queue=queue, Interface=interface))


if __name__ == "__main__":
    run(AsteriskAmiServer)
