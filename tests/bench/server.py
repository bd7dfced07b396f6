"""The real server as a process of its own, with a configuration made for it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.workload.site import Site

STOP_WITHIN = 20.0  # seconds
_PROJECT = Path(__file__).parents[2]


class ServerFailed(Exception):
    """The server did not start, or ended; the text has the end of its log."""


class Server:
    """`astcti-server`, or another program that takes the same configuration directory."""

    def __init__(
        self, site: Site, *, ami_port: int, outbox: int = 1_048_576, module: str = "astcti_server"
    ) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="astcti-bench-")
        place = Path(self._directory.name)
        self.port = _free_port()
        site.write(place / "etc", ami_port=ami_port, listen_port=self.port, outbox=outbox)
        (place / "state").mkdir()
        self._log = place / "log"
        command = [
            sys.executable,
            "-m",
            module,
            "--config",
            str(place / "etc"),
            "--state",
            str(place / "state"),
            "--status",
            str(place / "status.json"),
        ]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=_PROJECT)

    @property
    def memory(self) -> int:
        """Resident memory in bytes."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    @property
    def whole_log(self) -> str:
        """All that it logged."""
        return self._log.read_text(errors="replace")

    @property
    def log(self) -> str:
        """The end of what it logged."""
        return "\n".join(self.whole_log.splitlines()[-20:])

    def state_file(self, name: str, timeout: float = 10.0) -> Any:
        """What is in a JSON file of the state directory, once it is there."""
        path = Path(self._directory.name) / "state" / name
        deadline = time.monotonic() + timeout
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.05)  # nothing tells another process of it
        return json.loads(path.read_text())

    def processor_time(self) -> float:
        """Seconds of processor time used so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def wait_until_serving(self, timeout: float = 20.0) -> None:
        """Wait until it welcomes clients. Raises ServerFailed."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as connection:
                    if connection.recv(64).startswith(b"100"):
                        return
            except OSError:
                time.sleep(0.05)  # nothing tells another process that it listens
        raise ServerFailed(f"the server is not there:\n{self.log}")

    def stop(self) -> None:
        """Ask it to stop; kill it if it does not."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._directory.cleanup()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
