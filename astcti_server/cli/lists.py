"""`astcti-server sessions`, `calls` and `queues`: what there is at the moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from astcti_server.cli.asking import ask_to_show
from astcti_server.cli.options import control_option, json_option, one_word
from astcti_server.cli.table import aligned, counted, how_long
from astcti_server.control.shown_status import difference_in_words
from schemas.protocol import ControlCommand


@click.command()
@control_option
@json_option
@click.pass_context
def sessions(context: click.Context, control: Path | None, as_json: bool) -> None:
    """List who is logged in, at which seat, from where, and in pause or not; FOR says for how long.

    \b
    Exit codes:
      0  listed
      1  refused
      3  the server does not run
      4  you may not: only root and the server's user may
      5  the server does not answer
    """
    document = ask_to_show(context, control, as_json, ControlCommand.SESSIONS)
    if document is None:
        return
    rows = [
        (
            session["username"],
            session["full_name"],
            session["extension"] or "-",
            session["address"],
            _pause_of(session),
            how_long(session.get("paused_since", "")),  # a server of the release before does not say it
        )
        for session in document["sessions"]
    ]
    _print(aligned(("USER", "NAME", "SEAT", "ADDRESS", "PAUSE", "FOR"), rows))
    click.echo(f"{len(rows)} logged in")


@click.command()
@control_option
@json_option
@click.pass_context
def calls(context: click.Context, control: Path | None, as_json: bool) -> None:
    """List the calls of the moment: a line for each channel with somebody on it, the oldest call first.

    FOR counts from the channel's beginning by Asterisk's clock. With --json every channel is listed, also
    the halves of Local ones.

    \b
    Exit codes:
      0  listed
      1  refused
      3  the server does not run
      4  you may not: only root and the server's user may
      5  the server does not answer
    """
    document = ask_to_show(context, control, as_json, ControlCommand.CALLS)
    if document is None:
        return
    names = {call["uniqueid"]: call["channel"] for call in document["calls"]}
    shown = [call for call in document["calls"] if not call["local"]]
    titles = ("FOR", "CHANNEL", "STATE", "NUMBER", "NAME", "DIALLED", "QUEUE", "SERVICE", "USER", "WITH")
    _print(aligned(titles, [_call(call, names) for call in shown]))
    click.echo(f"{counted(len(shown), 'channel')} of {len(names)} that Asterisk has")


def _call(call: Mapping[str, Any], names: Mapping[str, str]) -> tuple[str, ...]:
    return (
        how_long(call["began"]),
        call["channel"],
        call["state"],
        call["number"],
        call["name"],
        call["exten"],
        call["queue"],
        call["service"],
        call["username"],
        ", ".join(names.get(other, other) for other in call["talks_with"]),
    )


@click.command()
@control_option
@json_option
@click.argument("queue", callback=one_word, default="")
@click.pass_context
def queues(context: click.Context, control: Path | None, as_json: bool, queue: str) -> None:
    """List the queues of the services: how many members are wanted, how many there are, what differs.

    With QUEUE only this one, and each of its members.

    \b
    Exit codes:
      0  listed
      1  refused: there is no such queue
      3  the server does not run
      4  you may not: only root and the server's user may
      5  the server does not answer
    """
    document = ask_to_show(context, control, as_json, ControlCommand.QUEUES, queue)
    if document is None:
        return
    rows = [
        [entry["queue"], *(str(entry[name]) for name in ("wanted", "members", "paused")), _differing(entry)]
        for entry in document["queues"]
    ]
    _print(aligned(("QUEUE", "WANTED", "MEMBERS", "PAUSED", "DIFFERING"), rows))
    if queue:
        click.echo()
        titles = ("MEMBER", "USER", "PENALTY", "PAUSE", "DIFFERENCE")
        _print(aligned(titles, [_member(member) for member in document["members"]]))


def _differing(queue: Mapping[str, Any]) -> str:
    return str(len(queue["differing"]) + queue["more"])


def _member(member: Mapping[str, Any]) -> tuple[str, ...]:
    penalty = member["wanted_penalty"] if member["penalty"] is None else member["penalty"]
    return (
        member["interface"],
        member["username"],
        "" if penalty is None else str(penalty),
        _pause_of(member) if member["member"] else "",
        difference_in_words(member) if member["differs"] else "",
    )


def _pause_of(entry: Mapping[str, Any]) -> str:
    return f"yes ({entry['pause_reason']})".removesuffix(" ()") if entry["paused"] else "no"


def _print(lines: Iterator[str]) -> None:
    for line in lines:
        click.echo(line)
