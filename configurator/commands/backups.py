"""The commands backup and restore, and the copy of each night."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import click

from configurator import options
from configurator.commands.data_directory import PreparedCommand, prepare
from configurator.commands.users import audit_name
from configurator.database import backup
from configurator.options import Options

logger = logging.getLogger(__name__)
_FIRST_LOOK = 60.0  # seconds after the start, which has enough to do
_LOOK_AGAIN = 600.0  # seconds


@click.command(cls=PreparedCommand, name="backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup_command(file: Path) -> None:
    """Write everything of the data directory to FILE, a ZIP archive. The application may run meanwhile.

    In it are both databases, the secret key and configurator.ini. Only its owner can read it.
    """
    try:
        backup.write_backup(options.current_options(), file)
    except (OSError, sqlite3.Error) as error:
        raise click.ClickException(f"{file}: {error}") from None
    click.echo(f"astcti-configurator: {file} has everything", err=True)


@click.command(name="restore")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.pass_context
def restore_command(context: click.Context, file: Path) -> None:
    """Make everything what FILE, written by `backup` or at night, says. The application may run meanwhile.

    What is there now is kept in a copy, whose path is printed. Everybody has to log in again. What was
    published stays in force: publish again if it shall be another one.
    """
    chosen: Options = context.obj
    prepare(chosen)
    try:
        with backup.unpacked(chosen, file) as folder:
            kept = backup.copies_directory(chosen) / f"before-restore-{datetime.now():%Y%m%d-%H%M%S-%f}.zip"
            backup.write_backup(chosen, kept)
            anew = backup.put_back(chosen, folder)
    except (OSError, sqlite3.Error, backup.BackupError) as error:
        raise click.ClickException(str(error)) from None
    _after_restoring(file)
    click.echo(f"astcti-configurator: restored; what was there before is {kept}", err=True)
    if anew:
        click.echo("astcti-configurator: start the application anew, if it runs: its key changed", err=True)


def _after_restoring(file: Path) -> None:
    from django.db import connections

    from configurator import audit_log
    from configurator.commands.data_directory import upgrade_databases

    connections.close_all()
    for line in upgrade_databases():
        click.echo(f"astcti-configurator: {line}", err=True)
    audit_log.record(audit_name(), "restore", "configuration", file.name)


@contextmanager
def nightly_copies(chosen: Options) -> Iterator[None]:
    """While the block runs, a thread writes a copy of everything each night, soon after midnight."""
    if not chosen.copies:
        yield
        return
    ended = threading.Event()
    thread = threading.Thread(target=_copy_each_night, args=(chosen, ended), name="nightly-copies")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _copy_each_night(chosen: Options, ended: threading.Event) -> None:
    wait = _FIRST_LOOK
    while not ended.wait(wait):
        wait = _LOOK_AGAIN
        try:
            made = backup.make_nightly_copy(chosen, chosen.copies, date.today())
        except (OSError, sqlite3.Error) as error:
            logger.error("there is no copy of today in %s: %s", chosen.data / "copies", error)
        else:
            if made is not None:
                logger.info("copied everything to %s", made)
