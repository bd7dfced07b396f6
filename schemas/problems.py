"""What is wrong with a file of the configuration, in words for those who operate it.

Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from schemas.log_lines import harmless


class Problem(NamedTuple):
    """One mistake; as a text it is a single line, whatever the file is called.

    `line` counts from 1; 0 is the file as a whole; in a database it is the row's id.
    """

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return harmless(f"{self.file}:{self.line}: {self.message}")


class ConfigurationError(Exception):
    """A file was refused as a whole. `problems` has every mistake found, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
