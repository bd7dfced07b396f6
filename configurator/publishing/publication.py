"""Publishing: the configuration, checked by the server's own code, into the server's directory.

A file appears whole under a name of its own: written under a hidden name, read back with the reader that the
server uses, then renamed. Every publication is remembered with its content, so that it can be compared and
taken back to after its file is gone.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import time
from pathlib import Path
from typing import Literal, NamedTuple

from django.utils import timezone

from configurator import audit_log, options
from configurator.models import Publication
from configurator.publishing import working_copy
from schemas.configuration import sqlite_form, xml_form
from schemas.configuration.checks import CheckedConfiguration, check_configuration
from schemas.configuration.directory import ArrivalTimes, Candidate, choose_in_force, scan_directory
from schemas.configuration.model import Configuration
from schemas.problems import ConfigurationError, Problem

FileForm = Literal["xml", "sqlite"]
FILE_FORMS: tuple[FileForm, ...] = ("xml", "sqlite")
PUBLISHED_NAME = re.compile(r"astcti-\d{8}-\d{6}-[0-9a-f]{6}\.(?:xml|sqlite)")
"""Names of published files; nothing else in the directory is ever touched."""
MODE = 0o640  # password hashes are in it: the server's group reads, nobody else


class PublishError(Exception):
    """Nothing was published; the text says why."""


class EmptyError(PublishError):
    """It would have replaced a configuration with entries by one without any."""


class PublishedFile(NamedTuple):
    """A file that is in the directory now."""

    path: Path
    sha256: str
    removed: tuple[str, ...]
    """Older files that were removed."""


def last_publication() -> Publication | None:
    """What was published last."""
    return Publication.objects.first()


def configuration_or_empty(publication: Publication | None) -> Configuration:
    """What a publication says, for comparing: nothing if there is none, or if today's checks refuse it."""
    try:
        return configuration_of(publication) if publication is not None else Configuration()
    except ConfigurationError:
        return Configuration()


def configuration_of(publication: Publication) -> Configuration:
    """What a publication says. ConfigurationError if it was valid for an older release only."""
    return xml_form.parse_xml(publication.content.encode(), publication.file).configuration


def configuration_digest(configuration: Configuration) -> str:
    """A mark of a configuration, to notice that it changed between looking and publishing."""
    return hashlib.sha256(repr(configuration).encode()).hexdigest()


def publish_configuration(
    configuration: Configuration, form: FileForm, userid: str, comment: str = "", *, force: bool = False
) -> PublishedFile:
    """Write, check, rename, remember.

    ConfigurationError if it is invalid, PublishError if it cannot be written, EmptyError without `force` if
    it would end the work of everybody.
    """
    complaints = check_configuration(configuration)
    if complaints:
        raise ConfigurationError(
            Problem(complaint.kind, complaint.place, complaint.message) for complaint in complaints
        )
    directory = options.current_options().publish
    if directory is None or not directory.is_dir():
        raise PublishError(
            f"{directory or 'no directory'}: there is no such directory to publish to (--publish)"
        )
    replaced = "" if force else file_emptied_by(configuration)
    if replaced:
        raise EmptyError(f"it has no service, seat or operator, and would replace {replaced}, which has some")
    path = directory / _new_name(form)
    try:
        path_digest = _write(configuration, form, path)
    except OSError as error:
        raise PublishError(f"{path}: {error.strerror or error}") from None
    Publication.objects.create(
        file=path.name,
        form=form,
        userid=userid[:150],
        comment=comment[:200],
        sha256=path_digest,
        content=xml_form.dump_xml(configuration).decode(),
    )
    return PublishedFile(path, path_digest, _remove_old(directory, path.name))


def file_emptied_by(configuration: Configuration) -> str:
    """The file whose entries would be gone if this were published; empty if that takes nothing away."""
    if not _is_bare(configuration):
        return ""
    before = last_publication()
    if before is not None and not _is_bare(configuration_or_empty(before)):
        return before.file
    directory = options.current_options().publish
    found = configuration_in_force(directory) if directory is not None and directory.is_dir() else None
    return found[0].name if found is not None and not _is_bare(found[1]) else ""


def _is_bare(configuration: Configuration) -> bool:
    return not (configuration.services or configuration.seats or configuration.operators)


def _new_name(form: FileForm) -> str:
    return f"astcti-{timezone.localtime():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}.{form}"


def _write(configuration: Configuration, form: FileForm, path: Path) -> str:
    hidden = path.with_name(f".{path.stem}.{form}")
    try:
        if form == "sqlite":
            sqlite_form.dump_sqlite(configuration, hidden)
            sqlite_form.load_sqlite(hidden)  # as the server will
        else:
            _write_whole(hidden, xml_form.dump_xml(configuration))
            xml_form.load_xml(hidden)
        _for_the_server(hidden)
        found = hashlib.sha256(hidden.read_bytes()).hexdigest()
        hidden.rename(path)
    finally:
        hidden.unlink(missing_ok=True)
    return found


def _for_the_server(path: Path) -> None:
    """Give a file the directory's group, whoever writes it: that is the group which the server reads by."""
    with contextlib.suppress(PermissionError):  # not in that group: then the directory is one's own
        os.chown(path, -1, path.parent.stat().st_gid)
    path.chmod(MODE)


def _write_whole(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE), "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _remove_old(directory: Path, newest: str) -> tuple[str, ...]:
    """Keep the last ones. The newest is never removed, so one valid file always stays.

    Where the directory is sticky, those of another user stay as well: what is published is published.
    """
    ours = sorted(
        (file for file in directory.iterdir() if PUBLISHED_NAME.fullmatch(file.name) and file.is_file()),
        key=lambda file: (file.name == newest, file.stat().st_mtime_ns, file.name),
        reverse=True,
    )
    removed = []
    for file in ours[max(1, options.current_options().keep) :]:
        with contextlib.suppress(PermissionError):
            file.unlink(missing_ok=True)
            removed.append(file.name)
    return tuple(removed)


def begin_with_file_in_force() -> str:
    """Make the entries here what the publish directory says already, so that edits by hand are not lost.

    Only where nothing was entered or published yet. Returns the file's name, or an empty string. OSError.
    """
    directory = options.current_options().publish
    if (
        directory is None
        or not directory.is_dir()
        or Publication.objects.exists()
        or not working_copy.is_empty()
    ):
        return ""
    found = configuration_in_force(directory)
    if found is None:
        return ""
    path, configuration = found
    with working_copy.writing():
        working_copy.replace_all(configuration)
        _remember_adopted(path, configuration)
        audit_log.record("astcti-configurator", "import", "configuration", path.name)
    return path.name


def _remember_adopted(path: Path, configuration: Configuration) -> None:
    """Remember a file that is in force already, so that changes are told against it."""
    Publication.objects.create(
        file=path.name[:120],
        form="sqlite" if path.suffix.lower() == ".sqlite" else "xml",
        userid="",
        comment="",
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        content=xml_form.dump_xml(configuration).decode(),
    )


def configuration_in_force(directory: Path) -> tuple[Path, Configuration] | None:
    """What a server started there now would use. OSError if the directory cannot be read."""
    found: list[Configuration] = []

    def is_valid(candidate: Candidate) -> bool:
        is_database = candidate.name.lower().endswith(".sqlite")  # the server goes by the name, too
        load = sqlite_form.load_sqlite if is_database else xml_form.load_xml
        with contextlib.suppress(ConfigurationError, OSError):
            found.append(load(candidate.seen.path))
        return bool(found)

    chosen = choose_in_force(
        ArrivalTimes().order(scan_directory(directory).candidates, time.time()), is_valid
    ).chosen
    return (chosen.seen.path, found[0]) if chosen is not None else None


def read_configuration_file(path: Path) -> CheckedConfiguration:
    """Read a file of either form, whatever its name. ConfigurationError, OSError."""
    with path.open("rb") as stream:
        is_database = stream.read(16) == sqlite_form.MAGIC
    return sqlite_form.read_sqlite(path) if is_database else xml_form.parse_xml(path.read_bytes(), str(path))
