"""`tel:` links of other programs, opened as a desktop opens them, reach the running client."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from astcti_client.ui.desktop import url_handler
from tests import needed
from tests.client.ui.tools.desktop import Desktop
from tests.client.ui.tools.web import await_fact
from tests.client.ui.tools.window_test_bed import WindowTestBed

Make = Callable[..., WindowTestBed]
ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home with no desktop's own ways, whose links go to this client."""
    lacking = [
        program
        for program in ("xdg-open", "xdg-mime", "gio", "desktop-file-validate")
        if not shutil.which(program)
    ]
    if lacking:
        needed.lacking(f"links cannot be tested here, missing: {', '.join(lacking)}")
    place = tmp_path / "home"
    place.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))  # no client of this user's own answers here
    for name, value in {"HOME": "", "XDG_CONFIG_HOME": ".config", "XDG_DATA_HOME": ".local/share"}.items():
        monkeypatch.setenv(name, str(place / value))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name in ("XDG_CURRENT_DESKTOP", "DESKTOP_SESSION", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    return place


def answer(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()


def test_the_desktop_takes_the_registration_and_forgets_it_again(home: Path) -> None:
    url_handler.register_url_handler()
    file = home / ".local/share/applications" / url_handler.DESKTOP_FILE
    assert answer("desktop-file-validate", str(file)) == ""
    for scheme in url_handler.SCHEMES:
        assert (
            answer("xdg-mime", "query", "default", f"x-scheme-handler/{scheme}") == url_handler.DESKTOP_FILE
        )
    url_handler.unregister_url_handler()
    assert answer("xdg-mime", "query", "default", "x-scheme-handler/tel") == ""


def call_a_link(open_client: Make, desktop: Desktop, *opener: str) -> None:
    url_handler.register_url_handler()
    bed = open_client()
    peer = bed.log_in()
    with subprocess.Popen([*opener, "tel:+39-055-1234567"], env=desktop.environ) as link:
        assert bed.hears() == "ORIG +390551234567 outbound 1"
        peer.say("100 OK")
        bed.pump(lambda: link.poll() is not None)
        bed.pump(lambda: not handing_over(), "the program that handed the number over does not end")
    assert link.returncode == 0


def handing_over() -> bool:
    """Whether a program with the link still runs: it waits for an answer, its opener does not."""
    found = psutil.process_iter(["cmdline"])
    return any("tel:+39-055-1234567" in (process.info["cmdline"] or ()) for process in found)


@pytest.mark.parametrize("opener", [("xdg-open",), ("gio", "open")], ids=" ".join)
def test_a_link_is_called_by_the_running_client(
    home: Path, open_client: Make, desktop: Desktop, opener: tuple[str, ...]
) -> None:
    call_a_link(open_client, desktop, *opener)


def test_the_clients_program_may_have_any_path(
    home: Path, open_client: Make, desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = home / 'the client\'s "place" of $HOME' / "astcti-client"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m astcti_client "$@"\n')
    program.chmod(0o755)
    monkeypatch.setattr(url_handler, "own_command", lambda: [str(program)])
    call_a_link(open_client, desktop, "gio", "open")


def test_a_link_without_a_client_says_so_in_a_window(home: Path, desktop: Desktop) -> None:
    url_handler.register_url_handler()
    subprocess.run(["gio", "open", "tel:055"], env=desktop.environ, check=True, timeout=30)

    def dialogs() -> list[str]:
        return desktop.do("search", "--onlyvisible", "--name", "^AsteriskCTI$").split()

    await_fact(dialogs, "nothing is said")
    desktop.do("windowactivate", "--sync", dialogs()[0], "key", "Return")
    await_fact(lambda: not dialogs(), "the words do not go away")
