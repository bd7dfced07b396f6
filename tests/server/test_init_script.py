"""The System V init script, with a stand-in for the server: after crashes, and beside wrong files."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import astcti_server
from tests.fake.patience import PATIENCE, until
from tests.needed import lacking

SCRIPT = Path(astcti_server.__file__).with_name("etc") / "astcti-server.init"
STAND_IN = """#!/bin/sh
if [ "$1" = check ]; then cat "$3/report"; exit 78; fi
echo $$ >"$4"
exec sleep 600
"""


class Service:
    """The script with its paths in a folder of the test."""

    def __init__(self, folder: Path) -> None:
        self.pidfile = folder / "run/astcti-server.pid"
        self.report = folder / "report"
        self.says("server.xml:2: wrong\nIn force: configuration.xml\n")
        program = folder / "astcti-server"
        program.write_text(STAND_IN)
        program.chmod(0o755)
        text = SCRIPT.read_text()
        for name, value in (
            ("DAEMON", program), ("RUNDIR", self.pidfile.parent), ("LOGFILE", folder / "log"),
            ("CONFIG", folder), ("RUN_AS", "nobody"),
        ):  # fmt: skip
            old = next(line for line in text.splitlines() if line.startswith(f"{name}="))
            text = text.replace(old, f"{name}={value}", 1)
        self._script = folder / "init"
        self._script.write_text(text.replace("/etc/default/$NAME", f"{folder}/default"))

    def says(self, report: str) -> None:
        """What `check` is to print, which always finds something wrong."""
        self.report.write_text(report)

    def do(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", self._script, command], capture_output=True, text=True, timeout=PATIENCE, check=False
        )

    @property
    def process(self) -> int:
        return int(self.pidfile.read_text())


@pytest.fixture
def service() -> Iterator[Service]:
    if os.geteuid() != 0 or shutil.which("start-stop-daemon") is None:
        lacking("needs root and start-stop-daemon (Debian's package dpkg)")
    folder = Path(tempfile.mkdtemp(prefix="astcti-init-"))
    folder.chmod(0o755)  # the server's user comes by
    service = Service(folder)
    yield service
    service.do("stop")
    shutil.rmtree(folder)


def is_gone(process: int) -> bool:
    return not Path(f"/proc/{process}").exists()


def test_server_that_was_killed_can_be_started_again(service: Service) -> None:
    assert service.do("start").returncode == 0
    killed = service.process
    os.kill(killed, signal.SIGKILL)
    until(lambda: is_gone(killed), "the process is gone")
    assert service.do("status").returncode == 3
    started = service.do("start")
    assert (started.returncode, started.stderr) == (0, "")
    assert service.process != killed
    assert service.do("stop").returncode == 0
    until(lambda: is_gone(service.process), "the process is gone")


def test_process_that_got_a_crashed_servers_id_is_left_alone(service: Service) -> None:
    service.pidfile.parent.mkdir()
    with subprocess.Popen(["sleep", "600"]) as other:
        try:
            service.pidfile.write_text(f"{other.pid}\n")
            shutil.chown(service.pidfile, "nobody")
            codes = [service.do(command).returncode for command in ("status", "stop", "reload", "start")]
            assert codes == [3, 0, 1, 0]
            assert service.process != other.pid
            assert other.poll() is None
        finally:
            other.kill()


def test_wrong_file_beside_a_valid_one_is_shown_and_keeps_nobody_from_starting(service: Service) -> None:
    started = service.do("start")
    assert "server.xml:2: wrong" in started.stdout
    assert started.returncode == 0


def test_without_any_valid_configuration_nothing_is_started(service: Service) -> None:
    service.says("server.xml:2: wrong\n")
    started = service.do("start")
    assert "server.xml:2: wrong" in started.stdout
    assert started.returncode == 6
    assert not service.pidfile.exists()
