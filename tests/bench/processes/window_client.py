"""The real client with its window, as a process on a desktop of its own, served by a scripted server."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from tests.bench.processes.client_process import ClientProcess
from tests.bench.processes.screen_watch import ScreenWatch
from tests.bench.processes.server_process import ServerFailed
from tests.client.ui.tools.desktop import Desktop
from tests.fake.cti_server import CtiServer, Peer

START_WITHIN = 30.0  # seconds
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

    def __init__(
        self,
        folder: Path,
        desktop: Desktop,
        watch: ScreenWatch,
        program: str = "astcti_client",
        environ: Mapping[str, str] = {},
    ) -> None:
        """`folder` is empty; `program` is the module that is run, `environ` joins the desktop's.

        Raises ServerFailed, NotSeen.
        """
        self._server = CtiServer()
        settings = SETTINGS.format(port=self._server.port)
        watch.begin()
        begun = time.perf_counter()
        self._process = ClientProcess(folder, settings, {**desktop.environ, **environ}, program)
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

    def children(self) -> list[str]:
        """The names of all processes that it started, and that these started."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return [child.name() for child in psutil.Process(self.pid).children(recursive=True)]
        return []

    @property
    def log(self) -> str:
        """The end of what it said."""
        return self._process.log

    @property
    def memory(self) -> int:
        """Resident memory in bytes."""
        return self._process.memory

    def close(self) -> None:
        """End it, and its server."""
        self._process.tell_to_end()
        self._server.close()  # or it would wait for the answer to its log-out
        self._process.end()
