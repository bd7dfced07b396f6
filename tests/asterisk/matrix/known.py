"""The combinations that are known to come out wrong, by kind of fault; see known_wrong.txt."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from tests.asterisk.matrix.combinations import Combination

LIST = Path(__file__).with_name("known_wrong.txt")


@dataclass(frozen=True)
class KnownWrong:
    """Lines of version, pattern and kind."""

    lines: tuple[tuple[str, str, str], ...]

    @classmethod
    def read(cls, file: Path = LIST) -> KnownWrong:
        """From the file; empty lines and those that begin with # say nothing."""
        rows = (line.split(None, 2) for line in file.read_text(encoding="utf-8").splitlines())
        return cls(tuple((row[0], row[1], row[2]) for row in rows if row and not row[0].startswith("#")))

    def kind_of(self, version: int, combination: Combination) -> str:
        """The kind of its fault, or an empty string for what must be right."""
        for versions, pattern, kind in self.lines:
            if str(version) in versions.split(",") and fnmatchcase(combination.kind, pattern):
                return kind
        return ""
