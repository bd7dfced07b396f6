"""Writes the programs' own files: as a whole, with a mode of their own, through no link.

Standard library only. Any thread may call these; they wait for the disk.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

PRIVATE: Final = 0o600
"""For the program's own user alone."""
FOR_GROUP: Final = 0o640
"""For the group to read, too."""
_HIDDEN: Final = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{16}")
LEFT_AFTER: Final = 60.0  # seconds after which a file that was not finished is nobody's any more
_MOST_ASIDE: Final = 9


def open_appended(path: Path | str) -> int:
    """The descriptor of a file that lines are appended to; a new one has `FOR_GROUP`, whatever the umask.

    A link is followed, and the mode of a file that is there stays: both are the administrator's own. A pipe
    is refused: opening it waits until somebody reads, and so does writing, for ever. Raises OSError.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    for name in ("O_CLOEXEC", "O_NONBLOCK"):  # each of them is missing on some system
        flags |= getattr(os, name, 0)
    descriptor = os.open(path, flags, FOR_GROUP)
    try:
        if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is a pipe")
        if hasattr(os, "O_NONBLOCK"):
            os.set_blocking(descriptor, True)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def replace_file(path: Path, data: bytes, mode: int, *, durable: bool = True) -> None:
    """Put `data` into a file as a whole: a reader finds the old content or the new one. Raises OSError.

    The file has exactly this `mode`, whatever the umask. A link of this name is replaced, not followed.
    `durable`: on the disk before this returns.
    """
    with file_beside(path, data, mode, durable=durable):
        pass


@contextmanager
def file_beside(path: Path, data: bytes, mode: int, *, durable: bool = True) -> Iterator[Path]:
    """Like `replace_file`, but the block can look at the new file, under a name of its own, before.

    If the block raises, nothing is left and `path` stays as it was.
    """
    with _fresh_beside(path, durable=durable) as (fresh, descriptor):
        # First for nobody else: what is read from an open file stays readable after a change of the mode.
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            _finish(stream, mode, durable=durable)
        yield fresh


@contextmanager
def stream_beside(path: Path, mode: int) -> Iterator[IO[bytes]]:
    """Like `replace_file` of what the block writes into the stream, which can be more than memory holds."""
    with _fresh_beside(path, durable=True) as (_, descriptor), os.fdopen(descriptor, "w+b") as stream:
        yield stream
        _finish(stream, mode, durable=True)


@contextmanager
def _fresh_beside(path: Path, *, durable: bool) -> Iterator[tuple[Path, int]]:
    """A new file, open for its owner alone, that takes the place of `path` when the block is done."""
    # A name that nobody can guess, made here: no link and no file of somebody else can be in its place.
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
    for name in ("O_NOFOLLOW", "O_CLOEXEC", "O_BINARY"):  # each of them is missing on some system
        flags |= getattr(os, name, 0)
    try:
        yield fresh, os.open(fresh, flags, PRIVATE)
        fresh.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise
    if durable:
        _keep_entry(path.parent)


def _finish(stream: IO[bytes], mode: int, *, durable: bool) -> None:
    if hasattr(os, "fchmod"):
        os.fchmod(stream.fileno(), mode)
    stream.flush()
    if durable:
        os.fsync(stream.fileno())


def remove_leftovers(directory: Path, name: str = "") -> None:
    """Remove what a program that was killed while it wrote left behind; of one file only, if `name` says so.

    What is younger than a minute may be another program's that writes right now. Raises nothing.
    """
    with contextlib.suppress(OSError):
        for file in list(directory.iterdir()):
            found = _HIDDEN.fullmatch(file.name)
            if found is None or name not in ("", found["name"]):
                continue
            with contextlib.suppress(OSError):
                if time.time() - file.lstat().st_mtime > LEFT_AFTER:
                    file.unlink()


def put_aside(path: Path, why: str) -> Path:
    """Rename a file that cannot be used to `NAME.WHY`, or `NAME.WHY-2` and so on; returns the new path.

    Nothing that was put aside before is lost, until there are nine. Raises OSError.
    """
    names = [why, *(f"{why}-{number}" for number in range(2, _MOST_ASIDE + 1))]
    places = [path.with_name(f"{path.name}.{name}") for name in names]
    place = next((place for place in places if not os.path.lexists(place)), places[-1])
    path.replace(place)
    return place


def _keep_entry(directory: Path) -> None:
    """Have the file's new entry on the disk, too. Not every system can; then it comes there by itself."""
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
