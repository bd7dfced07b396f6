"""A scripted AsteriskCTI server for the client's tests: the test itself reads and says each line.

No thread of its own: accepting and reading block, with a time limit, in the thread of the test.
"""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Sequence
from types import TracebackType

from tests.fake.patience import PATIENCE

WELCOME = "100 WELCOME"


class Peer:
    """One connection of the client, from the server's side."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._connection.settimeout(PATIENCE)
        self._received = b""

    def say(self, *lines: str) -> None:
        """Send lines."""
        self._connection.sendall("".join(line + "\n" for line in lines).encode())

    def say_bytes(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._connection.sendall(data)

    def would_hear(self) -> bool:
        """Whether `hear` has something to read now."""
        return b"\n" in self._received or bool(select.select([self._connection], [], [], 0)[0])

    def hear(self) -> str:
        """The next line of the client; empty when it closed the connection."""
        while b"\n" not in self._received:
            try:
                data = self._connection.recv(4096)
            except ConnectionResetError:
                data = b""
            if not data:
                return ""
            self._received += data
        line, _, self._received = self._received.partition(b"\n")
        return line.decode()

    def expect(self, *lines: str) -> None:
        """The client's next lines must be these."""
        heard = []
        for wanted in lines:
            heard.append(self.hear())
            assert heard[-1] == wanted, (
                f"expected {wanted!r} after {heard[:-1]}, the client said {heard[-1]!r}"
            )

    def hear_password(self, words: str = "", *, user: str = "mario", resume: str = "") -> str:
        """Welcome the client, which hears `words` of CAPA, up to its line with the password; returns that."""
        self.say(WELCOME)
        self.expect("CAPA")
        self.say(f"110 CAPA{words}")
        if resume:
            self.expect(f"RESUME {resume}")
            self.say("100 OK")
        self.expect(f"USER {user}")
        self.say("100 OK")
        line = self.hear()
        assert line.startswith("PASS ")
        return line

    def log_in(
        self,
        *,
        user: str = "mario",
        macs_refused: int = 0,
        keep_alive: int = 60,
        who: str = "",
        targets: Sequence[str] = (),
        queues: Sequence[str] = (),
        colleagues: bool = False,
        resume: str = "",
        phone: Sequence[str] = (),
    ) -> list[str]:
        """The whole log-in with usual answers; returns the MAC addresses that were tried.

        With `who` (extension and full name) the server can tell who is logged in, with `targets` (context and
        perhaps names) where calls may be transferred to. With `resume` it resumes, and the client has to
        say this after RESUME; the 104 is the test's affair. With `queues` (as 223 has them) it tells which
        queues may be left, with `colleagues` who is there, if asked.
        With `phone` colleagues can be asked: these are the lines in answer to PHONE.
        """
        more = ("WHO " if who else "") + ("TARGETS " if targets else "") + ("RESUME " if resume else "")
        more += ("QUEUES " if queues else "") + ("COLLEAGUES " if colleagues else "")
        more += "CONSULT " if phone else ""
        self.hear_password(
            f" MAC SERVICES REASONS HANGUP TRANSFER {more}KEEPALIVE={keep_alive}", user=user, resume=resume
        )
        self.say("102 OK")
        macs, line = [], self.hear()
        while line.startswith("MAC "):
            macs.append(line.removeprefix("MAC "))
            if len(macs) > macs_refused:
                self.say("100 OK PJSIP/201")
            else:
                self.say("101 KO unknown seat")
            line = self.hear()
        if who:
            assert line == "WHO"
            self.say(f"240 {user} {who}")
            line = self.hear()
        assert line == "SERVICES"
        self.say("220 inbound astctidemo Demo", "220 outbound outbound Outside line", "220 END")
        if targets:
            self.expect("TARGETS")
            self.say(*(f"222 {target}" for target in targets), "222 END")
        if queues:
            self.expect("QUEUES")
            self.say(*(f"223 {queue}" for queue in queues), "223 END")
        self.expect("REASONS")
        self.say("230 Lunch break", "230 END")
        if phone:
            self.expect("PHONE")
            self.say(*phone)
        return macs

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class CtiServer:
    """Listens on loopback, on a free port; with `context` it speaks TLS."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(PATIENCE)
        self._context = context
        self._peers: list[Peer] = []
        self.port: int = self._listening.getsockname()[1]

    def accept(self) -> Peer:
        """Wait for the client's next connection."""
        connection, _ = self._listening.accept()
        if self._context is not None:
            connection.settimeout(PATIENCE)
            connection = self._context.wrap_socket(connection, server_side=True)
        peer = Peer(connection)
        self._peers.append(peer)
        return peer

    def stop_listening(self) -> None:
        """From now on connections are refused."""
        self._listening.close()

    def close(self) -> None:
        """Refuse connections and close those there are."""
        self._listening.close()
        for peer in self._peers:
            peer.close()

    def __enter__(self) -> CtiServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
