"""The System V init script: with a stand-in for the server, and with the server itself."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import astcti_server
from astcti_server.demo.pbx import DemoPbx
from schemas.configuration.model import Configuration, Seat
from schemas.configuration.xml_form import dump_xml
from tests.fake.patience import PATIENCE, until
from tests.fake.ports import free_port
from tests.fake.running_server import ONE_SEAT, PHONE, SeatClient
from tests.needed import lacking

SCRIPT = Path(astcti_server.__file__).with_name("etc") / "astcti-server.init"
STAND_IN = """#!/bin/sh
if [ "$1" = check ]; then cat "$3/report"; exit 78; fi
if [ "$1" = status ]; then cat "$(dirname "$0")/status-said"; exit "$(cat "$(dirname "$0")/status-code")"; fi
echo $$ >"$4"
exec tail -f "$0"
"""


class Service:
    """The script with its paths in a folder of the test."""

    def __init__(self, folder: Path) -> None:
        self.pidfile = folder / "run/astcti-server.pid"
        self.report = folder / "report"
        self._folder = folder
        self.answers(0, "Server  1.0")
        self.says("server.xml:2: wrong\nIn force: configuration.xml\n")
        program = folder / "astcti-server"
        program.write_text(STAND_IN)
        program.chmod(0o755)
        text = SCRIPT.read_text()
        for name, value in (
            ("DAEMON", program),
            ("RUNDIR", self.pidfile.parent),
            ("LOGFILE", folder / "log"),
            ("CONFIG", folder),
            ("RUN_AS", "nobody"),
        ):
            old = next(line for line in text.splitlines() if line.startswith(f"{name}="))
            text = text.replace(old, f"{name}={value}", 1)
        self._script = folder / "init"
        self._script.write_text(text.replace("/etc/default/$NAME", f"{folder}/default"))

    def says(self, report: str) -> None:
        """What `check` is to print, which always finds something wrong."""
        self.report.write_text(report)

    def answers(self, code: int, said: str) -> None:
        """What `status` of the server's program is to say."""
        (self._folder / "status-said").write_text(f"{said}\n")
        (self._folder / "status-code").write_text(f"{code}\n")

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


@pytest.mark.parametrize(("code", "shown"), [(0, 0), (1, 0), (5, 4)])
def test_status_tells_a_server_that_serves_from_one_that_hangs(
    service: Service, code: int, shown: int
) -> None:
    assert service.do("start").returncode == 0
    service.answers(code, "Server  1.0")
    said = service.do("status")
    assert said.stdout == f"astcti-server is running (process {service.process})\nServer  1.0\n"
    assert said.returncode == shown


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


# -- the server itself --------------------------------------------------------------------------------------


class RealService:
    """The script and the real server, with their places in a folder of the test."""

    def __init__(self, folder: Path) -> None:
        self.config, self.pidfile = folder / "config", folder / "run/astcti-server.pid"
        self.control = folder / "control.sock"  # beside the status file
        self.config.mkdir()
        self.port = free_port()
        self.reaches(free_port())
        daemon, defaults = folder / "astcti-server", folder / "defaults"
        source = Path(astcti_server.__file__).parents[1]
        daemon.write_text(
            f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(source)!r})\n"
            "from astcti_server.cli.program import main\nmain()\n"
        )
        daemon.chmod(0o755)
        defaults.write_text(
            f"DAEMON={daemon}\nRUNDIR={folder}/run\nPIDFILE={self.pidfile}\nLOGFILE={folder}/log\n"
            f'CONFIG={self.config}\nRUN_AS=root\nOPTIONS="--state {folder}/state --status {folder}/status"\n'
        )
        self._script = folder / "init"
        self._script.write_text(SCRIPT.read_text().replace("/etc/default/$NAME", str(defaults)))

    def reaches(self, ami_port: int) -> None:
        """Asterisk is on this port, from the next start on."""
        (self.config / "server.xml").write_text(
            f'<server><ami port="{ami_port}" username="astcti" secret="astcti"/>'
            f'<listen port="{self.port}"/></server>'
        )

    def __call__(self, what: str) -> tuple[int, str]:
        """Exit code, and everything it said."""
        done = subprocess.run(
            ["sh", self._script, what],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return done.returncode, done.stdout


@pytest.fixture
def real_service(tmp_path: Path) -> Iterator[RealService]:
    if os.geteuid() != 0 or shutil.which("start-stop-daemon") is None:
        lacking("needs root and start-stop-daemon (Debian's package dpkg)")
    service = RealService(tmp_path)
    yield service
    service("stop")


@pytest.fixture
def other_program() -> Iterator[int]:
    """The process id of a program that has nothing to do with the server."""
    with subprocess.Popen(["sleep", "60"]) as program:
        yield program.pid
        program.kill()


def test_it_starts_the_server_with_what_is_valid_and_takes_no_other_program_for_it(
    real_service: RealService, other_program: int
) -> None:
    (real_service.config / "new.xml").write_text("<configuration><seats/>")
    code, said = real_service("start")
    assert code == 6, "nothing is valid"
    assert "new.xml:1: " in said
    configuration = Configuration(seats=(Seat("00:00:00:00:02:01", "PJSIP/201", "PJSIP/201"),))
    (real_service.config / "old.xml").write_bytes(dump_xml(configuration))
    os.utime(real_service.config / "old.xml", (1000.0, 1000.0))
    real_service.pidfile.parent.mkdir()
    real_service.pidfile.write_text(str(other_program))  # as a crash and a busy day leave it
    assert real_service("status")[0] == 3
    code, said = real_service("start")
    assert code == 0, said
    assert "new.xml:1: " in said
    assert "old.xml" in said.partition("In force: ")[2]
    process = real_service.pidfile.read_text().strip()
    assert process != str(other_program)
    code, said = real_service("status")
    first, second, *_ = said.splitlines()
    assert (code, first) == (0, f"astcti-server is running (process {process})")
    assert re.match(rf"Server +\S+, process {process}, since ", second)
    assert real_service("stop") == (0, "astcti-server stopped\n")


def test_a_restart_keeps_the_members_and_a_stop_does_not(real_service: RealService, pbx: DemoPbx) -> None:
    real_service.reaches(pbx.address[1])
    (real_service.config / "configuration.xml").write_bytes(dump_xml(ONE_SEAT))
    assert real_service("restart")[0] == 0, "it did not run, so it is started"
    heard: list[str] = []
    with SeatClient(real_service.port, "mario", "secret") as mario:
        mario.expect("200 astcti")
        pbx.do(lambda engine: engine.listeners.append(lambda event: heard.append(event.name)))
        code, said = real_service("restart")
        assert (code, said.splitlines()[0]) == (0, "astcti-server stopped, the queues keep their members")
        mario.expect("910 BYE SHUTDOWN")
    with SeatClient(real_service.port, "mario", "secret") as mario:
        mario.expect("200 astcti")
        assert not [name for name in heard if name.startswith("QueueMember")]
        assert pbx.do(lambda engine: list(engine.queues.by_name["astcti"].members)) == [PHONE]
        assert real_service("stop") == (0, "astcti-server stopped\n")
    assert pbx.do(lambda engine: list(engine.queues.by_name["astcti"].members)) == []


def test_a_restart_of_a_server_that_cannot_be_asked_stops_it_all_the_same(
    real_service: RealService, pbx: DemoPbx
) -> None:
    real_service.reaches(pbx.address[1])
    (real_service.config / "configuration.xml").write_bytes(dump_xml(ONE_SEAT))
    assert real_service("start")[0] == 0
    process = real_service.pidfile.read_text()
    until(real_service.control.exists, "it has no control socket")
    real_service.control.unlink()
    code, said = real_service("restart")
    assert code == 0
    assert "astcti-server: not running (" in said and "astcti-server stopped\n" in said
    assert real_service.pidfile.read_text() != process
