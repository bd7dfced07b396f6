"""The real client with its window, as a process on a desktop of its own, served by a scripted server."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.bench.processes.screen_watch import ScreenWatch
from tests.bench.processes.server_process import PROJECT, ServerFailed
from tests.client.ui.tools.desktop import Desktop
from tests.fake.cti_server import CtiServer, Peer

START_WITHIN = 30.0  # seconds
STOP_WITHIN = 20.0
KEEP_ALIVE = 3600  # seconds: the script has nothing to answer between two calls
SETTINGS = """\
host = "127.0.0.1"
port = {port}
user = "mario"
password = "test"
mac = "00:11:22:33:44:55"
theme = "light"
language = "en"
notice-time = 1
"""


class WindowClient:
    """A client that was started and is logged in; `close` ends it."""

    def __init__(self, folder: Path, desktop: Desktop, watch: ScreenWatch) -> None:
        """`folder` is empty. Raises ServerFailed, NotSeen."""
        self._server = CtiServer()
        self._log = folder / "log"
        runtime = folder / "run"
        runtime.mkdir(mode=0o700)
        settings = folder / "client.toml"
        settings.write_text(SETTINGS.format(port=self._server.port))
        settings.chmod(0o600)
        environment = desktop.environ | {
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(runtime),
            "XDG_DATA_HOME": str(folder / "data"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            "PYTHONPATH": "",
        }
        watch.begin()
        with self._log.open("wb") as log:
            begun = time.perf_counter()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "astcti_client", "--config", str(settings)],
                stdout=log,
                stderr=log,
                cwd=PROJECT,
                env=environment,
            )
        try:
            # Meanwhile the screen is watched: what comes there is timed when it is read.
            with ThreadPoolExecutor(1) as script:
                logged_in = script.submit(self._logged_in)
                try:
                    window, tray = watch.await_start(START_WITHIN)
                finally:
                    self.peer = logged_in.result()
        except BaseException:
            self.close()
            raise
        self.window_after, self.tray_after = window - begun, tray - begun
        """Seconds from the start of the program until each was on the screen."""

    def _logged_in(self) -> Peer:
        try:
            peer = self._server.accept()
            peer.log_in(who="PJSIP/201 Mario Rossi", keep_alive=KEEP_ALIVE)
            peer.say("310 OUT")
        except (OSError, AssertionError) as error:
            raise ServerFailed(f"the client did not log in ({error}):\n{self.log}") from error
        return peer

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    @property
    def log(self) -> str:
        """The end of what it said."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-20:])

    @property
    def memory(self) -> int:
        """Resident memory in bytes."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def close(self) -> None:
        """End it, and its server."""
        self._process.terminate()
        self._server.close()  # or it would wait for the answer to its log-out
        try:
            self._process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
