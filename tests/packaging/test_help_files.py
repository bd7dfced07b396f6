"""Manual pages and shell completion: what `--help` says, in files that man, bash and zsh take."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

import astcti_client.cli
import astcti_server.cli.program
import configurator.cli
from tests.fake.patience import PATIENCE
from tests.needed import lacking

ROOT = Path(__file__).parent.parent.parent
PROGRAMS: dict[str, tuple[click.Command, int]] = {
    "astcti-server": (astcti_server.cli.program.main, 8),
    "astcti-configurator": (configurator.cli.main, 8),
    "astcti-client": (astcti_client.cli.main, 1),
}


def make(folder: Path, **environment: str) -> Path:
    command = [sys.executable, "-W", "error", str(ROOT / "packaging/help_files.py"), str(folder), *PROGRAMS]
    said = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )
    assert said.returncode == 0, said.stderr
    return folder


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("help"))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def run(*command: str | Path, cwd: Path | None = None) -> str:
    if shutil.which(str(command[0])) is None:
        lacking(f"needs {command[0]}")
    said = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False, cwd=cwd)
    return said.stdout + said.stderr


def test_every_program_and_every_command_has_a_page(files: Path) -> None:
    wanted = {"man1/astcti-client-window.1"}
    for program, (command, section) in PROGRAMS.items():
        assert isinstance(command, click.Group)
        names = [name for name, inner in command.commands.items() if not inner.hidden]
        wanted |= {f"man{section}/{page}.{section}" for page in (program, *(f"{program}-{n}" for n in names))}
    assert {name for name in contents(files) if name.startswith("man")} == wanted


def test_the_same_bytes_are_made_wherever_and_for_whomever(files: Path, tmp_path: Path) -> None:
    again = make(
        tmp_path / "again", HOME="/srv/mario", XDG_CONFIG_HOME="/srv/x", COLUMNS="40", LANG="it_IT.UTF-8"
    )
    assert contents(again) == contents(files)


def test_mandoc_finds_nothing_wrong(files: Path) -> None:
    for page in sorted(files.glob("man*/*")):
        assert run("mandoc", "-Tlint", "-Wwarning", page) == ""


def test_man_has_no_warning(files: Path) -> None:
    for page in sorted(files.glob("man*/*")):
        said = run("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", page)  # warnings name the file
        assert "<standard input>:" not in said and f"{page.name}:" not in said


def test_a_page_says_what_the_help_says(files: Path) -> None:
    shown = " ".join(run("mandoc", "-Tascii", "-Owidth=100", files / "man8/astcti-server-pause.8").split())
    shown = re.sub(".\x08", "", shown)
    assert "astcti-server-pause - put the operator USER into pause in all queues" in shown
    assert "astcti-server pause [OPTIONS] USER [REASON]..." in shown
    assert "It is an ordinary pause: USER may end it." in shown
    assert "--json Print one JSON object" in shown
    assert "EXIT STATUS 0 in pause, or will be once Asterisk is reached again 1 refused:" in shown
    assert "SEE ALSO astcti-server(8)" in shown


@pytest.mark.parametrize("program", sorted(PROGRAMS))
def test_bash_completes_the_commands(files: Path, program: str) -> None:
    script = files / "bash" / program
    assert run("bash", "-n", script) == ""
    said = run("bash", "-c", f"source {script}; complete -p {program}")
    assert program in said and "-F" in said


@pytest.mark.parametrize("program", sorted(PROGRAMS))
def test_zsh_takes_the_completion(files: Path, program: str) -> None:
    script = files / "zsh" / f"_{program}"
    assert script.read_text().startswith(f"#compdef {program}\n")
    assert run("zsh", "-n", str(script)) == ""


def test_what_the_completion_asks_the_program_is_answered() -> None:
    program = Path(sys.executable).with_name("astcti-server")
    if not program.exists():
        lacking("needs the programs, installed")
    asked = {"_ASTCTI_SERVER_COMPLETE": "bash_complete", "COMP_WORDS": "astcti-server s", "COMP_CWORD": "1"}
    said = subprocess.run(
        [program], env={**os.environ, **asked}, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert said.stdout.split() == ["plain,sessions", "plain,status", "plain,stop"]
