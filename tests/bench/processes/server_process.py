"""The real server as a process of its own, with a configuration made for it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.workload.call_centre import CallCentre
from tests.fake.ports import free_port

STOP_WITHIN = 20.0  # seconds
PROJECT = Path(__file__).parents[3]


class ServerFailed(Exception):
    """The server did not start, or ended; the text has the end of its log."""


@dataclass(frozen=True, slots=True)
class ServerProgram:
    """What is run: the server, or a program that takes the same options, out of one source tree."""

    module: str = "astcti_server"
    tree: Path = PROJECT
    hash_seed: int | None = None
    """PYTHONHASHSEED, so that two versions that are compared have their dictionaries laid out alike."""


SERVER_PROGRAM = ServerProgram()
ASYNCIO_PROGRAM = ServerProgram("tests.bench.peers.asyncio_server")
MQTT_PROGRAM = ServerProgram("tests.bench.peers.mqtt_server")
PANORAMISK_PROGRAM = ServerProgram("tests.bench.peers.panoramisk_server")
ASTERISK_AMI_PROGRAM = ServerProgram("tests.bench.peers.asterisk_ami_server")
FLOOR_PROGRAM = ServerProgram("tests.bench.peers.same_work_floor")
TIMED_PROGRAM = ServerProgram("tests.bench.peers.timed_server")
SATURATED_PROGRAM = ServerProgram("tests.bench.peers.saturated_server")


class ServerProcess:
    """A server that was started; `stop` ends it and removes its files."""

    def __init__(
        self,
        call_centre: CallCentre,
        *,
        ami_port: int,
        program: ServerProgram,
        outbox: int = 1_048_576,
        more: str = "",
    ) -> None:
        """`more` are elements of server.xml."""
        self._directory = tempfile.TemporaryDirectory(prefix="astcti-bench-")
        place = Path(self._directory.name)
        self.configuration = place / "etc"
        self.port = free_port()
        call_centre.write(
            self.configuration, ami_port=ami_port, listen_port=self.port, outbox=outbox, more=more
        )
        (place / "state").mkdir()
        self._log, self._program = place / "log", program
        options = {
            "--config": self.configuration,
            "--state": place / "state",
            "--status": place / "status.json",
        }
        self._command = [sys.executable, "-m", program.module]
        for option, path in options.items():
            self._command += [option, str(path)]
        self._process = self._started()

    def _environment(self) -> dict[str, str]:
        environment = os.environ | {"PYTHONPATH": ""}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # or every start compiles all of it again
        if self._program.hash_seed is not None:
            environment["PYTHONHASHSEED"] = str(self._program.hash_seed)
        return environment

    def _started(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            # `-m` puts the working directory first, so that each tree runs its own modules.
            return subprocess.Popen(
                self._command, stdout=log, stderr=log, cwd=self._program.tree, env=self._environment()
            )

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait()

    def stop_keeping_members(self) -> None:
        """As the unit and the init script do it for a restart. Raises ServerFailed."""
        words = [*self._command, "stop", "--keep-members"]
        asked = subprocess.run(
            words,
            cwd=self._program.tree,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if asked.returncode:
            raise ServerFailed(f"it does not stop: {asked.stderr}\n{self.log}")
        self._process.wait()

    def start_again(self) -> None:
        """After one of these: the same server on the same port."""
        self._process = self._started()

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    @property
    def memory(self) -> int:
        """Resident memory in bytes."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    @property
    def compiled_modules(self) -> int:
        """How many modules of its packages run compiled: shared objects that are mapped from there."""
        packages = tuple(f"{self._program.tree}/{package}/" for package in ("astcti_server", "schemas"))
        lines = Path(f"/proc/{self._process.pid}/maps").read_text().splitlines()
        files = {line.split(maxsplit=5)[-1] for line in lines if line.endswith(".so")}
        return sum(file.startswith(packages) for file in files)

    @property
    def whole_log(self) -> str:
        """All that it logged."""
        return self._log.read_text(errors="replace")

    @property
    def log(self) -> str:
        """The end of what it logged."""
        return "\n".join(self.whole_log.splitlines()[-20:])

    def state_path(self, name: str) -> Path:
        """Where a file of the state directory is."""
        return Path(self._directory.name) / "state" / name

    def state_file(self, name: str, timeout: float = 10.0) -> Any:
        """What is in a JSON file of the state directory, once it is there."""
        path = self.state_path(name)
        deadline = time.monotonic() + timeout
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.05)  # nothing tells another process of it
        return json.loads(path.read_text())

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
