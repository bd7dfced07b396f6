"""The socket to the server: connecting, TLS, reading and writing without blocking. For the network thread.

Its errors are sentences that tell apart a wrong name, a refusal, silence, an untrusted certificate.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import select
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass

from astcti_client.net.messages import Protection

CONNECT_TIME = 10.0  # seconds for one address to answer
HANDSHAKE_TIME = 10.0  # seconds for the TLS handshake
RECEIVE_SIZE = 65536
_IN_PROGRESS = {errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN, getattr(errno, "WSAEWOULDBLOCK", -1)}
_UNREACHABLE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN}


class TransportError(Exception):
    """No connection, or no longer one. The text says why and what to do."""


class PlainNotAllowed(TransportError):
    """The connection would cross the network unencrypted, and nobody allowed that: nothing was sent."""


class Interrupted(Exception):
    """Somebody wants the thread to stop."""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where the server is and how to speak to it."""

    host: str
    port: int
    tls: bool = False
    ca_file: str = ""
    server_name: str = ""
    """The name that the certificate must carry; empty for the host."""
    verify: bool = True
    plain: bool = False
    """Whether the connection may cross the network without TLS."""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class Waiter:
    """Lets one thread wait for a socket, and every other thread wake it."""

    def __init__(self) -> None:
        # No pipe: on Windows select takes sockets only.
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)

    def wake(self) -> None:
        """End the present wait, or the next one. Any thread; harmless after close."""
        try:
            self._writer.send(b"w")
        except OSError:
            pass  # full: a wake-up is on its way already; or closed: nobody waits

    def wait(
        self, seconds: float, *, read: socket.socket | None = None, write: socket.socket | None = None
    ) -> None:
        """Wait until a socket is ready, somebody calls `wake`, or the time is over."""
        readers = [self._reader] if read is None else [self._reader, read]
        writers = [] if write is None else [write]
        # Windows reports a connection that failed among the exceptional ones only.
        ready, _, _ = select.select(readers, writers, writers, max(0.0, seconds))
        if self._reader in ready:
            try:
                while self._reader.recv(4096):
                    pass
            except BlockingIOError:
                pass

    def close(self) -> None:
        """Release the sockets; only when nobody waits any more."""
        self._reader.close()
        self._writer.close()


class ServerTransport:
    """An open connection. `read` and `write` do what is possible at once."""

    def __init__(self, connected: socket.socket, protection: Protection = "plain") -> None:
        self.socket = connected
        self.protection: Protection = protection

    def local_address(self) -> str:
        """The address of this PC that the connection uses."""
        try:
            return str(self.socket.getsockname()[0])
        except OSError as error:
            raise TransportError(f"the connection broke: {_words(error)}") from None

    def read(self) -> bytes | None:
        """What has arrived, at most one chunk; None if nothing has, b"" once the server closed."""
        try:
            return self.socket.recv(RECEIVE_SIZE)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError, InterruptedError):
            return None
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError, ConnectionResetError):
            return b""
        except OSError as error:
            raise TransportError(f"the connection broke: {_words(error)}") from None

    def write(self, outgoing: bytearray) -> None:
        """Send as much as is taken, and remove it from `outgoing`."""
        while outgoing:
            try:
                sent = self.socket.send(outgoing)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError, InterruptedError):
                return
            except OSError as error:
                raise TransportError(f"the connection broke: {_words(error)}") from None
            del outgoing[:sent]

    def close(self) -> None:
        """Close the connection without further ado."""
        self.socket.close()


def open_transport(
    address: ServerAddress,
    waiter: Waiter,
    stopping: Callable[[], bool],
    clock: Callable[[], float] = time.monotonic,
) -> ServerTransport:
    """Connect, over TLS if the address says so. Raises TransportError; Interrupted once `stopping()`.

    Without TLS an address beyond this PC is left out unless the server's address says that it is allowed:
    PlainNotAllowed, if the name stands for no other.

    The look-up of the name is the one step that cannot be interrupted.
    """
    context = _context(address) if address.tls else None
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise TransportError(f"the name {address.host} is not known ({_words(error)}); check host") from None
    reason = TransportError(f"{address.host} has no address")
    for family, kind, protocol, _, where in found:
        local = _is_loopback(str(where[0]))
        if context is None and not local and not address.plain:
            reason = PlainNotAllowed(_why_not_plain(address))
            continue
        connecting = socket.socket(family, kind, protocol)
        try:
            _connect(connecting, where, address, _Wait(waiter, stopping, clock, CONNECT_TIME))
            if context is None:
                return ServerTransport(connecting, "loopback" if local else "plain")
            wait = _Wait(waiter, stopping, clock, HANDSHAKE_TIME)
            protection: Protection = "verified" if address.verify else "loopback" if local else "unverified"
            return ServerTransport(_shake_hands(connecting, context, address, wait), protection)
        except TransportError as error:
            connecting.close()
            reason = error
        except BaseException:
            connecting.close()
            raise
    raise reason


class _Wait:
    """One step of connecting with its time limit."""

    def __init__(
        self, waiter: Waiter, stopping: Callable[[], bool], clock: Callable[[], float], seconds: float
    ) -> None:
        self._waiter = waiter
        self._stopping = stopping
        self._clock = clock
        self._until = clock() + seconds

    def until_ready(self, *, read: socket.socket | None = None, write: socket.socket | None = None) -> bool:
        """False once the time is over. A wake-up or a ready socket is for the caller to look at."""
        if self._stopping():
            raise Interrupted
        left = self._until - self._clock()
        if left <= 0:
            return False
        self._waiter.wait(left, read=read, write=write)
        if self._stopping():
            raise Interrupted
        return True


def _connect(
    connecting: socket.socket, where: tuple[object, ...], address: ServerAddress, wait: _Wait
) -> None:
    connecting.setblocking(False)
    connecting.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # Commands are short: none shall wait until the one before is acknowledged.
    connecting.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    code = connecting.connect_ex(where)
    while code in _IN_PROGRESS:
        if not wait.until_ready(write=connecting):
            raise TransportError(
                f"{address} does not answer within {CONNECT_TIME:.0f} s; check host, port, firewalls"
            )
        code = connecting.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code == 0:
            # No error yet, which is also so after a mere wake-up, while the connection is still being made.
            if _is_connected(connecting):
                return
            code = errno.EINPROGRESS
    if code == 0:
        return
    raise TransportError(_why_not_connected(code, address))


def _is_loopback(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])  # of ::1%lo, what stands before the interface
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_loopback


def _why_not_plain(address: ServerAddress) -> str:
    return (
        f"the connection to {address} would not be encrypted: whoever is on the way could read the password "
        "and pose as the server; set tls = true (and ca-file, if the authority is your own), or allow it "
        "with plain = true"
    )


def _is_connected(connecting: socket.socket) -> bool:
    try:
        connecting.getpeername()
    except OSError:
        return False
    return True


def _why_not_connected(code: int, address: ServerAddress) -> str:
    if code in (errno.ECONNREFUSED, getattr(errno, "WSAECONNREFUSED", -1)):
        return (
            f"{address} refuses connections: no AsteriskCTI server runs there, or it listens on another port"
        )
    if code in (errno.ETIMEDOUT, getattr(errno, "WSAETIMEDOUT", -1)):
        return f"{address} does not answer; check host, port, firewalls"
    if code in _UNREACHABLE:
        return f"{address} cannot be reached from this network: {_words(OSError(code, ''))}"
    return f"no connection to {address}: {_words(OSError(code, ''))}"


def _context(address: ServerAddress) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=address.ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise TransportError(
            f"ca-file {address.ca_file}: no certificates in PEM form ({_words(error)})"
        ) from None
    if not address.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _shake_hands(
    connected: socket.socket, context: ssl.SSLContext, address: ServerAddress, wait: _Wait
) -> ssl.SSLSocket:
    name = address.server_name or address.host
    secured = context.wrap_socket(connected, server_hostname=name, do_handshake_on_connect=False)
    try:
        while True:
            try:
                secured.do_handshake()
                return secured
            except ssl.SSLWantReadError:  # either side may have to speak next, whatever we called
                going = wait.until_ready(read=secured)
            except ssl.SSLWantWriteError:
                going = wait.until_ready(write=secured)
            if not going:
                raise TransportError(
                    f"{address} does not answer in TLS: it may be waiting for Asterisk"
                    " (if that goes on, its port may be a plain one: switch tls off)"
                )
    except OSError as error:
        secured.close()
        raise TransportError(_why_not_trusted(error, address, name)) from None
    except BaseException:
        secured.close()
        raise


def _why_not_trusted(error: OSError, address: ServerAddress, name: str) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in (62, 64):  # the name, the IP address does not match
            return (
                f"the certificate of {address} is not for {name}: {error.verify_message}; if it is the right "
                "server, set server-name to the name in its certificate"
            )
        return (
            f"the certificate of {address} is not trusted: {error.verify_message}; if it is the right "
            "server, set ca-file to the certificate of the authority that signed it (its own if self-signed)"
        )
    if isinstance(error, ssl.SSLError) and error.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"):
        return f"{address} does not speak TLS on this port; switch tls off, or ask for the port with TLS"
    if isinstance(error, ssl.SSLEOFError | ConnectionError):
        return f"{address} closed the connection during the TLS handshake: {_words(error)}"
    return f"no TLS connection to {address}: {_words(error)}"


def _words(error: BaseException) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).replace("_", " ").lower()
    if isinstance(error, OSError) and error.errno is not None:
        if isinstance(error, socket.gaierror):
            return error.strerror or str(error)
        return error.strerror or os.strerror(error.errno)
    return str(error)
