"""Sets up the data directory before a command runs, but not before one that only shows its help."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import django
from django.core.management import call_command

from configurator import options
from configurator.database import backup
from configurator.mail_settings import MailSettingsError
from configurator.options import Options
from schemas import own_files

try:
    import fcntl
except ImportError:  # pragma: no cover
    fcntl = None  # type: ignore[assignment]

COPIES = "copies"
"""Directory beside the databases for what an upgrade puts aside."""


IN_USE = "in-use"
"""File that the running application has locked."""


class NewerDatabaseError(Exception):
    """A newer release wrote a database; the text says which. Nothing was changed."""


def set_up(chosen: Options) -> list[str]:
    """Set Django up on a data directory and bring its databases up to date. Once a process.

    What imports a model can be imported only afterwards: that is why commands import inside their functions.

    Returns what was done, in sentences. OSError, MailSettingsError, NewerDatabaseError.
    """
    chosen.data.mkdir(parents=True, exist_ok=True, mode=0o750)
    options.set_options(chosen)
    os.environ["DJANGO_SETTINGS_MODULE"] = "configurator.settings"
    django.setup()
    return upgrade_databases()


def upgrade_databases() -> list[str]:
    """Migrate both databases, with marks and order; what was there before is copied first."""
    from django.db import connections
    from django.db.migrations.executor import MigrationExecutor

    from configurator.database.change_marks import install_change_marks, remove_change_marks
    from configurator.database.order_indexes import install_order_indexes

    chosen = options.current_options()
    done = []
    for alias, path in (("default", chosen.manager_file), ("configuration", chosen.configuration_file)):
        existed = path.exists() and path.stat().st_size > 0
        if not existed:  # before SQLite makes it, with a mode that lets everybody read it
            path.touch(mode=0o600)
            options.give_to_owner_of_directory(path)
        connection = connections[alias]
        executor = MigrationExecutor(connection)
        unknown = [
            name
            for app, name in executor.loader.applied_migrations
            if app == "configurator" and (app, name) not in executor.loader.graph.nodes
        ]
        if unknown:
            raise NewerDatabaseError(
                f"{path} was upgraded by a newer release ({max(unknown)}): install that one again, or put a"
                f" copy from {path.parent / COPIES} in its place"
            )
        if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
            continue
        if existed:
            done.append(f"{path.name} is upgraded; it was copied to {_copy_database(path)} before")
        if alias == "configuration":
            remove_change_marks()
        call_command("migrate", database=alias, interactive=False, verbosity=0)
        if not existed:
            done.append(f"{path.name} was made")
    install_change_marks()
    with connections["configuration"].cursor() as cursor:
        install_order_indexes(cursor)
    return done


def _copy_database(path: Path) -> Path:
    """Copy a database, consistently even while it is in use; returns the copy."""
    copies = backup.copies_directory(options.current_options())
    copy = copies / f"{path.stem}-{datetime.now():%Y%m%d-%H%M%S-%f}.sqlite"
    backup.copy_database(path, copy)
    options.give_to_owner_of_directory(copy)
    return copy


@contextmanager
def in_use(chosen: Options) -> Iterator[None]:
    """Let no second application run on the same data: each would know nothing of the other's publications.

    ClickException says which process is there. Commands for scripts go along with the application.
    """
    if fcntl is None:  # on Windows; there the second one finds the port taken
        yield
        return
    chosen.data.mkdir(parents=True, exist_ok=True, mode=0o750)
    with os.fdopen(
        os.open(chosen.data / IN_USE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+"
    ) as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            who = stream.read(20).strip() or "unknown"
            raise click.ClickException(
                f"the application runs on {chosen.data} already (process {who}): stop that one, or use"
                " another --data"
            ) from None
        stream.truncate()
        stream.write(f"{os.getpid()}\n")
        stream.flush()
        options.give_to_owner_of_directory(chosen.data / IN_USE)
        yield


def remove_unfinished(chosen: Options) -> None:
    """Remove what a process that was killed left half-way: hashes of passwords are in it."""
    shutil.rmtree(options.scratch_directory(chosen), ignore_errors=True)
    options.scratch_directory(chosen)
    for directory in (chosen.data, chosen.data / COPIES, chosen.publish):
        if directory is not None:
            own_files.remove_leftovers(directory)


def prepare(chosen: Options) -> None:
    """Set up, and say what was done. ClickException with a sentence if that is not possible."""
    try:
        for line in set_up(chosen):
            click.echo(f"astcti-configurator: {line}", err=True)
    except (OSError, MailSettingsError, NewerDatabaseError) as error:
        raise click.ClickException(str(error)) from None


class PreparedCommand(click.Command):
    """A command that needs the data directory. The context's `obj` is the group's `Options`."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, whose line was read without a mistake."""
        prepare(ctx.obj)
        return super().invoke(ctx)
