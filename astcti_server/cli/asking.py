"""What all commands that ask the running server share: the connection, exit codes, words for what fails."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, NoReturn, TypeVar

import click

from astcti_server.cli.options import program_options
from astcti_server.cli.table import folded
from astcti_server.control.asking import (
    ANSWER_WITHIN,
    ControlConnection,
    NoAnswerError,
    NotAllowedError,
    NotRunningError,
    RequestRefusedError,
)
from astcti_server.control.ports import ControlDocument
from schemas.log_lines import harmless

EXIT_FINE: Final = 0
EXIT_TROUBLE: Final = 1
EXIT_NOT_RUNNING: Final = 3  # as the status of an init script has it
EXIT_NOT_ALLOWED: Final = 4
EXIT_NO_ANSWER: Final = 5

ASKING_ERRORS: Final = (NotRunningError, NotAllowedError, NoAnswerError, RequestRefusedError)

Answer = TypeVar("Answer")


def ask(
    context: click.Context,
    control: Path | None,
    what: Callable[[ControlConnection], Answer],
    *,
    within: float = ANSWER_WITHIN,
) -> Answer:
    """What the running server answers; else say why not, and end with the exit code for that.

    `control` is the command's own option; `what` is given the connection. `within`: seconds for all of it.
    """
    try:
        with ControlConnection(control or program_options(context).control, within) as connection:
            return what(connection)
    except ASKING_ERRORS as error:
        fail(context, in_words(error), exit_code(error))


def ask_to_show(
    context: click.Context, control: Path | None, as_json: bool, *words: str
) -> ControlDocument | None:
    """The document that a command, said in these words, is answered by, as `ask` has it.

    None if it is for programs: then it is printed already.
    """
    document = ask(context, control, lambda connection: connection.document(*words))
    if not as_json:
        return document
    print_json(document)
    return None


def print_json(document: ControlDocument) -> None:
    """Print it for programs."""
    click.echo(json.dumps(dict(document), indent=2))


def print_lines(lines: Iterable[str]) -> None:
    """Print sentences for people: on a terminal they are folded to its width, in a file each is one line."""
    width = max(40, shutil.get_terminal_size().columns) if sys.stdout.isatty() else 0
    for line in map(harmless, lines):
        for part in folded(line, width) if width else [line]:
            click.echo(part)


def in_words(error: Exception) -> str:
    """What is said of it."""
    if isinstance(error, NotRunningError):
        return f"not running ({error})"
    if isinstance(error, NoAnswerError):
        return f"no answer: {error}"
    if isinstance(error, RequestRefusedError):
        return f"refused: {error}"
    return str(error)


def exit_code(error: Exception) -> int:
    """How the program ends because of it."""
    if isinstance(error, NotRunningError):
        return EXIT_NOT_RUNNING
    if isinstance(error, NotAllowedError):
        return EXIT_NOT_ALLOWED
    return EXIT_NO_ANSWER if isinstance(error, NoAnswerError) else EXIT_TROUBLE


def fail(context: click.Context, reason: str, code: int) -> NoReturn:
    """Say why, and end with a code."""
    click.echo(f"astcti-server: {reason}", err=True)
    context.exit(code)
