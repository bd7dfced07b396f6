"""As which user the server runs. Standard library only, any thread."""

from __future__ import annotations

import json
import os
from pathlib import Path

RUN_AS_ANOTHER_USER = "it needs no such rights, let it run as a user of its own (astcti)"


def is_root() -> bool:
    """Whether this process is root."""
    return os.geteuid() == 0


def owner_of_running_server(status: Path) -> tuple[int, int] | None:
    """Return process id and user id of the server that writes this status file; None if none is known."""
    try:
        pid = int(json.loads(status.read_text(encoding="utf-8"))["pid"])
        return pid, Path(f"/proc/{pid}").stat().st_uid
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
