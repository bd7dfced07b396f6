"""What has to be there before a page can be shown: directory, databases, first user, first entries."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

import django
from django.core.management import call_command

from configurator import options
from configurator.options import Options

COPIES = "copies"
"""Directory beside the databases for what an upgrade puts aside."""


def prepare(chosen: Options) -> list[str]:
    """Set Django up on a data directory and bring its databases up to date. Once a process.

    Returns what was done, in sentences. OSError, MailError.
    """
    chosen.data.mkdir(parents=True, exist_ok=True, mode=0o750)
    options.use(chosen)
    os.environ["DJANGO_SETTINGS_MODULE"] = "configurator.settings"
    django.setup()
    return upgrade()


def upgrade() -> list[str]:
    """Migrate both databases; what was there before is copied first."""
    from django.db import connections
    from django.db.migrations.executor import MigrationExecutor

    chosen = options.current()
    done = []
    for alias, path in (("default", chosen.manager_file), ("configuration", chosen.configuration_file)):
        existed = path.exists() and path.stat().st_size > 0
        connection = connections[alias]
        executor = MigrationExecutor(connection)
        if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
            continue
        if existed:
            done.append(f"{path.name} is upgraded; it was copied to {put_aside(path)} before")
        else:
            path.touch(mode=0o600)
            options.give_to_owner(path)
        call_command("migrate", database=alias, interactive=False, verbosity=0)
        if not existed:
            done.append(f"{path.name} was made")
    return done


def put_aside(path: Path) -> Path:
    """Copy a database, consistently even while it is in use; returns the copy."""
    copies = path.parent / COPIES
    copies.mkdir(exist_ok=True, mode=0o700)
    options.give_to_owner(copies)
    copy = copies / f"{path.stem}-{datetime.now():%Y%m%d-%H%M%S-%f}.sqlite"
    copy.touch(mode=0o600)
    options.give_to_owner(copy)
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy


def needs_first_user() -> bool:
    """Tell whether nobody could log in."""
    from configurator.models import ManagerUser

    return not ManagerUser.objects.exists()


def make_first_user(userid: str, password: str, full_name: str = "", email: str = "") -> None:
    """Store the first administrator. ValueError says what is wrong with the values."""
    from django.core.exceptions import ValidationError

    from configurator.models import ManagerUser

    user = ManagerUser(
        userid=userid, full_name=full_name or userid, email=email, role="administrator", enabled=True
    )
    user.set_password(password)
    try:
        user.full_clean()
    except ValidationError as error:
        raise ValueError(
            "; ".join(f"{field}: {' '.join(said)}" for field, said in error.message_dict.items())
        ) from None
    if not password:
        raise ValueError("the password is empty")
    user.save()


def take_what_is_published() -> str:
    """Begin with what is in the publish directory already, so that edits by hand are not lost.

    Only where nothing was entered or published yet. Returns the file's name, or an empty string.
    """
    from configurator import audit_log
    from configurator.models import Publication
    from configurator.publishing import publication, working_copy

    directory = options.current().publish
    if (
        directory is None
        or not directory.is_dir()
        or Publication.objects.exists()
        or not working_copy.is_empty()
    ):
        return ""
    found = publication.newest_in(directory)
    if found is None:
        return ""
    path, configuration = found
    with working_copy.writing():
        working_copy.replace_all(configuration)
        publication.adopt(path, configuration)
        audit_log.record("astcti-configurator", "import", "configuration", path.name)
    return path.name
