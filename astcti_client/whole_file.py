"""Writes a file of the user's as a whole: whoever reads it finds the old content or the new one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_whole_file(path: Path, text: str) -> None:
    """Put this text into the file, readable by its user alone; a link to it stays one. Raises OSError.

    The new file has a name that nobody can guess and is made here (O_EXCL, O_NOFOLLOW): no link that others
    put there is followed.
    """
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
