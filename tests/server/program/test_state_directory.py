"""One server for a state directory: a second one starts nothing, and says who is there."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from astcti_server.demo.pbx import DemoPbx
from astcti_server.process.state_directory import StateDirectory, StateError
from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service
from tests.fake.line_client import md5
from tests.fake.patience import PATIENCE, until
from tests.fake.ports import free_port
from tests.fake.running_server import RunningServer

CONFIGURATION = Configuration(
    (Service("Demo", "demo", "inbound", True, "astcti", operators=(Binding("mario", 1),)),),
    (Seat("00:00:00:00:02:01", "PJSIP/201", "PJSIP/201"),),
    (Operator("mario", "Mario", f"md5:{md5('secret')}", seat="00:00:00:00:02:01"),),
)


@pytest.fixture
def server(tmp_path: Path, pbx: DemoPbx) -> Iterator[RunningServer]:
    with RunningServer(tmp_path / "first", pbx.address[1], CONFIGURATION) as running:
        yield running


def second(server: RunningServer, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A server with other files, but the first one's state directory, as somebody tries out by hand."""
    config = server.folder / "tried"
    config.mkdir(exist_ok=True)
    for file in server.config.iterdir():
        text = file.read_text().replace(f'port="{server.port}"', f'port="{free_port()}"')
        (config / file.name).write_text(text)
    return subprocess.run(
        [
            *(sys.executable, "-m", "astcti_server", "--config", str(config)),
            *("--state", str(server.folder / "state"), "--status", str(server.folder / "tried.json")),
            *arguments,
        ],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def test_a_second_server_ends_with_1_says_who_is_there_and_touches_nothing(server: RunningServer) -> None:
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        members = (server.folder / "state" / "queue-members.json").read_bytes()
        refused = second(server)
        assert refused.returncode == 1
        assert f"process {server.status['pid']} since 20" in refused.stderr
        assert f"with configuration '{server.config}'" in refused.stderr
        assert "--state" in refused.stderr
        assert "Traceback" not in refused.stderr
        assert (server.folder / "state" / "queue-members.json").read_bytes() == members
        assert not (server.folder / "tried.json").exists()
        mario.settle()
        assert not [line for line in mario.lines if line.startswith("210")]


def test_commands_need_no_lock(server: RunningServer) -> None:
    assert second(server, "check").returncode == 0
    checked = second(server, "replay", os.devnull)
    assert "is used by" not in checked.stderr


def test_a_server_that_was_killed_leaves_no_lock(server: RunningServer) -> None:
    server.kill()
    server.start()
    server.wait_for_log("Listening on", 2)


def test_a_program_that_the_server_started_does_not_keep_the_lock(server: RunningServer) -> None:
    pid = server.status["pid"]
    lock = server.folder / "state" / "server.lock"
    number = next(name.name for name in Path(f"/proc/{pid}/fd").iterdir() if name.resolve() == lock.resolve())
    flags = int(Path(f"/proc/{pid}/fdinfo/{number}").read_text().split("flags:")[1].split()[0], 8)
    assert flags & os.O_CLOEXEC


def test_a_directory_of_its_own_is_no_second_server(server: RunningServer, pbx: DemoPbx) -> None:
    with RunningServer(server.folder / "other", pbx.address[1], CONFIGURATION):
        pass


def test_the_lock_file_says_who_holds_it_now_and_not_who_held_it_before(tmp_path: Path) -> None:
    (tmp_path / "server.lock").write_text(
        '{"pid": 1, "since": "long ago", "configuration": "/old"}' + 99 * " "
    )
    StateDirectory(tmp_path).take(tmp_path / "new")
    with pytest.raises(StateError, match=f"process {os.getpid()} since 2.* with configuration '.*/new'"):
        StateDirectory(tmp_path).take(tmp_path / "third")


@pytest.mark.parametrize("said", [b"", b"{", b"[]", b'{"pid": "x"}', b'{"pid": 1e400}', b"\xff", b"[" * 9999])
def test_a_holder_that_does_not_say_who_it_is_still_holds(tmp_path: Path, said: bytes) -> None:
    StateDirectory(tmp_path).take(tmp_path)
    (tmp_path / "server.lock").write_bytes(said)
    with pytest.raises(StateError, match=r"is used by a server that runs already\."):
        StateDirectory(tmp_path).take(tmp_path)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_warned_about_and_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, number: int
) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    StateDirectory(tmp_path).take(tmp_path)
    assert "has no locks" in caplog.text


def test_the_lock_is_not_taken_through_a_link(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.write_text("precious")
    (tmp_path / "server.lock").symlink_to(target)
    with pytest.raises(StateError, match=r"server\.lock"):
        StateDirectory(tmp_path).take(tmp_path)
    assert target.read_text() == "precious"


def test_the_directory_is_made_and_the_lock_kept_from_others_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        StateDirectory(tmp_path / "a" / "b").take(tmp_path)
    finally:
        os.umask(before)
    assert (tmp_path / "a" / "b" / "server.lock").stat().st_mode & 0o777 == 0o600


def test_a_directory_that_cannot_be_used_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StateError, match="--state"):
        StateDirectory(tmp_path / "file").take(tmp_path)


def test_no_file_of_the_server_can_be_read_by_others_whatever_the_umask(tmp_path: Path, pbx: DemoPbx) -> None:
    own = tmp_path / "own"
    options = ("--pidfile", str(own / "server.pid"), "--record", str(tmp_path / "traffic"))
    log = tmp_path / "written.log"
    server = RunningServer(
        tmp_path / "server",
        pbx.address[1],
        CONFIGURATION,
        options=options,
        sections=f'<logging file="{log}"/>',
    )
    before = os.umask(0)
    try:
        server.start()
        until(lambda: log.exists() and "Listening on" in log.read_text(), "the server does not listen")
    finally:
        os.umask(before)
    with server.client("mario") as mario:
        mario.expect("200 astcti")
    files = [*(server.folder / "state").iterdir(), server.status_file, own / "server.pid", log]
    modes = {path.name: path.stat().st_mode & 0o777 for path in [*files, tmp_path / "traffic"]}
    assert server.stop() == 0
    assert modes == {
        "configuration-in-force": 0o600,
        "login-key": 0o600,
        "queue-members.json": 0o600,
        "server.lock": 0o600,
        "status.json": 0o640,
        "server.pid": 0o640,
        "written.log": 0o640,
        "traffic": 0o640,
    }


def test_a_status_file_is_not_written_through_a_link(tmp_path: Path, pbx: DemoPbx) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    server = RunningServer(tmp_path / "server", pbx.address[1], CONFIGURATION)
    server.status_file.symlink_to(precious)
    with server:
        until(lambda: server.status["ami"]["state"] == "up", "the server is not up")
        assert not server.status_file.is_symlink()
    assert precious.read_text() == "precious"


def test_a_member_that_somebody_removes_is_back_within_seconds(server: RunningServer, pbx: DemoPbx) -> None:
    """Here by a second server with the first one's list, in a directory of its own."""
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        thief = RunningServer(server.folder / "thief", pbx.address[1], CONFIGURATION)
        state = thief.folder / "state"
        state.mkdir()
        (state / "queue-members.json").write_bytes(
            (server.folder / "state" / "queue-members.json").read_bytes()
        )
        with thief:
            until(lambda: thief.status["ami"]["state"] == "up", "the second server is not up")
            assert thief.stop(signal.SIGTERM) == 0
        mario.expect("210 astcti")
        mario.expect("200 astcti")
        assert "was removed from queue astcti by somebody else" in server.log
