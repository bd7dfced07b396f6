"""Publishing: the configuration, judged by the server's own code, into the server's directory.

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

from configurator import options
from configurator.models import Publication
from schemas.configuration import sqlite_form, xml_form
from schemas.configuration.checks import check_configuration
from schemas.configuration.directory import ArrivalTimes, Candidate, choose_in_force, scan_directory
from schemas.configuration.model import Configuration
from schemas.problems import ConfigurationError, Problem

Form = Literal["xml", "sqlite"]
FORMS: tuple[Form, ...] = ("xml", "sqlite")
OURS = re.compile(r"astcti-\d{8}-\d{6}-[0-9a-f]{6}\.(?:xml|sqlite)")
"""Names of published files; nothing else in the directory is ever touched."""
MODE = 0o640  # password hashes are in it: the server's group reads, nobody else


class PublishError(Exception):
    """Nothing was published; the text says why."""


class EmptyError(PublishError):
    """It would have replaced a configuration with entries by one without any."""


class Published(NamedTuple):
    """A file that is in the directory now."""

    path: Path
    sha256: str
    removed: tuple[str, ...]
    """Older files that were removed."""


def last() -> Publication | None:
    """What was published last."""
    return Publication.objects.first()


def content_or_nothing(publication: Publication | None) -> Configuration:
    """What a publication says, for comparing: nothing if there is none, or if today's checks refuse it."""
    try:
        return content(publication) if publication is not None else Configuration()
    except ConfigurationError:
        return Configuration()


def content(publication: Publication) -> Configuration:
    """What a publication says. ConfigurationError if it was valid for an older release only."""
    return xml_form.parse_xml(publication.content.encode(), publication.file).configuration


def digest(configuration: Configuration) -> str:
    """A mark of a configuration, to notice that it changed between looking and publishing."""
    return hashlib.sha256(repr(configuration).encode()).hexdigest()


def publish(
    configuration: Configuration, form: Form, userid: str, comment: str = "", *, force: bool = False
) -> Published:
    """Write, check, rename, remember.

    ConfigurationError if it is invalid, PublishError if it cannot be written, EmptyError without `force` if
    it would end the work of everybody.
    """
    complaints = check_configuration(configuration)
    if complaints:
        raise ConfigurationError(
            Problem(complaint.kind, complaint.place, complaint.message) for complaint in complaints
        )
    directory = options.current().publish
    if directory is None or not directory.is_dir():
        raise PublishError(
            f"{directory or 'no directory'}: there is no such directory to publish to (--publish)"
        )
    replaced = "" if force else emptied(configuration)
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
    return Published(path, path_digest, _remove_old(directory, path.name))


def emptied(configuration: Configuration) -> str:
    """The file whose entries would be gone if this were published; empty if that takes nothing away."""
    if not _is_bare(configuration):
        return ""
    before = last()
    if before is not None and not _is_bare(content_or_nothing(before)):
        return before.file
    directory = options.current().publish
    found = newest_in(directory) if directory is not None and directory.is_dir() else None
    return found[0].name if found is not None and not _is_bare(found[1]) else ""


def _is_bare(configuration: Configuration) -> bool:
    return not (configuration.services or configuration.seats or configuration.operators)


def _new_name(form: Form) -> str:
    return f"astcti-{timezone.localtime():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}.{form}"


def _write(configuration: Configuration, form: Form, path: Path) -> str:
    hidden = path.with_name(f".{path.stem}.{form}")
    try:
        if form == "sqlite":
            sqlite_form.dump_sqlite(configuration, hidden)
            sqlite_form.load_sqlite(hidden)
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
        (file for file in directory.iterdir() if OURS.fullmatch(file.name) and file.is_file()),
        key=lambda file: (file.name == newest, file.stat().st_mtime_ns, file.name),
        reverse=True,
    )
    removed = []
    for file in ours[max(1, options.current().keep) :]:
        with contextlib.suppress(PermissionError):
            file.unlink(missing_ok=True)
            removed.append(file.name)
    return tuple(removed)


def adopt(path: Path, configuration: Configuration) -> None:
    """Remember a file that is in force already, so that changes are told against it."""
    Publication.objects.create(
        file=path.name[:120],
        form="sqlite" if path.suffix.lower() == ".sqlite" else "xml",
        userid="",
        comment="",
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        content=xml_form.dump_xml(configuration).decode(),
    )


def newest_in(directory: Path) -> tuple[Path, Configuration] | None:
    """What a server started there now would use. OSError if the directory cannot be read."""
    found: list[Configuration] = []

    def is_valid(candidate: Candidate) -> bool:
        reader = sqlite_form if candidate.name.lower().endswith(".sqlite") else xml_form
        with contextlib.suppress(ConfigurationError, OSError):
            found.append(reader.load(candidate.seen.path))
        return bool(found)

    chosen = choose_in_force(
        ArrivalTimes().order(scan_directory(directory).candidates, time.time()), is_valid
    ).chosen
    return (chosen.seen.path, found[0]) if chosen is not None else None


def load(path: Path) -> Configuration:
    """Read a file of either form, whatever its name. ConfigurationError, OSError."""
    return load_checked(path)[0]


def load_checked(path: Path) -> tuple[Configuration, tuple[Problem, ...]]:
    """The same, with what is valid in it but hardly meant."""
    with path.open("rb") as stream:
        is_database = stream.read(16) == sqlite_form.MAGIC
    if is_database:
        checked = sqlite_form.read_sqlite(path)
        return checked.configuration, checked.warnings
    parsed = xml_form.parse_xml(path.read_bytes(), str(path))
    return parsed.configuration, parsed.warnings
