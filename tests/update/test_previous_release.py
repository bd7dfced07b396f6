"""The release before this one: its client with this server, this client with its server, and commands."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from astcti_server.demo.pbx import DemoPbx
from tests.client.conftest import Program
from tests.fake.patience import PATIENCE, until
from tests.fake.previous_release import ROOT, NoHistory, unpack
from tests.fake.running_server import RunningServer
from tests.update.conftest import OFFICE, PHONES

PAGE = "=> would open (browser, any): https://crm.example/?id="
Client = Callable[..., Program]


@pytest.fixture(params=["client", "server"])
def trees(request: pytest.FixtureRequest, previous: Path) -> tuple[Path | None, Path | None]:
    """The client's files and the server's: which of them is the previous release's; None: this one's."""
    return (previous, None) if request.param == "client" else (None, previous)


@contextmanager
def serving(folder: Path, pbx: DemoPbx, tree: Path | None) -> Iterator[RunningServer]:
    server = RunningServer(folder / "server", pbx.address[1], OFFICE, tree=tree)
    with server:
        server.wait_for_log("Channels in Asterisk")
        yield server
    assert "Traceback" not in server.log


def ask(server: RunningServer, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of this version."""
    command = [sys.executable, "-W", "error", "-m", "astcti_server", "--status", str(server.status_file)]
    return subprocess.run([*command, *words], capture_output=True, text=True, timeout=PATIENCE, check=False)


def a_call(pbx: DemoPbx, phone: str, digits: str) -> None:
    """Somebody calls the queue and talks with this phone, then hangs up."""
    caller = pbx.do(lambda engine: engine.incoming_call(digits=digits))

    def ringing() -> bool:
        return any(
            channel.device == phone for channel in pbx.do(lambda engine: list(engine.channels.values()))
        )

    until(ringing, f"{phone} does not ring")
    pbx.do(lambda engine: engine.answer(phone))
    pbx.do(lambda engine: engine.hang_up(caller))


def test_each_tree_runs_its_own_files(previous: Path) -> None:
    where = "import astcti_client, astcti_server; print(astcti_client.__file__, astcti_server.__file__)"
    command = [sys.executable, "-c", where]
    for folder in (previous, ROOT):
        shown = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.split()
        assert [Path(file).parents[1] for file in shown] == 2 * [folder]


def test_a_call_pops_up_once_and_queues_pauses_and_quit_work(
    tmp_path: Path, pbx: DemoPbx, client: Client, trees: tuple[Path | None, Path | None]
) -> None:
    clients, servers = trees
    members = pbx.do(lambda engine: engine.queues.by_name["astcti"].members)
    with serving(tmp_path, pbx, servers) as server:
        mario = client("mario", server.port, clients)
        mario.line("<- 200 astcti")
        a_call(pbx, PHONES["mario"], "12345")
        mario.line("<- Link")
        mario.line(PAGE + "12345")
        mario.line("<- Hangup")
        assert ask(server, "pause", "mario", "Lunch").returncode == 0
        mario.line("<- 310 IN Lunch")
        assert pbx.do(lambda engine: members[PHONES["mario"]].paused)
        assert ask(server, "unpause", "mario").returncode == 0
        mario.line("<- 310 OUT")
        a_call(pbx, PHONES["mario"], "23456")
        mario.line(PAGE + "23456")
        mario.line("<- Hangup")
        mario.signal(signal.SIGTERM)
        mario.line("<- 900 OK")
        assert mario.end() == (0, "")
        until(lambda: not pbx.do(lambda engine: list(members)), "QUIT leaves the member in its queue")
    shown = [line for line in mario.printed if line.startswith("=>")]
    assert shown == [PAGE + "12345", PAGE + "23456"]
    assert not [line for line in mario.printed if line.startswith("!!")]


def test_the_control_socket_of_the_previous_server_answers_this_versions_commands(
    tmp_path: Path, pbx: DemoPbx, previous: Path
) -> None:
    with serving(tmp_path, pbx, previous) as server:
        said = ask(server, "status")
        assert (said.returncode, said.stderr) == (0, "")
        assert said.stdout.startswith("Server ")
        with server.client("mario") as mario:
            mario.expect("200 astcti")
            said = ask(server, "stop", "--keep-members")
        assert (said.returncode, said.stdout, said.stderr) == (0, "The server is gone\n", "")
        assert server.wait() == 0


def test_a_clone_without_history_is_told_with_what_to_do(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True, capture_output=True)
    with pytest.raises(NoHistory, match=r"the previous release, 0123456.*git fetch --unshallow"):
        unpack("0123456789", tmp_path, repository=tmp_path)
