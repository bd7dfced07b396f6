"""The server of the endurance run: the real program, with clock, disk and name server that can be spoilt."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from astcti_server.cli.options import SOCKET_NAME
from astcti_server.control.asking import (
    ControlConnection,
    NoAnswerError,
    NotAllowedError,
    NotRunningError,
    RequestRefusedError,
)
from schemas.protocol import ControlCommand
from tests.endurance.checks.growth import Sample
from tests.endurance.office import Office
from tests.endurance.programs.spoilt_server import SPOILT, VALUES
from tests.fake.running_server import RunningServer

SAMPLE_WITHIN = 3.0  # seconds for a look at the server; the next one is due after five
DISK = 4 * 1024 * 1024  # bytes of the disk that gets full
SECTIONS = """\
<clients keep-alive="20" max="3000" max-per-address="3000"/><queues reconcile="60"/>\
<kept-ami bytes="1048576"/><audit file="{audit}"/><calls compare="60"/>"""


class ServerUnderTest:
    """Started, killed and started again; its files stay."""

    def __init__(self, folder: Path, ami_port: int, office: Office) -> None:
        self.folder, self.office = folder, office
        self.state = folder / "state"
        self.state.mkdir(parents=True)
        self.own_disk = self._mount()
        self._spoilt = folder / "spoilt"
        self.spoil()
        self._running = RunningServer(
            folder,
            ami_port,
            office.configuration(),
            sections=SECTIONS.format(audit=self.state / "audit.jsonl"),
            ami='ping="5" pause="5"',
            launcher=("env", f"{SPOILT}={self._spoilt}"),
            module="tests.endurance.programs.spoilt_server",
        )
        self.started = 0

    @property
    def port(self) -> int:
        return self._running.port

    @property
    def log(self) -> str:
        return self._running.log

    # -- the process --------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it, and do not wait."""
        self.started += 1
        self._running.start()

    def wait_until_it_listens(self) -> None:
        self._running.wait_for_log("Listening on", self.started)

    def running(self) -> bool:
        return self._running.running

    @property
    def pid(self) -> int:
        return self._running.pid

    def send_signal(self, number: int) -> None:
        self._running.send_signal(number)

    def kill(self) -> None:
        self._running.kill()

    def stop(self) -> int:
        """In order; the members leave their queues."""
        return self._running.stop()

    def stop_keeping_members(self) -> int:
        """In order, as an update does it."""
        subprocess.run(
            [
                sys.executable,
                "-m",
                "astcti_server",
                "--status",
                str(self._running.status_file),
                "stop",
                "--keep-members",
            ],
            check=True,
            capture_output=True,
            timeout=60,
        )
        return self._running.wait()

    def start_a_second(self) -> tuple[int, str]:
        """Start another one by mistake, with the same files. Its exit code and last words."""
        found = subprocess.run(
            [
                sys.executable,
                "-m",
                "astcti_server",
                "--config",
                str(self._running.config),
                "--state",
                str(self.state),
                "--status",
                str(self.folder / "second.json"),
            ],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return found.returncode, found.stderr[-300:]

    # -- what surrounds it ---------------------------------------------------------------------------------

    def configure(self, note: str) -> None:
        """A configuration that differs in a note only."""
        self._running.configure(self.office.configuration(note))

    def put_another(self, content: str) -> None:
        """A newer file beside the one in force: so the server can be started at any moment."""
        self._running.put("another.xml", content)

    def take_another_away(self) -> None:
        (self._running.config / "another.xml").unlink(missing_ok=True)

    def spoil(self, *, clock: float = 0.0, names: float = 0.0) -> None:
        """Its wall clock is wrong by so much, and each look-up of a name takes so much longer (s)."""
        with self._spoilt.open("r+b" if self._spoilt.exists() else "wb", buffering=0) as file:
            file.write(VALUES.pack(clock, names))

    def fill_disk(self) -> None:
        """No byte more for the server."""
        with contextlib.suppress(OSError), (self.state / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(b"x" * 4096)

    def free_disk(self) -> None:
        (self.state / "filler").unlink(missing_ok=True)

    def limit_descriptors(self, more: int | None) -> None:
        """So many more than it has now, or as many as before."""
        hard = resource.prlimit(self.pid, resource.RLIMIT_NOFILE)[1]
        now = _descriptors(self.pid)
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE, (hard if more is None else now + more, hard))

    def sample(self, at: float) -> Sample | None:
        """What it takes now; None while it is not there.

        Memory is without what is kept up to a bound, which fills for an hour.
        """
        try:
            pid = self.pid
            status = Path(f"/proc/{pid}/status").read_text()
            descriptors = _descriptors(pid)
            control = self._running.status_file.with_name(SOCKET_NAME)
            with ControlConnection(control, SAMPLE_WITHIN) as connection:
                told = connection.document(ControlCommand.STATUS)
        except (OSError, ValueError, NotRunningError, NotAllowedError, NoAnswerError, RequestRefusedError):
            return None
        if not told["kept"]:  # the thread that knows it is late
            return None

        def field(name: str) -> float:
            return float(status.partition(f"{name}:")[2].split()[0])

        return Sample(
            at,
            pid,
            {
                "memory": field("VmRSS") * 1024 - sum(told["kept"].values()),
                "threads": field("Threads"),
                "descriptors": float(descriptors),
                "calls": float(told["calls"]),
                **{f"kept {name}": float(size) for name, size in told["kept"].items()},
            },
        )

    def close(self) -> None:
        """Its end, whatever state it is in."""
        if self.running():
            self.send_signal(signal.SIGCONT)
            self.stop()
        if self.own_disk:
            subprocess.run(["umount", str(self.state)], check=False, capture_output=True)

    def _mount(self) -> bool:
        if os.geteuid() != 0 or not shutil.which("mount"):
            return False
        command = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=755", "tmpfs", str(self.state)]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0


def _descriptors(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
