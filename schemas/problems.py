"""What is wrong with a file of the configuration, in words for those who operate it.

Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from schemas.log_lines import harmless
from schemas.sentences import said

MOST_PROBLEMS: Final = 500
"""Mistakes of one file that are told: each is a line of the log, of the status file, of a web page."""
LONGEST_MESSAGE: Final = 1000
"""Characters."""


class Problem(NamedTuple):
    """One mistake; as a text it is a single line, whatever the file is called.

    `line` counts from 1; 0 is the file as a whole; in a database it is the row's id.
    """

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return harmless(f"{self.file}:{self.line}: {self.message}")


def bounded(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return the first ones, `MOST_PROBLEMS` at most, the last of which says that there are more.

    A file with ten thousand mistakes has one mistake that was copied.
    """
    told = list(problems)
    if len(told) > MOST_PROBLEMS:
        next_one = told[MOST_PROBLEMS - 1]
        message = said("from here on are more mistakes, which are told once those before are gone")
        told[MOST_PROBLEMS - 1 :] = [Problem(next_one.file, next_one.line, message)]
    return tuple(
        problem
        if len(problem.message) <= LONGEST_MESSAGE
        else problem._replace(message=f"{problem.message[: LONGEST_MESSAGE - 3]}...")
        for problem in told
    )


class ConfigurationError(Exception):
    """A file was refused as a whole.

    `problems` has every mistake found, in the order of the file, as far as `bounded` lets them through.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = bounded(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
