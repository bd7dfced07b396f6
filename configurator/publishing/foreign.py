"""A file that is in force and was not published from here: somebody else's, by hand or by a script."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import NamedTuple

from configurator import options
from configurator.models import Publication
from configurator.publishing import directory_files
from schemas.configuration.directory import scan_directory
from schemas.configuration.model import Configuration

SKEW = 5.0
"""Seconds by which two clocks may differ without a word."""


class ForeignFile(NamedTuple):
    """What a publication would put itself in front of."""

    path: Path
    sha256: str
    configuration: Configuration


def find_foreign(entries: Configuration) -> ForeignFile | None:
    """The file in force, if it is not from here and says something else than `entries`. Any thread.

    The newest valid file of the directory counts: the server uses it, or will within two seconds.
    """
    with contextlib.suppress(OSError):
        for file in directory_files.files_by_age():
            if Publication.objects.filter(sha256=file.sha256).exists():
                return None
            if file.configuration is not None:
                found = file.configuration
                return ForeignFile(file.path, file.sha256, found) if found != entries else None
    return None


def files_of_the_future() -> list[str]:
    """Names of files whose time is still to come: whoever copied them has another clock, or set it so."""
    directory = options.current_options().publish
    try:
        found = scan_directory(directory).candidates if directory is not None else ()
    except OSError:
        return []
    return [seen.name for seen in found if seen.modified > time.time() + SKEW]
