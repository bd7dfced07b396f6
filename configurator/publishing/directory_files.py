"""The files of the server's directory as the server reads them, each once as long as it stays the same."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from configurator import options
from configurator.models import Publication
from configurator.publishing import published
from schemas.configuration import sqlite_form, xml_form
from schemas.configuration.directory import ArrivalTimes, FileSignature, SeenFile, scan_directory
from schemas.configuration.model import Configuration
from schemas.problems import ConfigurationError

MOST_KEPT = 2
"""Files whose configuration is kept in memory: the one in force, and a newer one that is refused."""


class DirectoryFile(NamedTuple):
    """A file of the directory, as a whole."""

    path: Path
    sha256: str
    configuration: Configuration | None
    """None where the server would refuse it."""


_Key = tuple[str, FileSignature]
_lock = threading.Lock()
_kept: OrderedDict[_Key, DirectoryFile] = OrderedDict()


def files_by_age() -> Iterator[DirectoryFile]:
    """The files of the present directory, the newest first; none where there is no directory. OSError.

    The server uses the first one that is valid, or will within two seconds. Any thread.
    """
    directory = options.current_options().publish
    if directory is None or not directory.is_dir():
        return
    for candidate in ArrivalTimes().order(scan_directory(directory).candidates, time.time()):
        yield _read_once(candidate.seen)


def file_in_force() -> DirectoryFile | None:
    """What a server started there now would use. OSError if the directory cannot be read."""
    return next((file for file in files_by_age() if file.configuration is not None), None)


def file_named(name: str) -> DirectoryFile | None:
    """A file of the present directory, valid or not. OSError."""
    directory = options.current_options().publish
    if directory is None or not directory.is_dir():
        return None
    found = (seen for seen in scan_directory(directory).candidates if seen.name == name)
    return next(map(_read_once, found), None)


def forget_files() -> None:
    """Read each file again when it is asked for: what it says may be known from a publication now."""
    with _lock:
        _kept.clear()


def _read_once(seen: SeenFile) -> DirectoryFile:
    key = (str(seen.path), seen.signature)
    with _lock:
        found = _kept.get(key)
        if found is not None:
            _kept.move_to_end(key)
    if found is None:
        data = seen.path.read_bytes()
        found = DirectoryFile(seen.path, *_read(seen.path, data))
        now = seen.path.stat()
        if (now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns) == seen.signature[1:5]:
            with _lock:
                _kept[key] = found
                while len(_kept) > MOST_KEPT:
                    _kept.popitem(last=False)
    return found


def _read(path: Path, data: bytes) -> tuple[str, Configuration | None]:
    digest = hashlib.sha256(data).hexdigest()
    known = Publication.objects.filter(sha256=digest).defer("content").first()
    try:
        if known is not None:
            return digest, published.configuration_of(known)
        if path.name.lower().endswith(".sqlite"):  # the server goes by the name, too
            return digest, published.sharing(sqlite_form.load_sqlite(path))
        return digest, published.sharing(xml_form.parse_xml(data, str(path)).configuration)
    except (ConfigurationError, OSError):
        return digest, None
