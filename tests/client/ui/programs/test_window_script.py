"""`astcti-client-window`, the program without a terminal: installed, and started as its user starts it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import needed
from tests.client.ui.tools.desktop import Desktop
from tests.fake.cti_server import CtiServer
from tests.fake.patience import PATIENCE, until

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def script() -> Path:
    found = Path(sys.executable).with_name("astcti-client-window")
    if not found.exists():
        needed.lacking(f"{found} is not installed")
    return found


@contextlib.contextmanager
def started(script: Path, home: Path, desktop: Desktop) -> Iterator[subprocess.Popen[bytes]]:
    """The program with this home folder; it never outlives its test."""
    environ = {
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home),
        "DISPLAY": desktop.display,
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }
    with subprocess.Popen([script], env=environ, stderr=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def wait(process: subprocess.Popen[bytes], fact: Callable[[], object], what: str) -> None:
    def is_so() -> object:
        assert process.poll() is None, process.communicate()
        return fact()

    until(is_so, what, every=0.1)  # each look starts xdotool


def windows(desktop: Desktop, name: str) -> str:
    return desktop.do("search", "--onlyvisible", "--name", name)


def write_settings(home: Path, text: str) -> None:
    file = home / ".config/astcti/client.toml"
    file.parent.mkdir(parents=True)
    file.write_text(text)


def test_it_opens_its_log_in_window_and_ends_when_asked_to(
    script: Path, desktop: Desktop, tmp_path: Path
) -> None:
    with started(script, tmp_path, desktop) as process:
        wait(process, lambda: windows(desktop, "^Log in "), "no window to log in")
        process.terminate()
        _out, complaints = process.communicate(timeout=PATIENCE)
        assert (process.returncode, complaints) == (0, b"")
    assert not windows(desktop, "^Log in ")


def test_somebody_logs_in_works_and_quits_with_the_keyboard(
    script: Path, desktop: Desktop, server: CtiServer, tmp_path: Path
) -> None:
    write_settings(tmp_path, f'host = "127.0.0.1"\nport = {server.port}\nuser = "mario"\n')
    with started(script, tmp_path, desktop) as process:
        wait(process, lambda: windows(desktop, "^Log in "), "no window to log in")
        window = windows(desktop, "^Log in ").split()[0]
        desktop.do("windowactivate", "--sync", window)
        desktop.do("type", "test")
        desktop.do("key", "Return")
        peer = server.accept()
        peer.log_in(who="PJSIP/201 Mario Rossi")
        peer.say("310 OUT", "200 astcti")
        wait(process, lambda: not windows(desktop, "^Log in "), "the log-in window stays")
        wait(process, lambda: windows(desktop, "^AsteriskCTI$"), "no main window")
        desktop.do("windowactivate", "--sync", windows(desktop, "^AsteriskCTI$").split()[0])
        desktop.do("key", "ctrl+q")
        assert peer.hear() == "QUIT"
        peer.say("900 OK")
        _out, complaints = process.communicate(timeout=PATIENCE)
        assert (process.returncode, complaints) == (0, b"")


def test_settings_that_cannot_be_are_said_in_a_window(script: Path, desktop: Desktop, tmp_path: Path) -> None:
    write_settings(tmp_path, "port = 'none'\n")
    with started(script, tmp_path, desktop) as process:
        wait(process, lambda: windows(desktop, "AsteriskCTI"), "no window says what is wrong")
        window = windows(desktop, "AsteriskCTI").split()[0]
        desktop.do("windowactivate", "--sync", window)
        desktop.do("key", "space")
        _out, complaints = process.communicate(timeout=PATIENCE)
        assert process.returncode == 2
        assert b"port" in complaints


def test_who_is_in_pause_when_the_program_is_killed_is_so_in_its_next_run(
    script: Path, desktop: Desktop, server: CtiServer, tmp_path: Path
) -> None:
    """Also at a server that keeps no pauses: it is asked for again."""
    write_settings(tmp_path, f'host = "127.0.0.1"\nport = {server.port}\nuser = "mario"\npassword = "test"\n')
    kept = tmp_path / ".local/share/astcti/pause"
    with started(script, tmp_path, desktop) as process:
        peer = server.accept()
        peer.log_in(who="PJSIP/201 Mario Rossi")
        peer.say("310 IN Lunch", "200 astcti")
        wait(process, kept.exists, "the pause is not kept")
        process.kill()
        process.communicate(timeout=PATIENCE)
    with started(script, tmp_path, desktop) as process:
        peer = server.accept()
        peer.log_in(who="PJSIP/201 Mario Rossi")
        peer.say("310 OUT", "200 astcti")
        assert peer.hear() == "PAUSE IN Lunch"
        peer.say("301 PAUSE PENDING", "300 OK")
        process.terminate()
        assert peer.hear() == "QUIT"
        peer.say("900 OK")
        _out, complaints = process.communicate(timeout=PATIENCE)
        assert (process.returncode, complaints) == (0, b"")
    assert not kept.exists(), "who logs out is in pause no more"
