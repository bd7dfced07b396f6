"""`doctor` beside a running server and the demo PBX: what it asks for, and what it leaves alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from astcti_server.control.asking import ControlConnection
from astcti_server.demo.pbx import DemoPbx
from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service
from schemas.protocol import ControlCommand
from tests.fake.line_client import md5
from tests.fake.patience import PATIENCE, until
from tests.fake.running_server import RunningServer

PHONE, MAC = "PJSIP/201", "00:00:00:00:02:01"
CONFIGURATION = Configuration(
    services=(
        Service(
            "Demo", "astctidemo", "inbound", is_queue=True, queue_name="astcti", operators=(Binding("mario"),)
        ),
    ),
    seats=(Seat(MAC, PHONE, PHONE),),
    operators=(Operator("mario", "Mario Rossi", f"md5:{md5('secret')}", seat=MAC),),
)


@pytest.fixture
def server(tmp_path: Path, pbx: DemoPbx) -> Iterator[RunningServer]:
    with RunningServer(tmp_path, pbx.address[1], CONFIGURATION) as running:
        running.wait_for_log("Logged in to Asterisk")
        yield running


def doctor(folder: Path, *words: str) -> tuple[int, dict[str, Any]]:
    options = [
        f"--config={folder / 'config'}",
        f"--state={folder / 'state'}",
        f"--status={folder / 'status.json'}",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "astcti_server", *options, "doctor", "--json", *words],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert not done.stderr
    return done.returncode, json.loads(done.stdout)


def said(told: dict[str, Any], severity: str) -> set[str]:
    return {finding["code"] for finding in told["findings"] if finding["severity"] == severity}


def test_the_server_tells_what_it_has_seen_but_no_secret(server: RunningServer, pbx: DemoPbx) -> None:
    def seen() -> dict[str, Any]:
        with ControlConnection(server.folder / "control.sock") as connection:
            return dict(connection.document(ControlCommand.SEEN))

    pbx.do(lambda engine: engine.incoming_call(digits="12345"))
    until(lambda: "Newchannel" in seen()["events"], "no Newchannel was seen")
    told = seen()
    assert told["ami"]["port"] == pbx.address[1] and told["listen"]["port"] == server.port
    assert "secret" not in told["ami"]
    assert told["refusals"] == []
    assert told["descriptors"] is None or told["descriptors"] > 0
    assert isinstance(told["user"], int) and told["user"] >= 0 and told["groups"]


def test_nothing_is_wrong_beside_the_demo_pbx_and_nothing_is_changed(
    server: RunningServer, pbx: DemoPbx
) -> None:
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        files = {
            path: path.stat().st_mtime_ns for path in server.folder.rglob("*") if "status" not in path.name
        }
        code, told = doctor(server.folder)
        assert said(told, "error") == set()
        assert said(told, "warning") <= {"server-root"}  # the tests may be root's
        assert code == (1 if said(told, "warning") else 0)
        mario.settle()
        assert not [line for line in mario.lines if line.startswith(("901", "211"))]
    after = {path: path.stat().st_mtime_ns for path in server.folder.rglob("*") if "status" not in path.name}
    assert {path for path in files if after.get(path) != files[path]} <= {server.log_file}
    assert "Traceback" not in server.log


def test_a_server_that_was_killed_does_not_run(server: RunningServer, pbx: DemoPbx) -> None:
    server.kill()
    _code, told = doctor(server.folder)
    assert "server-not-running" in said(told, "note")
    assert said(told, "error") == set()


def test_without_a_valid_configuration_that_is_the_finding(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    code, told = doctor(tmp_path)
    assert code == 2
    assert said(told, "error") == {"configuration-invalid"}
    assert told["least_user"] == ""
