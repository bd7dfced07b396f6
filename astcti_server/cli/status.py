"""`astcti-server status`: what the running server does, by its control socket or else by its status file."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import click

from astcti_server.cli.asking import (
    ASKING_ERRORS,
    EXIT_FINE,
    EXIT_NO_ANSWER,
    EXIT_NOT_RUNNING,
    EXIT_TROUBLE,
    exit_code,
    fail,
    in_words,
    print_json,
    print_lines,
)
from astcti_server.cli.options import control_option, json_option, program_options
from astcti_server.control.asking import ControlConnection, NotRunningError, is_running
from astcti_server.control.ports import ControlDocument
from astcti_server.control.shown_status import is_well, lines_for_people
from schemas.protocol import ControlCommand
from schemas.server.status_age import age_of, is_old


@click.command()
@control_option
@json_option
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
    options = program_options(context)
    try:
        with ControlConnection(control or options.control) as connection:
            document = connection.document(ControlCommand.STATUS)
    except ASKING_ERRORS as error:
        _by_the_file(context, options.status, error, as_json)
    _show(document, as_json)
    context.exit(EXIT_FINE if is_well(document) else EXIT_TROUBLE)


def _by_the_file(context: click.Context, path: Path, error: Exception, as_json: bool) -> NoReturn:
    """The socket does not say: perhaps the file does."""
    reason = in_words(error)
    document = _read(path)
    if document is None:
        fail(context, reason, exit_code(error))
    process, written = int(document["pid"]), str(document["written"])
    alive = is_running(process)
    if not alive:
        fail(context, f"{path}: written by process {process}, which is gone: it was killed", EXIT_NOT_RUNNING)
    if is_old(written):
        hangs = f"{path}: process {process} has not renewed it for {age_of(written):.0f} s: it hangs"
        fail(context, f"{reason}\n{hangs}, or it is another program's process", EXIT_NO_ANSWER)
    click.echo(f"{reason}: this is what {path} says", err=True)
    _show(document, as_json)
    if isinstance(error, NotRunningError):  # it has no control socket: its log says why
        context.exit(EXIT_FINE if is_well(document) else EXIT_TROUBLE)
    context.exit(exit_code(error))


def _read(path: Path) -> ControlDocument | None:
    """The status file, if it is one of this version's that can be read."""
    with suppress(OSError, ValueError):
        found: Any = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict) and {"pid", "written", "ami", "stuck", "state_directory"} <= found.keys():
            return found
    return None


def _show(document: ControlDocument, as_json: bool) -> None:
    if as_json:
        print_json(document)
        return
    print_lines(lines_for_people(document))
