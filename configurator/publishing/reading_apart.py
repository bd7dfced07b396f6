"""Reading a large configuration file in a process of its own, on another processor.

All pages of the Configurator are made by one process, of which one thread computes at a time: whoever reads a
file of ten thousand operators takes three quarters of a second from all others, and 60 MB. A small file is
read here: a process takes a tenth of a second to begin.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from schemas.configuration import sqlite_form, xml_form
from schemas.configuration.model import Configuration
from schemas.problems import ConfigurationError, Problem

logger = logging.getLogger(__name__)
LARGE: Final = 512 * 1024
"""Bytes from which on a file is read apart: some thousand operators."""
LONGEST: Final = 120.0
"""Seconds that the other process may take; a file of 32 MiB takes a tenth of it."""
LATER: Final = 10
"""Added to the other process's niceness: pages go first where there are not processors enough."""

Form = Literal["xml", "sqlite"]
_WORDS: Final = {True: "values", False: "nothing"}
_ROOT: Final = Path(__file__).resolve().parents[2]


class _Answer(NamedTuple):
    """What the other process found."""

    problems: tuple[Problem, ...]
    parts: tuple[Any, ...] | None
    """What a `Configuration` is made of, if that was asked for and the file is valid."""


def form_of(path: Path) -> Form:
    """In which form a file is, whatever its name. OSError."""
    with path.open("rb") as stream:
        return "sqlite" if stream.read(16) == sqlite_form.MAGIC else "xml"


def read_configuration(path: Path, form: Form) -> Configuration:
    """What a file says. ConfigurationError with every problem in it, OSError. Any thread."""
    answer = _ask(path, form, values=True) if path.stat().st_size >= LARGE else None
    if answer is None or answer.parts is None:
        return _read(path, form)
    return Configuration(*answer.parts)


def check_readable(path: Path, form: Form) -> None:
    """Read a file as the server will, and nothing more. ConfigurationError, OSError. Any thread."""
    if path.stat().st_size < LARGE or _ask(path, form, values=False) is None:
        _read(path, form)


def _read(path: Path, form: Form) -> Configuration:
    return (sqlite_form.load_sqlite if form == "sqlite" else xml_form.load_xml)(path)


def _ask(path: Path, form: Form, *, values: bool) -> _Answer | None:
    """What the other process says; None if it says nothing. ConfigurationError if the file is refused."""
    command = [sys.executable, "-P", "-m", __name__, str(path), form, _WORDS[values]]
    environment = os.environ | {"PYTHONPATH": str(_ROOT)}
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environment,
            timeout=LONGEST,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        logger.warning("no other process could read %s: %s", path.name, error)
        return None
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        logger.warning("another process that read %s ended with %s %s", path.name, done.returncode, last)
        return None
    answer = _Answer(*pickle.loads(done.stdout))  # of the process that was just started
    if answer.problems:
        raise ConfigurationError(answer.problems)
    return answer


def main(arguments: list[str]) -> int:
    """The other process. Its answer is for the one that started it; OSError is for that one to meet, too."""
    with contextlib.suppress(AttributeError, OSError):  # Windows has none, a sandbox may forbid it
        os.nice(LATER)
    name, form, wanted = arguments
    problems: tuple[Problem, ...] = ()
    parts = None
    try:
        found = _read(Path(name), "sqlite" if form == "sqlite" else "xml")
        if wanted == _WORDS[True]:
            parts = (found.services, found.seats, found.operators, found.pause_reasons)
    except ConfigurationError as error:
        problems = error.problems
    # Without a class of this module, which is called otherwise in this process.
    sys.stdout.buffer.write(pickle.dumps((problems, parts), pickle.HIGHEST_PROTOCOL))
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
