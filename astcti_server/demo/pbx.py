"""The demo PBX as a whole: an AMI server on loopback and, if wanted, people who call."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TypeVar

from astcti_server.demo.ami.ami_server import AmiServer
from astcti_server.demo.ami.manager import LOGIN_PAUSE, AmiUser
from astcti_server.demo.calls.engine import Engine
from astcti_server.demo.narrator import Narrate, Narrator
from astcti_server.demo.player import Player, Tempo
from astcti_server.threads import Died

T = TypeVar("T")


class DemoPbx:
    """`start` it, connect to `address` as user `astcti`, secret `astcti`; `stop` it. A context manager."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        interval: float | None = None,
        seed: int = 0,
        users: Iterable[AmiUser] = (AmiUser(),),
        narrate: Narrate | None = None,
        tempo: Tempo | None = None,
        login_pause: float = LOGIN_PAUSE,
        died: Died | None = None,
    ) -> None:
        """With an `interval` (seconds between callers), or a `tempo`, calls are played; else it is silent.

        `narrate` gets a sentence for what happens, on the PBX's thread. The same seed plays the same calls.
        """
        self._host, self._port = host, port
        self._server = AmiServer(users, seed=seed, login_pause=login_pause, died=died)
        if tempo is None and interval is not None:
            tempo = Tempo(interval=interval)
        self._player = Player(self._server.engine, tempo) if tempo is not None else None
        if narrate is not None:
            self._server.engine.listeners.append(Narrator(narrate))
        self.address = (host, port)

    def start(self) -> None:
        """Open the port and begin; `address` is true from here on. Raises OSError if the port is taken."""
        self.address = self._server.listen(self._host, self._port)
        self._server.start()
        if self._player is not None:
            self._server.do(self._player.start)

    def stop(self, timeout: float = 5.0) -> None:
        """End it, connections included. Any thread but the PBX's own."""
        self._server.stop()
        self._server.join(timeout)

    def do(self, work: Callable[[Engine], T]) -> T:
        """Run `work` with the engine on the PBX's thread; returns or raises what it does. Any thread."""
        return self._server.do(lambda: work(self._server.engine))

    def drop_connections(self) -> None:
        """Cut every AMI connection, as a network or a stopping Asterisk does. Any thread."""
        self._server.drop_connections()

    def __enter__(self) -> DemoPbx:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
