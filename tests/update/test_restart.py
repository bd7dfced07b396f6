"""A restart and an update in the middle of the day: calls go on, clients come back, nobody leaves a queue."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from astcti_server.demo.calls.channels import Channel, ChannelState
from astcti_server.demo.calls.engine import Engine
from astcti_server.demo.pbx import DemoPbx
from tests.client.conftest import Program
from tests.fake.patience import until
from tests.fake.previous_release import ROOT
from tests.fake.running_server import RunningServer
from tests.update.conftest import OFFICE, PEOPLE, PHONES

PAGE = "=> would open (browser, any): https://crm.example/?id="
PACKAGES = ("astcti_server", "schemas")
Client: TypeAlias = Callable[..., Program]


class Callers:
    """People who call the queue, one after the other, while a test does something else."""

    def __init__(self, pbx: DemoPbx) -> None:
        self._pbx = pbx
        self._digits = itertools.count(10_000)
        self.heard: list[str] = []
        """What Asterisk said of members of queues."""
        pbx.do(lambda engine: engine.listeners.append(lambda event: self._take(event.name)))

    def _take(self, name: str) -> None:
        if name.startswith("QueueMember") and name != "QueueMemberStatus":
            self.heard.append(name)

    def next(self) -> tuple[str, str]:
        """One calls, a phone answers; returns the digits and that phone. Who talked before hangs up."""
        digits = str(next(self._digits))

        def talks(engine: Engine) -> list[Channel]:
            return [channel for channel in engine.channels.values() if channel.device in PHONES.values()]

        def end_calls(engine: Engine) -> None:
            for channel in talks(engine):
                engine.hang_up(channel)

        self._pbx.do(end_calls)
        self._pbx.do(lambda engine: engine.incoming_call(digits=digits))
        until(lambda: self._pbx.do(lambda engine: talks(engine)), "no phone rings")

        def answer(engine: Engine) -> str:
            phone = next(channel for channel in talks(engine) if channel.state is ChannelState.RINGING).device
            engine.answer(phone)
            return phone

        return digits, self._pbx.do(answer)


def stop_keeping_members(server: RunningServer, callers: Callers, tree: Path) -> None:
    """With the command of this tree, while people go on to call."""
    command = [sys.executable, "-m", "astcti_server", "--status", str(server.status_file)]
    with subprocess.Popen([*command, "stop", "--keep-members"], cwd=tree, stdout=subprocess.DEVNULL) as asked:
        while asked.poll() is None:
            callers.next()
    assert asked.returncode == 0
    assert server.wait() == 0


def check_restart(
    server: RunningServer, pbx: DemoPbx, client: Client, update: Callable[[], None], tree: Path
) -> None:
    """Clients log in, people call; the server is stopped, updated and started, and everybody is back."""
    members = pbx.do(lambda engine: engine.queues.by_name["astcti"].members)
    programs = {name: client(name, server.port, None) for name in PEOPLE}
    for program in programs.values():
        program.line("<- 200 astcti")
    before = list(members)
    assert sorted(before) == sorted(PHONES.values())
    callers = Callers(pbx)
    stop_keeping_members(server, callers, tree)
    update()
    callers.next()
    server.start()
    callers.next()
    for program in programs.values():
        program.line("<- 200 astcti")
    digits, phone = callers.next()
    [who] = [name for name in PEOPLE if PHONES[name] == phone]
    programs[who].line(PAGE + digits)
    assert callers.heard == []
    assert list(members) == before


def test_a_restart_under_load_takes_nobody_out_of_a_queue(
    tmp_path: Path, pbx: DemoPbx, client: Client
) -> None:
    with RunningServer(tmp_path / "server", pbx.address[1], OFFICE) as server:
        check_restart(server, pbx, client, lambda: None, ROOT)
    assert "Traceback" not in server.log


def test_an_update_under_load_takes_nobody_out_of_a_queue(
    tmp_path: Path, pbx: DemoPbx, client: Client, previous: Path
) -> None:
    installed = tmp_path / "installed"
    for package in PACKAGES:
        shutil.copytree(previous / package, installed / package)

    def install() -> None:
        for package in PACKAGES:
            shutil.rmtree(installed / package)
            shutil.copytree(ROOT / package, installed / package)

    with RunningServer(tmp_path / "server", pbx.address[1], OFFICE, tree=installed) as server:
        server.wait_for_log("Channels in Asterisk")
        # As `make install` does it: the new files come while the old server runs, and stop it.
        install()
        check_restart(server, pbx, client, lambda: None, installed)
    assert "Traceback" not in server.log


def test_going_back_a_version_and_forth_takes_nobody_out_of_a_queue_either(
    tmp_path: Path, pbx: DemoPbx, client: Client, previous: Path
) -> None:
    with RunningServer(tmp_path / "server", pbx.address[1], OFFICE) as server:
        check_restart(server, pbx, client, lambda: server.use(previous), ROOT)
        callers = Callers(pbx)
        stop_keeping_members(server, callers, previous)
        server.use(None)
        server.start()
        server.wait_for_log("Channels in Asterisk", 3)
        assert callers.heard == []
    assert "Traceback" not in server.log
