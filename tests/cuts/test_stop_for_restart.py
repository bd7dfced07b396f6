"""A restart: the members stay in their queues, whoever asks for it and however many there are."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from astcti_server.demo.pbx import DemoPbx
from astcti_server.process.systemd_job import job_type
from tests.fake.patience import PATIENCE
from tests.fake.running_server import ONE_SEAT, PHONE, RunningServer

UNIT = "astcti-server.service"
LISTED = """3511 {unit} {type} running
17   asterisk.service      start waiting
3519 cron.service          stop  waiting
"""
"""As `systemctl --no-legend --plain --full list-jobs` of systemd 252 prints it: number, unit, type, state."""


@pytest.fixture
def pbx() -> Iterator[DemoPbx]:
    with DemoPbx() as running:
        yield running


@pytest.fixture(params=["", '<clients grace="0"/>'], ids=["grace", "no-grace"])
def server(tmp_path: Path, pbx: DemoPbx, request: pytest.FixtureRequest) -> Iterator[RunningServer]:
    with RunningServer(tmp_path, pbx.address[1], ONE_SEAT, sections=request.param) as running:
        yield running
    assert "Traceback" not in running.log


def stand_in(folder: Path, says: str, code: int = 0, errors: str = "") -> Path:
    """A folder with a `systemctl` in it that says this when it is asked for the jobs."""
    place = folder / "bin"
    place.mkdir()
    (place / "jobs").write_text(says)
    program = place / "systemctl"
    program.write_text(
        "#!/bin/sh\n"
        'case " $* " in *" list-jobs "*) ;; *) echo "not asked for the jobs: $*" >&2; exit 1 ;; esac\n'
        f'cat "{place}/jobs"\necho "{errors}" >&2\nexit {code}\n'
    )
    program.chmod(0o755)
    return place


def stop(server: RunningServer, *words: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run `astcti-server stop`, with this folder first on the PATH."""
    command = [sys.executable, "-W", "error", "-m", "astcti_server", "--status", str(server.status_file)]
    environ = {**os.environ, "PATH": f"{path}:{os.environ['PATH']}"} if path else None
    return subprocess.run(
        [*command, "stop", *words], capture_output=True, text=True, timeout=PATIENCE, env=environ, check=False
    )


def members(pbx: DemoPbx) -> list[str]:
    return pbx.do(lambda engine: list(engine.queues.by_name["astcti"].members))


@pytest.mark.parametrize(
    ("job", "words", "kept"),
    [
        ("restart", ("--for-job",), True),
        ("restart", (f"--for-job={UNIT}", "--within=15"), True),
        ("stop", ("--for-job",), False),
        ("restart", ("--for-job=other.service",), False),
    ],
)
def test_what_stops_a_unit_keeps_the_members_where_its_job_is_a_restart(
    server: RunningServer, pbx: DemoPbx, tmp_path: Path, job: str, words: tuple[str, ...], kept: bool
) -> None:
    path = stand_in(tmp_path, LISTED.format(unit=UNIT, type=job))
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        said = stop(server, *words, path=path)
        assert (said.returncode, said.stdout, said.stderr) == (0, "The server is gone\n", "")
    assert server.wait() == 0
    assert members(pbx) == ([PHONE] if kept else [])


def test_where_systemd_does_not_tell_on_stop_counts_and_that_is_said(
    server: RunningServer, pbx: DemoPbx, tmp_path: Path
) -> None:
    path = stand_in(tmp_path, "", 1, "Failed to connect to bus: No such file or directory")
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        said = stop(server, "--for-job", path=path)
    assert said.returncode == 0
    assert said.stderr == (
        "astcti-server: whether this is a restart is not known "
        "(Failed to connect to bus: No such file or directory): on-stop counts\n"
    )
    assert members(pbx) == []


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        ("", ""),
        ("No jobs running.\n", ""),
        (f"12 {UNIT} restart running\n", "restart"),
        (f"  12 {UNIT}   stop    running\n", "stop"),
        (f"12 other-{UNIT} restart running\n", ""),
        (f"JOB UNIT TYPE STATE\n 7 {UNIT} start waiting\n\n1 jobs listed.\n", "start"),
    ],
)
def test_the_job_of_a_unit_is_found_in_what_systemctl_lists(listed: str, found: str) -> None:
    assert job_type(listed, UNIT) == found


def test_the_next_server_takes_members_and_pauses_over_without_a_word_to_asterisk(
    server: RunningServer, pbx: DemoPbx
) -> None:
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        mario.say("PAUSE IN Lunch")
        mario.expect("300 OK")
        heard: list[str] = []
        pbx.do(lambda engine: engine.listeners.append(lambda event: heard.append(event.name)))
        assert stop(server, "--keep-members").returncode == 0
        mario.expect("910 BYE SHUTDOWN")
    assert server.wait() == 0
    server.start()
    server.wait_for_log("Listening on", 2)
    with server.client("mario") as mario:
        mario.expect_all("200 astcti", "310 IN Lunch")
        mario.say("PAUSE OUT")
        mario.expect("300 OK")
    assert [name for name in heard if name.startswith("QueueMember")] == ["QueueMemberPause"]
