"""What several targets need: a folder in memory, and the words of JSON."""

from __future__ import annotations

import tempfile
from pathlib import Path

JSON_TOKENS = (
    *(
        b"null",
        b"true",
        b"1e400",
        b"NaN",
        b"-Infinity",
        b'"\\ud800"',
        b"[]",
        b"{}",
        b'""',
        b"[" * 2000,
        b'{"a":' * 2000,
    ),
    *(
        b'"format": 1',
        b'"format": 2',
        b'"format": "1"',
        b'"queue"',
        b'"interface"',
        b'"username"',
        b'"members"',
        b": ",
    ),
    *(
        b'"file"',
        b'"sha256"',
        b'"modified"',
        b'"content"',
        b'"mark"',
        b'"pauses"',
        b'"reason"',
        b'"since"',
        b'"seen"',
        b'"at"',
        b'"time"',
        b'"banner"',
        b'"taken"',
        b'"left"',
    ),
)


def folder() -> Path:
    """A directory of this process, in memory where that is possible."""
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="astcti-fuzz-", dir=memory if memory.is_dir() else None))
