"""As which user the server runs. Any thread."""

from __future__ import annotations

import json
import os
from pathlib import Path

from schemas.server.status_age import is_old

RUN_AS_ANOTHER_USER = "it needs no such rights, let it run as a user of its own (astcti)"


def is_root() -> bool:
    """Whether this process is root."""
    return os.geteuid() == 0


def owner_of_running_server(status: Path) -> tuple[int, int] | None:
    """Return process id and user id of the server that writes this status file; None if none is known."""
    try:
        said = json.loads(status.read_text(encoding="utf-8"))
        if is_old(str(said["written"])):  # of a server that was killed: its number may be another's by now
            return None
        pid = int(said["pid"])
        return pid, Path(f"/proc/{pid}").stat().st_uid
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
