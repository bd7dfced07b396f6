"""A manager interface for tests that behaves as badly as it is told to. It has no calls and no queues.

It listens on a free port of loopback and speaks to one client at a time. By default it greets, asks for an
MD5 login, answers Ping and Logoff, and says that any other action is unknown. What is between is for the
tests: scripted answers, events cut anywhere, silence, refusals, dead connections.
"""

from __future__ import annotations

import hashlib
import queue
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Final, Self

from tests.fake.patience import PATIENCE

Headers = dict[str, str]
Answer = Callable[[Headers], bytes]
"""Makes the bytes that answer an action, from its headers."""

LISTED: Final = (
    "Ping",
    "Logoff",
    "ListCommands",
    "QueueAdd",
    "QueueRemove",
    "QueuePause",
    "QueuePenalty",
    "QueueStatus",
    "Originate",
    "Status",
    "Hangup",
    "Redirect",
)


def block(*headers: tuple[str, str]) -> bytes:
    """One message in the form that Asterisk sends."""
    return "".join(f"{key}: {value}\r\n" for key, value in headers).encode() + b"\r\n"


def response(action: Headers, status: str = "Success", message: str = "", *more: tuple[str, str]) -> bytes:
    """The response to an action."""
    headers = [("Response", status), ("ActionID", action.get("ActionID", ""))]
    return block(*headers, *([("Message", message)] if message else []), *more)


BOOTED: Final = block(("Event", "FullyBooted"), ("Privilege", "system,all"), ("Status", "Fully Booted"))


class FakeAsterisk:
    """Use as a context manager. Attributes may be changed at any time, also between two connections."""

    def __init__(
        self,
        *,
        username: str = "astcti",
        secret: str = "secret",
        banner: bytes = b"Asterisk Call Manager/11.0.0",
        certificate: tuple[str, str] | None = None,
    ) -> None:
        """`certificate` (file, key file) makes it speak TLS."""
        self.username = username
        self.secret = secret
        self.banner = banner
        self.challenge = "208012345"
        """Empty: MD5 logins are not known."""
        self.refuse_login = ""
        """A message that every login is refused with."""
        self.answers: dict[str, Answer] = {"ListCommands": _list_commands}
        """By the action's name; an answer may be empty. They take precedence over the usual ones."""
        self.booted = True
        """Whether FullyBooted follows an accepted login, as it does from 1.6.2 on."""
        self.silent = threading.Event()
        """While it is set nothing at all is answered; what comes is still read."""
        self.actions: queue.Queue[Headers] = queue.Queue()
        """Every action that came, logins and pings included."""
        self.logins: queue.Queue[Headers] = queue.Queue()
        """The accepted logins."""
        self.connections = 0
        self._certificate = certificate
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._peer: socket.socket | None = None
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        """So that what two threads send does not get mixed."""
        self._stopping = False
        self._thread = threading.Thread(target=self._serve, name="fake-asterisk")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        self.drop()
        self.stop_listening()
        self._thread.join(PATIENCE)

    # -- what tests do -------------------------------------------------------------------------------------

    def send(self, *pieces: bytes) -> None:
        """Send bytes as they are, each piece in a segment of its own as far as the system lets us."""
        with self._lock:
            assert self._peer is not None, "nobody is connected"
            peer = self._peer
        with self._sending:
            for piece in pieces:
                peer.sendall(piece)

    def event(self, name: str, *headers: tuple[str, str], **more: str) -> None:
        """Send an event."""
        self.send(block(("Event", name), *headers, *more.items()))

    def next_action(self, name: str) -> Headers:
        """Wait for an action of this name, skipping others."""
        while (action := self.actions.get(timeout=PATIENCE)).get("Action") != name:
            pass
        return action

    def wait_for_login(self) -> Headers:
        """Wait until a login was accepted."""
        return self.logins.get(timeout=PATIENCE)

    def drop(self) -> None:
        """Close the connection; the client sees its end."""
        with self._lock:
            peer, self._peer = self._peer, None
        if peer is not None:
            try:
                peer.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            peer.close()

    def stop_listening(self) -> None:
        """From now on connections are refused; the present one stays."""
        with self._lock:
            listener, self._listener = self._listener, None  # type: ignore[assignment]
        if listener is not None:
            try:
                listener.shutdown(socket.SHUT_RDWR)  # wakes the thread in accept
            except OSError:
                pass
            listener.close()

    # -- the server's thread -------------------------------------------------------------------------------

    def _serve(self) -> None:
        while not self._stopping:
            with self._lock:
                listener = self._listener
            if listener is None:
                return
            try:
                peer, _address = listener.accept()
            except OSError:
                return
            self.connections += 1
            try:
                self._talk(self._secured(peer))
            except (OSError, AssertionError):
                pass
            finally:
                self.drop()
                peer.close()

    def _secured(self, peer: socket.socket) -> socket.socket:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self._certificate)
            peer.settimeout(PATIENCE)
            peer = context.wrap_socket(peer, server_side=True)
            peer.settimeout(None)
        with self._lock:
            self._peer = peer
        return peer

    def _talk(self, peer: socket.socket) -> None:
        if self.banner and not self.silent.is_set():
            self.send(self.banner + b"\r\n")
        received = b""
        while data := peer.recv(65536):
            *blocks, received = (received + data).split(b"\r\n\r\n")
            for text in blocks:
                self._act(_parsed(text))

    def _act(self, action: Headers) -> None:
        self.actions.put(action)
        if self.silent.is_set():
            return
        name = action.get("Action", "")
        if name in self.answers:
            self.send(self.answers[name](action))
        elif name == "Challenge":
            self._challenged(action)
        elif name == "Login":
            self._login(action)
        elif name == "Ping":
            self.send(response(action, "Success", "", ("Ping", "Pong")))
        elif name == "Logoff":
            self.send(response(action, "Goodbye", "Thanks for all the fish."))
            self.drop()
        else:
            self.send(response(action, "Error", "Invalid/unknown command"))

    def _challenged(self, action: Headers) -> None:
        if self.challenge:
            self.send(response(action, "Success", "", ("Challenge", self.challenge)))
        else:
            self.send(response(action, "Error", "Must specify AuthType"))

    def _login(self, action: Headers) -> None:
        key = hashlib.md5((self.challenge + self.secret).encode()).hexdigest()
        right = action.get("Key") == key if "Key" in action else action.get("Secret") == self.secret
        if self.refuse_login:
            self.send(response(action, "Error", self.refuse_login))
        elif right and action.get("Username") == self.username:
            accepted = response(action, "Success", "Authentication accepted")
            self.send(accepted + (BOOTED if self.booted else b""))
            self.logins.put(action)
            return
        else:
            self.send(response(action, "Error", "Authentication failed"))
        self.drop()


def _list_commands(action: Headers) -> bytes:
    return response(action, "Success", "", *((name, "Something  (Priv: <none>)") for name in LISTED))


def _parsed(data: bytes) -> Headers:
    lines: Iterable[str] = data.decode().split("\r\n")
    return {key: value for key, _, value in (line.partition(": ") for line in lines)}
