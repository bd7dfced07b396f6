"""Which file of the configuration directory is in force: looking, ordering, choosing.

Looking (`scan_directory`) touches the file system; the rest is pure. Any thread.

In force is the newest valid file by time, then by name. For a symbolic link the later of link and target
counts, and a time in the future counts as the moment of arrival. Names with a leading dot and
sub-directories are ignored.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

SETTINGS_NAME = "server.xml"
ENDINGS = (".xml", ".sqlite")

FileSignature: TypeAlias = tuple[int, ...]


class SeenFile(NamedTuple):
    """One file as a scan saw it."""

    name: str
    path: Path
    modified: float
    """The later modification time of link and target, in seconds since 1970."""
    changed: float
    """When content or attributes changed last; nobody can set this one."""
    signature: FileSignature
    """Differs whenever the file may have another content, another time or is another file."""


class DirectoryScan(NamedTuple):
    """Everything in the directory that matters, in the order of the names."""

    identity: tuple[int, int]
    """Device and inode: another directory under the same path has another one."""
    candidates: tuple[SeenFile, ...]
    settings: SeenFile | None
    ignored: tuple[tuple[str, str], ...]
    """Names that are no configuration, and why."""

    def files(self) -> Iterator[SeenFile]:
        """The files that may have a say: the candidates and server.xml."""
        yield from self.candidates
        if self.settings is not None:
            yield self.settings


def scan_directory(directory: Path) -> DirectoryScan:
    """Look at a directory. OSError if it cannot be read."""
    status = directory.stat()
    candidates, ignored, settings = [], [], None
    with os.scandir(directory) as entries:
        names = sorted(entry.name for entry in entries)
    for name in names:
        if name.startswith("."):
            continue
        try:
            link = os.lstat(directory / name)
            target = (directory / name).stat()
        except FileNotFoundError:
            if (directory / name).is_symlink():
                ignored.append((name, "the link leads nowhere"))
            continue
        except OSError as error:
            ignored.append((name, f"it cannot be looked at: {error.strerror}"))
            continue
        seen = _seen(name, directory / name, link, target)
        if not stat.S_ISREG(target.st_mode):
            if not stat.S_ISDIR(target.st_mode):
                ignored.append((name, "it is no file"))
        elif name == SETTINGS_NAME:
            settings = seen
        elif name.lower().endswith(ENDINGS):
            candidates.append(seen)
        else:
            ignored.append((name, "its name ends in neither .xml nor .sqlite"))
    return DirectoryScan((status.st_dev, status.st_ino), tuple(candidates), settings, tuple(ignored))


def _seen(name: str, path: Path, link: os.stat_result, target: os.stat_result) -> SeenFile:
    signature = (
        target.st_dev,
        target.st_ino,
        target.st_size,
        target.st_mtime_ns,
        target.st_ctime_ns,
        link.st_ino,
        link.st_mtime_ns,
    )
    modified = max(link.st_mtime, target.st_mtime)
    return SeenFile(name, path, modified, max(link.st_ctime, target.st_ctime), signature)


class Candidate(NamedTuple):
    """A file with the time that counts for it. Sorts as files supersede one another."""

    modified: float
    name: str
    seen: SeenFile


class ArrivalTimes:
    """Remembers when files with a time in the future were first seen. One thread at a time."""

    def __init__(self) -> None:
        self._arrived: dict[tuple[str, FileSignature], float] = {}

    def note(self, files: Iterable[SeenFile], now: float) -> None:
        """Remember when files came whose time is in the future. `now` is in seconds since 1970.

        The oftener it is called, the better it is known what was there before a clock was set back.
        """
        remembered, self._arrived = self._arrived, {}
        for seen in files:
            key = (seen.name, seen.signature)
            if seen.modified > now or key in remembered:
                self._arrived[key] = min(seen.modified, remembered.get(key, now))

    def order(self, files: Iterable[SeenFile], now: float) -> list[Candidate]:
        """Return the files, newest first. `now` is in seconds since 1970."""
        files = list(files)
        self.note(files, now)
        found = [
            Candidate(self._arrived.get((seen.name, seen.signature), seen.modified), seen.name, seen)
            for seen in files
        ]
        return sorted(found, reverse=True)


class InForce(NamedTuple):
    """What is in force already: a candidate's time and name, and whether its file still says the same."""

    modified: float
    name: str
    unchanged: bool
    """The file is there with the content that was loaded."""
    replaced: bool
    """The file is there with another content, which is valid."""


class Choice(NamedTuple):
    """What is to be in force, and what became of the others."""

    chosen: Candidate | None
    """None where what was loaded stays without its file, or where nothing is valid at the start."""
    refused: tuple[Candidate, ...]
    """Newer than what is in force, but invalid."""
    older: tuple[Candidate, ...]
    """Valid or not: never looked into, since something newer is in force."""


def choose_in_force(
    candidates: Iterable[Candidate], is_valid: Callable[[Candidate], bool], current: InForce | None = None
) -> Choice:
    """Choose among candidates, newest first. `is_valid` is asked no more often than it has to be.

    Without `current`, at the start, the newest valid one is chosen. With it, only a newer one takes its
    place: a file that was deleted or has become invalid stays in force as it was loaded. Where the file in
    force itself was replaced by another valid content, whatever its time, the choice is made anew.
    """
    refused: list[Candidate] = []
    remaining = list(candidates)
    while remaining:
        candidate = remaining.pop(0)
        if current is not None and not current.replaced:
            if candidate.name == current.name and current.unchanged:
                return Choice(candidate, tuple(refused), tuple(remaining))
            if not current.unchanged and candidate[:2] <= (current.modified, current.name):
                return Choice(None, tuple(refused), (candidate, *remaining))
        if is_valid(candidate):
            return Choice(candidate, tuple(refused), tuple(remaining))
        refused.append(candidate)
    return Choice(None, tuple(refused), ())
