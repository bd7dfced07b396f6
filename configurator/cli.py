"""The command line: the web application, and what scripts need of it."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import click

from configurator.commands import start
from configurator.commands.preparation import PreparedGroup, prepare
from configurator.commands.users import first_user, make_first_user, reset_password, who
from configurator.options import Options
from schemas.configuration.model import Configuration
from schemas.problems import ConfigurationError
from schemas.version import VERSION

EXIT_FAILURE, EXIT_INVALID = 1, 78


@click.group(
    cls=PreparedGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]}
)
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
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    host, port = _address(listen)
    context.obj = Options(data, publish, status, (*hosts, *_name_of(host)), keep, https)
    if context.invoked_subcommand is None:
        prepare(context.obj)
        _take_what_is_published()
        make_first_user()
        from configurator.commands.serving import serve

        serve(host, port, behind_proxy=https)


def _address(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise click.UsageError(f"--listen {listen}: write ADDRESS:PORT, such as 127.0.0.1:8080")
    return host.strip("[]") or "127.0.0.1", int(port)


def _name_of(host: str) -> list[str]:
    """How a browser names an address that is listened on; none where that is every address."""
    if host in ("0.0.0.0", "::"):
        return []
    return [f"[{host}]" if ":" in host else host]


def _take_what_is_published() -> None:
    """Before anything is said of the entries, or done with them: a new data directory has none of its own."""
    try:
        taken = start.take_what_is_published()
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from None
    if taken:
        click.echo(f"astcti-configurator: began with {taken}", err=True)


@main.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.pass_context
def check(context: click.Context, file: Path | None) -> None:
    """Validate what was entered, or FILE, with the server's own checks."""
    from configurator.checks import entry_checks
    from configurator.publishing import publication, working_copy

    if file is not None:
        configuration, doubts = _read(context, file, publication.load_checked)
        for doubt in doubts:
            click.echo(f"{doubt} (warning)")
        click.echo(f"{file} is valid: {_counted(configuration)}")
        return
    _take_what_is_published()
    copy = working_copy.read()
    errors, warnings = entry_checks.of_everything(copy)
    for kind, name, _row, message in errors:
        click.echo(f"{kind} {name}: {message}")
    for kind, name, _row, message in warnings:
        click.echo(f"{kind} {name}: {message} (warning)")
    if errors:
        context.exit(EXIT_INVALID)
    click.echo(f"What was entered is valid: {_counted(copy.configuration)}")


def _counted(configuration: Configuration) -> str:
    parts = {
        "services": configuration.services,
        "seats": configuration.seats,
        "operators": configuration.operators,
        "pause reasons": configuration.pause_reasons,
    }
    return ", ".join(f"{name} {len(entries)}" for name, entries in parts.items())


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
def export(file: Path) -> None:
    """Write what was entered to FILE as XML, or as SQLite if its name ends so; - is standard output."""
    from configurator import audit_log
    from configurator.publishing import working_copy
    from schemas.configuration import sqlite_form, xml_form

    _take_what_is_published()
    configuration = working_copy.configuration()
    try:
        if str(file) == "-":
            sys.stdout.buffer.write(xml_form.dump_xml(configuration))
        elif file.suffix == ".sqlite":
            sqlite_form.dump_sqlite(configuration, file)
            file.chmod(0o600)
        else:
            data = xml_form.dump_xml(configuration)  # before the file is touched
            file.touch(mode=0o600)  # password hashes are in it; a file that is there keeps its mode
            file.write_bytes(data)
    except (OSError, ValueError, KeyError) as error:
        raise click.ClickException(str(error)) from None
    audit_log.record(who(), "export", "configuration", file.name)


@main.command(name="import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--csv", "kind", type=click.Choice(["seats", "operators"]), help="FILE is CSV with these.")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@click.pass_context
def import_command(context: click.Context, file: Path, kind: str | None, dry_run: bool) -> None:
    """Make the entries what FILE says (XML or SQLite), or add and change seats or operators from CSV."""
    from configurator import audit_log
    from configurator.importing import csv_file, csv_import
    from configurator.publishing import differences, publication, working_copy

    _take_what_is_published()
    if kind:
        rows = csv_file.read(kind, file.read_bytes(), store=not dry_run)
        with working_copy.writing():
            run = csv_import.run(rows, store=not dry_run)
            for bad in run.bad:
                click.echo(f"{file}:{bad.line}: {bad.name}: {bad.message}")
            if not run.bad and not dry_run:
                audit_log.record(who(), "import", "configuration", f"{kind}: {file.name}")
        changed = sum(bool(row.changes) for row in run.good)
        click.echo(f"{changed} of {len(run.good)} rows change something, {len(run.bad)} are bad")
        context.exit(EXIT_INVALID if run.bad else 0)
    wanted = _read(context, file, publication.load)
    with working_copy.writing():
        for difference in differences.between(working_copy.configuration(), wanted):
            click.echo(f"{difference.kind} {difference.name}: {difference.what}")
        if not dry_run:
            working_copy.replace_all(wanted)
            audit_log.record(who(), "import", "configuration", file.name)


@main.command(name="publish")
@click.option("--form", type=click.Choice(["xml", "sqlite"]), default="xml", show_default=True)
@click.option("--comment", default="", help="A note for the list of publications.")
@click.option("--force", is_flag=True, help="Publish even if nothing is entered and something is in force.")
@click.pass_context
def publish_command(context: click.Context, form: Any, comment: str, force: bool) -> None:
    """Publish what was entered; prints the file's path."""
    from configurator import audit_log
    from configurator.checks import entry_checks
    from configurator.publishing import publication, working_copy

    _take_what_is_published()
    copy = working_copy.read()
    try:
        with working_copy.writing():
            published = publication.publish(copy.configuration, form, who(), comment, force=force)
            audit_log.record(who(), "publish", "configuration", published.path.name)
    except ConfigurationError:
        for kind, name, _row, message in entry_checks.of_everything(copy)[0]:
            click.echo(f"{kind} {name}: {message}", err=True)
        context.exit(EXIT_INVALID)
    except publication.EmptyError as error:
        raise click.ClickException(f"nothing was published: {error} (--force publishes it)") from None
    except publication.PublishError as error:
        raise click.ClickException(str(error)) from None
    click.echo(str(published.path))


def _read(context: click.Context, file: Path, load: Any) -> Any:
    try:
        return load(file)
    except ConfigurationError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        context.exit(EXIT_INVALID)
    except OSError as error:
        raise click.ClickException(str(error)) from None


for command in (first_user, reset_password):
    main.add_command(command)
