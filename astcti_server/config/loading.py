"""Loads the configuration directory: for the start, for `check`, and each content but once for the watcher.

Any thread, but a `ConfigFileReader` belongs to one at a time.
"""

from __future__ import annotations

import gc
import hashlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from astcti_server.config.store import ConfigSnapshot
from schemas.configuration import sqlite_form, xml_form
from schemas.configuration.directory import (
    SETTINGS_NAME,
    ArrivalTimes,
    Candidate,
    DirectoryScan,
    SeenFile,
    choose_in_force,
    scan_directory,
)
from schemas.configuration.model import Configuration
from schemas.problems import ConfigurationError, Problem
from schemas.server import settings_xml
from schemas.server.settings import AmiSettings, ServerSettings

logger = logging.getLogger(__name__)

YOUNG = 2.0  # seconds in which a file may be written again without its times showing it

_Value = TypeVar("_Value", Configuration, ServerSettings)


@dataclass(frozen=True)
class FileContent(Generic[_Value]):
    """What a file was found to contain: a value, or problems. The digest is empty if it was not readable."""

    digest: bytes
    value: _Value | None = None
    warnings: tuple[Problem, ...] = ()
    problems: tuple[Problem, ...] = ()


class ConfigFileReader:
    """Reads files, and checks each content once however often its file is touched or looked at."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """`clock` tells seconds since 1970, as the file system does."""
        self._clock = clock
        self._digests: dict[tuple[str, tuple[int, ...]], bytes] = {}
        self._configurations: dict[tuple[str, bytes], FileContent[Configuration]] = {}

    def is_young(self, seen: SeenFile) -> bool:
        """Tell whether a file changed so lately that another change may leave its signature as it is."""
        return abs(self._clock() - seen.changed) < YOUNG

    def digest(self, seen: SeenFile) -> bytes:
        """Return the digest of a file's content; empty if it cannot be read."""
        key = (seen.name, seen.signature)
        if key not in self._digests:
            try:
                digest = _digest(seen.path)
            except OSError:
                return b""
            if self.is_young(seen):
                return digest
            self._digests[key] = digest
        return self._digests[key]

    def configuration(self, seen: SeenFile) -> FileContent[Configuration]:
        """Read a candidate, or remember what was found when this content was read before."""
        known = self._configurations.get((seen.name, self.digest(seen)))
        if known is not None:
            return known
        content = _read_checked(
            seen.path, _read_sqlite if seen.name.lower().endswith(".sqlite") else _read_xml
        )
        if content.digest:
            self._configurations[seen.name, content.digest] = content
        return content

    def settings(self, seen: SeenFile) -> FileContent[ServerSettings]:
        """Read server.xml anew: it names other files, which may have changed."""
        return _read_checked(seen.path, _read_settings)

    def tidy(self, present: Iterable[SeenFile]) -> None:
        """Forget files that are gone or have another content now, and every valid configuration.

        Of invalid ones the problems stay. A valid one is in force or superseded: it is read again should
        its file be touched, rather than kept in memory.
        """
        signatures = {(seen.name, seen.signature) for seen in present}
        digests = {(seen.name, self.digest(seen)) for seen in present}
        self._digests = {key: digest for key, digest in self._digests.items() if key in signatures}
        self._configurations = {
            key: content
            for key, content in self._configurations.items()
            if key in digests and content.value is None
        }


def _digest(path: Path) -> bytes:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


def _read_checked(path: Path, read: Callable[[Path], FileContent[_Value]]) -> FileContent[_Value]:
    try:
        with _garbage_collector_off():
            return read(path)
    except OSError as error:
        return FileContent(b"", problems=(Problem(str(path), 0, f"it cannot be read: {error.strerror}"),))
    except Exception as error:  # our mistake must not keep the one in force from serving
        logger.exception("%s could not be judged", path)
        return FileContent(b"", problems=(Problem(str(path), 0, f"it could not be judged: {error!r}"),))


@contextmanager
def _garbage_collector_off() -> Iterator[None]:
    """Keep the garbage collector from walking through a large configuration while it is being made.

    Each such walk would stop all threads for some 20 ms. What is made here has no cycles.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _read_xml(path: Path) -> FileContent[Configuration]:
    data = path.read_bytes()
    digest = hashlib.sha256(data).digest()
    try:
        checked = xml_form.parse_xml(data, str(path))
    except ConfigurationError as error:
        return FileContent(digest, problems=error.problems)
    return FileContent(digest, checked.configuration, checked.warnings)


def _read_sqlite(path: Path) -> FileContent[Configuration]:
    digest = _digest(path)
    try:
        checked = sqlite_form.read_sqlite(path)
    except ConfigurationError as error:
        return FileContent(digest, problems=error.problems)
    if _digest(path) != digest:
        message = "it changed while it was read: publish it under a new name, never write a published one"
        return FileContent(b"", problems=(Problem(str(path), 0, message),))
    return FileContent(digest, checked.configuration, checked.warnings)


def _read_settings(path: Path) -> FileContent[ServerSettings]:
    data = path.read_bytes()
    digest = hashlib.sha256(data).digest()
    try:
        checked = settings_xml.parse_settings(data, path)
    except ConfigurationError as error:
        return FileContent(digest, problems=error.problems)
    return FileContent(digest, checked.settings, checked.warnings)


def load_directory(
    directory: Path, *, settings_needed: bool = True, clock: Callable[[], float] = time.time
) -> ConfigSnapshot:
    """Load what is in force at a start. ConfigurationError with every problem found if that is nothing.

    Newer files that are invalid are no error: `ConfigSnapshot.refused` has what is wrong with them. Without
    `settings_needed` a missing or invalid server.xml counts as one without anything in it.
    """
    reader, now = ConfigFileReader(clock), clock()
    seen = _scan(directory)
    settings = _settings(reader, seen, directory)
    if not settings_needed and settings.value is None:
        settings = FileContent(b"", ServerSettings(AmiSettings("", "")))
    found = choose_in_force(
        ArrivalTimes().order(seen.candidates, now),
        lambda candidate: reader.configuration(candidate.seen).value is not None,
    )
    refused = tuple(
        problem for candidate in found.refused for problem in reader.configuration(candidate.seen).problems
    )
    if found.chosen is None and not found.refused:
        message = "there is no configuration here: put one beside server.xml, as *.xml or *.sqlite"
        refused = (Problem(str(directory), 0, message),)
    content = reader.configuration(found.chosen.seen) if found.chosen else None
    if found.chosen is None or content is None or content.value is None or settings.value is None:
        raise ConfigurationError((*settings.problems, *refused))
    return ConfigSnapshot(
        configuration=content.value,
        settings=settings.value,
        path=found.chosen.seen.path,
        modified=found.chosen.modified,
        since=now,
        digest=content.digest,
        settings_digest=settings.digest,
        warnings=(*settings.warnings, *content.warnings),
        refused=refused,
        notes=tuple(notes_on_unused(seen, found.older, found.chosen.name)),
    )


def notes_on_unused(seen: DirectoryScan, older: Iterable[Candidate], in_force: str) -> list[str]:
    """Say of each file that is not in force, and not refused, why."""
    ignored = [f"{name} is not used as a configuration: {reason}" for name, reason in seen.ignored]
    return ignored + [older_note(candidate.name, in_force) for candidate in older]


def older_note(name: str, in_force: str) -> str:
    """Say why a file is not in force although it may be valid."""
    return f"{name} is not used: it is older than {in_force}, which is in force (touch it to go back to it)"


@dataclass(frozen=True)
class CheckReport:
    """What `check` prints of a directory. It is in order when there are no problems."""

    in_force: Path | None
    """The file that a server would take at its start; None if it would not start."""
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    notes: tuple[str, ...]


def check_directory(directory: Path, *, clock: Callable[[], float] = time.time) -> CheckReport:
    """Check every file of a directory, also the older ones. Never raises for what is wrong in it."""
    reader = ConfigFileReader(clock)
    try:
        seen = _scan(directory)
    except ConfigurationError as error:
        return CheckReport(None, error.problems, (), ())
    settings = _settings(reader, seen, directory)
    contents = [reader.configuration(candidate) for candidate in seen.candidates]
    problems = [*settings.problems, *(problem for content in contents for problem in content.problems)]
    warnings = [*settings.warnings, *(warning for content in contents for warning in content.warnings)]
    try:
        loaded = load_directory(directory, clock=clock)
    except ConfigurationError as error:
        problems += [problem for problem in error.problems if problem not in problems]
        return CheckReport(None, tuple(problems), tuple(warnings), ())
    return CheckReport(loaded.path, tuple(problems), tuple(warnings), loaded.notes)


def _scan(directory: Path) -> DirectoryScan:
    try:
        return scan_directory(directory)
    except OSError as error:
        message = f"the configuration directory cannot be read: {error.strerror}"
        raise ConfigurationError([Problem(str(directory), 0, message)]) from None


def _settings(reader: ConfigFileReader, seen: DirectoryScan, directory: Path) -> FileContent[ServerSettings]:
    if seen.settings is not None:
        return reader.settings(seen.settings)
    message = "the file is missing: it says where Asterisk is (a sample is installed with the documents)"
    return FileContent(b"", problems=(Problem(str(directory / SETTINGS_NAME), 0, message),))
