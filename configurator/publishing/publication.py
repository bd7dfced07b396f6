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
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Literal, NamedTuple

from django.utils import timezone

from configurator import audit_log, options
from configurator.checks import entry_checks
from configurator.models import Publication
from configurator.publishing import (
    differences,
    directory_files,
    published,
    reading_apart,
    replacement,
    server_status,
    working_copy,
)
from configurator.publishing.foreign import ForeignFile, find_foreign
from configurator.publishing.published import configuration_or_empty, last_publication
from schemas import own_files
from schemas.configuration import sqlite_form, xml_form
from schemas.configuration.checks import CheckedConfiguration
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


class ForeignFileError(PublishError):
    """The file in force is not from here, and nobody said that this is to take its place."""

    def __init__(self, found: ForeignFile) -> None:
        super().__init__(f"{found.path} is in force and was not published from here")
        self.found = found


class PublishedMeanwhileError(PublishError):
    """Somebody else published after this was begun."""

    def __init__(self) -> None:
        super().__init__(said("somebody published in the meantime"))


class PublishedFile(NamedTuple):
    """A file that is in the directory now."""

    path: Path
    sha256: str
    removed: tuple[str, ...]
    """Older files that were removed."""


def publish_configuration(
    configuration: Configuration,
    form: FileForm,
    userid: str,
    comment: str = "",
    *,
    meant: str = "",
    over: str = "",
    force: bool = False,
    last: Publication | None = None,
    note: Callable[[str], None] = lambda name: None,
) -> PublishedFile:
    """Write, check, rename, remember. Not within `writing`: only the last moment of it keeps writers waiting.

    `meant` is the SHA-256 of the file in force of which somebody has seen how much is taken away, `over` that
    of a file of others in whose place this is published; `force` stands for any of both. The server would
    hold the first otherwise, so it is written into it. `last` is what was published last when `configuration`
    was put together, if that was before. `note` is told the new file's name within that moment.
    ConfigurationError if it is invalid, PublishError if it cannot be written, TakesAwayError and
    ForeignFileError if that is not meant, PublishedMeanwhileError.
    """
    complaints = entry_checks.complaints_of(configuration)
    if complaints:
        raise ConfigurationError(
            Problem(complaint.kind, complaint.place, complaint.message) for complaint in complaints
        )
    directory = _publish_directory()
    before = last or last_publication()
    _refuse_foreign(configuration, over, force=force)
    much = taken_away_by(configuration)
    if much is not None and not force and meant != much.sha256:
        raise TakesAwayError(much)
    path = directory / _new_name(form)
    row = Publication(file=path.name, form=form, userid=userid[:150], comment=comment[:200])
    try:
        with ExitStack() as unfinished:
            _write(unfinished, configuration, row, path, much.sha256 if much is not None else "")
            with working_copy.writing_much():
                if last_publication() != before:
                    raise PublishedMeanwhileError
                _refuse_foreign(configuration, over, force=force)
                row.created = timezone.now()
                row.save()
                note(path.name)
                # Before all that is committed: a file that nobody knows of says what stands here, a
                # publication without its file would say that nothing is left to publish.
                unfinished.close()
    except OSError as error:
        raise PublishError(f"{path}: {error.strerror or error}") from None
    published.keep_configuration(row, configuration)
    return PublishedFile(path, row.sha256, _remove_old(directory, path.name))


def _publish_directory() -> Path:
    directory = options.current_options().publish
    if directory is None:
        raise PublishError(said("no directory to publish to was given (--publish)"))
    if not directory.is_dir():
        text = "{directory}: there is no such directory to publish to (--publish)"
        raise PublishError(said(text, directory=directory))
    return directory


def _refuse_foreign(configuration: Configuration, over: str, *, force: bool) -> None:
    found = None if force else find_foreign(configuration)
    if found is not None and found.sha256 != over:
        raise ForeignFileError(found)


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
    status = server_status.read_server_status(options.current_options().status)
    named = Publication.objects.filter(sha256=status.sha256, file=status.file).defer("content")
    known = named.first() if status.known else None
    if known is not None:
        return known.file, known.sha256, configuration_or_empty(known)
    with contextlib.suppress(OSError):
        file = directory_files.file_named(status.file) if status.known else None
        if file is not None and file.sha256 == status.sha256 and file.configuration is not None:
            return status.file, status.sha256, file.configuration
    found = directory_files.file_in_force()
    if found is not None and found.configuration is not None:
        return found.path.name, found.sha256, found.configuration
    last = last_publication()
    return (last.file, last.sha256, configuration_or_empty(last)) if last is not None else None


def _new_name(form: FileForm) -> str:
    return f"astcti-{timezone.localtime():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}.{form}"


def _write(
    unfinished: ExitStack, configuration: Configuration, row: Publication, path: Path, replaces: str
) -> None:
    """Write the file beside its place, and look at it there; it gets its place when the stack is closed."""
    content = data = xml_form.dump_xml(configuration)
    if row.form == "sqlite":
        data = sqlite_form.database_bytes(configuration, replaces)
    elif replaces:
        data = xml_form.dump_xml(configuration, replaces)
    hidden = unfinished.enter_context(own_files.file_beside(path, data, MODE))
    reading_apart.check_readable(hidden, "sqlite" if row.form == "sqlite" else "xml")
    _for_the_server(hidden)
    row.sha256, row.content = hashlib.sha256(data).hexdigest(), content.decode()


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
    if Publication.objects.exists() or not working_copy.is_empty():
        return ""
    found = directory_files.file_in_force()
    if found is None or found.configuration is None:
        return ""
    with working_copy.writing_much():
        replacement.replace_all(found.configuration)
        remember_adopted(found.path, found.sha256, found.configuration)
        entries = differences.between(Configuration(), found.configuration)
        audit_log.record_differences("astcti-configurator", "import", entries)
        audit_log.record("astcti-configurator", "import", "configuration", found.path.name)
    return found.path.name


def remember_adopted(path: Path, sha256: str, configuration: Configuration) -> None:
    """Remember a file that is in force already, so that changes are told against it."""
    row = Publication.objects.create(
        file=path.name[:120],
        form="sqlite" if path.suffix.lower() == ".sqlite" else "xml",
        userid="",
        comment="",
        sha256=sha256,
        content=xml_form.dump_xml(configuration).decode(),
    )
    published.keep_configuration(row, published.sharing(configuration))
    directory_files.forget_files()


def read_configuration_file(path: Path) -> CheckedConfiguration:
    """Read a file of either form, whatever its name. ConfigurationError, OSError."""
    if reading_apart.form_of(path) == "sqlite":
        return sqlite_form.read_sqlite(path)
    return xml_form.parse_xml(path.read_bytes(), str(path))
