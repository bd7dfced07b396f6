"""The System V init script, with its places in a folder of the test."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import astcti_server
from schemas.configuration import Configuration, Seat
from schemas.configuration_xml import dump
from tests.fake.patience import PATIENCE
from tests.fake.ports import free_port

SCRIPT = Path(astcti_server.__file__).with_name("etc") / "astcti-server.init"

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("start-stop-daemon"), reason="needs root and start-stop-daemon"
)


class InitScript:
    """The script as it is installed, but for the places."""

    def __init__(self, folder: Path) -> None:
        self.config, self.pidfile = folder / "config", folder / "run/astcti-server.pid"
        self.config.mkdir()
        (self.config / "server.xml").write_text(
            f'<server><ami port="{free_port()}" username="astcti" secret="x"/>'
            f'<listen port="{free_port()}"/></server>'
        )
        daemon, defaults = folder / "astcti-server", folder / "defaults"
        source = Path(astcti_server.__file__).parents[1]
        daemon.write_text(
            f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(source)!r})\n"
            "from astcti_server.cli import main\nmain()\n"
        )
        daemon.chmod(0o755)
        defaults.write_text(
            f'DAEMON={daemon}\nRUNDIR={folder}/run\nPIDFILE={self.pidfile}\nLOGFILE={folder}/log\n'
            f'CONFIG={self.config}\nRUN_AS=root\nOPTIONS="--state {folder}/state --status {folder}/status"\n'
        )
        self._script = folder / "init"
        self._script.write_text(SCRIPT.read_text().replace("/etc/default/$NAME", str(defaults)))

    def __call__(self, what: str) -> tuple[int, str]:
        """Exit code, and everything it said."""
        done = subprocess.run(
            ["sh", self._script, what], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=PATIENCE, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout


@pytest.fixture
def script(tmp_path: Path) -> Iterator[InitScript]:
    script = InitScript(tmp_path)
    yield script
    script("stop")


@pytest.fixture
def other_program() -> Iterator[int]:
    """The process id of a program that has nothing to do with the server."""
    with subprocess.Popen(["sleep", "60"]) as program:
        yield program.pid
        program.kill()


def test_it_starts_the_server_with_what_is_valid_and_takes_no_other_program_for_it(
    script: InitScript, other_program: int
) -> None:
    (script.config / "new.xml").write_text("<configuration><seats/>")
    code, said = script("start")
    assert code == 6, "nothing is valid"
    assert "new.xml:1: " in said
    configuration = Configuration(seats=(Seat("00:00:00:00:02:01", "PJSIP/201", "PJSIP/201"),))
    (script.config / "old.xml").write_bytes(dump(configuration))
    os.utime(script.config / "old.xml", (1000.0, 1000.0))
    script.pidfile.parent.mkdir()
    script.pidfile.write_text(str(other_program))  # as a crash and a busy day leave it
    assert script("status")[0] == 3
    code, said = script("start")
    assert code == 0, said
    assert "new.xml:1: " in said
    assert "old.xml" in said.partition("In force: ")[2]
    process = script.pidfile.read_text().strip()
    assert process != str(other_program)
    assert script("status") == (0, f"astcti-server is running (process {process})\n")
    assert script("stop") == (0, "astcti-server stopped\n")
