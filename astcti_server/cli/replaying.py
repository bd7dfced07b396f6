"""`astcti-server replay`: a recording of Asterisk, run through the server's own code."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import click
from click.core import ParameterSource

from astcti_server.cli.asking import print_json, print_lines
from astcti_server.cli.options import command_config_option, json_option, program_options
from astcti_server.cli.problems import print_problems
from astcti_server.config.loading import load_directory
from astcti_server.daemon import EXIT_FAILURE
from astcti_server.explain.documents import document_of, lines_for_people
from astcti_server.explain.heard_names import HeardNames, names_in
from astcti_server.kept_ami.archive import BadArchive, ReportArchive, is_archive
from astcti_server.replay import Replay
from astcti_server.report_replay import ReportReplay
from schemas.event_xml import encode
from schemas.log_lines import log_to_standard_error
from schemas.problems import ConfigurationError

READ_AT_ONCE: Final = 65536
_GIVEN: Final = ParameterSource.COMMANDLINE


@click.command(name="replay")
@command_config_option
@click.option(
    "--events",
    type=click.Choice(["services", "all"]),
    default="services",
    show_default=True,
    help="Calls of the operators' services, or every call of a seat's phone.",
)
@click.option(
    "--explain",
    is_flag=True,
    help="Say why the calls popped up or did not, as `astcti-server explain` does, instead.",
)
@json_option
@click.argument("trace", type=click.File("rb"))
@click.argument("what", nargs=-1)
@click.pass_context
def replay_command(
    context: click.Context,
    directory: Path | None,
    events: str,
    explain: bool,
    as_json: bool,
    trace: BinaryIO,
    what: tuple[str, ...],
) -> None:
    """Run a raw AMI transcript (as --record writes it; - is standard input) through the server's own code.

    Prints one line for each notification: the extension, a tab, the event. Every seat counts as logged in
    with the operator bound to it. server.xml is not needed. A report (`astcti-server report`) is played with
    its own configurations, and with who really sat where.

    With --explain, WHAT is a number, an extension, a user name, a Linkedid, a Uniqueid or last; without it
    every call at a seat's phone is explained.

    Exit code 1 if it is no transcript, 78 if there is no valid configuration.
    """
    if (what or as_json) and not explain:
        raise click.UsageError("WHAT and --json belong to --explain")
    log_to_standard_error(logging.ERROR if explain else logging.WARNING, "%(levelname)s %(message)s")
    if is_archive(_beginning(trace)):
        if explain:
            raise click.UsageError("a report has its explanation in it (explain.json): leave --explain out")
        _replay_report(context, trace)
        return
    try:
        loaded = load_directory(directory or program_options(context).configuration, settings_needed=False)
    except ConfigurationError as error:
        context.exit(print_problems(error))
    out = sys.stdout.buffer
    player = Replay(
        loaded.configuration,
        (lambda told: None) if explain else lambda told: _print(out, told.extension, encode(told.event)),
        all_calls=events == "all",
        encoding=loaded.settings.ami.encoding,
    )
    try:
        while data := trace.read(READ_AT_ONCE):
            player.feed(data)
        out.flush()
    except BrokenPipeError:  # whoever reads has had enough
        raise
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python complains once more when it ends
        raise click.ClickException(f"the replay broke off: {error.strerror}") from None
    if not player.understood:
        click.echo(
            "astcti-server: this is no transcript of Asterisk's manager interface: neither its banner nor an"
            " event is in it (its lines end with CR LF, as --record writes them)",
            err=True,
        )
        context.exit(EXIT_FAILURE)
    if explain:
        _explain(player, trace, loaded.settings.ami.encoding, " ".join(what), as_json)


def _beginning(trace: BinaryIO) -> bytes:
    """The first bytes, which are read again."""
    return trace.peek(2)[:2] if isinstance(trace, io.BufferedReader) else b""


def _replay_report(context: click.Context, file: BinaryIO) -> None:
    """What `astcti-server report` wrote: its own configurations count, and who sat where."""
    given = [name for name in ("directory", "events") if context.get_parameter_source(name) is _GIVEN]
    if given:
        raise click.UsageError("a report has its own configuration: leave --config and --events out")
    out = sys.stdout.buffer
    try:
        # A pipe is read whole: where a report's files begin stands in it, and it has a few megabytes.
        archive = ReportArchive(file if file.seekable() else io.BytesIO(file.read()))
        player = ReportReplay(
            archive.configurations, lambda told: _print(out, told.extension, encode(told.event))
        )
        for piece in archive.pieces():
            if isinstance(piece, bytes):
                player.feed(piece)
            else:
                player.mark(piece)
        out.flush()
    except (BadArchive, LookupError, TypeError, ValueError) as error:
        click.echo(f"astcti-server: this is no report: {error}", err=True)
        context.exit(EXIT_FAILURE)


def _print(out: BinaryIO, extension: str, line: bytes) -> None:
    out.write(extension.encode() + b"\t" + line)


def _explain(player: Replay, trace: BinaryIO, encoding: str, what: str, as_json: bool) -> None:
    """Explain what was named, or all. A file is read once more for what the server does not look at."""

    def names_heard(uniqueids: frozenset[str]) -> HeardNames | None:
        if not trace.seekable():
            return None
        trace.seek(0)
        return names_in(_blocks(trace), uniqueids, encoding)

    calls = player.calls_so_far(names_heard)
    answers = calls.explain(what) if what else calls.explain_all()
    if as_json:
        print_json(document_of(answers))
        return
    print_lines(lines_for_people(answers))


def _blocks(trace: BinaryIO) -> Iterator[bytes]:
    rest = b""
    while data := trace.read(READ_AT_ONCE):
        *blocks, rest = (rest + data).split(b"\r\n\r\n")
        yield from blocks
    yield rest
