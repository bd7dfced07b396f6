"""`astcti-server report`: what was kept of a call, as a file that can be sent to whoever looks into it."""

from __future__ import annotations

import errno
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from astcti_server.cli.asking import EXIT_TROUBLE, ask, fail, print_json
from astcti_server.cli.options import control_option, json_option
from astcti_server.cli.table import counted
from astcti_server.kept_ami.archive import write_archive
from schemas.protocol import MASK, ControlCommand

REPORT_WITHIN: Final = 120.0
"""Seconds: of the most that can be kept a report takes a quarter of that."""


@click.command()
@control_option
@json_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, readable=False),
    help="The file to write, which must not exist (default: report-TIME.tar.gz in this directory).",
)
@click.option("--mask", is_flag=True, help="Replace numbers, names and digits by others, the same each time.")
@click.argument("what")
@click.pass_context
def report(
    context: click.Context, control: Path | None, as_json: bool, out: Path | None, mask: bool, what: str
) -> None:
    """Put what Asterisk said of a call, and what belongs to it, into a file that `replay` can play.

    WHAT is a Linkedid, a Uniqueid, a number, an extension (PJSIP/201), a user name, `last` for the last call
    of a seat's phone, or a time: 10:05-10:15 of today, or 2026-03-01T10:05/2026-03-01T10:15.

    No password, secret or value of an undeclared variable is in it; numbers and names are, unless --mask is
    given. Look at it before it is sent.

    \b
    Exit codes:
      0  written
      1  refused, or the file cannot be written
      3  the server does not run
      4  you may not: only root and the server's user may
      5  the server does not answer
    """
    words = [ControlCommand.REPORT, *([MASK] if mask else []), what]
    document = ask(context, control, lambda connection: connection.document(*words), within=REPORT_WITHIN)
    path = out or Path(time.strftime("report-%Y%m%d-%H%M%S.tar.gz"))
    try:
        size = write_archive(path, document)
    except OSError as error:
        reason = "is there already" if error.errno == errno.EEXIST else error.strerror or str(error)
        fail(context, f"{path}: {reason}", EXIT_TROUBLE)
    if as_json:
        print_json({"file": str(path), "bytes": size, **document["about"]})
        return
    for line in _described(path, size, document):
        click.echo(line)


def _described(path: Path, size: int, document: Mapping[str, Any]) -> list[str]:
    """What is in it, so that whoever sends it knows."""
    about = document["about"]
    kinds = [mark["mark"] for mark in document["marks"]]
    who = (
        "numbers, names and digits are replaced by others"
        if about["masked"]
        else "numbers, names and values of declared variables are in it as they were (--mask replaces them)"
    )
    return [
        f"{path}: {size} bytes, only you may read it",
        f"  {about['from']} to {about['to']}",
        f"  ami.txt: {counted(about['messages'], 'message')} of Asterisk; "
        f"{about['left_out']} that the server does not use are left out",
        f"  marks.jsonl: {counted(kinds.count('seats'), 'change')} of who sits where, "
        f"{counted(sum(kind.startswith('link-') for kind in kinds), 'change')} of the link to Asterisk",
        f"  {counted(len(document['configurations']), 'configuration')} without passwords; "
        "addresses of pages and programs in it are as they are",
        f"  log.txt: {counted(about['log_lines'], 'line')}",
        "  about.json: versions, settings without secrets",
        f"  {who}",
        "  values of undeclared variables and arguments of applications are masked",
    ]
