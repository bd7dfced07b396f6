"""The listening socket and the accept thread. The main thread alone opens and stops it."""

from __future__ import annotations

import errno
import logging
import socket
import socketserver
import ssl
import time
from functools import partial
from typing import Any

from astcti_server.clients import addresses, replies
from astcti_server.clients.admission import Admission, NotAdmitted, Place, raise_descriptor_limit
from astcti_server.clients.conversation import HandlerContext
from astcti_server.clients.handler import ClientHandler
from astcti_server.clients.handler_threads import HandlerThreads
from astcti_server.clients.session import Session
from astcti_server.clients.transport import CertificateError, tls_context
from astcti_server.threads import Died, ServiceThread
from schemas.log_repeats import counted_by
from schemas.protocol import ByeReason, Refusal
from schemas.server.settings import ListenSettings

BACKLOG = 4096
"""Clients that may wait to be accepted. The server speaks first: one that is dropped would wait for ever."""
UNANSWERED = 60_000
"""Milliseconds until a client that acknowledges nothing counts as gone, where the system can do that."""
LOOK_UP = 0.5
"""Seconds until the accept thread notices that it shall stop, where closing the socket does not wake it."""
OUT_OF_FILES = 0.1
"""Seconds to wait for somebody to leave when there are no descriptors left."""

logger = logging.getLogger(__name__)


class ListenError(Exception):
    """The server cannot listen as `server.xml` says. Its text is for the administrator."""


class ClientListener(socketserver.ThreadingTCPServer):
    """Accepts clients, a thread for each. Listens from its construction on, accepts from `open` on."""

    allow_reuse_address = True
    request_queue_size = BACKLOG

    def __init__(self, listen: ListenSettings, context: HandlerContext, died: Died | None = None) -> None:
        """Bind and listen. Raises ListenError. `died` is told if the accept thread dies."""
        self._context = context
        self._listen = listen
        self._tls = self._tls_context()
        self._handler_threads = HandlerThreads()
        self._admission = Admission(lambda: context.requests.settings().clients, raise_descriptor_limit())
        self._thread = _AcceptThread(self, died)
        self._out_of_files = False
        self._stopped = False
        try:
            self.address_family, bound = addresses.to_listen_on(listen.address, listen.port)
            _check_plain(listen, bound)
            super().__init__(bound, self._no_handler)
            _tune(self.socket)
            self.socket.setblocking(False)  # a client that left before the accept would block it
        except OSError as error:
            where = f"{listen.address} port {listen.port}"
            raise ListenError(f"cannot listen on {where}: {error.strerror or error}") from None

    # -- the main thread -------------------------------------------------------------------------------------

    @property
    def port(self) -> int:
        """The port that clients connect to; of use when 0 was asked for."""
        return int(self.server_address[1])

    @property
    def handlers(self) -> list[str]:
        """Names of the handler threads at work: none after `stop`, or one was left behind."""
        return self._handler_threads.names()

    @property
    def connections(self) -> int:
        """How many clients were accepted since the start. Any thread."""
        return self._handler_threads.started

    def open(self) -> None:
        """Begin to accept; a second call does nothing."""
        if self._thread.ident is None and not self._stopped:
            self._thread.start()

    def read_certificate(self) -> None:
        """Read the certificate again: handshakes from now on use it. One that is of no use is logged."""
        try:
            self._tls = self._tls_context()
        except ListenError as error:
            logger.error("the certificate in use stays: %s", error)

    def limits_changed(self) -> None:
        """Settings changed: every client's limits of time are computed anew."""
        for session in self._handler_threads.sessions():
            session.rouse()

    def stop(self, within: float = 5.0) -> list[str]:
        """Stop accepting, end every session, wait for the handlers. Returns the names of the late ones."""
        if self._stopped:
            return self.handlers
        self._stopped = True
        deadline = time.monotonic() + within
        self._thread.stop()
        if self._thread.ident is not None:
            self._wake_accept()
            self.shutdown()
            self._thread.join()
        self._handler_threads.end_sessions(_end_session)
        late = self._handler_threads.wait(max(0.0, deadline - time.monotonic()))
        if late:
            logger.warning("waiting no longer for %d clients to stop: %s", len(late), ", ".join(late[:20]))
        self.server_close()
        return late

    def _wake_accept(self) -> None:
        try:
            self.socket.shutdown(socket.SHUT_RDWR)  # on Linux this ends the wait for the next client
        except OSError:
            pass

    def _tls_context(self) -> ssl.SSLContext | None:
        try:
            return tls_context(self._listen)
        except CertificateError as error:
            raise ListenError(str(error)) from None

    # -- the accept thread -----------------------------------------------------------------------------------

    def get_request(self) -> tuple[socket.socket, Any]:
        try:
            found = super().get_request()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                self._wait_for_files(error)
            raise
        self._out_of_files = False
        return found

    def _wait_for_files(self, error: OSError) -> None:
        if not self._out_of_files:
            self._out_of_files = True
            logger.error("no client can be accepted: %s", error.strerror)
        self._thread.stopping.wait(OUT_OF_FILES)

    def process_request(self, request: Any, client_address: Any) -> None:
        # Instead of ThreadingMixIn's own: that keeps a list of all its threads and starts them more slowly.
        try:
            place = self._admission.admit(client_address[0])
        except NotAdmitted as refused:
            self._turn_away(request, str(refused))
            return
        try:
            self._handler_threads.start(partial(self._serve, place), request, client_address)
        except RuntimeError as error:
            logger.error("no thread for a client from %s: %s", client_address[0], error)
            self._gone(place, request)

    def _turn_away(self, request: socket.socket, reason: str) -> None:
        if self._tls is None:
            request.setblocking(False)
            try:
                request.send(replies.refused(reason))
            except OSError:
                pass  # it is not worth more than an attempt
        self.shutdown_request(request)

    def _no_handler(self, *_: object) -> socketserver.BaseRequestHandler:
        raise NotImplementedError("handlers are made in their own threads, by _serve")

    def handle_error(self, request: Any, client_address: Any) -> None:
        logger.exception("a client from %s could not be accepted", client_address[0])

    # -- the handler threads ---------------------------------------------------------------------------------

    def _serve(self, place: Place, name: str, request: socket.socket, client_address: Any) -> None:
        try:
            ClientHandler(
                request,
                client_address,
                self,
                name=name,
                context=self._context,
                begun=partial(self._begun, place, name),
                tls=self._tls,
            )
        except OSError as error:  # gone before there was a session
            source = counted_by(addresses.network(client_address[0]))
            logger.info("%s: from %s: %s", name, client_address[0], error, extra=source)
        except Exception:
            logger.exception("%s: could not be served", name)
        finally:
            self._gone(place, request)

    def _begun(self, place: Place, name: str, session: Session) -> None:
        self._handler_threads.session_begun(name, session)
        self._admission.begin(place, session)

    def _gone(self, place: Place, request: socket.socket) -> None:
        request.close()  # before the place is free, or there would be more sockets than are allowed for
        self._admission.leave(place)


class _AcceptThread(ServiceThread):
    def __init__(self, listener: ClientListener, died: Died | None) -> None:
        super().__init__("accept", died)
        self._listener = listener

    def serve(self) -> None:
        self._listener.serve_forever(LOOK_UP)


def _tune(listening: socket.socket) -> None:
    """Set what clients' sockets need. On Linux they inherit it: no three calls for each of a thousand."""
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a pop-up is one small packet: now
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNANSWERED)


def _check_plain(listen: ListenSettings, bound: tuple[Any, ...]) -> None:
    if listen.certificate or addresses.is_loopback(bound):
        return
    if not listen.plain:
        raise ListenError(
            f"{listen.address} can be reached from the network: give a certificate and a key, "
            'or allow passwords to be sent unencrypted with plain="yes"'
        )
    logger.warning("passwords and calls travel unencrypted: %s has no certificate", listen.address)


def _end_session(session: Session) -> None:
    text = Refusal.SERVER_STOPS.text()
    session.close(text, replies.bye(ByeReason.SHUTDOWN, text))
