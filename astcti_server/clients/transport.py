"""A client's socket, plain or with TLS, behind the same few calls. None of them ever waits.

`Session` is the only caller. A plain socket may be read by one thread while another one writes. An SSL
object may not, OpenSSL crashes on that: so `one_at_a_time` transports are read under the session's lock too.
"""

from __future__ import annotations

import select
import socket
import ssl
from pathlib import Path
from typing import Protocol

from schemas.server.file_checks import MOST_OF_A_CERTIFICATE, read_regular, refused_pair
from schemas.server.settings import ListenSettings

READ_SIZE = 16 * 1024
"""As much as TLS has in one record, and four times the longest line of a client."""
_AT_ONCE = socket.MSG_DONTWAIT


class CertificateError(Exception):
    """A certificate or key that cannot be used; the text names the file and says why."""


class Transport(Protocol):
    """A non-blocking stream."""

    one_at_a_time: bool
    """Whether every call, `receive` too, has to be made under the session's lock."""
    wants_to_write: bool
    """Whether `receive` cannot go on before the socket takes something."""

    def fileno(self) -> int:
        """The descriptor to poll."""

    def shake_hands(self) -> int:
        """Go on with the handshake: 0 when it is done, else the poll event to wait for. Raises OSError."""

    def receive(self) -> bytes | None:
        """What has arrived, empty at its end, None if nothing is there. Raises OSError when it is broken."""

    def pending(self) -> bool:
        """Whether there is more to receive that `poll` does not know of."""

    def send(self, data: bytes) -> int:
        """Hand over as much as is taken now, maybe nothing. Raises OSError when it is broken.

        What was not taken has to be handed over again before anything else, as it was.
        """

    def end(self) -> None:
        """Tell the peer that nothing more will be sent. Raises OSError."""

    def close(self) -> None:
        """Give the socket back."""


class PlainTransport:
    """TCP as it is. Each call says for itself that it does not wait, whatever the socket's own mode is.

    To change that would be one more system call for each client, in which another thread takes its turn.
    """

    __slots__ = ("_socket",)
    one_at_a_time = False
    wants_to_write = False

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection

    def fileno(self) -> int:
        return self._socket.fileno()

    def shake_hands(self) -> int:
        return 0

    def receive(self) -> bytes | None:
        try:
            return self._socket.recv(READ_SIZE, _AT_ONCE)
        except (BlockingIOError, InterruptedError):
            return None

    def pending(self) -> bool:
        return False

    def send(self, data: bytes) -> int:
        try:
            return self._socket.send(data, _AT_ONCE)
        except (BlockingIOError, InterruptedError):
            return 0

    def end(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._socket.close()


class TlsTransport:
    """TLS over TCP. What SSL did not take is tried again with the same bytes, as OpenSSL demands."""

    __slots__ = ("_socket", "wants_to_write")
    one_at_a_time = True

    def __init__(self, connection: socket.socket, context: ssl.SSLContext) -> None:
        connection.setblocking(False)
        # The handshake is made step by step by the handler, which has a time limit for it.
        self._socket = context.wrap_socket(
            connection, server_side=True, do_handshake_on_connect=False, suppress_ragged_eofs=True
        )
        self.wants_to_write = False

    def fileno(self) -> int:
        return self._socket.fileno()

    def shake_hands(self) -> int:
        try:
            self._socket.do_handshake()
        except ssl.SSLWantReadError:
            return select.POLLIN
        except ssl.SSLWantWriteError:
            return select.POLLOUT
        return 0

    def receive(self) -> bytes | None:
        self.wants_to_write = False
        try:
            return self._socket.recv(READ_SIZE)
        except (ssl.SSLWantReadError, BlockingIOError):  # the latter after `end`, when the rest is read raw
            return None
        except ssl.SSLWantWriteError:
            self.wants_to_write = True
            return None

    def pending(self) -> bool:
        return self._socket.pending() > 0

    def send(self, data: bytes) -> int:
        try:
            return self._socket.send(data)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return 0

    def end(self) -> None:
        try:
            self._socket.unwrap()
        except (OSError, ValueError):
            pass  # the farewell is sent, or cannot be; nobody waits for the peer's
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._socket.close()


def tls_context(listen: ListenSettings) -> ssl.SSLContext | None:
    """What handshakes need, or None where no certificate is given. Raises CertificateError."""
    if not listen.certificate:
        return None
    key = listen.key or listen.certificate
    for path in (listen.certificate, key):
        try:
            # What OpenSSL says of a file that cannot be read does not name it.
            read_regular(Path(path), MOST_OF_A_CERTIFICATE)
        except OSError as error:
            raise CertificateError(f"{path}: {error.strerror}") from None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION  # so a write never waits for something to read
    try:
        context.load_cert_chain(listen.certificate, key, password=_no_password)
    except ssl.SSLError as error:
        raise CertificateError(refused_pair(listen.certificate, key, error)) from None
    return context


def _no_password() -> str:
    raise CertificateError("the key is protected by a password, and nobody is there to type it")
