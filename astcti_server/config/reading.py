"""Reads the files of the configuration directory: each content but once, however often it is looked at.

Any thread, but a `ConfigFileReader` belongs to one at a time.
"""

from __future__ import annotations

import gc
import hashlib
import importlib.util
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, TypeVar

from schemas.configuration import sqlite_form, xml_form
from schemas.configuration.directory import SeenFile
from schemas.configuration.model import Configuration
from schemas.problems import ConfigurationError, Problem
from schemas.server import settings_xml
from schemas.server.settings import ServerSettings

logger = logging.getLogger(__name__)

METRICS_MODULES: Final = ("prometheus_client", "waitress")
LACKS_METRICS: Final = (
    "the program lacks what <metrics> needs, and does not start without: make install"
    " COMPONENTS='server metrics', or where pip installed it the extra [metrics]; or take <metrics> out"
)
YOUNG = 2.0  # seconds in which a file may be written again without its times showing it

_Value = TypeVar("_Value", Configuration, ServerSettings)


@dataclass(frozen=True)
class FileContent(Generic[_Value]):
    """What a file was found to contain: a value, or problems. The digest is empty if it was not readable."""

    digest: bytes
    value: _Value | None = None
    warnings: tuple[Problem, ...] = ()
    problems: tuple[Problem, ...] = ()
    replaces: str = ""
    """SHA-256, in hexadecimal, of the file in force that a configuration says it is meant to replace."""


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
    return FileContent(digest, checked.configuration, checked.warnings, replaces=checked.replaces)


def _read_sqlite(path: Path) -> FileContent[Configuration]:
    digest = _digest(path)
    try:
        checked = sqlite_form.read_sqlite(path)
    except ConfigurationError as error:
        return FileContent(digest, problems=error.problems)
    if _digest(path) != digest:
        message = "it changed while it was read: publish it under a new name, never write a published one"
        return FileContent(b"", problems=(Problem(str(path), 0, message),))
    return FileContent(digest, checked.configuration, checked.warnings, replaces=checked.replaces)


def _read_settings(path: Path) -> FileContent[ServerSettings]:
    data = path.read_bytes()
    digest = hashlib.sha256(data).digest()
    try:
        checked = settings_xml.parse_settings(data, path)
    except ConfigurationError as error:
        return FileContent(digest, problems=error.problems)
    lacking = [Problem(str(path), 0, LACKS_METRICS)] if _lacks_metrics(checked.settings) else []
    return FileContent(digest, checked.settings, (*checked.warnings, *lacking))


def _lacks_metrics(settings: ServerSettings) -> bool:
    """Whether the next start will fail for want of packages, which are looked for, not loaded."""
    return settings.metrics is not None and not all(map(importlib.util.find_spec, METRICS_MODULES))
