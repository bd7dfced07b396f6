"""`astcti-server explain`: why a call popped up at a phone, or did not."""

from __future__ import annotations

from pathlib import Path

import click

from astcti_server.cli.asking import ask_to_show, print_lines
from astcti_server.cli.options import control_option, json_option
from astcti_server.explain.documents import explanations_in, lines_for_people
from schemas.protocol import ControlCommand


@click.command()
@control_option
@json_option
@click.argument("what", nargs=-1, required=True)
@click.pass_context
def explain(context: click.Context, control: Path | None, as_json: bool, what: tuple[str, ...]) -> None:
    """Say why a call popped up at a phone, or did not, and what to change.

    WHAT is a number, an extension (PJSIP/201 or 201), a user name, a Linkedid, a Uniqueid, or last. Of
    several calls the latest is meant; the server knows them for an hour at most. First comes the verdict,
    then the story in order, then what else is odd. docs/pop-ups.md explains them.

    \b
    Exit codes:
      0  there is an answer
      1  refused: the server is busy
      3  it does not run
      4  you may not ask: only root and the server's user may
      5  it does not answer
    """
    document = ask_to_show(context, control, as_json, ControlCommand.EXPLAIN, *what)
    if document is None:
        return
    print_lines(lines_for_people(explanations_in(document)))
