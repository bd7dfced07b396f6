"""What a process writes down while it happens: a line of JSON for each fact, with the time.

The time is the machine's monotonic clock, which all processes share and which nobody sets. A line is written
at once and whole, so that nothing is lost when the process is killed.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

Fact: TypeAlias = dict[str, Any]
"""`at` in seconds, `what`, and what belongs to it."""


class HistoryWriter:
    """Any thread."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._lock = threading.Lock()

    def write(self, what: str, **more: object) -> float:
        """Write it down; returns the time that was written."""
        at = time.monotonic()
        line = json.dumps({"at": at, "what": what, **more}, separators=(",", ":")) + "\n"
        with self._lock:
            os.write(self._file, line.encode())
        return at

    def close(self) -> None:
        os.close(self._file)


def read_history(path: Path) -> list[Fact]:
    """All that was written down, in its order."""
    return (
        [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    )


class HistoryTail:
    """Reads what was added to a file since the last look."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._rest = b""

    def more(self) -> Iterator[Fact]:
        """The facts that came since."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
        self._offset += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            yield json.loads(line)
