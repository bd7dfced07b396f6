"""`astcti-server check` and `accept`: whether a configuration is valid, and taking up one that is held."""

from __future__ import annotations

import logging
from pathlib import Path

import click

from astcti_server.cli.asking import ask
from astcti_server.cli.options import command_config_option, control_option, one_word, program_options
from astcti_server.config.checking import changes_in_words, check_directory
from astcti_server.config.memory import ConfigMemory, RememberedFile
from astcti_server.daemon import EXIT_CONFIGURATION, EXIT_STOPPED
from astcti_server.process.own_user import RUN_AS_ANOTHER_USER, owner_of_running_server
from schemas.log_lines import harmless, log_to_standard_error
from schemas.problems import ConfigurationError
from schemas.protocol import ControlCommand


@click.command()
@command_config_option
@click.option(
    "--state",
    type=click.Path(path_type=Path, readable=False),
    help="The state directory, which knows the file in force (default: the one given before the command).",
)
@click.option(
    "--diff", is_flag=True, help="Also say what would change for whom, compared with the file in force."
)
@click.pass_context
def check(context: click.Context, directory: Path | None, state: Path | None, diff: bool) -> None:
    """Validate every file of the configuration and say which one is in force.

    Prints each error as `file:line: message`. Warnings are of what is valid but hardly meant: a file that
    would be held, secrets that others can read, a certificate that ends, Asterisk reached without TLS, a
    server that runs as root.

    Exit code 0 if all is valid, also with warnings; 78 if anything is not.
    """
    options = program_options(context)
    directory, state = directory or options.configuration, state or options.state
    log_to_standard_error(logging.WARNING, "%(message)s")
    remembered = ConfigMemory(state).load(directory)
    report = check_directory(directory, remembered=remembered)
    for problem in report.problems:
        click.echo(str(problem))
    for warning in (*report.warnings, *report.held, *_of_root(options.status)):
        click.echo(harmless(f"{warning} (warning)"))
    for note in report.notes:
        click.echo(harmless(note))
    if report.in_force is not None:
        click.echo(harmless(f"In force: {report.in_force}"))
    if diff:
        _print_changes(directory, state, remembered)
    context.exit(EXIT_CONFIGURATION if report.problems else EXIT_STOPPED)


def _of_root(status: Path) -> list[str]:
    """Say that the running server is root's. Whoever checks may be root: files may only be read so."""
    owner = owner_of_running_server(status)
    if owner is None or owner[1] != 0:
        return []
    return [f"the running server (process {owner[0]}) is root: {RUN_AS_ANOTHER_USER}"]


def _print_changes(directory: Path, state: Path, remembered: RememberedFile | None) -> None:
    if remembered is None:
        click.echo(
            f"Nothing to compare with: {state} does not say which file of {directory} is in force (a server"
            " writes it there; --state names another directory, and its user or root may read it)"
        )
        return
    try:
        for line in changes_in_words(directory, remembered):
            click.echo(harmless(line))
    except ConfigurationError:
        pass  # it was printed


@click.command()
@control_option
@click.argument("sha256", callback=one_word, default="")
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
    ask(context, control, lambda connection: connection.do(ControlCommand.ACCEPT, sha256))
    click.echo("It is in force")
