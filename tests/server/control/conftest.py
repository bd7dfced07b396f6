"""A control socket that serves, and people who connect to it."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from astcti_server.control.audit import ControlAction, log_action
from astcti_server.control.listener import ControlListener
from astcti_server.control.ports import ControlHandlers, NotObeyed
from astcti_server.control.socket_file import ControlSocketFile
from schemas.protocol import ControlCommand
from schemas.wire import CommandLine
from tests.fake.patience import PATIENCE

STATUS: dict[str, Any] = {
    "format": 1,
    "name": "caffè\n\x07 \u2028",
    "empty": [],
    "queues": [{"queue": "a"}, 2],
}


@dataclass
class Requests:
    """Some commands, which note what is asked for."""

    document: dict[str, Any] = field(default_factory=lambda: dict(STATUS))
    accepted: list[str] = field(default_factory=list)
    stops: list[str] = field(default_factory=list)
    audited: list[ControlAction] = field(default_factory=list)
    refusal: str = ""
    delay: Callable[[], object] = lambda: None

    @property
    def handlers(self) -> ControlHandlers:
        return {
            ControlCommand.STATUS: self.status,
            ControlCommand.ACCEPT: self.accept,
            ControlCommand.STOP: self.stop,
        }

    def status(self, line: CommandLine) -> dict[str, Any]:
        self.delay()
        return self.document

    def accept(self, line: CommandLine) -> None:
        self.accepted.append(line.rest)
        if self.refusal:
            raise NotObeyed(self.refusal)

    def stop(self, line: CommandLine) -> None:
        self.stops.append(line.rest)

    def audit(self, action: ControlAction) -> None:
        self.audited.append(action)
        log_action(action)


class Asker:
    """A connection of this process. `hear` returns lines without their ends, empty at the end."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(str(path))
        self._file = self.socket.makefile("rb")

    def close(self) -> None:
        self._file.close()
        self.socket.close()

    def say(self, text: str | bytes) -> None:
        self.socket.sendall(text if isinstance(text, bytes) else text.encode() + b"\n")

    def hear(self) -> str:
        try:
            return self._file.readline().decode().removesuffix("\n")
        except ConnectionError:
            return ""

    def ask(self, line: str) -> str:
        self.say(line)
        return self.hear()


Serve: TypeAlias = Callable[..., AbstractContextManager[ControlListener]]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A directory that every user of the machine may enter, and a short name: a socket's path is limited."""
    place = Path(tempfile.mkdtemp(prefix="ctl-"))
    place.chmod(0o755)
    yield place
    shutil.rmtree(place)


@pytest.fixture
def path(folder: Path) -> Path:
    return folder / "control.sock"


@pytest.fixture
def requests() -> Requests:
    return Requests()


@pytest.fixture
def serve(path: Path, requests: Requests) -> Serve:
    """Serve at `path` as long as the context lasts; `group` is whose members may look."""

    @contextmanager
    def serving(group: str = "no such group", **limits: Any) -> Iterator[ControlListener]:
        listener = ControlListener(
            ControlSocketFile(path, group), requests.handlers, audit=requests.audit, **limits
        )
        listener.start()
        try:
            yield listener
        finally:
            listener.stop()
            listener.join(PATIENCE)
            listener.close()

    return serving


@pytest.fixture
def connect(path: Path) -> Iterator[Callable[[], Asker]]:
    """Connect as this user; all connections are closed at the end of the test."""
    made: list[Asker] = []

    def connecting() -> Asker:
        made.append(Asker(path))
        return made[-1]

    yield connecting
    for asker in made:
        asker.close()


AS_USER = """
import json, os, socket, sys
path, user, group, groups, lines = json.loads(sys.argv[1])
os.setgroups(groups)
os.setgid(group)
os.setuid(user)
heard = []
with socket.socket(socket.AF_UNIX) as connection:
    connection.settimeout(30)
    try:
        connection.connect(path)
        file = connection.makefile("rb")
        heard.append(file.readline().decode().strip())
        for line in lines:
            connection.sendall(line.encode() + b"\\n")
            heard.append(file.readline().decode().strip())
    except OSError as error:
        heard.append(type(error).__name__)
print(json.dumps(heard))
"""


def ask_as(path: Path, user: int, group: int, groups: list[int], *lines: str) -> list[str]:
    """What a user hears at the socket: the welcome and the first line of each reply, or an error's name."""
    given = json.dumps([str(path), user, group, groups, lines])
    done = subprocess.run(
        [sys.executable, "-c", AS_USER, given], capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    heard: list[str] = json.loads(done.stdout)
    return heard
