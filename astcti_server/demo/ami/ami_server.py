"""The demo PBX's thread: AMI connections on a socket, timers, and what other threads ask for.

Only this thread touches the engine. Responses go out before the events that their action caused, and each
event goes to every connection that wants it, as in Asterisk.
"""

from __future__ import annotations

import logging
import re
import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import TypeVar

from astcti_server.demo.ami.blocks import DemoEvent, parse
from astcti_server.demo.ami.loop import DemoLoop
from astcti_server.demo.ami.manager import LOGIN_PAUSE, ActionHeaders, AmiUser, ManagerSession
from astcti_server.demo.ami.manager_actions import MANAGER_ACTIONS
from astcti_server.demo.calls.engine import Engine
from astcti_server.threads import Died, ServiceThread

logger = logging.getLogger(__name__)

READ_SIZE = 65536
LONGEST_ACTION = 65536  # bytes: an action has at most 127 lines of at most 1023 bytes; the rest is abuse
LONGEST_BACKLOG = 32 * 1024 * 1024  # bytes that a connection may be behind before it is closed

T = TypeVar("T")


class DemoConnection:
    """One AMI client's socket."""

    def __init__(self, server: AmiServer, connection: socket.socket) -> None:
        self._server = server
        self._socket = connection
        self._read = b""
        self._unsent = bytearray()
        self._closing = False
        self.manager = ManagerSession(
            server.engine, server.users, MANAGER_ACTIONS, self.send, self.finish, server.login_pause
        )

    def send(self, data: bytes) -> None:
        if not self._closing:
            self._unsent += data
            self._flush()

    def finish(self) -> None:
        """Close it when everything is sent."""
        self._closing = True
        if not self._unsent:
            self.close()

    def close(self) -> None:
        self._closing = True
        self.manager.stop()
        self._server.forget(self, self._socket)

    def ready(self, mask: int) -> None:
        if mask & selectors.EVENT_WRITE:
            self._flush()
        if mask & selectors.EVENT_READ and not self._closing:
            self._receive()

    def _receive(self) -> None:
        try:
            data = self._socket.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        *blocks, self._read = re.split(rb"\r?\n\r?\n", self._read + data)
        for block in blocks:
            if not self._closing:
                self.manager.act(ActionHeaders(parse(block)))
                self._server.tell_events()
        if len(self._read) > LONGEST_ACTION:
            self.close()

    def _flush(self) -> None:
        try:
            sent = self._socket.send(self._unsent) if self._unsent else 0
        except BlockingIOError:
            sent = 0
        except OSError:
            self.close()
            return
        del self._unsent[:sent]
        if len(self._unsent) > LONGEST_BACKLOG or (self._closing and not self._unsent):
            self.close()
            return
        self._server.watch(self, self._socket, bool(self._unsent))


class AmiServer(ServiceThread):
    """`listen`, `start`, then `do` anything with the engine; `stop` and `join` at the end."""

    def __init__(
        self,
        users: Iterable[AmiUser] = (AmiUser(),),
        *,
        seed: int = 0,
        login_pause: float = LOGIN_PAUSE,
        died: Died | None = None,
    ) -> None:
        super().__init__("demo-pbx", died)
        self.users = {user.name: user for user in users}
        self.login_pause = login_pause
        self._loop = DemoLoop()
        self.engine = Engine(self._loop, seed)
        self.engine.listeners.append(self._queue_event)
        self._events: deque[DemoEvent] = deque()
        self._connections: set[DemoConnection] = set()
        self._listening: socket.socket | None = None

    # -- any thread ---------------------------------------------------------------------------------------

    def listen(self, host: str = "127.0.0.1", port: int = 0) -> tuple[str, int]:
        """Open the port (0: any) before the start; returns where. Raises OSError."""
        listening = socket.create_server((host, port), backlog=128)
        listening.setblocking(False)
        self._listening = listening
        self._loop.open()
        name = listening.getsockname()
        return name[0], name[1]

    def do(self, work: Callable[[], T], timeout: float = 10.0) -> T:
        """Run `work` on the PBX's thread and return what it returns, or raise what it raises."""
        if threading.current_thread() is self:
            return work()
        over = threading.Event()
        results: list[T] = []
        errors: list[BaseException] = []

        def run() -> None:
            try:
                results.append(work())
            except Exception as error:  # noqa: BLE001 - it belongs to whoever asked
                errors.append(error)
            finally:
                self.tell_events()
                over.set()

        self._loop.post(run)
        if not over.wait(timeout):
            raise TimeoutError("the demo PBX does not answer")
        if errors:
            raise errors[0]
        return results[0]

    def drop_connections(self) -> None:
        """Cut every AMI connection, as a network or a stopping Asterisk does."""
        self.do(self._close_connections)

    def wake(self) -> None:
        self._loop.wake()

    # -- the PBX's thread ---------------------------------------------------------------------------------

    def serve(self) -> None:
        assert self._listening is not None, "listen first"
        self._loop.selector.register(self._listening, selectors.EVENT_READ, self._accept)
        try:
            while not self.stopping.is_set():
                self._loop.turn()
                self.tell_events()
        finally:
            self._close_connections()
            self._listening.close()
            self._loop.close()

    def tell_events(self) -> None:
        """Send what happened to everybody who wants to know."""
        while self._events:
            event = self._events.popleft()
            data = event.encode()
            for connection in list(self._connections):
                connection.manager.hear(event, data)

    def watch(self, connection: DemoConnection, its_socket: socket.socket, writing: bool) -> None:
        if connection in self._connections:
            mask = selectors.EVENT_READ | (selectors.EVENT_WRITE if writing else 0)
            self._loop.selector.modify(its_socket, mask, connection.ready)

    def forget(self, connection: DemoConnection, its_socket: socket.socket) -> None:
        if connection in self._connections:
            self._connections.remove(connection)
            self._loop.selector.unregister(its_socket)
            its_socket.close()

    def _close_connections(self) -> None:
        for connection in list(self._connections):
            connection.close()

    def _queue_event(self, event: DemoEvent) -> None:
        self._events.append(event)

    def _accept(self, _mask: int) -> None:
        assert self._listening is not None
        try:
            accepted, address = self._listening.accept()
        except OSError as error:
            logger.warning("the demo PBX cannot accept a connection: %s", error)
            return
        accepted.setblocking(False)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = DemoConnection(self, accepted)
        self._connections.add(connection)
        self._loop.selector.register(accepted, selectors.EVENT_READ, connection.ready)
        logger.info("AMI connection from %s:%s", *address[:2])
        connection.manager.greet()
