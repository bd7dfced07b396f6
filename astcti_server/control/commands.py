"""`astcti-server status`, `accept` and `stop`: asks the running server through its control socket."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

import click

from astcti_server.control.asking import (
    ControlConnection,
    LeavingProcess,
    NoAnswerError,
    NotAllowedError,
    NotRunningError,
    RequestRefusedError,
    is_running,
)
from astcti_server.control.ports import StatusDocument
from astcti_server.control.shown_status import is_well, lines_for_people
from schemas.protocol import KEEP_MEMBERS, ControlCommand
from schemas.server.status_age import age_of, is_old

EXIT_FINE: Final = 0
EXIT_TROUBLE: Final = 1
EXIT_NOT_RUNNING: Final = 3  # as the status of an init script has it
EXIT_NOT_ALLOWED: Final = 4
EXIT_NO_ANSWER: Final = 5
GONE_WITHIN: Final = 20.0  # seconds; an orderly stop takes ten at most

SOCKET_NAME: Final = "control.sock"


@dataclass(frozen=True, slots=True)
class ProgramOptions:
    """What was given before the command."""

    configuration: Path
    state: Path
    status: Path
    control: Path


def control_beside(status: Path) -> Path:
    """Where the control socket is unless `--control` says so."""
    return status.with_name(SOCKET_NAME)


control_option = click.option(
    "--control",
    type=click.Path(path_type=Path, readable=False),
    help="The server's control socket (default: as given before the command, or beside the status file).",
)


@click.command()
@control_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, see docs/operations.md.")
@click.pass_context
def status(context: click.Context, control: Path | None, as_json: bool) -> None:
    """Say what the running server does: Asterisk, configuration, operators, queues.

    Where its control socket cannot be asked, what stands in the status file is shown.

    \b
    Exit codes:
      0  it runs, and Asterisk is connected
      1  it runs, but Asterisk is not connected, or a part of it hangs
      3  it does not run
      4  you may not ask: only root, the server's user and its group may
      5  it runs, but does not answer
    """
    options = _options(context)
    try:
        with ControlConnection(control or options.control) as connection:
            document = connection.status(ControlCommand.STATUS)
    except (NotRunningError, NotAllowedError, NoAnswerError, RequestRefusedError) as error:
        _by_the_file(context, options.status, error, as_json)
    _show(document, as_json)
    context.exit(EXIT_FINE if is_well(document) else EXIT_TROUBLE)


@click.command()
@control_option
@click.argument("sha256", default="")
@click.pass_context
def accept(context: click.Context, control: Path | None, sha256: str) -> None:
    """Take up a configuration that the server holds because it would take away much.

    SHA256 is that of the held file, as `status` shows it: so nothing else is taken up that came meanwhile.
    Without it, whatever is held.

    \b
    Exit codes:
      0  it is in force
      1  refused: nothing is held, or something else
      3  the server does not run
      4  you may not: only root and the server's user may
      5  the server does not answer
    """
    path = control or _options(context).control

    def ask() -> None:
        with ControlConnection(path) as connection:
            connection.do(ControlCommand.ACCEPT, sha256)

    _ask(context, ask)
    click.echo("It is in force")


@click.command()
@control_option
@click.option(
    "--keep-members", is_flag=True, help="Leave the members in their queues, whatever on-stop says."
)
@click.option(
    "--within",
    type=click.FloatRange(0.1, 3600.0),
    default=GONE_WITHIN,
    show_default=True,
    help="Seconds to wait until it is gone.",
)
@click.pass_context
def stop(context: click.Context, control: Path | None, keep_members: bool, within: float) -> None:
    """Stop the running server in order, as SIGTERM does, and wait until it is gone.

    \b
    Exit codes:
      0  it is gone
      1  refused, or it is not gone yet
      3  it did not run
      4  you may not: only root and the server's user may
      5  it does not answer
    """
    path = control or _options(context).control
    leaving: list[LeavingProcess] = []

    def ask() -> None:
        with ControlConnection(path) as connection:
            leaving.append(LeavingProcess(connection.process))
            connection.do(ControlCommand.STOP, KEEP_MEMBERS if keep_members else "")

    _ask(context, ask)
    if not leaving[0].wait(within):
        click.echo(f"astcti-server: it was told to stop, but is not gone after {within:g} s", err=True)
        context.exit(EXIT_TROUBLE)
    click.echo("The server is gone")


def _options(context: click.Context) -> ProgramOptions:
    options = context.obj
    assert isinstance(options, ProgramOptions)  # the group made them
    return options


def _ask(context: click.Context, ask: Callable[[], None]) -> None:
    """Do it, or say why not and end with the exit code for that."""
    try:
        ask()
    except (NotRunningError, NotAllowedError, NoAnswerError, RequestRefusedError) as error:
        _fail(context, _in_words(error), _code(error))


def _by_the_file(context: click.Context, path: Path, error: Exception, as_json: bool) -> NoReturn:
    """The socket does not say: perhaps the file does."""
    reason = _in_words(error)
    document = _read(path)
    if document is None:
        _fail(context, reason, _code(error))
    process, written = int(document["pid"]), str(document["written"])
    alive = is_running(process)
    if not alive:
        _fail(
            context, f"{path}: written by process {process}, which is gone: it was killed", EXIT_NOT_RUNNING
        )
    if is_old(written):
        hangs = f"{path}: process {process} has not renewed it for {age_of(written):.0f} s: it hangs"
        _fail(context, f"{reason}\n{hangs}, or it is another program's process", EXIT_NO_ANSWER)
    click.echo(f"{reason}: this is what {path} says", err=True)
    _show(document, as_json)
    if isinstance(error, NotRunningError):  # it has no control socket: its log says why
        context.exit(EXIT_FINE if is_well(document) else EXIT_TROUBLE)
    context.exit(_code(error))


def _read(path: Path) -> StatusDocument | None:
    """The status file, if it is one of this version's that can be read."""
    with suppress(OSError, ValueError):
        found: Any = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict) and {"pid", "written", "ami", "stuck", "state_directory"} <= found.keys():
            return found
    return None


def _show(document: StatusDocument, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(dict(document), indent=2))
    else:
        for line in lines_for_people(document):
            click.echo(line)


def _in_words(error: Exception) -> str:
    match error:
        case NotRunningError():
            return f"not running ({error})"
        case RequestRefusedError():
            return f"refused: {error}"
        case NoAnswerError():
            return f"no answer: {error}"
    return str(error)


def _code(error: Exception) -> int:
    match error:
        case NotRunningError():
            return EXIT_NOT_RUNNING
        case NotAllowedError():
            return EXIT_NOT_ALLOWED
        case RequestRefusedError():
            return EXIT_TROUBLE
    return EXIT_NO_ANSWER


def _fail(context: click.Context, reason: str, code: int) -> NoReturn:
    click.echo(f"astcti-server: {reason}", err=True)
    context.exit(code)
