"""The `config` thread: takes up each change of the configuration directory within two seconds.

It looks, checks, logs and tells; it changes nothing itself. The directory is looked at twice a second in any
case, which costs a few `stat` calls and covers what file events do not show: targets of links, network file
systems, a directory that was replaced. File events only make it quicker.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from astcti_server.config.changes import ChangeDetector, ConfigLoaded, ConfigRejected, Findings
from astcti_server.config.file_events import FileEvents
from astcti_server.config.loading import ConfigFileReader
from astcti_server.config.store import ConfigSnapshot
from astcti_server.threads import Died, ServiceThread
from schemas.configuration.directory import DirectoryScan, scan_directory
from schemas.problems import Problem

__all__ = ["ConfigLoaded", "ConfigRejected", "ConfigWatcher"]

logger = logging.getLogger(__name__)

LOOK_EVERY = 0.5  # seconds between two looks when no file event comes
WRITTEN_AFTER = 0.2  # seconds without a change after which a file counts as written
CHECKED_WITHIN = 0.8  # seconds after which a file that is still written is checked all the same
MOST_LOGGED = 200  # problems of one file in the log; `check` prints all of them


class ConfigWatcher(ServiceThread):
    """Watches the directory that `loaded` came from. Both callbacks run on this thread and must be quick."""

    def __init__(
        self,
        directory: Path,
        loaded: ConfigSnapshot,
        on_loaded: Callable[[ConfigLoaded], None],
        on_rejected: Callable[[ConfigRejected], None],
        *,
        died: Died | None = None,
        clock: Callable[[], float] = time.time,
        poll: float = LOOK_EVERY,
        look: Callable[[Path], DirectoryScan] = scan_directory,
    ) -> None:
        """`clock` tells seconds since 1970; `poll` is how often it looks without any file event.

        `look` reads the directory, and raises OSError if it cannot.
        """
        super().__init__("config", died)
        self._directory = directory
        self._on_loaded = on_loaded
        self._on_rejected = on_rejected
        self._poll = poll
        self._look = look
        self._noticed = threading.Event()
        self._asked = threading.Event()
        self._reader = ConfigFileReader(clock)
        self._changes = ChangeDetector(loaded, self._reader, clock)
        self._last: DirectoryScan | None = None
        self._unreadable = False

    @property
    def refused(self) -> tuple[Problem, ...]:
        """What is wrong with the files that are refused now. Any thread."""
        return self._changes.refused

    def look_again(self) -> None:
        """Look at the directory now and say what was found, even if nothing changed. Any thread."""
        self._asked.set()
        self._noticed.set()

    def wake(self) -> None:
        """Get the thread out of its wait."""
        self._noticed.set()

    def serve(self) -> None:
        """Look whenever something may have changed, until stopped."""
        self._tell_of_start()
        events = FileEvents(self._directory, self._noticed.set)
        try:
            while not self.stopping.is_set():
                try:
                    self._follow(events)
                    self._look_if_changed()
                except Exception:
                    logger.exception("%s could not be looked at; what is in force stays", self._directory)
                self._noticed.wait(self._poll)
                self._noticed.clear()
        finally:
            events.stop()

    def _tell_of_start(self) -> None:
        loaded = self._changes.current
        _log_problems(loaded.refused)
        for line in loaded.notes:
            logger.info("%s", line)
        for warning in loaded.warnings:
            logger.warning("%s", warning)
        seen = self._scan()
        if seen is not None:
            self._changes.remember(seen)

    def _follow(self, events: FileEvents) -> None:
        try:
            status = self._directory.stat()
            events.follow((status.st_dev, status.st_ino))
        except OSError:
            events.follow(None)

    def _look_if_changed(self) -> None:
        asked = self._asked.is_set()
        self._asked.clear()
        seen = self._scan()
        if seen is None:
            self._last = None
            return
        if seen != self._last:
            seen = self._settled(seen)
        elif not asked and not any(self._reader.is_young(file) for file in seen.files()):
            self._changes.note(seen)
            return
        self._last = seen
        if not self.stopping.is_set():
            self._tell(self._changes.compare(seen, asked))

    def _scan(self) -> DirectoryScan | None:
        try:
            seen = self._look(self._directory)
        except OSError as error:
            if not self._unreadable:
                logger.warning(
                    "%s cannot be read (%s): %s stays in force",
                    self._directory,
                    error.strerror,
                    self._changes.current.path.name,
                )
            self._unreadable = True
            return None
        if self._unreadable:
            logger.info("%s can be read again", self._directory)
        self._unreadable = False
        return seen

    def _settled(self, seen: DirectoryScan) -> DirectoryScan:
        """Wait until nothing changes any more, so that a file being copied is checked when it is whole."""
        deadline = time.monotonic() + CHECKED_WITHIN
        while time.monotonic() < deadline and not self.stopping.wait(WRITTEN_AFTER):
            again = self._scan()
            if again is None or again == seen:
                break
            seen = again
        return seen

    def _tell(self, findings: Findings) -> None:
        for level, text in findings.messages:
            logger.log(level, "%s", text)
        for rejected in findings.rejected:
            _log_problems(rejected.problems)
            self._on_rejected(rejected)
        loaded = findings.loaded
        if loaded is None:
            return
        if loaded.restart_needed:
            logger.warning(
                "server.xml: <%s> changed, which takes effect at the next start only",
                "> and <".join(loaded.restart_needed),
            )
        self._on_loaded(loaded)


def _log_problems(problems: tuple[Problem, ...]) -> None:
    if not problems:
        return
    for problem in problems[:MOST_LOGGED]:
        logger.error("%s", problem)
    if len(problems) > MOST_LOGGED:
        logger.error("and %d problems more: astcti-server check prints them", len(problems) - MOST_LOGGED)
    refused = ", ".join(dict.fromkeys(Path(problem.file).name for problem in problems))
    logger.error("%s refused as a whole: correct it and save it again", refused)
