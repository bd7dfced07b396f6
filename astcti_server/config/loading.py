"""Loads the configuration directory: for the start, for `check`, and each content but once for the watcher.

Any thread, but a `Library` belongs to one at a time.
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

from astcti_server.config.store import Loaded
from schemas.configuration import sqlite_form, xml_form
from schemas.configuration.directory import SETTINGS_NAME, Arrivals, Candidate, Scan, Seen, choose, scan
from schemas.configuration.model import Configuration
from schemas.problems import ConfigurationError, Problem
from schemas.server import settings_xml
from schemas.server.settings import AmiSettings, ServerSettings

logger = logging.getLogger(__name__)

YOUNG = 2.0  # seconds in which a file may be written again without its times showing it

Value = TypeVar("Value", Configuration, ServerSettings)


@dataclass(frozen=True)
class Content(Generic[Value]):
    """What a file was found to contain: a value, or problems. The digest is empty if it was not readable."""

    digest: bytes
    value: Value | None = None
    warnings: tuple[Problem, ...] = ()
    problems: tuple[Problem, ...] = ()


class Library:
    """Reads files, and judges each content once however often its file is touched or looked at."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """`clock` tells seconds since 1970, as the file system does."""
        self._clock = clock
        self._digests: dict[tuple[str, tuple[int, ...]], bytes] = {}
        self._configurations: dict[tuple[str, bytes], Content[Configuration]] = {}

    def is_young(self, seen: Seen) -> bool:
        """Tell whether a file changed so lately that another change may leave its signature as it is."""
        return abs(self._clock() - seen.changed) < YOUNG

    def digest(self, seen: Seen) -> bytes:
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

    def configuration(self, seen: Seen) -> Content[Configuration]:
        """Read a candidate, or remember what was found when this content was read before."""
        known = self._configurations.get((seen.name, self.digest(seen)))
        if known is not None:
            return known
        content = _judge(seen.path, _read_sqlite if seen.name.lower().endswith(".sqlite") else _read_xml)
        if content.digest:
            self._configurations[seen.name, content.digest] = content
        return content

    def settings(self, seen: Seen) -> Content[ServerSettings]:
        """Read server.xml anew: it names other files, which may have changed."""
        return _judge(seen.path, _read_settings)

    def tidy(self, present: Iterable[Seen]) -> None:
        """Forget files that are gone or have another content now, and every valid configuration.

        Of invalid ones the problems stay. A valid one is in force or superseded: it is read again should
        its file be touched, rather than kept in memory.
        """
        signatures = {(seen.name, seen.signature) for seen in present}
        digests = {(seen.name, self.digest(seen)) for seen in present}
        self._digests = {key: one for key, one in self._digests.items() if key in signatures}
        self._configurations = {
            key: one for key, one in self._configurations.items() if key in digests and one.value is None
        }


def _digest(path: Path) -> bytes:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


def _judge(path: Path, read: Callable[[Path], Content[Value]]) -> Content[Value]:
    try:
        with _collector_at_rest():
            return read(path)
    except OSError as error:
        return Content(b"", problems=(Problem(str(path), 0, f"it cannot be read: {error.strerror}"),))
    except Exception as error:  # our mistake must not keep the one in force from serving
        logger.exception("%s could not be judged", path)
        return Content(b"", problems=(Problem(str(path), 0, f"it could not be judged: {error!r}"),))


@contextmanager
def _collector_at_rest() -> Iterator[None]:
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


def _read_xml(path: Path) -> Content[Configuration]:
    data = path.read_bytes()
    digest = hashlib.sha256(data).digest()
    try:
        checked = xml_form.parse(data, str(path))
    except ConfigurationError as error:
        return Content(digest, problems=error.problems)
    return Content(digest, checked.configuration, checked.warnings)


def _read_sqlite(path: Path) -> Content[Configuration]:
    digest = _digest(path)
    try:
        checked = sqlite_form.read(path)
    except ConfigurationError as error:
        return Content(digest, problems=error.problems)
    if _digest(path) != digest:
        message = "it changed while it was read: publish it under a new name, never write a published one"
        return Content(b"", problems=(Problem(str(path), 0, message),))
    return Content(digest, checked.configuration, checked.warnings)


def _read_settings(path: Path) -> Content[ServerSettings]:
    data = path.read_bytes()
    digest = hashlib.sha256(data).digest()
    try:
        checked = settings_xml.parse(data, path)
    except ConfigurationError as error:
        return Content(digest, problems=error.problems)
    return Content(digest, checked.settings, checked.warnings)


def load_directory(
    directory: Path, *, settings_needed: bool = True, clock: Callable[[], float] = time.time
) -> Loaded:
    """Load what is in force at a start. ConfigurationError with every problem found if that is nothing.

    Newer files that are invalid are no error: `Loaded.refused` has what is wrong with them. Without
    `settings_needed` a missing or invalid server.xml counts as one without anything in it.
    """
    library, now = Library(clock), clock()
    seen = _scan(directory)
    settings = _settings(library, seen, directory)
    if not settings_needed and settings.value is None:
        settings = Content(b"", ServerSettings(AmiSettings("", "")))
    found = choose(
        Arrivals().order(seen.candidates, now), lambda one: library.configuration(one.seen).value is not None
    )
    refused = tuple(problem for one in found.refused for problem in library.configuration(one.seen).problems)
    if found.chosen is None and not found.refused:
        message = "there is no configuration here: put one beside server.xml, as *.xml or *.sqlite"
        refused = (Problem(str(directory), 0, message),)
    content = library.configuration(found.chosen.seen) if found.chosen else None
    if found.chosen is None or content is None or content.value is None or settings.value is None:
        raise ConfigurationError((*settings.problems, *refused))
    return Loaded(
        configuration=content.value,
        settings=settings.value,
        path=found.chosen.seen.path,
        modified=found.chosen.modified,
        since=now,
        digest=content.digest,
        settings_digest=settings.digest,
        warnings=(*settings.warnings, *content.warnings),
        refused=refused,
        notes=tuple(notes(seen, found.older, found.chosen.name)),
    )


def notes(seen: Scan, older: Iterable[Candidate], in_force: str) -> list[str]:
    """Say of each file that is not in force, and not refused, why."""
    ignored = [f"{name} is not used as a configuration: {reason}" for name, reason in seen.ignored]
    return ignored + [is_older(one.name, in_force) for one in older]


def is_older(name: str, in_force: str) -> str:
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
    """Judge every file of a directory, also the older ones. Never raises for what is wrong in it."""
    library = Library(clock)
    try:
        seen = _scan(directory)
    except ConfigurationError as error:
        return CheckReport(None, error.problems, (), ())
    settings = _settings(library, seen, directory)
    contents = [library.configuration(one) for one in seen.candidates]
    problems = [*settings.problems, *(problem for one in contents for problem in one.problems)]
    warnings = [*settings.warnings, *(warning for one in contents for warning in one.warnings)]
    try:
        loaded = load_directory(directory, clock=clock)
    except ConfigurationError as error:
        problems += [problem for problem in error.problems if problem not in problems]
        return CheckReport(None, tuple(problems), tuple(warnings), ())
    return CheckReport(loaded.path, tuple(problems), tuple(warnings), loaded.notes)


def _scan(directory: Path) -> Scan:
    try:
        return scan(directory)
    except OSError as error:
        message = f"the configuration directory cannot be read: {error.strerror}"
        raise ConfigurationError([Problem(str(directory), 0, message)]) from None


def _settings(library: Library, seen: Scan, directory: Path) -> Content[ServerSettings]:
    if seen.settings is not None:
        return library.settings(seen.settings)
    message = "the file is missing: it says where Asterisk is (a sample is installed with the documents)"
    return Content(b"", problems=(Problem(str(directory / SETTINGS_NAME), 0, message),))
