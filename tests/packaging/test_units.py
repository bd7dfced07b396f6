"""The systemd units: they let the programs do what they need, and hardly anything else."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from astcti_server.demo.pbx import DemoPbx
from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service
from tests import needed
from tests.fake.line_client import md5
from tests.fake.patience import PATIENCE, until
from tests.fake.running_server import RunningServer

ROOT = Path(__file__).resolve().parent.parent.parent
SERVER = ROOT / "astcti_server" / "etc" / "astcti-server.service"
CONFIGURATOR = ROOT / "configurator" / "etc" / "astcti-configurator.service"
SAMPLE = SERVER.parent / "sample" / "configuration.xml"
MOST_EXPOSED = 2.0
SYSTEM_PYTHON = "/usr/bin/python3"
CONFIGURATION = Configuration(
    (Service("Demo", "demo", "inbound", True, "astcti", operators=(Binding("mario", 1),)),),
    (Seat("00:00:00:00:02:01", "PJSIP/201", "PJSIP/201"),),
    (Operator("mario", "Mario", f"md5:{md5('secret')}", seat="00:00:00:00:02:01"),),
)
units = pytest.mark.parametrize("unit", [SERVER, CONFIGURATOR], ids=lambda unit: unit.stem)


def analyze(*arguments: object) -> subprocess.CompletedProcess[str]:
    if shutil.which("systemd-analyze") is None:
        needed.lacking("systemd-analyze is missing: run tests/system-packages.sh")
    return subprocess.run(
        ["systemd-analyze", *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE
    )


@units
def test_a_unit_exposes_little(unit: Path) -> None:
    shown = analyze("security", "--offline=true", "--no-pager", unit).stdout
    level = re.search(r"Overall exposure level for \S+: ([0-9.]+)", shown)
    assert level is not None, shown
    assert float(level[1]) < MOST_EXPOSED, shown


@units
def test_a_unit_has_no_mistakes(unit: Path, tmp_path: Path) -> None:
    text = re.sub(
        r"(Exec(?:Start|Stop)=-?)/usr/bin/astcti\S+", r"\1/bin/true", unit.read_text()
    )  # it is not installed here
    (tmp_path / unit.name).write_text(text)
    checked = analyze("verify", "--man=no", tmp_path / unit.name)
    assert checked.returncode == 0
    assert unit.name not in checked.stderr


@units
def test_a_crash_leaves_no_core_with_secrets(unit: Path) -> None:
    assert "\nLimitCORE=0\n" in unit.read_text()


@units
def test_a_unit_says_what_to_do_for_low_ports_and_other_directories(unit: Path) -> None:
    text = unit.read_text()
    assert "CAP_NET_BIND_SERVICE" in text
    assert "ReadWritePaths=" in text


def confined(unit: Path) -> tuple[str, ...]:
    """What to put before a program, so that it runs as the unit confines it."""
    analyze("--version")
    tried = subprocess.run([SYSTEM_PYTHON, "-c", "import seccomp"], capture_output=True, timeout=PATIENCE)
    if tried.returncode:
        needed.lacking("python3-seccomp is missing: run tests/system-packages.sh")
    return SYSTEM_PYTHON, str(Path(__file__).with_name("confined.py")), str(unit)


@pytest.fixture
def pbx() -> Iterator[DemoPbx]:
    with DemoPbx() as running:
        yield running


def test_what_the_unit_forbids_is_forbidden_in_these_tests() -> None:
    tries = (
        "import socket, os, mmap\n"
        "for attempt in (lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW), lambda: os.setuid(1),\n"
        "                lambda: os.chroot('/'), lambda: mmap.mmap(-1, 4096, prot=7)):\n"
        "    try: attempt()\n"
        "    except OSError: print('refused')\n"
    )
    done = subprocess.run(
        [*confined(SERVER), sys.executable, "-c", tries], capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.stdout == 4 * "refused\n", done.stderr


def test_the_server_does_all_its_work_as_its_unit_confines_it(tmp_path: Path, pbx: DemoPbx) -> None:
    server = RunningServer(
        tmp_path / "server",
        pbx.address[1],
        CONFIGURATION,
        options=("--record", str(tmp_path / "traffic"), "--pidfile", str(tmp_path / "pid")),
        launcher=confined(SERVER),
    )
    with server:
        with server.client("mario") as mario:
            mario.expect("200 astcti")
            mario.say("PAUSE IN Lunch")
            mario.expect("300 OK")
            server.configure(replace(CONFIGURATION, pause_reasons=("Lunch",)), "later.xml")
            until(lambda: server.status["configuration"]["file"].endswith("later.xml"), "it is not taken up")
            mario.settle()
        assert server.stop() == 0
    for sign in ("no file events", "the limit of open files stays", "Traceback", "not permitted"):
        assert sign not in server.log


def test_the_configurator_does_all_its_work_as_its_unit_confines_it(tmp_path: Path) -> None:
    published = tmp_path / "etc"
    published.mkdir()
    program = [*confined(CONFIGURATOR), sys.executable, "-m", "configurator"]
    program += ["--data", str(tmp_path / "data"), "--publish", str(published)]
    for words in (["import", str(SAMPLE)], ["publish"], ["publish", "--form", "sqlite"]):
        done = subprocess.run([*program, *words], capture_output=True, text=True, timeout=2 * PATIENCE)
        assert done.returncode == 0, done.stderr
    assert sorted(path.suffix for path in published.iterdir()) == [".sqlite", ".xml"]
    user = {"ASTCTI_CONFIGURATOR_USER": "root", "ASTCTI_CONFIGURATOR_PASSWORD": "correct horse battery"}
    process = subprocess.Popen(
        [*program, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True, env={**os.environ, **user}
    )
    assert process.stdout is not None
    with process:
        address = process.stdout.readline().rpartition(" ")[2].strip()
        with urllib.request.urlopen(f"{address}login/", timeout=PATIENCE) as answer:
            assert "Log in" in answer.read().decode()
        process.terminate()
        assert process.wait(PATIENCE) == 0


def test_the_configurator_may_read_a_large_file_behind_all_others(tmp_path: Path) -> None:
    reading = (
        "import os, sys\n"
        "from configurator.publishing import reading_apart\n"
        "before = os.nice(0)\n"
        "assert reading_apart.main(sys.argv[1:]) == 0\n"
        "sys.exit(os.nice(0) != min(19, before + reading_apart.LATER))\n"
    )
    done = subprocess.run(
        [*confined(CONFIGURATOR), sys.executable, "-c", reading, str(SAMPLE), "xml", "values"],
        capture_output=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stderr) == (0, b"")
