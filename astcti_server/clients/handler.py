"""A client's handler thread: it alone reads the client's socket, and ends the session."""

from __future__ import annotations

import logging
import select
import socket
import socketserver
import ssl
from collections.abc import Callable
from typing import Any

from astcti_server.audit.entries import AuditAction
from astcti_server.clients import addresses, replies
from astcti_server.clients.commands import dispatch
from astcti_server.clients.conversation import Conversation, HandlerContext
from astcti_server.clients.session import Session
from astcti_server.clients.transport import PlainTransport, TlsTransport, Transport
from schemas.log_repeats import counted_by

logger = logging.getLogger(__name__)


class ClientHandler(socketserver.BaseRequestHandler):
    """Serves one client until either side has had enough. Waits in `poll`, never in a read or a write."""

    request: socket.socket

    def __init__(
        self,
        request: Any,
        client_address: Any,
        server: Any,
        *,
        name: str,
        context: HandlerContext,
        begun: Callable[[Session], None],
        tls: ssl.SSLContext | None,
    ) -> None:
        """`begun` is told the session before anything is said."""
        self._name = name
        self._context = context
        self._begun = begun
        self._tls = tls
        super().__init__(request, client_address, server)

    def handle(self) -> None:
        """Serve the client. An exception ends this client alone."""
        address = addresses.plain(self.client_address[0])
        opened = self._context.clock()
        limits = self._context.requests.settings().clients
        session = Session(self._name, self._transport(), address, limits.outbox)
        source = counted_by(addresses.network(address))
        logger.info("%s: connected from %s", self._name, address, extra=source)
        self._begun(session)
        try:
            if self._shake_hands(session, opened + limits.login_time):
                self._talk(session)
        except Exception as error:
            logger.exception("%s: its handler failed", self._name)
            session.close(f"internal error: {error!r}")
        finally:
            self._part(session, opened)

    def _transport(self) -> Transport:
        connection = self.request
        return TlsTransport(connection, self._tls) if self._tls else PlainTransport(connection)

    def _shake_hands(self, session: Session, deadline: float) -> bool:
        while not session.ending:
            try:
                event = session.shake_hands()
            except OSError as error:
                session.close(f"handshake failed: {error.strerror or error}")
                break
            if not event:
                return True
            left = deadline - self._context.clock()
            if left <= 0:
                session.close("handshake not finished in time")
                break
            session.poll(event, left)
        return False

    def _talk(self, session: Session) -> None:
        conversation = Conversation(session, self._context, dispatch.carry_out)
        session.send(replies.WELCOME)
        try:
            self._listen(session, conversation)
        finally:
            conversation.over()
            if session.username:
                conversation.record(AuditAction.LOGOUT, why=session.ending)

    def _listen(self, session: Session, conversation: Conversation) -> None:
        while not session.ending:
            limits = self._context.requests.settings().clients
            session.limit_outbox(limits.outbox)
            reading = conversation.listening
            spoke = reading and session.pending()
            if not spoke:
                spoke = session.poll(select.POLLIN if reading else 0, conversation.time_left(limits))
            session.flush()
            if spoke and not reading:
                session.close("connection lost")
            elif spoke:
                data = session.receive()
                if data == b"" and not conversation.idle:
                    conversation.hang_up()
                elif data == b"":
                    session.close("closed by the client")
                elif data:
                    conversation.receive(data)
            conversation.proceed()
            conversation.check_time(self._context.requests.settings().clients)

    def _part(self, session: Session, opened: float) -> None:
        """Out of the registry first, so that nobody is told that a dead phone's operator is there."""
        try:
            self._context.registry.drop(session)
            if session.presence is not None:
                self._context.requests.left(session.presence.session_id, session.leaves_for_good)
        finally:
            who = f" {session.username} at {session.extension or 'no seat'}" if session.username else ""
            seconds = self._context.clock() - opened
            source = counted_by(session.username or addresses.network(session.address))
            text = "%s: closed%s after %.0f s: %s"
            logger.info(text, self._name, who, seconds, session.ending, extra=source)
            session.finish()
