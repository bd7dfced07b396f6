"""Publishing: the configuration, checked by the server's own code, into the server's directory.

A file appears whole under a name of its own: written under a hidden name, read back with the reader that the
server uses, then renamed. Every publication is remembered with its content, so that it can be compared and
taken back to after its file is gone.
"""

from __future__ import annotations

import contextlib
import functools
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
from configurator.publishing import differences, server_status, working_copy
from schemas import own_files
from schemas.configuration import sqlite_form, xml_form
from schemas.configuration.checks import CheckedConfiguration, check_configuration
from schemas.configuration.directory import ArrivalTimes, Candidate, choose_in_force, scan_directory
from schemas.configuration.model import Configuration
from schemas.configuration.taken_away import Loss, losses_in_words, much_taken_away
from schemas.problems import ConfigurationError, Problem
from schemas.sentences import said

FileForm = Literal["xml", "sqlite"]
FILE_FORMS: tuple[FileForm, ...] = ("xml", "sqlite")
PUBLISHED_NAME = re.compile(r"astcti-\d{8}-\d{6}-[0-9a-f]{6}\.(?:xml|sqlite)")
"""Names of published files; nothing else in the directory is ever touched."""
MODE = own_files.FOR_GROUP  # password hashes are in it: the server's group reads, nobody else


class TakenAway(NamedTuple):
    """How much a publication would take away from the file in force."""

    file: str
    sha256: str
    losses: tuple[Loss, ...]

    @property
    def words(self) -> str:
        """With the numbers; a sentence's end, to be translated."""
        return losses_in_words(self.losses)


class PublishError(Exception):
    """Nothing was published; the text, which may be a sentence of `schemas.sentences`, says why."""


class TakesAwayError(PublishError):
    """It would take away much of what is in force, and nobody said that this is meant."""

    def __init__(self, much: TakenAway) -> None:
        super().__init__(f"it takes away {much.words} of {much.file}, which is in force")
        self.much = much


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
    return _parsed(publication.content, publication.file)


@functools.lru_cache(maxsize=2)  # one page asks several times for what was published last
def _parsed(content: str, file: str) -> Configuration:
    return xml_form.parse_xml(content.encode(), file).configuration


def configuration_digest(configuration: Configuration) -> str:
    """A mark of a configuration, to notice that it changed between looking and publishing."""
    return hashlib.sha256(repr(configuration).encode()).hexdigest()


def publish_configuration(
    configuration: Configuration,
    form: FileForm,
    userid: str,
    comment: str = "",
    *,
    meant: str = "",
    force: bool = False,
) -> PublishedFile:
    """Write, check, rename, remember.

    `meant` is the SHA-256 of the file in force of which somebody has seen how much is taken away; `force`
    stands for any. The server would hold such a file otherwise, so it is written into it.
    ConfigurationError if it is invalid, PublishError if it cannot be written, TakesAwayError if it would
    take away much and that is not meant.
    """
    complaints = check_configuration(configuration)
    if complaints:
        raise ConfigurationError(
            Problem(complaint.kind, complaint.place, complaint.message) for complaint in complaints
        )
    directory = options.current_options().publish
    if directory is None or not directory.is_dir():
        raise PublishError(
            said("no directory to publish to was given (--publish)")
            if directory is None
            else said(
                "{directory}: there is no such directory to publish to (--publish)", directory=directory
            )
        )
    much = taken_away_by(configuration)
    if much is not None and not force and meant != much.sha256:
        raise TakesAwayError(much)
    path = directory / _new_name(form)
    try:
        path_digest = _write(configuration, form, path, much.sha256 if much is not None else "")
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


def taken_away_by(configuration: Configuration) -> TakenAway | None:
    """What would be gone if this were published; None where the server would take it up as it is."""
    before = _in_force()
    if before is None:
        return None
    file, sha256, old = before
    found = much_taken_away(old, configuration)
    return TakenAway(file, sha256, found) if found else None


def _in_force() -> tuple[str, str, Configuration] | None:
    """The file that the server compares with, its SHA-256 and what it says, as well as that is known here.

    What the server says of itself counts; then what it would take from the directory; then what was
    published last.
    """
    current = options.current_options()
    status = server_status.read_server_status(current.status)
    named = Publication.objects.filter(sha256=status.sha256, file=status.file)
    published = named.first() if status.known else None
    if published is not None:
        return published.file, published.sha256, configuration_or_empty(published)
    directory = current.publish
    with contextlib.suppress(ConfigurationError, OSError):
        if status.known and directory is not None and _digest(directory / status.file) == status.sha256:
            return status.file, status.sha256, read_configuration_file(directory / status.file).configuration
    found = configuration_in_force(directory) if directory is not None and directory.is_dir() else None
    if found is not None:
        return found[0].name, _digest(found[0]), found[1]
    last = last_publication()
    return (last.file, last.sha256, configuration_or_empty(last)) if last is not None else None


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _new_name(form: FileForm) -> str:
    return f"astcti-{timezone.localtime():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}.{form}"


def _write(configuration: Configuration, form: FileForm, path: Path, replaces: str) -> str:
    if form == "sqlite":
        data = sqlite_form.database_bytes(configuration, replaces)
    else:
        data = xml_form.dump_xml(configuration, replaces)
    with own_files.file_beside(path, data, MODE) as hidden:
        (sqlite_form.load_sqlite if form == "sqlite" else xml_form.load_xml)(hidden)  # as the server will
        _for_the_server(hidden)
    return hashlib.sha256(data).hexdigest()


def _for_the_server(path: Path) -> None:
    """Give a file the directory's group, whoever writes it: that is the group which the server reads by."""
    with contextlib.suppress(PermissionError):  # not in that group: then the directory is one's own
        os.chown(path, -1, path.parent.stat().st_gid, follow_symlinks=False)


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
        remember_adopted(path, configuration)
        entries = differences.between(Configuration(), configuration)
        audit_log.record_differences("astcti-configurator", "import", entries)
        audit_log.record("astcti-configurator", "import", "configuration", path.name)
    return path.name


def remember_adopted(path: Path, configuration: Configuration) -> None:
    """Remember a file that is in force already, so that changes are told against it."""
    Publication.objects.create(
        file=path.name[:120],
        form="sqlite" if path.suffix.lower() == ".sqlite" else "xml",
        userid="",
        comment="",
        sha256=_digest(path),
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
