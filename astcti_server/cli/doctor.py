"""`astcti-server doctor` on the command line."""

from __future__ import annotations

import logging
from pathlib import Path

import click

from astcti_server.cli.asking import print_json
from astcti_server.cli.options import command_config_option, control_option, json_option, program_options
from schemas.log_lines import log_to_standard_error


@click.command()
@command_config_option
@control_option
@click.option(
    "--state",
    type=click.Path(path_type=Path, readable=False),
    help="The state directory (default: the one given before the command).",
)
@click.option(
    "--asterisk-etc",
    "etc",
    type=click.Path(path_type=Path, readable=False),
    help="Where Asterisk's manager.conf and queues.conf can be read (default: /etc/asterisk, where Asterisk"
    " is on this machine). What Asterisk itself says of them (class config) goes before.",
)
@click.option(
    "--provoke",
    is_flag=True,
    help="Make a few harmless events, so that each class of them is known: a Local channel that leads"
    " nowhere, and a paused member without a phone that is taken out of its queue at once. Asterisk's queue"
    " log and call records may have them.",
)
@json_option
@click.pass_context
def doctor(
    context: click.Context,
    directory: Path | None,
    control: Path | None,
    state: Path | None,
    etc: Path | None,
    provoke: bool,
    as_json: bool,
) -> None:
    """Look for what is wrong with this installation, its Asterisk and its configuration.

    Prints a line a finding, the worst first: what is the matter, where, and what to change. NOTE is what was
    not seen yet or could not be looked at: nothing is wrong there as far as is known. Then it prints the
    manager user (manager.conf) with the least rights for this configuration and this Asterisk.

    It logs in to Asterisk as the server does and only asks; the running server is asked for what that has
    seen. It works without a running server, too. Nothing is changed. Run it as root or as the server's user,
    on the server's machine: others may not look into every file.

    \b
    Looked at:
      files        server.xml and the configuration: valid, refused, held; certificates;
                   who can read secrets, whether the server's user can read what it needs
      network      name, port, TLS, login
      rights       classes of manager.conf, writetimeout, eventfilter, disabledevents
      Asterisk     version, clock, other sessions; queues, their options and members,
                   contexts, phones
      the server   connected, user, open files, version, settings that wait for a restart

    \b
    Exit codes:
      0  nothing is wrong (there may be notes)
      1  there are warnings
      2  there are errors
    """
    from astcti_server.doctor import report  # only this command needs it
    from astcti_server.doctor.examination import Examined, examine

    log_to_standard_error(logging.CRITICAL, "%(message)s")  # what is wrong is a finding
    options = program_options(context)
    diagnosis = examine(
        Examined(
            directory or options.configuration,
            state or options.state,
            control or options.control,
            etc,
            provoke,
        )
    )
    if as_json:
        print_json(report.as_document(diagnosis))
    else:
        for line in report.lines_of(diagnosis):
            click.echo(line)
    context.exit(report.exit_code(diagnosis))
