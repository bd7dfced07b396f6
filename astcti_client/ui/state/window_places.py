"""Where the user put the windows, and how large, kept in a file of the user's. No Tk, one thread."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import NamedTuple

import platformdirs

from astcti_client.whole_file import write_whole_file

logger = logging.getLogger(__name__)

_GEOMETRY = re.compile(r"(\d{1,5})x(\d{1,5})\+(-?\d{1,5})\+(-?\d{1,5})")


class WindowPlace(NamedTuple):
    """A window on the screen, in dots; Tk's geometry."""

    width: int
    height: int
    x: int
    y: int

    @classmethod
    def of(cls, geometry: str) -> WindowPlace | None:
        """What Tk says of a window; None if it is something else."""
        found = _GEOMETRY.fullmatch(geometry)
        return cls(*map(int, found.groups())) if found else None

    def __str__(self) -> str:
        return f"{self.width}x{self.height}+{self.x}+{self.y}"

    def inside(self, screen: WindowPlace) -> WindowPlace:
        """The same, moved and made smaller as far as it has to be: another screen may be there today."""
        width, height = min(self.width, screen.width), min(self.height, screen.height)
        return WindowPlace(
            width,
            height,
            min(max(self.x, screen.x), screen.x + screen.width - width),
            min(max(self.y, screen.y), screen.y + screen.height - height),
        )


def default_places_file() -> Path:
    """Where this user's places are."""
    return Path(platformdirs.user_state_dir("astcti", appauthor=False)) / "windows.json"


class WindowPlaces:
    """The places by the windows' names. A file that cannot be read or written keeps nobody from anything."""

    def __init__(self, file: Path | None = None) -> None:
        """Without a `file` they last as long as the program."""
        self._file = file
        self._places = _read(file) if file is not None else {}

    def of(self, window: str) -> WindowPlace | None:
        """Where it was last."""
        return self._places.get(window)

    def keep(self, window: str, place: WindowPlace) -> None:
        """It is there now."""
        if self._places.get(window) == place:
            return
        self._places[window] = place
        if self._file is None:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            places = {name: str(known) for name, known in self._places.items()}
            write_whole_file(self._file, json.dumps(places, indent=1) + "\n")
        except OSError as error:
            logger.info("%s: cannot be written: %s", self._file, error)
            self._file = None


def _read(file: Path) -> dict[str, WindowPlace]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        found = {str(name): WindowPlace.of(str(text)) for name, text in content.items()}
    except (OSError, ValueError, AttributeError, RecursionError):
        return {}
    return {name: place for name, place in found.items() if place is not None}
