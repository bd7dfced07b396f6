"""Compares one look at the configuration directory with what is in force: what is new, refused, not used.

No threads, no waiting and no logging here; the watcher does that. One thread at a time.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from astcti_server.config.holding import HeldFile, Holding, choose_beside
from astcti_server.config.loading import older_note, warn_of_readers
from astcti_server.config.reading import ConfigFileReader, FileContent
from astcti_server.config.store import ConfigSnapshot
from schemas.configuration.directory import (
    SETTINGS_NAME,
    ArrivalTimes,
    Candidate,
    Choice,
    DirectoryScan,
    SeenFile,
)
from schemas.configuration.model import Configuration
from schemas.problems import Problem
from schemas.server.settings import ServerSettings

NEED_RESTART = ("ami", "listen", "metrics", "kept_ami")
"""Sections of server.xml that are read at the start only."""

FileState: TypeAlias = tuple[tuple[int, ...], bytes]
"""A file's signature and digest: another one is news."""


@dataclass(frozen=True)
class ConfigLoaded:
    """Something else is to be in force: put `loaded` into the store and tell whom it concerns."""

    loaded: ConfigSnapshot
    previous: ConfigSnapshot
    configuration_changed: bool
    """Another content is in force, of the same file or of another one."""
    settings_changed: bool
    """Settings that apply at once are other ones."""
    restart_needed: tuple[str, ...]
    """Sections of server.xml that changed and stay as they were until the next start."""

    @property
    def configuration(self) -> Configuration:
        """The configuration that is to be in force."""
        return self.loaded.configuration

    @property
    def settings(self) -> ServerSettings:
        """The settings to run under."""
        return self.loaded.settings

    @property
    def path(self) -> Path:
        """The file that is to be in force."""
        return self.loaded.path


@dataclass(frozen=True)
class ConfigRejected:
    """A file was refused; what is in force stays."""

    path: Path
    problems: tuple[Problem, ...]


@dataclass
class Findings:
    """What one look has shown: what to tell the daemon, and what to write into the log (level, text)."""

    loaded: ConfigLoaded | None = None
    rejected: list[ConfigRejected] = field(default_factory=list)
    messages: list[tuple[int, str]] = field(default_factory=list)


class ChangeDetector:
    """Knows what is in force and what was seen before, and compares."""

    def __init__(
        self, loaded: ConfigSnapshot, reader: ConfigFileReader, clock: Callable[[], float] = time.time
    ) -> None:
        """`clock` tells seconds since 1970."""
        self.current = loaded
        self.refused: tuple[Problem, ...] = loaded.refused
        """What is wrong with the files that are refused now. Replaced, never changed: any thread reads it."""
        self.held: tuple[HeldFile, ...] = loaded.held
        """The files that are held now, the newest first. Likewise."""
        self._holding = Holding(loaded.held, clock)
        self._reader = reader
        self._clock = clock
        self._arrivals = ArrivalTimes()
        self._known: dict[str, FileState] = {}
        self._ignored: frozenset[tuple[str, str]] = frozenset()
        self._settings_read = loaded.settings
        self._settings_problems: tuple[Problem, ...] = ()
        self._restart_needed: tuple[str, ...] = ()

    def remember(self, seen: DirectoryScan) -> None:
        """Take files that did not change since what is in force was loaded for known."""
        before = (file for file in seen.files() if file.changed < self.current.since)
        self._known = {file.name: self._state(file) for file in before}
        self._ignored = frozenset(seen.ignored)

    def note(self, seen: DirectoryScan) -> None:
        """Nothing changed: keep in mind that these files are older than whatever comes next."""
        now = self._clock()
        self._arrivals.note(seen.candidates, now)
        if self.current.modified > now:  # the clock was set back: a new file would be older than this one
            self.current = replace(self.current, modified=now)

    def compare(self, seen: DirectoryScan, asked: bool = False) -> Findings:
        """Return what is new in a scan; where `asked`, tell of every file again."""
        findings = Findings()
        states = {file.name: self._state(file) for file in seen.files()}
        news = {name for name, state in states.items() if asked or state != self._known.get(name)}
        self._tell_of_gone(self._known.keys() - states.keys(), findings)
        self._known = states
        choice = self._choose(seen)
        self._find_held(choice)
        held = {found.path.name for found in self.held}
        refused = [candidate for candidate in choice.refused if candidate.name not in held]
        problems = [problem for candidate in refused for problem in self._content(candidate).problems]
        settings = self._new_settings(seen, news, findings)
        self._tell_of_others(choice, news, findings)
        self._tell_of_ignored(seen, asked, findings)
        self.refused = (*self._settings_problems, *problems)
        since = self.current.since
        self._take_up(choice.chosen, settings, findings)
        told = held | {rejection.path.name for rejection in findings.rejected}
        name = self.current.path.name
        if name in news and not asked and self.current.since == since and name not in told:
            findings.messages.append((logging.INFO, f"{name} was touched: it is in force already"))
        if asked and findings.loaded is None:
            text = f"looked at the configuration again: {self.current.path.name} stays in force"
            findings.messages.append((logging.INFO, text))
        self._reader.tidy(seen.candidates)
        self._holding.tidy(self.held)
        return findings

    def accept(self, digest: bytes) -> None:
        """The next comparison may take up the file of this digest, whatever it takes away."""
        self._holding.accept(digest)

    def _state(self, seen: SeenFile) -> FileState:
        return seen.signature, self._reader.digest(seen)

    def _content(self, candidate: Candidate) -> FileContent[Configuration]:
        return self._reader.configuration(candidate.seen)

    def _may_be_taken(self, candidate: Candidate) -> bool:
        if self._holding.of(candidate.seen, self._reader, self.current) is not None:
            return False  # known without reading a held file again at each look
        return self._content(candidate).value is not None

    def _find_held(self, choice: Choice) -> None:
        name = self.current.path.name
        own = [older for older in choice.older if older.name == name] if choice.chosen is None else []
        self.held = self._holding.among([*choice.refused, *own], self._reader, self.current)

    def _is_in_force(self, candidate: Candidate) -> bool:
        digest = self._reader.digest(candidate.seen)
        return (candidate.name, digest) == (self.current.path.name, self.current.digest)

    def _choose(self, seen: DirectoryScan) -> Choice:
        self.note(seen)
        candidates = self._arrivals.order(seen.candidates, self._clock())
        return choose_beside(self.current, candidates, self._reader, self._may_be_taken)

    def _new_settings(
        self, seen: DirectoryScan, news: set[str], findings: Findings
    ) -> FileContent[ServerSettings] | None:
        """Return server.xml's content where it is valid and says something else than when last read."""
        if seen.settings is None or SETTINGS_NAME not in news:
            return None
        content = self._reader.settings(seen.settings)
        self._settings_problems = content.problems
        if content.value is None:
            findings.rejected.append(ConfigRejected(seen.settings.path, content.problems))
            return None
        if content.value == self._settings_read:
            return None
        self._settings_read = content.value
        return content

    def _take_up(
        self, chosen: Candidate | None, settings: FileContent[ServerSettings] | None, findings: Findings
    ) -> None:
        previous = self.current
        loaded = previous
        if chosen is not None and self._is_in_force(chosen):
            self.current = previous = loaded = replace(loaded, modified=chosen.modified)
        elif chosen is not None:
            content = self._content(chosen)
            if content.value is not None:
                loaded = replace(
                    loaded,
                    configuration=content.value,
                    path=chosen.seen.path,
                    modified=chosen.modified,
                    since=self._clock(),
                    digest=content.digest,
                    warnings=(*content.warnings, *warn_of_readers(chosen.seen.path, content.value)),
                )
        restart: tuple[str, ...] = ()
        if settings is not None and settings.value is not None:
            read, used = settings.value, loaded.settings
            restart = tuple(name for name in NEED_RESTART if getattr(read, name) != getattr(used, name))
            self._tell_of_taken_back(restart, findings)
            applied = replace(read, **{name: getattr(used, name) for name in NEED_RESTART})
            loaded = replace(loaded, settings=applied, settings_digest=settings.digest)
            findings.messages += [(logging.WARNING, str(warning)) for warning in settings.warnings]
        if loaded is previous:
            return
        self.current = loaded = replace(loaded, refused=self.refused, held=self.held, notes=())
        findings.loaded = ConfigLoaded(
            loaded, previous, loaded.digest != previous.digest, loaded.settings != previous.settings, restart
        )
        if loaded.path != previous.path or loaded.digest != previous.digest:
            findings.messages += [(logging.WARNING, str(warning)) for warning in loaded.warnings]

    def _tell_of_taken_back(self, restart: tuple[str, ...], findings: Findings) -> None:
        """The warning that a section waits for a restart is stale once it says again what is in use."""
        for name in self._restart_needed:
            if name not in restart:
                element = name.replace("_", "-")
                text = f"{SETTINGS_NAME}: <{element}> says again what is in use: it needs no restart any more"
                findings.messages.append((logging.INFO, text))
        self._restart_needed = restart

    def _tell_of_gone(self, names: set[str], findings: Findings) -> None:
        for name in sorted(names):
            if name == self.current.path.name:
                text = f"{name} was deleted: it stays in force, but the next start will not find it"
                findings.messages.append((logging.WARNING, text))
            elif name == SETTINGS_NAME:
                text = f"{name} was deleted: its settings stay, but the next start will fail without it"
                findings.messages.append((logging.WARNING, text))
            else:
                findings.messages.append((logging.INFO, f"{name} was deleted; it was not in force"))

    def _tell_of_others(self, choice: Choice, news: set[str], findings: Findings) -> None:
        held = {found.path.name for found in self.held}
        findings.messages += [(logging.WARNING, str(found)) for found in self.held if found.path.name in news]
        news = news - held
        for candidate in choice.refused:
            if candidate.name in news:
                findings.rejected.append(
                    ConfigRejected(candidate.seen.path, self._content(candidate).problems)
                )
        in_force = choice.chosen.name if choice.chosen is not None else self.current.path.name
        for candidate in choice.older:
            if (
                candidate.name in news and candidate.name == in_force
            ):  # invalid now, and older than what was loaded
                findings.rejected.append(
                    ConfigRejected(candidate.seen.path, self._content(candidate).problems)
                )
            elif candidate.name in news:
                findings.messages.append((logging.INFO, older_note(candidate.name, in_force)))

    def _tell_of_ignored(self, seen: DirectoryScan, asked: bool, findings: Findings) -> None:
        before = frozenset() if asked else self._ignored
        self._ignored = frozenset(seen.ignored)
        for name, reason in sorted(self._ignored - before):
            findings.messages.append((logging.INFO, f"{name} is not used as a configuration: {reason}"))
