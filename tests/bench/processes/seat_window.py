"""The real client with its window at one seat of the bench's call centre, on a desktop of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.processes.server_process import PROJECT, ServerFailed
from tests.bench.workload.call_centre import SeatLogin
from tests.client.ui.tools.desktop import Desktop

START_WITHIN = 30.0  # seconds
STOP_WITHIN = 20.0
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
        self._log = folder / "log"
        runtime = folder / "run"
        runtime.mkdir(mode=0o700)
        settings = folder / "client.toml"
        settings.write_text(SETTINGS.format(port=port, user=login.username, password=password, mac=login.mac))
        settings.chmod(0o600)
        environment = desktop.environ | {
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(runtime),
            "XDG_DATA_HOME": str(folder / "data"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            "PYTHONPATH": "",
            "BROWSER": "true",
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "astcti_client", "--config", str(settings)],
                stdout=log,
                stderr=log,
                cwd=PROJECT,
                env=environment,
            )

    def check(self) -> None:
        """Raise ServerFailed if it has ended."""
        if self._process.poll() is not None:
            raise ServerFailed("the client has ended:\n" + self._log.read_text(errors="replace")[-2000:])

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def wait_until(what: str, done: Callable[[], bool], window: SeatWindow, within: float = START_WITHIN) -> None:
    """Return once `done` says so. Raises ServerFailed, also if the client ends meanwhile."""
    until = time.monotonic() + within
    while not done():
        window.check()
        if time.monotonic() > until:
            raise ServerFailed(f"not within {within:.0f} s: {what}")
        time.sleep(0.05)  # nothing tells another process of it
