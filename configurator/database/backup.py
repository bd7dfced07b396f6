"""Backups: both databases, secrets and configurator.ini in one file, consistent while all runs.

Copying the databases' files instead gives old or empty ones: what was written last stands in files beside
them. Here SQLite itself copies. Standard library only; any thread; each call waits for the disk.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, timedelta
from pathlib import Path

from configurator import options
from configurator.database.order_indexes import remove_order_indexes
from configurator.options import Options
from schemas import own_files

_NIGHTLY = re.compile(r"nightly-(\d{4}-\d{2}-\d{2})\.zip")
_CHUNK = 1024 * 1024
_BUSY = 30.0  # seconds that a restoration waits for whoever writes


class BackupError(Exception):
    """The file is no backup that can be restored; the text says why. Nothing was changed."""


def write_backup(chosen: Options, file: Path) -> None:
    """Write a backup, for its owner alone; a file of this name is replaced as a whole.

    OSError, sqlite3.Error.
    """
    with (
        _scratch(chosen) as folder,
        own_files.stream_beside(file, own_files.PRIVATE) as stream,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        for path in _databases(chosen):
            copy_database(path, folder / path.name)
            archive.write(folder / path.name, path.name)
            (folder / path.name).unlink()
        for path in _others(chosen):
            if path.exists():
                archive.write(path, path.name)
    with contextlib.suppress(FileNotFoundError):
        options.give_to_owner_of_directory(file)


def copy_database(path: Path, copy: Path) -> None:
    """Copy a database, consistently even while it is in use, for its owner alone.

    Without the indexes that need a function of this program: a release that has none checks the copy, too.
    """
    copy.touch(mode=0o600)
    with closing(sqlite3.connect(path, timeout=_BUSY)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        remove_order_indexes(target.cursor())


@contextmanager
def unpacked(chosen: Options, file: Path) -> Iterator[Path]:
    """A folder with what a backup contains, looked through. BackupError, OSError."""
    with _scratch(chosen) as folder:
        try:
            with zipfile.ZipFile(file) as archive:
                _unpack(chosen, archive, folder)
        except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError) as error:
            raise BackupError(f"{file}: it is no backup of the Configurator, or damaged ({error})") from None
        for path in _databases(chosen):
            _check_database(file, folder / path.name)
        yield folder


def put_back(chosen: Options, folder: Path) -> bool:
    """Put what `unpacked` gave in the place of what is there, while others may use it.

    Every session ends: those of then would be open again. Tells whether the application has to be started
    anew, since its key or its mail server is another one. OSError, sqlite3.Error: then do it again.
    """
    for path in _databases(chosen):
        with closing(sqlite3.connect(folder / path.name)) as source:
            if path == chosen.manager_file:
                source.execute("DELETE FROM django_session")
                source.commit()
            with closing(sqlite3.connect(path, timeout=_BUSY)) as target:
                target.execute("BEGIN IMMEDIATE")  # waits for whoever writes; `backup` itself would not
                target.rollback()
                source.backup(target)
    anew = False
    for path in _others(chosen):
        data = (folder / path.name).read_bytes() if (folder / path.name).exists() else b""
        if data and (not path.exists() or path.read_bytes() != data):
            own_files.replace_file(path, data, own_files.PRIVATE)
            options.give_to_owner_of_directory(path)
            anew = True
    return anew


def make_nightly_copy(chosen: Options, days: int, today: date) -> Path | None:
    """Write today's copy where there is none, and remove those of `days` ago and before.

    OSError, sqlite3.Error.
    """
    copies = copies_directory(chosen)
    copy = copies / f"nightly-{today:%Y-%m-%d}.zip"
    made = not copy.exists()
    if made:
        write_backup(chosen, copy)
    for path in copies.iterdir():
        found = _NIGHTLY.fullmatch(path.name)
        with contextlib.suppress(ValueError):  # a day that there is not
            if found and date.fromisoformat(found[1]) <= today - timedelta(days):
                path.unlink(missing_ok=True)
    return copy if made else None


def copies_directory(chosen: Options) -> Path:
    """Where copies are put aside; made where it is missing."""
    copies = chosen.data / "copies"
    copies.mkdir(exist_ok=True, mode=0o700)
    options.give_to_owner_of_directory(copies)
    return copies


def _databases(chosen: Options) -> tuple[Path, Path]:
    return chosen.manager_file, chosen.configuration_file


def _others(chosen: Options) -> tuple[Path, ...]:
    names = (options.SECRET_NAME, options.MAIL_NAME, options.OPENID_SECRET_NAME)
    return tuple(chosen.data / name for name in names)


@contextmanager
def _scratch(chosen: Options) -> Iterator[Path]:
    """A folder for the owner alone. What a killed process leaves of it the next start removes."""
    with tempfile.TemporaryDirectory(prefix="backup-", dir=options.scratch_directory(chosen)) as name:
        yield Path(name)


def _unpack(chosen: Options, archive: zipfile.ZipFile, folder: Path) -> None:
    """Take the files that are known by name, and nothing else, wherever the archive says that they go."""
    names = set(archive.namelist())
    missing = [path.name for path in _databases(chosen) if path.name not in names]
    if missing:
        raise BackupError(
            f"{archive.filename}: {' and '.join(missing)} missing: it is no backup of the Configurator"
        )
    for path in (*_databases(chosen), *_others(chosen)):
        if path.name not in names:
            continue
        target = folder / path.name
        target.touch(mode=0o600)
        with archive.open(path.name) as source, target.open("wb") as stream:
            while chunk := source.read(_CHUNK):
                stream.write(chunk)


def _check_database(file: Path, path: Path) -> None:
    try:
        with closing(sqlite3.connect(path)) as database:
            remove_order_indexes(database.cursor())  # of a copy that was made otherwise
            said = database.execute("PRAGMA integrity_check(1)").fetchone()[0]
            applied = {
                name
                for (name,) in database.execute(
                    "SELECT name FROM django_migrations WHERE app = 'configurator'"
                )
            }
    except sqlite3.Error as error:
        raise BackupError(f"{file}: {path.name} is damaged ({error})") from None
    if said != "ok":
        raise BackupError(f"{file}: {path.name} is damaged ({said})")
    unknown = applied - _known_migrations()
    if unknown:
        raise BackupError(
            f"{file} is of a newer release ({max(unknown)}): install that one, and restore again"
        )


def _known_migrations() -> set[str]:
    return {path.stem for path in (Path(__file__).parents[1] / "migrations").glob("[0-9]*.py")}
