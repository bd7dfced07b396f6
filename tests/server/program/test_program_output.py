"""What a command prints on a full disk, where one line says that it cannot be written, and on a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from astcti_server.cli.program import COMMANDS
from astcti_server.cli.table import folded
from astcti_server.demo.pbx import DemoPbx
from schemas.program_ends import EXIT_OUTPUT
from tests.fake.patience import PATIENCE
from tests.fake.running_server import ONE_SEAT, RunningServer

SAYS_SO = "astcti-server: the output cannot be written: No space left on device\n"
TRACE = Path(__file__).parents[2] / "fixtures" / "ami"
PATIENT = '<clients keep-alive="600"/>'
"""Nobody reads what mario is told, so he answers nothing."""
WORDS: dict[str, tuple[str, ...]] = {
    "status": (),
    "explain": ("last",),
    "sessions": (),
    "calls": ("--json",),
    "queues": ("astcti",),
    "report": ("last",),
    "kick": ("mario",),
    "pause": ("mario", "Lunch"),
    "unpause": ("mario",),
    "log-level": (),
    "accept": (),
    "check": (),
    "doctor": (),
    "replay": ("--explain", "TRACE"),
    "hash-password": (),
    "demo-pbx": ("--port", "0"),
    "stop": (),
}
"""A command of each kind, in this order: the last one ends the server."""
REFUSED = ("report", "accept", "explain")
"""Here they have nothing to print: what they say of it goes to standard error."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("server")
    with (
        DemoPbx() as pbx,
        RunningServer(folder, pbx.address[1], ONE_SEAT, sections=PATIENT) as running,
        running.client("mario") as mario,
    ):
        mario.expect("200 astcti")
        yield running


def test_each_command_is_tried() -> None:
    assert sorted(WORDS) == sorted(str(command.name) for command in COMMANDS)


def run(server: RunningServer, *words: str, buffered: bool) -> subprocess.CompletedProcess[str]:
    options = ["--config", str(server.config), "--status", str(server.status_file)]
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    trace = str(sorted(TRACE.rglob("*.ami*"))[0]) if "TRACE" in words else ""
    with Path("/dev/full").open("w") as full:
        return subprocess.run(
            [sys.executable, "-m", "astcti_server", *options, *(w.replace("TRACE", trace) for w in words)],
            input="secret\nsecret\n",
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
            check=False,
            env=environ if buffered else {**environ, "PYTHONUNBUFFERED": "1"},
        )


@pytest.mark.parametrize("buffered", [True, False], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("command", [name for name in WORDS if name not in (*REFUSED, "kick", "stop")])
def test_a_full_disk_is_said_in_one_line(server: RunningServer, command: str, buffered: bool) -> None:
    said = run(server, command, *WORDS[command], buffered=buffered)
    assert "Traceback" not in said.stderr
    assert said.stderr.endswith(SAYS_SO), said
    assert said.stderr.count("\n") <= 3  # hash-password asks for the password there
    assert said.returncode == EXIT_OUTPUT


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["status", "--help"]])
def test_help_and_version_too(server: RunningServer, words: list[str]) -> None:
    said = run(server, *words, buffered=True)
    assert (said.returncode, said.stderr) == (EXIT_OUTPUT, SAYS_SO)


def on_a_terminal(columns: int, *words: str) -> list[str]:
    """What a command prints on a terminal so wide."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    command = [sys.executable, "-W", "error", "-m", "astcti_server", *words]
    with subprocess.Popen(command, stdin=its, stdout=its, stderr=its, env=environment) as process:
        os.close(its)
        said = b""
        try:
            while data := os.read(ours, 65536):
                said += data
        except OSError:  # EIO: the other end is closed
            pass
        assert process.wait(PATIENCE) == 0, said
    os.close(ours)
    return said.decode().splitlines()


@pytest.mark.parametrize("columns", [80, 120])
def test_sentences_are_folded_to_the_width_of_a_terminal_and_nowhere_else(
    server: RunningServer, columns: int
) -> None:
    config, trace = f"--config={server.config}", str(TRACE / "22-direct-call.ami")
    words = (config, "replay", "--explain", trace)
    piped = subprocess.run(
        [sys.executable, "-m", "astcti_server", *words], capture_output=True, text=True, timeout=PATIENCE
    ).stdout.splitlines()
    shown = on_a_terminal(columns, *words)
    assert max(map(len, piped)) > 120
    assert max(map(len, shown)) <= columns
    assert " ".join(" ".join(shown).split()) == " ".join(" ".join(piped).split()), "no word is lost"
    state = on_a_terminal(columns, "--status", str(server.status_file), "status")
    # The path of its configuration is one word, as long as the folder of the tests happens to be.
    sentences = [line for line in state if str(server.config) not in line]
    assert len(sentences) > 3
    assert max(map(len, sentences)) <= columns


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("short", ["short"]),
        ("", [""]),
        ("one sentence that is longer", ["one sentence that is", "    longer"]),
        ("a-word-that-is-longer-than-the-line", ["a-word-that-is-longer-than-the-line"]),
        ("Name   the text goes on below", ["Name   the text goes", "       on below"]),
    ],
)
def test_what_goes_on_stands_under_the_text(line: str, shown: list[str]) -> None:
    assert folded(line, 20) == shown


@pytest.mark.parametrize("command", REFUSED)
def test_what_is_refused_is_said_as_ever(server: RunningServer, command: str) -> None:
    said = run(server, command, *WORDS[command], buffered=True)
    assert "Traceback" not in said.stderr
    assert said.stderr.startswith("astcti-server: ")
    assert said.returncode != 0


def test_a_server_is_stopped_even_if_that_cannot_be_printed(server: RunningServer) -> None:
    said = run(server, "stop", buffered=True)
    assert (said.returncode, said.stderr) == (EXIT_OUTPUT, SAYS_SO)
    assert server.wait() == 0


@pytest.mark.parametrize("program", ["astcti_client", "configurator"])
def test_the_other_programs_do_the_same(program: str) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", program, "--help"]
        said = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert said.returncode == EXIT_OUTPUT
    assert said.stderr.endswith(": the output cannot be written: No space left on device\n")
    assert said.stderr.count("\n") == 1
