"""The command line of the server: options, exit codes and plain words; nothing else happens here."""

from __future__ import annotations

import getpass
import logging
import os
import signal
import sys
from pathlib import Path
from typing import BinaryIO, Literal

import click

from astcti_server import daemon, replay
from astcti_server.clients.listener import ListenError
from astcti_server.config.checking import changes_in_words, check_directory
from astcti_server.config.loading import load_directory
from astcti_server.config.memory import ConfigMemory, RememberedFile
from astcti_server.control import commands as control_commands
from astcti_server.control.commands import ProgramOptions, control_beside
from astcti_server.control.socket_file import AlreadyServedError
from astcti_server.logs import LOG_FORMAT, Logs
from astcti_server.process.own_user import RUN_AS_ANOTHER_USER, owner_of_running_server
from astcti_server.process.state_directory import StateError
from schemas import passwords
from schemas.event_xml import encode
from schemas.log_lines import harmless, log_to_standard_error
from schemas.problems import ConfigurationError
from schemas.version import VERSION

READ_AT_ONCE = 65536
SHORTEST_INTERVAL, LONGEST_INTERVAL = 0.1, 86400.0  # seconds between the demo's callers


config_option = click.option(
    "--config",
    "directory",
    type=click.Path(path_type=Path, readable=False),
    default=Path("/etc/astcti"),
    show_default=True,
    help="The configuration directory: server.xml and the runtime configuration (*.xml or *.sqlite).",
)


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="astcti-server")
@config_option
@click.option(
    "--state",
    type=click.Path(path_type=Path, readable=False),
    default=Path("/var/lib/astcti"),
    show_default=True,
    help="Directory for the queue members that this server added, and for what is in force.",
)
@click.option(
    "--status",
    type=click.Path(path_type=Path, readable=False),
    default=Path("/run/astcti/status.json"),
    show_default=True,
    help="File that says what the server is doing (JSON).",
)
@click.option(
    "--control",
    type=click.Path(path_type=Path, readable=False),
    help="Control socket, for status, accept and stop (default: control.sock beside the status file).",
)
@click.option(
    "--pidfile", type=click.Path(path_type=Path, readable=False), help="Write the process id into this file."
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"], case_sensitive=False),
    help="Overrides the level in server.xml.",
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
    status: Path,
    control: Path | None,
    pidfile: Path | None,
    log_level: str | None,
    record: Path | None,
    record_limit: int,
) -> None:
    """Tell each call centre agent's PC who calls, over one connection to Asterisk.

    Without a command the server runs in the foreground until SIGTERM or SIGINT. SIGHUP looks at the
    configuration again (changes are seen without it) and reads a renewed certificate,
    SIGUSR1 reopens the log file.

    \b
    Exit codes:
      0   stopped on request
      1   failure: a part of the server died, or the retries to reach Asterisk are used up
      2   wrong use of the command line
      78  no valid configuration; every error was printed
    """
    control = control or control_beside(status)
    if context.invoked_subcommand is not None:
        context.obj = ProgramOptions(directory, state, status, control)
        return
    paths = daemon.DaemonPaths(
        directory, state, status, control, pidfile, log_level or "", record, record_limit
    )
    context.exit(_run(paths))


def _run(paths: daemon.DaemonPaths) -> int:
    try:
        remembered = ConfigMemory(paths.state).load(paths.configuration)
        loaded = load_directory(paths.configuration, remembered=remembered)
    except ConfigurationError as error:
        return _print_problems(error)
    logs, log = Logs(), loaded.settings.logging
    try:
        logs.apply(paths.log_level or log.level, log.file)
    except OSError as error:
        return _print_failure(f"cannot write to the log file {log.file}: {error.strerror or error}")
    try:
        server = daemon.Daemon(paths, loaded, logs)
    except OSError as error:
        return _print_failure(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except (StateError, ListenError, AlreadyServedError) as error:
        return _print_failure(str(error))
    return server.run()


def _print_failure(reason: str) -> int:
    click.echo(f"astcti-server: {reason}", err=True)
    return daemon.EXIT_FAILURE


def _print_problems(error: ConfigurationError) -> int:
    for problem in error.problems:
        click.echo(str(problem), err=True)
    click.echo("astcti-server: no valid configuration, not started", err=True)
    return daemon.EXIT_CONFIGURATION


def _directory(context: click.Context, directory: Path | None) -> Path:
    return directory if directory is not None else context.obj.configuration


command_config_option = click.option(
    "--config",
    "directory",
    type=click.Path(path_type=Path, readable=False),
    help="The configuration directory (default: the one given before the command, or /etc/astcti).",
)


for control_command in (control_commands.status, control_commands.accept, control_commands.stop):
    main.add_command(control_command)


@main.command()
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
    options: ProgramOptions = context.obj
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
    context.exit(daemon.EXIT_CONFIGURATION if report.problems else daemon.EXIT_STOPPED)


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


@main.command(name="replay")
@command_config_option
@click.option(
    "--events",
    type=click.Choice(["services", "all"]),
    default="services",
    show_default=True,
    help="Calls of the operators' services, or every call of a seat's phone.",
)
@click.argument("trace", type=click.File("rb"))
@click.pass_context
def replay_command(context: click.Context, directory: Path | None, events: str, trace: BinaryIO) -> None:
    """Run a raw AMI transcript (as --record writes it; - is standard input) through the server's own code.

    Prints one line for each notification: the extension, a tab, the event. Every seat counts as logged in
    with the operator bound to it. server.xml is not needed.

    Exit code 1 if it is no transcript, 78 if there is no valid configuration.
    """
    log_to_standard_error(logging.WARNING, "%(levelname)s %(message)s")
    try:
        loaded = load_directory(_directory(context, directory), settings_needed=False)
    except ConfigurationError as error:
        context.exit(_print_problems(error))
    out = sys.stdout.buffer
    player = replay.Replay(
        loaded.configuration,
        lambda told: _print(out, told.extension, encode(told.event)),
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
        context.exit(daemon.EXIT_FAILURE)


def _print(out: BinaryIO, extension: str, line: bytes) -> None:
    out.write(extension.encode() + b"\t" + line)


@main.command()
@click.option(
    "--scheme",
    type=click.Choice(["scrypt", "md5"]),
    default="scrypt",
    show_default=True,
    help="scrypt: a stolen configuration logs nobody in; md5: less memory and time a login.",
)
def hash_password(scheme: Literal["scrypt", "md5"]) -> None:
    """Read a password and print what belongs into an operator's `password` and, with scrypt, `scram`.

    The first line is the value of `password`, the second one that of `scram`: with it, clients log in without
    sending anything that would log somebody else in. An md5: password needs none.

    Asks twice on a terminal; otherwise reads one line from standard input.
    """
    if sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Again: ") != password:
            raise click.UsageError("the two passwords differ")
    else:
        try:
            password = sys.stdin.buffer.readline().decode().rstrip("\r\n")
        except UnicodeDecodeError:
            raise click.UsageError("the password on standard input is not UTF-8") from None
    if not password:
        raise click.UsageError("the password is empty")
    forms = passwords.make_stored_forms(password, scheme)
    for value in filter(None, forms):
        click.echo(value)


@main.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=5038,
    show_default=True,
    help="Port of the manager interface, on 127.0.0.1; 0 for any free one.",
)
@click.option(
    "--every",
    type=click.FloatRange(SHORTEST_INTERVAL, LONGEST_INTERVAL),
    default=8.0,
    show_default=True,
    help="Seconds between simulated callers.",
)
@click.option("--username", default="astcti", show_default=True, help="Name of the manager user.")
@click.option("--secret", default="astcti", show_default=True, help="Secret of the manager user.")
@click.option("--narrate/--quiet", default=True, show_default=True, help="Say in plain words what happens.")
@click.pass_context
def demo_pbx(
    context: click.Context, port: int, every: float, username: str, secret: str, narrate: bool
) -> None:
    """Run the embedded PBX: a manager interface that plays calls and answers as Asterisk does.

    For trying things out without an Asterisk. A caller rings through queue `astcti` every few seconds; phones
    (PJSIP/201 and so on) answer once they are members of the queue. Ctrl-C ends it.
    """
    from astcti_server.demo.ami.manager import AmiUser  # only this command needs it
    from astcti_server.demo.pbx import DemoPbx

    log_to_standard_error(logging.INFO, LOG_FORMAT)
    pbx = DemoPbx(
        port=port,
        interval=every,
        users=[AmiUser(username, secret)],
        narrate=click.echo if narrate else None,
        died=lambda name, error: os.kill(os.getpid(), signal.SIGTERM),
    )
    numbers = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)  # the PBX's thread inherits it: the main thread waits
    try:
        pbx.start()
    except OSError as error:
        raise click.ClickException(f"cannot listen on port {port}: {error.strerror}") from None
    click.echo("Demo PBX on {}:{}, user {}; Ctrl-C ends it".format(*pbx.address, username))
    signal.sigwait(numbers)
    pbx.stop()
    context.exit(daemon.EXIT_STOPPED)


if __name__ == "__main__":
    main()
