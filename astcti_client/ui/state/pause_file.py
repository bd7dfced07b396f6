"""The pause of the session, for the next run of the client: one that is killed tells nobody. No Tk.

The server keeps a pause itself, but says neither since when it lasts nor, if it is an older one, anything.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import platformdirs

from astcti_client.whole_file import write_whole_file

logger = logging.getLogger(__name__)

KEPT_FOR: Final = 12 * 3600.0
"""Seconds; what began earlier belongs to another day, as for the server."""
MOST_BYTES: Final = 65536


class LeftPause(NamedTuple):
    """In what pause an earlier run was killed."""

    reason: str
    lasts: float
    """For how many seconds by now."""


def pause_file() -> Path:
    """Where this user's client keeps it."""
    return Path(platformdirs.user_data_dir("astcti", appauthor=False)) / "pause"


class PauseFile:
    """One pause, with whose it is and where. Main thread."""

    def __init__(self, path: Path, wall: Callable[[], float] = time.time) -> None:
        """`wall` is the wall clock, which goes on from run to run."""
        self._path, self._wall = path, wall

    def load(self, place: str) -> LeftPause | None:
        """What was left there; None if nothing was, it is too old, or cannot be read."""
        try:
            with self._path.open("rb") as file:
                found: Any = json.loads(file.read(MOST_BYTES).decode())
            if found["place"] != place:
                return None
            left = LeftPause(str(found["reason"]), self._wall() - float(found["since"]))
            left.reason.encode()  # ValueError for half a character, which could not be told to the server
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None
        return left if 0 <= left.lasts <= KEPT_FOR else None

    def save(self, place: str, left: LeftPause | None) -> None:
        """Keep this, or nothing. A disk that cannot is logged, and ends nothing."""
        try:
            if left is None:
                self._path.unlink(missing_ok=True)
                return
            since = self._wall() - left.lasts
            write_whole_file(
                self._path, json.dumps({"place": place, "reason": left.reason, "since": since}) + "\n"
            )
        except OSError as error:
            logger.warning("%s: %s: the pause is not kept there", self._path, error.strerror or error)
