"""An element with a prefix in a file edited by hand: an error with its line, whichever program reads it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fake.patience import PATIENCE
from tests.fake.ports import free_port

SERVER = """\
<server>
<ami host="127.0.0.1" port="{port}" username="astcti" secret="astcti"/>
<listen address="127.0.0.1" port="0"/>{more}
</server>
"""
CONFIGURATION = """\
<configuration xmlns:xi="http://www.w3.org/2001/XInclude">
<seats>
<xi:include href="/etc/passwd" parse="text"/>
</seats>
</configuration>
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A server's directory whose configuration has such an element in its third line."""
    text = SERVER.format(port=free_port(), more="")
    (tmp_path / "server.xml").write_text(text)
    (tmp_path / "server.xml").chmod(0o600)
    (tmp_path / "configuration.xml").write_text(CONFIGURATION)
    return tmp_path


def run(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        input=typed,
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE,
        check=False,
    )


def said_by(done: subprocess.CompletedProcess[str]) -> str:
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_server_names_it_when_it_is_asked_to_check(folder: Path) -> None:
    done = run("astcti_server", "--config", str(folder), "check")
    assert done.returncode == 78
    assert "configuration.xml:3: " in said_by(done) and "include> does not belong here" in done.stdout
    more = '\n<xi:include xmlns:xi="urn:x" href="more.xml"/>'
    (folder / "server.xml").write_text(SERVER.format(port=1, more=more))
    done = run("astcti_server", "--config", str(folder), "check")
    assert done.returncode == 78 and "server.xml:4: " in said_by(done)


def test_the_running_server_names_it_in_its_log(folder: Path, tmp_path: Path) -> None:
    places = [f"--{name}={tmp_path / name}" for name in ("state", "status", "control")]
    command = [sys.executable, "-m", "astcti_server", f"--config={folder}", *places]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        assert server.stdout is not None
        lines = []
        for line in server.stdout:
            lines.append(line)
            if "configuration.xml:3: " in line:
                break
        server.terminate()
        lines += server.stdout.readlines()
    assert "configuration.xml:3: " in "".join(lines) and "Traceback" not in "".join(lines)


@pytest.mark.parametrize("command", [["check"], ["import"], ["import", "--merge"]])
def test_the_configurator_names_it(folder: Path, tmp_path: Path, command: list[str]) -> None:
    places = ["--data", str(tmp_path / "data"), "--publish", str(tmp_path / "published")]
    done = run("configurator", *places, *command, str(folder / "configuration.xml"))
    assert done.returncode == 78
    assert f"{folder / 'configuration.xml'}:3: " in said_by(done)


def test_the_client_names_it_in_its_own_settings(tmp_path: Path) -> None:
    file = tmp_path / "client.toml"
    file.write_text('host = "127.0.0.1"\n\n<xi:include href="other.toml"/>\n')
    if os.name == "posix":
        file.chmod(0o600)
    done = run("astcti_client", "--headless", "--config", str(file))
    assert done.returncode == 2
    assert f"{file}: " in said_by(done) and "line 3" in done.stderr
