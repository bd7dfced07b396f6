"""The real client as a process that has nothing to do with this user's own one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.bench.processes.server_process import PROJECT

STOP_WITHIN = 20.0  # seconds


class ClientProcess:
    """Started with a window; `end` ends it."""

    def __init__(
        self, folder: Path, settings: str, environ: Mapping[str, str], program: str = "astcti_client"
    ) -> None:
        """`folder` is empty, and its home; `settings` is its settings file; `program` a module to run."""
        self._log = folder / "log"
        runtime = folder / "run"
        runtime.mkdir(mode=0o700)
        file = folder / "client.toml"
        file.write_text(settings)
        file.chmod(0o600)
        own = {
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(runtime),
            "XDG_DATA_HOME": str(folder / "data"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            "PYTHONPATH": str(PROJECT),  # also for processes that it starts
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", program, "--config", str(file)],
                stdout=log,
                stderr=log,
                cwd=PROJECT,
                env={**environ, **own},
            )

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def log(self) -> str:
        """The end of what it said."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-20:])

    @property
    def memory(self) -> int:
        """Resident memory in bytes."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def tell_to_end(self) -> None:
        """Ask it to end; `end` waits for that."""
        self._process.terminate()

    def end(self) -> None:
        """End it, and wait until it is gone."""
        self.tell_to_end()
        try:
            self._process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
