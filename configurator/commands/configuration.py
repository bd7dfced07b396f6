"""The commands that are about the configuration: check, export, import, publish."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from configurator.commands.data_directory import PreparedCommand
from configurator.commands.users import audit_name
from configurator.importing.csv_text import ENCODINGS
from schemas import own_files
from schemas.configuration.checks import CheckedConfiguration
from schemas.configuration.model import Configuration
from schemas.problems import ConfigurationError
from schemas.server.file_checks import open_to_others

if TYPE_CHECKING:
    from configurator.publishing.differences import Difference

EXIT_INVALID = 78


def take_published_file() -> None:
    """Begin with what is in the publish directory already, so that edits by hand are not lost.

    Before anything is said of the entries, or done with them. ClickException if the directory cannot be read.
    """
    from configurator.publishing import publication

    try:
        taken = publication.begin_with_file_in_force()
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from None
    if taken:
        click.echo(f"astcti-configurator: began with {taken}", err=True)


@click.command(cls=PreparedCommand, name="check")
@click.argument("file", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.pass_context
def check_command(context: click.Context, file: Path | None) -> None:
    """Validate what was entered, or FILE, with the server's own checks."""
    from configurator.checks import entry_checks
    from configurator.publishing import working_copy

    if file is not None:
        checked = _read_file(context, file)
        for warning in checked.warnings:
            click.echo(f"{warning} (warning)")
        click.echo(f"{file} is valid: {_counted(checked.configuration)}")
        return
    take_published_file()
    copy = working_copy.read_working_copy()
    errors, warnings = entry_checks.check_everything(copy)
    for error in errors:
        click.echo(f"{error.kind} {error.name}: {error.message}")
    for doubt in warnings:
        click.echo(f"{doubt.kind} {doubt.name}: {doubt.message} (warning)")
    for open_file in _open_to_others():
        click.echo(f"{open_file} (warning)")
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


@click.command(cls=PreparedCommand, name="export")
@click.argument("file", type=click.Path(path_type=Path))
def export_command(file: Path) -> None:
    """Write what was entered to FILE as XML, or as SQLite if its name ends so; - is standard output."""
    from configurator import audit_log
    from configurator.publishing import working_copy
    from schemas.configuration import sqlite_form, xml_form

    take_published_file()
    configuration = working_copy.configuration()
    try:
        if str(file) == "-":
            sys.stdout.buffer.write(xml_form.dump_xml(configuration))
        elif file.suffix == ".sqlite":
            sqlite_form.dump_sqlite(configuration, file)
        else:
            _write_export(file, xml_form.dump_xml(configuration))
    except (OSError, ValueError, KeyError) as error:
        raise click.ClickException(str(error)) from None
    audit_log.record(audit_name(), "export", "configuration", file.name)


def _write_export(file: Path, data: bytes) -> None:
    """Write a file with hashes of passwords. One that is there keeps its mode; a link is not followed."""
    found = file.lstat().st_mode if os.path.lexists(file) else stat.S_IFREG | own_files.PRIVATE
    if stat.S_ISREG(found) or stat.S_ISLNK(found):
        mode = stat.S_IMODE(found) if stat.S_ISREG(found) else own_files.PRIVATE
        own_files.replace_file(file, data, mode)
    else:
        file.write_bytes(data)  # a pipe, a device


@click.command(cls=PreparedCommand, name="import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--csv", "kind", type=click.Choice(["seats", "operators"]), help="FILE is CSV with these.")
@click.option(
    "--encoding",
    type=click.Choice(list(ENCODINGS)),
    help="What the CSV is written in, where no mark in it tells; otherwise UTF-8 or, if it is none, cp1252.",
)
@click.option("--merge", is_flag=True, help="Let what FILE does not mention stay (XML or SQLite).")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@click.pass_context
def import_command(
    context: click.Context, file: Path, kind: str | None, encoding: str | None, merge: bool, dry_run: bool
) -> None:
    """Make the entries what FILE says (XML or SQLite), or add and change seats or operators from CSV.

    What the entries said before is kept: the application's page "Earlier states" goes back to it.
    """
    if kind and merge:
        raise click.UsageError("--merge is for XML and SQLite: rows of CSV are always added and changed")
    if encoding and not kind:
        raise click.UsageError("--encoding is for CSV: XML and SQLite say it themselves")
    take_published_file()
    if kind:
        _import_rows(context, file, kind, encoding or "", dry_run=dry_run)
    else:
        _import_whole(context, file, merge=merge, dry_run=dry_run)


def _import_rows(context: click.Context, file: Path, kind: str, encoding: str, *, dry_run: bool) -> None:
    from configurator.importing import csv_file, csv_import
    from configurator.publishing import snapshots, state_names
    from configurator.users import password_rules

    rows = csv_file.with_passwords(csv_file.read_csv(kind, file.read_bytes(), encoding), store=not dry_run)
    for weak in password_rules.weak_operators(row for _, row in rows.lines) if kind == "operators" else ():
        click.echo(f"{file}: {weak}: the password is easily guessed (warning)")
    name = f"{kind}: {file.name}"
    run = csv_import.check_csv(rows)
    if run.changed and not run.bad and not dry_run:
        with snapshots.changing_many(
            audit_name(), state_names.IMPORT_OF % {"file": name}, name=name
        ) as changes:
            run = csv_import.still_true(run, rows)
            if run.changed and not run.bad:
                csv_import.store_csv(kind, run)
                csv_import.audit_rows(audit_name(), kind, run.good)
                changes.made(len(run.changed))
    for bad in run.bad:
        click.echo(f"{file}:{bad.line}: {bad.name}: {bad.message}")
    click.echo(f"{len(run.changed)} of {len(run.good)} rows change something, {len(run.bad)} are bad")
    context.exit(EXIT_INVALID if run.bad else 0)


def _import_whole(context: click.Context, file: Path, *, merge: bool, dry_run: bool) -> None:
    from configurator.publishing import differences, replacement, snapshots, state_names, working_copy

    said = _read_file(context, file).configuration
    copy = working_copy.read_working_copy()
    wanted = _merged(context, copy.configuration, said) if merge else said
    if dry_run:
        _say(differences.between(copy.configuration, wanted))
        return
    with snapshots.changing_many(
        audit_name(), state_names.IMPORT_OF % {"file": file.name}, name=file.name
    ) as changes:
        present = working_copy.configuration()
        if merge and working_copy.present_digest() != copy.digest:  # somebody wrote meanwhile
            wanted = _merged(context, present, said)
        found = differences.between(present, wanted)
        if replacement.replace_all(wanted):
            changes.replaced(found)
    _say(found)


def _merged(context: click.Context, present: Configuration, wanted: Configuration) -> Configuration:
    """Both as one; exits with what is wrong with that."""
    from configurator.publishing import merging

    try:
        return merging.merged(present, wanted)
    except ConfigurationError as error:
        for problem in error.problems:
            click.echo(f"{problem.file}: {problem.message}", err=True)
        context.exit(EXIT_INVALID)


def _say(found: Iterable[Difference]) -> None:
    for difference in found:
        click.echo(f"{difference.kind} {difference.name}: {difference.what}")


@click.command(cls=PreparedCommand, name="publish")
@click.option("--form", type=click.Choice(["xml", "sqlite"]), default="xml", show_default=True)
@click.option("--comment", default="", help="A note for the list of publications.")
@click.option(
    "--force",
    is_flag=True,
    help="Publish even if that takes away much of what is in force, or a file of others.",
)
@click.pass_context
def publish_command(context: click.Context, form: Any, comment: str, force: bool) -> None:
    """Publish what was entered; prints the file's path."""
    from configurator import audit_log
    from configurator.checks import entry_checks
    from configurator.publishing import publication, publication_requests, working_copy

    def note(name: str) -> None:
        audit_log.record(audit_name(), "publish", "configuration", name)
        for asked in publication_requests.carry_out(audit_name(), name):
            audit_log.record(audit_name(), "carry-out", "request", str(asked))

    take_published_file()
    copy = working_copy.read_working_copy()
    try:
        published = publication.publish_configuration(
            copy.configuration, form, audit_name(), comment, force=force, note=note
        )
    except ConfigurationError:
        for error in entry_checks.check_everything(copy)[0]:
            click.echo(f"{error.kind} {error.name}: {error.message}", err=True)
        context.exit(EXIT_INVALID)
    except publication.TakesAwayError as error:
        raise click.ClickException(f"nothing was published: {error} (--force publishes it)") from None
    except publication.ForeignFileError as error:
        raise click.ClickException(
            f"nothing was published: {error}: import it, with --merge to keep what is here"
            " (--force publishes in its place)"
        ) from None
    except publication.PublishError as error:
        raise click.ClickException(str(error)) from None
    click.echo(str(published.path))


def _open_to_others() -> list[str]:
    """Say which of the application's own files every user of this machine can read or change."""
    from configurator import options

    endings = ("-wal", "-shm")  # of open databases, which give them their own mode
    files = [path for path in sorted(options.current_options().data.iterdir()) if path.is_file()]
    files = [path for path in files if not path.name.endswith(endings)]
    found = (open_to_others(path, "a secret or hashes of passwords") for path in files)
    return [wrong for wrong in found if wrong]


def _read_file(context: click.Context, file: Path) -> CheckedConfiguration:
    """Read a file of either form; exits with every error in it."""
    from configurator.publishing import publication

    try:
        return publication.read_configuration_file(file)
    except ConfigurationError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        context.exit(EXIT_INVALID)
    except OSError as error:
        raise click.ClickException(str(error)) from None
