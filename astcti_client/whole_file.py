"""Writes a file of the user's as a whole: whoever reads it finds the old content or the new one."""

from __future__ import annotations

from pathlib import Path

from schemas import own_files


def write_whole_file(path: Path, text: str) -> None:
    """Put this text into the file, readable by its user alone; a link to it stays one. Raises OSError.

    It is not waited for the disk: the window writes its settings, and stands still meanwhile.
    """
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    own_files.replace_file(path, text.encode(), own_files.PRIVATE, durable=False)
