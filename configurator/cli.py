"""The command line: the web application, and what scripts need of it."""

from __future__ import annotations

import logging
from pathlib import Path

import click

from configurator.commands.backups import backup_command, nightly_copies, restore_command
from configurator.commands.configuration import (
    check_command,
    export_command,
    import_command,
    publish_command,
    take_published_file,
)
from configurator.commands.data_directory import in_use, prepare, remove_unfinished
from configurator.commands.serving import host_names, listen_address, serve
from configurator.commands.sign_on import check_sign_on
from configurator.commands.users import first_user, make_first_user, reset_password
from configurator.options import Options
from schemas.log_lines import LineFormatter, LineHandler, standard_error
from schemas.log_repeats import RepeatedLines
from schemas.version import VERSION


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="astcti-configurator")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=Path("/var/lib/astcti-configurator"),
    show_default=True,
    help="Directory for the two databases, the secret key and configurator.ini.",
)
@click.option(
    "--publish",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("/etc/astcti"),
    show_default=True,
    help="The server's configuration directory.",
)
@click.option(
    "--status",
    type=click.Path(path_type=Path),
    default=Path("/run/astcti/status.json"),
    show_default=True,
    help="The server's status file: tells whether a publication was taken up.",
)
@click.option(
    "--listen", default="127.0.0.1:8080", show_default=True, help="Address and port; port 0 is any free one."
)
@click.option(
    "--host", "hosts", multiple=True, help="A name under which browsers reach the application; repeatable."
)
@click.option(
    "--keep", type=click.IntRange(1, 1000), default=10, show_default=True, help="Published files to keep."
)
@click.option(
    "--copies",
    type=click.IntRange(0, 1000),
    default=14,
    show_default=True,
    help="Days for which a nightly copy of all is kept in the data directory; 0 for none.",
)
@click.option(
    "--https", is_flag=True, help="A proxy in front speaks TLS and sends X-Forwarded-For and -Proto."
)
@click.pass_context
def main(
    context: click.Context,
    data: Path,
    publish: Path,
    status: Path,
    listen: str,
    hosts: tuple[str, ...],
    keep: int,
    copies: int,
    https: bool,
) -> None:
    """Edit the configuration of AsteriskCTI in the browser, and publish it to the server.

    Without a command the web application runs until SIGTERM or SIGINT. The first start makes the databases,
    takes over the newest configuration in the publish directory, and asks for the first user, or takes it
    from ASTCTI_CONFIGURATOR_USER and ASTCTI_CONFIGURATOR_PASSWORD (and _FULL_NAME, _EMAIL).

    \b
    Exit codes:
      0   done
      1   failure
      2   wrong use of the command line
      78  the configuration is not valid; every error was printed
    """
    _log_to_standard_error()
    host, port = listen_address(listen)
    context.obj = Options(data, publish, status, (*hosts, *host_names(host)), keep, copies, https)
    if context.invoked_subcommand is None:
        with in_use(context.obj):
            remove_unfinished(context.obj)
            prepare(context.obj)
            take_published_file()
            make_first_user()
            with nightly_copies(context.obj):
                serve(host, port, behind_proxy=https)


def _log_to_standard_error() -> None:
    handler = LineHandler(standard_error(), repeats=RepeatedLines())
    handler.setFormatter(LineFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.addFilter(without_traceback_of_refusals)
    handler.addFilter(with_our_option_for_names)
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def without_traceback_of_refusals(record: logging.LogRecord) -> bool:
    """A request that is refused is no fault of the application: one line, without where it was refused."""
    if getattr(record, "status_code", 500) < 500:
        record.exc_info = record.exc_text = None
    return True


def with_our_option_for_names(record: logging.LogRecord) -> bool:
    """Of a name that is none of ours Django advises a setting that nobody finds; here it is an option."""
    if record.name == "django.security.DisallowedHost":
        said = record.getMessage().partition(" You may need to")[0]
        record.msg, record.args = f"{said} Start it with --host NAME if browsers shall reach it so", ()
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True


for command in (
    check_command,
    export_command,
    import_command,
    publish_command,
    backup_command,
    restore_command,
    first_user,
    reset_password,
    check_sign_on,
):
    main.add_command(command)
