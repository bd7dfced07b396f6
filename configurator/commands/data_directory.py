"""Sets up the data directory before a command runs, but not before one that only shows its help."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import django
from django.core.management import call_command

from configurator import options
from configurator.mail_settings import MailSettingsError
from configurator.options import Options

COPIES = "copies"
"""Directory beside the databases for what an upgrade puts aside."""


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
    done = _upgrade_databases()
    from configurator.database.change_marks import install_change_marks

    install_change_marks()
    return done


def _upgrade_databases() -> list[str]:
    """Migrate both databases; what was there before is copied first."""
    from django.db import connections
    from django.db.migrations.executor import MigrationExecutor

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
        call_command("migrate", database=alias, interactive=False, verbosity=0)
        if not existed:
            done.append(f"{path.name} was made")
    return done


def _copy_database(path: Path) -> Path:
    """Copy a database, consistently even while it is in use; returns the copy."""
    copies = path.parent / COPIES
    copies.mkdir(exist_ok=True, mode=0o700)
    options.give_to_owner_of_directory(copies)
    copy = copies / f"{path.stem}-{datetime.now():%Y%m%d-%H%M%S-%f}.sqlite"
    copy.touch(mode=0o600)
    options.give_to_owner_of_directory(copy)
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy


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
