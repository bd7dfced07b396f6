"""`astcti-server kick`, `pause` and `unpause`: what is done to somebody who is logged in."""

from __future__ import annotations

from pathlib import Path

import click

from astcti_server.cli.asking import ask_to_show
from astcti_server.cli.options import control_option, json_option, one_word
from astcti_server.control.ports import ControlDocument
from schemas.log_lines import harmless
from schemas.protocol import ControlCommand


@click.command()
@control_option
@json_option
@click.argument("user", callback=one_word)
@click.pass_context
def kick(context: click.Context, control: Path | None, as_json: bool, user: str) -> None:
    """Log the operator USER out, as QUIT would: out of the queues at once. Running calls go on.

    The client does not come back by itself, but nothing keeps the operator from logging in again.

    \b
    Exit codes:
      0  logged out
      1  refused: no such operator, or not logged in
      3  the server does not run
      4  you may not: only root and the server's user may
      5  the server does not answer
    """
    document = ask_to_show(context, control, as_json, ControlCommand.KICK, user)
    if document is None:
        return
    click.echo(harmless(f"{_name(document)} is logged out"))


@click.command()
@control_option
@json_option
@click.argument("user", callback=one_word)
@click.argument("reason", nargs=-1)
@click.pass_context
def pause(
    context: click.Context, control: Path | None, as_json: bool, user: str, reason: tuple[str, ...]
) -> None:
    """Put the operator USER into pause in all queues, with a REASON if one is given.

    It is an ordinary pause: USER may end it. The client shows it.

    \b
    Exit codes:
      0  in pause, or will be once Asterisk is reached again
      1  refused: no such operator, not logged in, at no seat, or Asterisk did not do it
      3  the server does not run
      4  you may not: only root and the server's user may
      5  the server does not answer
    """
    _change(context, control, as_json, ControlCommand.PAUSE, user, *reason)


@click.command()
@control_option
@json_option
@click.argument("user", callback=one_word)
@click.pass_context
def unpause(context: click.Context, control: Path | None, as_json: bool, user: str) -> None:
    """Take the operator USER out of pause in all queues.

    \b
    Exit codes:
      0  out of pause, or will be once Asterisk is reached again
      1  refused: no such operator, not logged in, at no seat, or Asterisk did not do it
      3  the server does not run
      4  you may not: only root and the server's user may
      5  the server does not answer
    """
    _change(context, control, as_json, ControlCommand.UNPAUSE, user)


def _change(context: click.Context, control: Path | None, as_json: bool, *words: str) -> None:
    document = ask_to_show(context, control, as_json, *words)
    if document is None:
        return
    state = "in pause" if document["paused"] else "out of pause"
    reason = f" ({document['pause_reason']})" if document["pause_reason"] else ""
    if document["deferred"]:
        said = f"Asterisk is not reached: {_name(document)} will be {state}{reason} once it is"
    else:
        said = f"{_name(document)} is {state}{reason}"
    click.echo(harmless(said))


def _name(document: ControlDocument) -> str:
    full_name = document["full_name"]
    return f"{full_name} ({document['username']})" if full_name else str(document["username"])
