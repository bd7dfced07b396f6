"""The file that tells init scripts the daemon's process id. Main thread."""

from __future__ import annotations

import os
from pathlib import Path

from schemas import own_files


class PidFile:
    """Written when everything is built; removed only while it still holds our own id."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self) -> None:
        """Write our id. Raises OSError where that is not possible."""
        self.path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        own_files.replace_file(self.path, f"{os.getpid()}\n".encode(), own_files.FOR_GROUP, durable=False)

    def remove(self) -> None:
        """Remove the file if it is ours."""
        try:
            if self.path.read_text(encoding="ascii").strip() == str(os.getpid()):
                self.path.unlink()
        except (OSError, ValueError):
            return
