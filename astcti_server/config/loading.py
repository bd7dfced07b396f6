"""Loads the configuration directory for a start. Any thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from astcti_server.config.holding import HeldFile, Holding, choose_beside
from astcti_server.config.memory import RememberedFile
from astcti_server.config.reading import ConfigFileReader, FileContent
from astcti_server.config.store import ConfigSnapshot
from schemas.configuration.directory import (
    SETTINGS_NAME,
    ArrivalTimes,
    Candidate,
    Choice,
    DirectoryScan,
    choose_in_force,
    scan_directory,
)
from schemas.configuration.model import Configuration
from schemas.problems import ConfigurationError, Problem
from schemas.server.file_checks import open_to_others
from schemas.server.settings import AmiSettings, ServerSettings


@dataclass(frozen=True)
class _Start:
    """What a start finds: which file is to be in force, and which are held against what was before."""

    choice: Choice
    held: tuple[HeldFile, ...]
    remembered: RememberedFile | None
    """In force without its file: all that could take its place is held."""


def _choose_at_start(
    reader: ConfigFileReader, candidates: list[Candidate], remembered: RememberedFile | None, now: float
) -> _Start:
    """The newest valid file, except where that one is held: then what was in force before goes on."""

    def is_valid(candidate: Candidate) -> bool:
        return reader.configuration(candidate.seen).value is not None

    if remembered is None:
        return _Start(choose_in_force(candidates, is_valid), (), None)
    holding = Holding(clock=lambda: now)

    def may_be_taken(candidate: Candidate) -> bool:
        return is_valid(candidate) and holding.of(candidate.seen, reader, remembered) is None

    choice = choose_in_force(candidates, may_be_taken)
    if not holding.among(choice.refused, reader, remembered):
        return _Start(choice, (), None)
    choice = choose_beside(remembered, candidates, reader, may_be_taken)
    mine = [candidate for candidate in candidates if candidate.name == remembered.path.name]
    held = holding.among(sorted({*choice.refused, *mine}, reverse=True), reader, remembered)
    return _Start(choice, held, remembered if choice.chosen is None else None)


def load_directory(
    directory: Path,
    *,
    settings_needed: bool = True,
    remembered: RememberedFile | None = None,
    clock: Callable[[], float] = time.time,
) -> ConfigSnapshot:
    """Load what is in force at a start. ConfigurationError with every problem found if that is nothing.

    Newer files that are invalid are no error: `ConfigSnapshot.refused` has what is wrong with them. Nor are
    those that take away much of what was in force before (`remembered`): they are `ConfigSnapshot.held`.
    Without `settings_needed` a missing or invalid server.xml counts as one without anything in it.
    """
    reader, now = ConfigFileReader(clock), clock()
    seen = scan(directory)
    settings = read_settings(reader, seen, directory)
    if not settings_needed and settings.value is None:
        settings = FileContent(b"", ServerSettings(AmiSettings("", "")))
    found = _choose_at_start(reader, ArrivalTimes().order(seen.candidates, now), remembered, now)
    choice = found.choice
    refused = tuple(
        problem for candidate in choice.refused for problem in reader.configuration(candidate.seen).problems
    )
    if choice.chosen is None and not choice.refused:
        message = "there is no configuration here: put one beside server.xml, as *.xml or *.sqlite"
        refused = (Problem(str(directory), 0, message),)
    content = _content_in_force(reader, found)
    if content is None or content.value is None or settings.value is None:
        raise ConfigurationError((*settings.problems, *refused))
    stays = found.remembered
    path, modified = (stays.path, stays.modified) if stays else _place(choice)
    return ConfigSnapshot(
        configuration=content.value,
        settings=settings.value,
        path=path,
        modified=modified,
        since=now,
        digest=content.digest,
        settings_digest=settings.digest,
        warnings=(
            *settings.warnings,
            *content.warnings,
            *_warn_of_memory(stays),
            *warn_of_readers(path, content.value),
        ),
        refused=refused,
        notes=tuple(notes_on_unused(seen, choice.older, path.name)),
        held=found.held,
    )


def _content_in_force(reader: ConfigFileReader, found: _Start) -> FileContent[Configuration] | None:
    if found.remembered is not None:
        return FileContent(found.remembered.digest, found.remembered.configuration)
    chosen = found.choice.chosen
    return reader.configuration(chosen.seen) if chosen is not None else None


def _warn_of_memory(stays: RememberedFile | None) -> tuple[Problem, ...]:
    if stays is None:
        return ()
    message = "it is gone or says something else: what it said when it was in force last stays in force"
    return (Problem(str(stays.path), 0, message),)


def _place(choice: Choice) -> tuple[Path, float]:
    assert choice.chosen is not None
    return choice.chosen.seen.path, choice.chosen.modified


def warn_of_readers(path: Path, configuration: Configuration) -> tuple[Problem, ...]:
    """Say that others can read a configuration's passwords, which are hashes that can be guessed at."""
    wrong = open_to_others(path, "hashes of passwords") if configuration.operators else ""
    return (Problem(str(path), 0, wrong),) if wrong else ()


def notes_on_unused(seen: DirectoryScan, older: Iterable[Candidate], in_force: str) -> list[str]:
    """Say of each file that is not in force, and not refused, why."""
    ignored = [f"{name} is not used as a configuration: {reason}" for name, reason in seen.ignored]
    return ignored + [older_note(candidate.name, in_force) for candidate in older]


def older_note(name: str, in_force: str) -> str:
    """Say why a file is not in force although it may be valid."""
    return f"{name} is not used: it is older than {in_force}, which is in force (touch it to go back to it)"


def scan(directory: Path) -> DirectoryScan:
    """Look at a directory. ConfigurationError if it cannot be read."""
    try:
        return scan_directory(directory)
    except OSError as error:
        message = f"the configuration directory cannot be read: {error.strerror}"
        raise ConfigurationError([Problem(str(directory), 0, message)]) from None


def read_settings(
    reader: ConfigFileReader, seen: DirectoryScan, directory: Path
) -> FileContent[ServerSettings]:
    """Read server.xml; that it is missing is a problem like others."""
    if seen.settings is not None:
        return reader.settings(seen.settings)
    message = "the file is missing: it says where Asterisk is (a sample is installed with the documents)"
    return FileContent(b"", problems=(Problem(str(directory / SETTINGS_NAME), 0, message),))
