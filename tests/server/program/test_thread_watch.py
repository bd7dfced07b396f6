"""A hang is noticed, and the init system hears that all is well only while it is."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from astcti_server.demo.pbx import DemoPbx
from astcti_server.process.thread_watch import LOOK_UP_WITHIN, AmiThreadWatch, SystemdWatchdog
from schemas.configuration.model import Configuration, Seat
from schemas.configuration.xml_form import dump_xml
from tests.fake.patience import PATIENCE, until
from tests.fake.ports import free_port

CONFIGURATION = Configuration(seats=(Seat("00:00:00:00:02:01", "PJSIP/201", "PJSIP/201"),))


class WatchedThread:
    """The AMI thread's inbox, and a clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.connecting = False
        self.posted: list[Callable[[], None]] = []
        self.watch = AmiThreadWatch(
            self.posted.append,
            lambda: self.connecting,
            threading.get_ident,
            clock=lambda: self.now,
            passed_within=15.0,
        )

    def after(self, seconds: float) -> bool:
        """What is said so much later."""
        self.now += seconds
        return self.watch.look()

    def goes_round(self) -> None:
        for work in self.posted:
            work()
        self.posted.clear()


def test_a_thread_that_passes_by_is_never_said_to_hang() -> None:
    thread = WatchedThread()
    for _ in range(100):
        assert not thread.after(5)
        thread.goes_round()


def test_a_thread_that_does_not_pass_for_too_long_hangs_until_it_does(
    caplog: pytest.LogCaptureFixture,
) -> None:
    thread = WatchedThread()
    assert [thread.after(5) for _ in range(6)] == [False, False, False, False, True, True]
    assert len(thread.posted) == 1, "questions do not pile up"
    assert "Thread ami hangs since 20 s" in caplog.text
    assert "in test_a_thread_that_does_not_pass_for_too_long" in caplog.text, "it is said where"
    thread.goes_round()
    assert not thread.after(5)
    assert caplog.text.count("hangs since") == 1
    assert "Thread ami goes on" in caplog.text


def test_a_slow_resolver_is_no_hang_but_one_for_ever_is() -> None:
    thread = WatchedThread()
    thread.connecting = True
    assert not thread.after(5)
    assert not thread.after(LOOK_UP_WITHIN)
    assert thread.after(5)


@pytest.mark.parametrize(
    ("environment", "interval"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_init_system_says_whether_it_watches(environment: dict[str, str], interval: float | None) -> None:
    assert SystemdWatchdog(environment.get).interval == interval


# -- the whole server ---------------------------------------------------------------------------------------


class InitSystem:
    """Hears what a server says through NOTIFY_SOCKET."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(PATIENCE)

    def close(self) -> None:
        self._socket.close()

    def expect(self, said: str) -> None:
        """Wait until this is said."""
        while self._socket.recv(4096).decode() != said:
            pass

    def hear_within(self, seconds: float) -> str:
        """The next thing said. TimeoutError if there is none."""
        self._socket.settimeout(seconds)
        return self._socket.recv(4096).decode()

    def waiting(self) -> list[str]:
        """What was said until now and not heard yet."""
        self._socket.setblocking(False)
        said = []
        try:
            while True:
                said.append(self._socket.recv(4096).decode())
        except BlockingIOError:
            self._socket.settimeout(PATIENCE)
            return said


@contextmanager
def watched_server(folder: Path, ami_port: int, damage: str) -> Iterator[tuple[InitSystem, Path]]:
    """A server watched every second, with something broken in it; what it says, and its log."""
    config, log = folder / "config", folder / "log"
    config.mkdir()
    (config / "configuration.xml").write_bytes(dump_xml(CONFIGURATION))
    (config / "server.xml").write_text(
        f'<server><ami port="{ami_port}" username="astcti" secret="astcti"/>'
        f'<listen port="{free_port()}"/></server>'
    )
    system = InitSystem(folder / "notify")
    program = f"from astcti_server.cli import program as cli\n{damage}\ncli.main()\n"
    options = [f"--config={config}", f"--state={folder}/state", f"--status={folder}/status.json"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", program, *options],
            stderr=out,
            env={**os.environ, "NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "1000000"},
        )
    try:
        yield system, log
    finally:
        process.kill()
        process.wait(PATIENCE)
        system.close()


def test_a_healthy_server_feeds_the_watchdog(tmp_path: Path) -> None:
    with DemoPbx() as pbx, watched_server(tmp_path, pbx.address[1], "") as (system, log):
        system.expect("READY=1")
        for _ in range(5):
            system.expect("WATCHDOG=1")
        assert "hangs" not in log.read_text()


def test_a_server_whose_ami_thread_hangs_does_not(tmp_path: Path) -> None:
    hanging = (
        "import threading\n"
        "from astcti_server import daemon\n"
        "from astcti_server.event_pipeline import EventPipeline\n"
        "from functools import partial\n"
        "daemon.AmiThreadWatch = partial(daemon.AmiThreadWatch, passed_within=1.0)\n"
        "EventPipeline.fully_booted = lambda self: threading.Event().wait()\n"
    )
    with DemoPbx() as pbx, watched_server(tmp_path, pbx.address[1], hanging) as (system, log):
        system.expect("READY=1")
        until(lambda: "Thread ami hangs" in log.read_text(), "the hang is not noticed")
        assert "in wait" in log.read_text(), "it is said where it is"
        system.waiting()
        until(
            lambda: '"stuck": [\n    "ami"\n  ]' in (tmp_path / "status.json").read_text(), "it is not said"
        )
        written = (tmp_path / "status.json").read_text()
        until(lambda: (tmp_path / "status.json").read_text() != written, "the main thread goes on")
        assert "WATCHDOG=1" not in system.waiting()


def test_a_server_whose_main_thread_hangs_does_not_either(tmp_path: Path) -> None:
    hanging = (
        "import threading\n"
        "from astcti_server import daemon\n"
        "def hang(self, message):\n"
        "    open(self._paths.status.with_name('hangs'), 'w').close()\n"
        "    threading.Event().wait()\n"
        "daemon.Daemon._act_on_pbx = hang\n"
    )
    with DemoPbx() as pbx, watched_server(tmp_path, pbx.address[1], hanging) as (system, _):
        system.expect("READY=1")
        until(lambda: (tmp_path / "hangs").exists(), "it does not hang")
        before = (tmp_path / "status.json").read_text()
        system.waiting()
        with pytest.raises(TimeoutError):  # three times what the init system waits for
            system.hear_within(3.0)
        assert (tmp_path / "status.json").read_text() == before
