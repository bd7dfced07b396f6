"""One TCP connection to Asterisk, with TLS if wanted, that never blocks. AMI thread only.

The connection registers its socket with the selector of the AMI thread and keeps the registration right.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import ssl
from collections.abc import Callable
from typing import Any, Final

from schemas.server.settings import AmiSettings

READ_SIZE: Final = 65536  # measured: 128 KiB and more is slower
RECEIVE_BUFFER: Final = 4 << 20
"""Asterisk ends a session whose receiver stays full for its `writetimeout`, 100 ms by default in all versions
(ast_carefulwrite in 1.4, ast_careful_fwrite up to 13, the iostream's time-out later)."""
UNSENT_LIMIT: Final = 1 << 20  # actions are small: an Asterisk that takes none for so long is not there
KEEP_ALIVE: Final = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 30_000}

_READ = selectors.EVENT_READ
_BOTH = selectors.EVENT_READ | selectors.EVENT_WRITE


class ConnectionFailedError(Exception):
    """There is no connection, or no longer; the text says why and, where possible, what to change."""


class HostNameError(ConnectionFailedError):
    """The name of Asterisk's host leads to no address."""


class TlsFailedError(ConnectionFailedError):
    """Somebody listens, but there is no TLS session: no TLS there, or a certificate that is not accepted."""


class AmiConnection:
    """Connects to the first address of the host that answers. `is_open` once bytes can be exchanged.

    Every method raises `ConnectionFailedError` when the connection cannot be had, or is lost.
    """

    def __init__(
        self, settings: AmiSettings, selector: selectors.BaseSelector, happened: Callable[[int], None]
    ) -> None:
        """`happened` becomes the data of the registration."""
        self.is_open = False
        self._settings = settings
        self._selector = selector
        self._happened = happened
        self._where = f"{settings.host}:{settings.port}"
        self._socket: socket.socket | None = None
        self._tls: ssl.SSLSocket | None = None
        self._addresses: list[tuple[Any, ...]] = []
        self._unsent = bytearray()
        self._gathered = False
        self._mask = 0

    def start(self) -> None:
        """Resolve the host's name, which may take a while, and begin to connect."""
        host, port = self._settings.host, self._settings.port
        try:
            self._addresses = list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            raise HostNameError(
                f"the name of the Asterisk host {host!r} cannot be resolved ({error.strerror or error}): "
                "check host in server.xml, and DNS"
            ) from None
        self._next_address()

    def ready(self) -> None:
        """The selector says that something happened while connecting."""
        assert self._socket is not None
        if self._tls is not None:
            self._shake_hands()
            return
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._refused(code)
        elif self._settings.tls:
            self._begin_tls()
        else:
            self._opened()

    def read(self) -> bytes | None:
        """What came; the empty value at the end of the connection, None if nothing is there."""
        assert self._socket is not None
        try:
            return self._socket.recv(READ_SIZE) if self._tls is None else self._read_records(self._tls)
        except (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except ssl.SSLEOFError:
            return b""
        except OSError as error:
            raise ConnectionFailedError(f"the connection broke: {error.strerror or error}") from None

    def _read_records(self, tls: ssl.SSLSocket) -> bytes:
        """TLS comes in records of 16 KiB at most; none may stay behind, for the selector does not see it."""
        data = tls.recv(READ_SIZE)
        try:
            while data and (len(data) < READ_SIZE or tls.pending()):
                more = tls.recv(READ_SIZE)
                if not more:
                    break
                data += more
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        return data

    def send(self, data: bytes) -> None:
        """Send now what the kernel takes, and the rest when it takes more."""
        self.gather(data)
        self.flush()

    def gather(self, data: bytes) -> None:
        """Send with what else is gathered until `flush_gathered`: when many log in, hundreds of actions."""
        self._unsent += data
        self._gathered = True
        if len(self._unsent) > UNSENT_LIMIT:
            raise ConnectionFailedError("Asterisk does not take our actions any more")
        if len(self._unsent) >= READ_SIZE:  # a turn may have megabytes of them, which Asterisk does take
            self.flush()

    def flush_gathered(self) -> None:
        """Send what was gathered, if anything was. What the kernel did not take before waits for `flush`."""
        if self._gathered:
            self.flush()

    def flush(self) -> None:
        """Send what is still to be sent."""
        assert self._socket is not None
        self._gathered = False
        try:
            while self._unsent:
                del self._unsent[: self._socket.send(self._unsent[:READ_SIZE])]
        except (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError as error:
            raise ConnectionFailedError(f"the connection broke: {error.strerror or error}") from None
        self._watch(_BOTH if self._unsent else _READ)

    def certificate_ends(self) -> float | None:
        """When Asterisk's certificate ends, in seconds since 1970; None without TLS."""
        found = self._tls.getpeercert() if self._tls is not None else None
        return ssl.cert_time_to_seconds(str(found["notAfter"])) if found else None

    def close(self) -> None:
        """Close at once. Any number of times."""
        self.is_open = False
        found, self._socket, self._tls = self._socket, None, None
        if found is not None:
            self._selector.unregister(found)
            found.close()

    # -- connecting ----------------------------------------------------------------------------------------

    def _next_address(self) -> None:
        family, kind, protocol, _name, address = self._addresses.pop(0)
        try:
            found = socket.socket(family, kind, protocol)
        except OSError as error:
            self._refused(error.errno or 0)
            return
        self._socket = found
        self._register(found)
        found.setblocking(False)
        _tune(found)
        code = found.connect_ex(address)
        if code not in (0, errno.EINPROGRESS, errno.EWOULDBLOCK):
            self._refused(code)

    def _refused(self, code: int) -> None:
        self.close()
        if self._addresses:
            self._next_address()
            return
        reason = os.strerror(code) if code else "no address"
        if code == errno.ECONNREFUSED:
            raise ConnectionFailedError(
                f"nothing listens at {self._where} ({reason}): check host and port in server.xml, and "
                "enabled, port and bindaddr in the [general] section of manager.conf"
            )
        if code == errno.ETIMEDOUT:
            raise ConnectionFailedError(timed_out(self._where))
        raise ConnectionFailedError(f"cannot connect to {self._where}: {reason}")

    def _begin_tls(self) -> None:
        assert self._socket is not None
        try:
            context = ssl.create_default_context(cafile=self._settings.ca_file or None)
        except (OSError, ssl.SSLError) as error:
            raise TlsFailedError(
                f"the certificates of ca-file {self._settings.ca_file!r} cannot be read: {error}"
            ) from None
        plain = self._socket
        self._selector.unregister(plain)
        self._socket = None
        try:
            tls = context.wrap_socket(
                plain, server_hostname=self._settings.host, do_handshake_on_connect=False
            )
        except (OSError, ValueError) as error:
            plain.close()
            raise TlsFailedError(f"TLS with {self._where} cannot begin: {error}") from None
        self._socket = self._tls = tls
        self._register(tls)
        self._shake_hands()

    def _shake_hands(self) -> None:
        assert self._tls is not None
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._watch(_READ)
        except ssl.SSLWantWriteError:
            self._watch(_BOTH)
        except ssl.SSLCertVerificationError as error:
            raise TlsFailedError(
                f"the certificate of {self._where} is not accepted ({error.verify_message}): ca-file in "
                "server.xml has to name the authority that signed it, and host the name that is in it"
            ) from None
        except OSError as error:
            raise TlsFailedError(
                f"no TLS with {self._where} ({error.strerror or error}): set tlsenable, tlsbindaddr and "
                "tlscertfile in manager.conf, and the port of tlsbindaddr in server.xml"
            ) from None
        else:
            self._opened()

    def _opened(self) -> None:
        self._addresses.clear()
        self.is_open = True
        self._watch(_READ)

    def _register(self, found: socket.socket) -> None:
        self._selector.register(found, _BOTH, self._happened)
        self._mask = _BOTH

    def _watch(self, mask: int) -> None:
        if self._socket is not None and mask != self._mask:
            self._selector.modify(self._socket, mask, self._happened)
            self._mask = mask


def timed_out(where: str) -> str:
    """What to say when nobody answers an attempt to connect."""
    return f"no answer from {where}: check host and port in server.xml, and the firewall between"


def _tune(found: socket.socket) -> None:
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEP_ALIVE.items():
        option = getattr(socket, name, None)
        if option is not None:
            found.setsockopt(socket.IPPROTO_TCP, option, value)
    if _granted_receive_buffer() >= RECEIVE_BUFFER // 2:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)


def _granted_receive_buffer() -> int:
    """What the system would grant. Asking for a size ends its own growing, so a small grant is no gain."""
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            return probe.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    except OSError:  # the last descriptor was for the connection itself, which is worth more
        return 0
