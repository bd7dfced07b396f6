"""The program itself: it runs the server, or one of the commands. Nothing else happens here."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

import click

from astcti_server import daemon
from astcti_server.cli import (
    configuration,
    demo,
    doctor,
    explaining,
    lists,
    operators,
    password,
    process,
    replaying,
    reporting,
    status,
)
from astcti_server.cli.options import ProgramOptions, control_beside
from astcti_server.cli.problems import print_problems
from astcti_server.clients.listener import ListenError
from astcti_server.config.loading import load_directory
from astcti_server.config.memory import ConfigMemory
from astcti_server.control.socket_file import AlreadyServedError
from astcti_server.logs import LEVELS, Logs
from astcti_server.process.state_directory import StateError
from astcti_server.server_metrics import MetricsError
from schemas.problems import ConfigurationError
from schemas.version import VERSION

COMMANDS: Final[tuple[click.Command, ...]] = (
    status.status,
    explaining.explain,
    lists.sessions,
    lists.calls,
    lists.queues,
    reporting.report,
    operators.kick,
    operators.pause,
    operators.unpause,
    process.log_level,
    process.stop,
    configuration.accept,
    configuration.check,
    doctor.doctor,
    replaying.replay_command,
    password.hash_password,
    demo.demo_pbx,
)
"""Every command."""


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="astcti-server")
@click.option(
    "--config",
    "directory",
    type=click.Path(path_type=Path, readable=False),
    default=Path("/etc/astcti"),
    show_default=True,
    help="The configuration directory: server.xml and the runtime configuration (*.xml or *.sqlite).",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, readable=False),
    default=Path("/var/lib/astcti"),
    show_default=True,
    help="Directory for the queue members that this server added, and for what is in force.",
)
@click.option(
    "--status",
    "status_file",
    type=click.Path(path_type=Path, readable=False),
    default=Path("/run/astcti/status.json"),
    show_default=True,
    help="File that says what the server is doing (JSON).",
)
@click.option(
    "--control",
    type=click.Path(path_type=Path, readable=False),
    help="Socket for commands that ask the running server (default: control.sock beside the status file).",
)
@click.option(
    "--pidfile", type=click.Path(path_type=Path, readable=False), help="Write the process id into this file."
)
@click.option(
    "--log-level", type=click.Choice(LEVELS, case_sensitive=False), help="Overrides the level in server.xml."
)
@click.option(
    "--record",
    type=click.Path(path_type=Path, readable=False),
    help="Append all bytes read from Asterisk to this file, for `replay`; secrets are left out.",
)
@click.option(
    "--record-limit",
    type=click.IntRange(1, 1 << 20),
    default=daemon.RECORD_LIMIT,
    show_default=True,
    help="MiB that the recording may have; then it ends, and the server goes on without.",
)
@click.pass_context
def main(
    context: click.Context,
    directory: Path,
    state: Path,
    status_file: Path,
    control: Path | None,
    pidfile: Path | None,
    log_level: str | None,
    record: Path | None,
    record_limit: int,
) -> None:
    """Tell each call centre agent's PC who calls, over one connection to Asterisk.

    Without a command the server runs in the foreground until SIGTERM or SIGINT. SIGHUP looks at the
    configuration again (changes are seen without it) and reads a renewed certificate, SIGUSR1 reopens the
    log file and the audit.

    \b
    Exit codes:
      0   stopped on request
      1   failure: a part of the server died, or the retries to reach Asterisk are used up
      2   wrong use of the command line
      78  no valid configuration; every error was printed
    """
    control = control or control_beside(status_file)
    if context.invoked_subcommand is not None:
        context.obj = ProgramOptions(directory, state, status_file, control)
        return
    paths = daemon.DaemonPaths(
        directory, state, status_file, control, pidfile, log_level or "", record, record_limit
    )
    context.exit(_run(paths))


for _command in COMMANDS:
    main.add_command(_command)


def _run(paths: daemon.DaemonPaths) -> int:
    try:
        remembered = ConfigMemory(paths.state).load(paths.configuration)
        loaded = load_directory(paths.configuration, remembered=remembered)
    except ConfigurationError as error:
        return print_problems(error)
    logs, log = Logs(), loaded.settings.logging
    try:
        logs.apply(paths.log_level or log.level, log.file)
    except OSError as error:
        return _print_failure(f"cannot write to the log file {log.file}: {error.strerror or error}")
    try:
        server = daemon.Daemon(paths, loaded, logs)
    except OSError as error:
        return _print_failure(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except (StateError, ListenError, AlreadyServedError, MetricsError) as error:
        return _print_failure(str(error))
    code = server.run()
    if server.thread_late:  # Python would wait for it: a disk that hangs would keep the process for ever
        sys.stdout.flush()
        os._exit(code)
    return code


def _print_failure(reason: str) -> int:
    click.echo(f"astcti-server: {reason}", err=True)
    return daemon.EXIT_FAILURE


if __name__ == "__main__":
    main()
