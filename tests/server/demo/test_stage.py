"""`make demo`: a newcomer sees a call pop up, and Ctrl-C ends everything cleanly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from astcti_server.demo.stage import Interruptions
from tests.fake.patience import PATIENCE


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    program = subprocess.Popen(
        [sys.executable, "-u", "-m", "astcti_server.demo.stage", "--every", "2"],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        # Without a display the client prints what it hears; who is killed leaves his folder behind. Settings
        # for a client of the user's own do not reach the demo's.
        env={**os.environ, "DISPLAY": "", "TMPDIR": str(tmp_path), "ASTCTI_CLIENT_TLS": "yes"},
    )
    watchdog = threading.Timer(3 * PATIENCE, program.kill)  # the test then fails for want of the line
    watchdog.start()
    yield program
    watchdog.cancel()
    watchdog.join()
    if program.poll() is None:
        os.killpg(program.pid, signal.SIGKILL)
    program.wait()
    assert program.stdout is not None
    program.stdout.close()


def read_until(program: subprocess.Popen[str], part: str) -> list[str]:
    assert program.stdout is not None
    lines: list[str] = []
    for line in program.stdout:
        lines.append(line.rstrip("\n"))
        if part in line:
            return lines
    raise AssertionError("\n".join(lines))


def test_call_pops_up_with_the_page_to_open_and_ctrl_c_ends_everything(stage: subprocess.Popen[str]) -> None:
    lines = read_until(stage, "/ticket?id=")
    assert any("rings for" in line for line in lines)
    assert any("answers" in line for line in lines)
    url = lines[-1][lines[-1].index("http://127.0.0.1") :]
    with urllib.request.urlopen(url, timeout=PATIENCE) as page:
        assert "Ticket" in page.read().decode()
    stage.send_signal(signal.SIGINT)
    rest = read_until(stage, "Stopped")
    assert any("leaves queue astcti" in line for line in rest)
    assert stage.wait(PATIENCE) == 0
    assert stage.stdout is not None
    assert "Traceback" not in "\n".join([*lines, *rest, stage.stdout.read()])


def test_a_second_ctrl_c_ends_all_at_once_and_without_a_traceback(stage: subprocess.Popen[str]) -> None:
    lines = read_until(stage, "rings for")
    programs = psutil.Process(stage.pid).children(recursive=True)
    [server] = [program for program in programs if "astcti_server" in program.cmdline()]
    server.suspend()  # it would not end for long
    stage.send_signal(signal.SIGINT)
    lines += read_until(stage, "ending")
    stage.send_signal(signal.SIGINT)
    assert stage.wait(PATIENCE) == 130
    assert stage.stdout is not None
    assert "Traceback" not in "\n".join([*lines, stage.stdout.read()])
    _gone, left = psutil.wait_procs(programs, timeout=PATIENCE)
    assert left == []


def test_no_ctrl_c_is_ignored_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[int, object]] = []

    def note(number: int, act: object) -> None:
        given.append((number, act))

    hurried: list[str] = []
    interruptions = Interruptions(lambda: hurried.append("killed"))
    monkeypatch.setattr(signal, "signal", note)
    interruptions.follow()
    interruptions.no_more()  # after the first Ctrl-C
    interruptions.no_more()  # before the programs are ended
    acts = [act for number, act in given if number == signal.SIGINT]
    assert len(acts) == 3 and signal.SIG_IGN not in acts
    assert acts[1] == acts[2]
    assert callable(acts[1])
    acts[1](signal.SIGINT, None)
    assert interruptions.hurried and hurried == ["killed"]


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL], ids=["terminal-closed", "killed"])
def test_no_program_outlives_the_demo(stage: subprocess.Popen[str], number: int) -> None:
    read_until(stage, "rings for")
    programs = psutil.Process(stage.pid).children(recursive=True)
    assert len(programs) >= 2, "server and client at least"
    assert stage.stdout is not None
    stage.stdout.close()
    stage.send_signal(number)
    assert stage.wait(PATIENCE) == (0 if number == signal.SIGHUP else -number)
    _gone, left = psutil.wait_procs(programs, timeout=PATIENCE)
    assert left == []
