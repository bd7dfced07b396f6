"""The real client with its window at one seat of the bench's call centre, on a desktop of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.processes.client_process import ClientProcess
from tests.bench.processes.server_process import ServerFailed
from tests.bench.workload.call_centre import SeatLogin
from tests.client.ui.tools.desktop import Desktop

START_WITHIN = 30.0  # seconds
SETTINGS = """\
host = "127.0.0.1"
port = {port}
user = "{user}"
password = "{password}"
mac = "{mac}"
theme = "light"
language = "en"
triggers = true
allowed-programs = []
"""


class SeatWindow:
    """A client that was started and is logged in; `close` ends it."""

    def __init__(self, folder: Path, desktop: Desktop, port: int, login: SeatLogin, password: str) -> None:
        """`folder` is empty. Raises ServerFailed if it ends at once."""
        settings = SETTINGS.format(port=port, user=login.username, password=password, mac=login.mac)
        self._process = ClientProcess(folder, settings, {**desktop.environ, "BROWSER": "true"})

    def check(self) -> None:
        """Raise ServerFailed if it has ended."""
        if not self._process.running:
            raise ServerFailed(f"the client has ended:\n{self._process.log}")

    def close(self) -> None:
        """End it."""
        self._process.end()


def wait_until(what: str, done: Callable[[], bool], window: SeatWindow, within: float = START_WITHIN) -> None:
    """Return once `done` says so. Raises ServerFailed, also if the client ends meanwhile."""
    until = time.monotonic() + within
    while not done():
        window.check()
        if time.monotonic() > until:
            raise ServerFailed(f"not within {within:.0f} s: {what}")
        time.sleep(0.05)  # nothing tells another process of it
