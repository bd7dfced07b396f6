"""The `config` thread: takes up each change of the configuration directory within two seconds.

It looks, checks, logs and tells; it changes nothing itself. The directory is looked at twice a second in any
case, which costs a few `stat` calls and covers what file events do not show: targets of links, network file
systems, a directory that was replaced. File events only make it quicker.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

from astcti_server.config.changes import ChangeDetector, ConfigLoaded, ConfigRejected, Findings
from astcti_server.config.file_events import FileEvents
from astcti_server.config.holding import HeldFile
from astcti_server.config.memory import ConfigMemory
from astcti_server.config.reading import ConfigFileReader
from astcti_server.config.store import ConfigSnapshot
from astcti_server.threads import Died, ServiceThread
from schemas.configuration.directory import DirectoryScan, scan_directory
from schemas.problems import Problem
from schemas.protocol import ControlRefusal

__all__ = ["ConfigLoaded", "ConfigRejected", "ConfigWatcher"]

logger = logging.getLogger(__name__)

LOOK_EVERY = 0.5  # seconds between two looks when no file event comes
WRITTEN_AFTER = 0.2  # seconds without a change after which a file counts as written
CHECKED_WITHIN = 0.8  # seconds after which a file that is still written is checked all the same
ANSWERED_WITHIN = 10.0  # seconds that somebody who accepts a held file waits
MOST_LOGGED = 200  # problems of one file in the log; `check` prints all of them


class AcceptError(Exception):
    """A held configuration was not taken up; the text says why."""


class _Acceptance:
    """One question of `ConfigWatcher.accept`, and its answer."""

    def __init__(self, sha256: str) -> None:
        self.sha256 = sha256
        self.answered = threading.Event()
        self.withdrawn = False
        """Whoever asked waits no longer."""
        self.done = ""
        self.refusal = ""


class ConfigWatcher(ServiceThread):
    """Watches the directory that `loaded` came from. Both callbacks run on this thread and must be quick."""

    def __init__(
        self,
        directory: Path,
        loaded: ConfigSnapshot,
        on_loaded: Callable[[ConfigLoaded], None],
        on_rejected: Callable[[ConfigRejected], None],
        *,
        memory: ConfigMemory | None = None,
        died: Died | None = None,
        clock: Callable[[], float] = time.time,
        poll: float = LOOK_EVERY,
        look: Callable[[Path], DirectoryScan] = scan_directory,
    ) -> None:
        """`memory` is where it writes what is in force.

        `clock` tells seconds since 1970; `poll` is how often it looks without any file event.

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
        self._memory = memory
        self._accepting: queue.SimpleQueue[_Acceptance] = queue.SimpleQueue()

    @property
    def refused(self) -> tuple[Problem, ...]:
        """What is wrong with the files that are refused now. Any thread."""
        return self._changes.refused

    @property
    def held(self) -> tuple[HeldFile, ...]:
        """The valid files that are held now, the newest first. Any thread."""
        return self._changes.held

    def accept(self, sha256: str = "", within: float = ANSWERED_WITHIN) -> str:
        """Take up a held file, and say in words what was done. Any thread but this one; it waits for it.

        `sha256`, in hexadecimal, may be left out where one file is held. A file that is in force already is
        no mistake. AcceptError says why nothing was done.
        """
        asked = _Acceptance(sha256.strip().lower())
        self._accepting.put(asked)
        self._noticed.set()
        if not asked.answered.wait(within):
            asked.withdrawn = True
            raise AcceptError(ControlRefusal.NOT_ACCEPTED_YET.text(seconds=f"{within:g}"))
        if asked.refusal:
            raise AcceptError(asked.refusal)
        return asked.done

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
                    self._answer_acceptances()
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
        for warning in (*loaded.warnings, *loaded.held):
            logger.warning("%s", warning)
        self._remember()
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
            self._compare(seen, asked)

    def _compare(self, seen: DirectoryScan, asked: bool = False) -> ConfigLoaded | None:
        findings = self._changes.compare(seen, asked)
        self._tell(findings)
        if findings.loaded is not None and self._changes.held:  # against the one before: now against this one
            self._tell(self._changes.compare(seen))
        self._remember()
        return findings.loaded

    def _remember(self) -> None:
        if self._memory is not None:
            self._memory.keep(self._changes.current)

    def _answer_acceptances(self) -> None:
        while not self._accepting.empty():
            asked = self._accepting.get()
            if asked.withdrawn:
                continue
            try:
                asked.done = self._accept(asked.sha256)
            except AcceptError as error:
                asked.refusal = str(error)
            except Exception:
                asked.refusal = ControlRefusal.FAILED.text()
                raise
            finally:
                asked.answered.set()

    def _accept(self, sha256: str) -> str:
        current = self._changes.current
        if sha256 and sha256 == current.digest.hex():
            return f"{current.path.name} is in force already"
        chosen = _held_of(self._changes.held, sha256)
        logger.warning("%s was accepted: %s", chosen.path.name, chosen.reason)
        self._changes.accept(chosen.digest)
        seen = self._scan()
        loaded = self._compare(seen) if seen is not None else None
        if loaded is None or loaded.loaded.digest != chosen.digest:
            raise AcceptError(ControlRefusal.HELD_CHANGED.text())
        return f"{chosen.path.name} is in force now"

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
                "> and <".join(name.replace("_", "-") for name in loaded.restart_needed),
            )
        self._on_loaded(loaded)


def _held_of(held: tuple[HeldFile, ...], sha256: str) -> HeldFile:
    """Find the file that is meant. AcceptError if there is none, or more than one."""
    if not held:
        raise AcceptError(ControlRefusal.NOTHING_HELD.text())
    found = [file for file in held if sha256 in ("", file.digest.hex())]
    if not found:
        raise AcceptError(ControlRefusal.NOT_HELD.text())
    if len({file.digest for file in found}) > 1:
        raise AcceptError(ControlRefusal.MORE_HELD.text())
    return found[0]


def _log_problems(problems: tuple[Problem, ...]) -> None:
    if not problems:
        return
    for problem in problems[:MOST_LOGGED]:
        logger.error("%s", problem)
    if len(problems) > MOST_LOGGED:
        logger.error("and %d problems more: astcti-server check prints them", len(problems) - MOST_LOGGED)
    refused = ", ".join(dict.fromkeys(Path(problem.file).name for problem in problems))
    logger.error("%s refused as a whole: correct it and save it again", refused)
