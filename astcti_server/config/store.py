"""What the configuration in force is, for every thread."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from astcti_server.config.holding import HeldFile
from schemas.configuration.model import Configuration
from schemas.problems import Problem
from schemas.server.settings import ServerSettings


@dataclass(frozen=True)
class ConfigSnapshot:
    """A valid configuration with the settings it runs under, and where both come from.

    Frozen, since it crosses threads: who works with one goes on with it, though another is in force by then.
    """

    configuration: Configuration
    settings: ServerSettings
    path: Path
    """The file in force."""
    modified: float
    """Its time among the others, in seconds since 1970: of modification, or of arrival if that is later."""
    since: float
    """When it came into force, in seconds since 1970."""
    digest: bytes
    """Of the file's content."""
    settings_digest: bytes
    warnings: tuple[Problem, ...] = ()
    """What is valid in both files but hardly meant."""
    refused: tuple[Problem, ...] = ()
    """Everything wrong with newer files that were refused when this one was chosen."""
    notes: tuple[str, ...] = ()
    """Why other files of the directory are not in force."""
    held: tuple[HeldFile, ...] = ()
    """Valid files that were held when this one was chosen: they take away too much."""


class ConfigStore:
    """Holds the configuration in force. `current` is one attribute read, on any thread.

    Read it once at the beginning of a piece of work and pass it on: it may be swapped at any time.
    """

    def __init__(self, loaded: ConfigSnapshot) -> None:
        self._lock = threading.Lock()
        self._current = loaded

    @property
    def current(self) -> ConfigSnapshot:
        """What is in force now."""
        return self._current

    def swap(self, loaded: ConfigSnapshot) -> ConfigSnapshot:
        """Put another configuration in force; return the one that was. Any thread."""
        with self._lock:
            previous, self._current = self._current, loaded
        return previous
