"""What `check` says of a configuration directory, and what would change with it. Any thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from astcti_server.config.differences import differences
from astcti_server.config.holding import HeldFile
from astcti_server.config.loading import load_directory, read_settings, scan, warn_of_readers
from astcti_server.config.memory import RememberedFile
from astcti_server.config.reading import ConfigFileReader
from schemas.configuration.directory import ArrivalTimes, choose_in_force
from schemas.problems import ConfigurationError, Problem


@dataclass(frozen=True)
class CheckReport:
    """What `check` prints of a directory. It is in order when there are no problems."""

    in_force: Path | None
    """The file that a server would take at its start; None if it would not start."""
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    notes: tuple[str, ...]
    held: tuple[HeldFile, ...] = ()
    """Valid files that would be held."""


def check_directory(
    directory: Path, *, remembered: RememberedFile | None = None, clock: Callable[[], float] = time.time
) -> CheckReport:
    """Check every file of a directory, also the older ones. Never raises for what is wrong in it.

    `remembered` is the file in force that others are held against.
    """
    reader = ConfigFileReader(clock)
    try:
        seen = scan(directory)
    except ConfigurationError as error:
        return CheckReport(None, error.problems, (), ())
    settings = read_settings(reader, seen, directory)
    contents = [reader.configuration(candidate) for candidate in seen.candidates]
    problems = [*settings.problems, *(problem for content in contents for problem in content.problems)]
    warnings = [*settings.warnings, *(warning for content in contents for warning in content.warnings)]
    for candidate, content in zip(seen.candidates, contents, strict=True):
        if content.value is not None:
            warnings += warn_of_readers(candidate.path, content.value)
    try:
        loaded = load_directory(directory, remembered=remembered, clock=clock)
    except ConfigurationError as error:
        problems += [problem for problem in error.problems if problem not in problems]
        return CheckReport(None, tuple(problems), tuple(warnings), ())
    warnings += [warning for warning in loaded.warnings if warning not in warnings]
    return CheckReport(loaded.path, tuple(problems), tuple(warnings), loaded.notes, loaded.held)


def changes_in_words(
    directory: Path, remembered: RememberedFile, *, clock: Callable[[], float] = time.time
) -> list[str]:
    """Say what the newest valid file of a directory would change of what is in force, held or not.

    ConfigurationError if the directory cannot be read, or nothing in it is valid.
    """
    reader = ConfigFileReader(clock)
    chosen = choose_in_force(
        ArrivalTimes().order(scan(directory).candidates, clock()),
        lambda candidate: reader.configuration(candidate.seen).value is not None,
    ).chosen
    found = reader.configuration(chosen.seen).value if chosen is not None else None
    if chosen is None or found is None:
        raise ConfigurationError([Problem(str(directory), 0, "there is no valid configuration here")])
    lines = differences(remembered.configuration, found)
    compared = f"{chosen.name} compared with {remembered.path.name}, which is in force"
    return [f"{compared}:", *(f"  {line}" for line in lines)] if lines else [f"{compared}: nothing changes"]
