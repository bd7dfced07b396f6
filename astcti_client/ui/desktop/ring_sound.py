"""A sound while the phone rings, played by what the system has already. Main thread; nothing here waits.

Where nothing can play it, and on a PC without a sound card, nothing happens.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

logger = logging.getLogger(__name__)

SYSTEM = "system"
"""In place of a file: the sound that the system has for it."""
_NAME = "phone-incoming-call"  # of the freedesktop.org sound naming specification
_THEME_FILE = Path("/usr/share/sounds/freedesktop/stereo") / f"{_NAME}.oga"
_MAC_FILE = "/System/Library/Sounds/Glass.aiff"
_PLAYERS = ("pw-play", "paplay", "aplay")


def sound_command(
    sound: str, find: Callable[[str], str | None] = shutil.which, platform: str = sys.platform
) -> list[str]:
    """The program that plays this sound, with its arguments; empty if there is none. Not for Windows.

    `find` says where a program is.
    """
    if platform == "darwin":
        player = find("afplay")
        return [player, _MAC_FILE if sound == SYSTEM else sound] if player else []
    if sound == SYSTEM:
        if player := find("canberra-gtk-play"):
            return [player, "--id", _NAME]
        sound = str(_THEME_FILE)
        if not _THEME_FILE.exists():
            return []
    for name in _PLAYERS:
        if name == "aplay" and not sound.lower().endswith(".wav"):
            continue  # it would play any other file as noise
        if player := find(name):
            return [player, sound]
    return []


class RingSound:
    """Plays one sound at a time."""

    def __init__(self) -> None:
        self._playing = False
        """On Windows, where no process tells."""
        self._process: subprocess.Popen[bytes] | None = None

    def play(self, sound: str) -> bool:
        """Begin this sound, a file or `SYSTEM`; whether something is there that plays it."""
        if self._process is not None and self._process.poll() is None:
            return True  # another phone call rings already
        if sys.platform == "win32":
            self._playing = _play_on_windows(sound)
            return self._playing
        command = sound_command(sound)
        if not command:
            return False
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        except OSError as error:
            logger.warning("no sound: %s", error)
            return False
        return True

    def stop(self) -> None:
        """Nothing rings any more."""
        if self._playing:
            self._playing = False
            _stop_on_windows()
        if self._process is not None:
            if self._process.poll() is None:
                self._process.terminate()  # the next call, a second later, finds it ended
            else:
                self._process = None


def _play_on_windows(sound: str) -> bool:
    import winsound

    how = winsound.SND_ALIAS if sound == SYSTEM else winsound.SND_FILENAME  # type: ignore[attr-defined,unused-ignore]
    how |= winsound.SND_ASYNC | winsound.SND_NODEFAULT  # type: ignore[attr-defined,unused-ignore]
    try:
        winsound.PlaySound("SystemExclamation" if sound == SYSTEM else sound, how)  # type: ignore[attr-defined,unused-ignore]
    except RuntimeError as error:  # no sound card, or no such file
        logger.warning("no sound: %s", error)
        return False
    return True


def _stop_on_windows() -> None:
    import winsound

    with contextlib.suppress(RuntimeError):
        winsound.PlaySound(None, winsound.SND_PURGE)  # type: ignore[attr-defined,unused-ignore]
