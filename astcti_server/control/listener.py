"""The control socket's threads: one that accepts, and one for each connection. Never in the way of clients.

Few connections, each with limits of its own: whoever says nothing, or does not read, is thrown out.
"""

from __future__ import annotations

import logging
import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator, Set
from functools import partial
from typing import Final

from astcti_server.control.audit import ControlAudit, log_action
from astcti_server.control.conversation import WELCOME, ControlConversation, refused
from astcti_server.control.peer import Peer, PeerUnknownError, peer_of, rights_of
from astcti_server.control.ports import ControlHandlers
from astcti_server.control.socket_file import ControlSocketFile
from astcti_server.threads import Died, ServiceThread
from schemas import wire
from schemas.protocol import ByeReason, ControlCommand, ControlRefusal, Refusal, ReplyCode, Word
from schemas.wire import MAX_COMMAND, LineBuffer

MOST: Final = 16
"""Connections at a time."""
MOST_OF_OTHERS: Final = 12
"""Of them, those who may look only: they never keep root and the server's own user out."""
IDLE: Final = 30.0  # seconds without a whole line
UNREAD: Final = 5.0  # seconds that a peer may take for a reply
AGAIN: Final = 1.0  # seconds until an accept that failed is tried again
PIECE: Final = 32768  # bytes that are sent at once: a peer has to take so many within UNREAD
WELL_MANNERED: Final = 1.0  # seconds for the farewell when the server stops

logger = logging.getLogger(__name__)

_BYE: Final = wire.reply(ReplyCode.SESSION_ENDED, Word.BYE, ByeReason.SHUTDOWN, Refusal.SERVER_STOPS.text())


class ControlListener(ServiceThread):
    """Accepts and serves. The main thread starts it, and ends it: `stop`, `join`, then `close`."""

    def __init__(
        self,
        file: ControlSocketFile,
        handlers: ControlHandlers,
        died: Died | None = None,
        *,
        idle: float = IDLE,
        unread: float = UNREAD,
        peer: Callable[[socket.socket], Peer] = peer_of,
        audit: ControlAudit = log_action,
    ) -> None:
        """`idle` and `unread`: seconds for a line, and for taking a reply. `peer` tells who connected.

        `audit` is told of everything that changes something.
        """
        super().__init__("control", died)
        self._file = file
        self._handlers = handlers
        self._audit = audit
        self._idle = idle
        self._unread = unread
        self._peer = peer
        self._sleeper, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        self._changed = threading.Condition()
        self._connections: dict[socket.socket, bool] = {}
        """Each with whether its peer may do more than look."""
        self._accepted = 0
        self._failing = False

    # -- the main thread -----------------------------------------------------------------------------------

    def wake(self) -> None:
        """Get the thread out of its wait."""
        try:
            self._waker.send(b"w")
        except OSError:
            pass  # it was woken before, or is over

    def close(self) -> None:
        """End every connection and remove the socket. After `stop`; waits two seconds at most."""
        for how in (socket.SHUT_RD, socket.SHUT_RDWR):  # first so that a farewell can be said
            for connection in self._open():
                try:
                    connection.shutdown(how)
                except OSError:
                    pass  # it is gone
            with self._changed:
                self._changed.wait_for(lambda: not self._connections, WELL_MANNERED)
        self.abandon()

    def abandon(self) -> None:
        """Remove the socket without a farewell: the process ends this moment, or does not begin."""
        self._file.close()
        self._waker.close()
        self._sleeper.close()

    def _open(self) -> list[socket.socket]:
        with self._changed:
            return list(self._connections)

    # -- the accept thread ---------------------------------------------------------------------------------

    def serve(self) -> None:
        """Accept until stopped."""
        self._file.socket.setblocking(False)
        poller = select.poll()
        poller.register(self._file.socket, select.POLLIN)
        poller.register(self._sleeper, select.POLLIN)
        while not self.stopping.is_set():
            poller.poll()
            try:
                connection, _ = self._file.socket.accept()
            except BlockingIOError:
                continue
            except OSError as error:
                self._not_accepted(error)
                continue
            self._failing = False
            try:
                self._admit(connection)
            except Exception:
                logger.exception("a connection to the control socket could not be served")
                connection.close()

    def _not_accepted(self, error: OSError) -> None:
        if self.stopping.is_set():
            return
        if not self._failing:
            logger.error("no connection to the control socket can be accepted: %s", error.strerror or error)
        self._failing = True
        self.stopping.wait(AGAIN)  # no descriptors, as a rule: trying at once would only cost time

    def _admit(self, connection: socket.socket) -> None:
        connection.settimeout(self._unread)
        try:
            peer = self._peer(connection)
        except (PeerUnknownError, OSError) as error:
            logger.warning("who connected to the control socket cannot be known: %r", error)
            connection.close()
            return
        rights = rights_of(peer, os.geteuid(), self._file.group)
        acts = len(rights) > 1
        with self._changed:
            full = len(self._connections) >= MOST or (not acts and self._lookers() >= MOST_OF_OTHERS)
            if rights and not full:
                self._connections[connection] = acts
                self._accepted += 1
        if not rights:
            self._turn_away(connection, peer, ControlRefusal.NOT_ALLOWED_HERE)
        elif full:
            self._turn_away(connection, peer, ControlRefusal.TOO_MANY_CONNECTIONS)
        else:
            serve = partial(self._serve, connection, peer, rights)
            try:
                threading.Thread(target=serve, name=f"control-{self._accepted}", daemon=True).start()
            except RuntimeError as error:
                logger.error("no thread for a connection to the control socket: %s", error)
                self._part(connection)

    def _lookers(self) -> int:
        return sum(not acts for acts in self._connections.values())

    def _turn_away(self, connection: socket.socket, peer: Peer, refusal: ControlRefusal) -> None:
        # By number: this thread has to accept the next one, and looking up a name may take a while.
        who = f"user id {peer.user}, process {peer.process}"
        logger.warning("Control: %s was turned away: %s", who, refusal.text())
        connection.setblocking(False)
        try:
            connection.send(refused(refusal.text()))
        except OSError:
            pass  # it is not worth more than an attempt
        connection.close()

    # -- a connection's own thread -------------------------------------------------------------------------

    def _serve(self, connection: socket.socket, peer: Peer, rights: Set[ControlCommand]) -> None:
        try:
            connection.sendall(WELCOME)
            conversation = ControlConversation(peer, rights, self._handlers, self._audit)
            self._talk(connection, conversation)
        except OSError as error:
            logger.debug("a control connection ended: %s", error)
        except Exception:
            logger.exception("a control connection failed")
        finally:
            self._part(connection)

    def _part(self, connection: socket.socket) -> None:
        connection.close()  # before the place is free: there are never more sockets than places
        with self._changed:
            del self._connections[connection]
            self._changed.notify_all()

    def _talk(self, connection: socket.socket, conversation: ControlConversation) -> None:
        buffer = LineBuffer(MAX_COMMAND)
        until = time.monotonic() + self._idle
        while not conversation.over:
            connection.settimeout(max(0.001, until - time.monotonic()))
            try:
                data = connection.recv(MAX_COMMAND)
            except TimeoutError:
                connection.settimeout(self._unread)
                seconds = f"{self._idle:g}"
                connection.sendall(refused(ControlRefusal.SILENT_TOO_LONG.text(seconds=seconds)))
                return
            connection.settimeout(self._unread)
            if not data:
                if self.stopping.is_set():
                    connection.sendall(_BYE)
                return
            for line in buffer.feed(data):
                for piece in _in_pieces(conversation.answer(line)):
                    connection.sendall(piece)
                until = time.monotonic() + self._idle
                if conversation.over:
                    return


def _in_pieces(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Lines put together, so that neither each is sent alone nor a long answer is kept as a whole."""
    waiting: list[bytes] = []
    size = 0
    for line in lines:
        waiting.append(line)
        size += len(line)
        if size >= PIECE:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)
