"""A key combination that works everywhere and calls the selected number. Off unless the settings name one.

X11: a grab of the key. Windows: RegisterHotKey. Elsewhere there is none.
"""

from __future__ import annotations

import contextlib
import logging
import select
import sys
import threading
from collections.abc import Callable

logger = logging.getLogger(__name__)

_MODIFIERS = {
    "ctrl": "control",
    "control": "control",
    "alt": "alt",
    "shift": "shift",
    "win": "super",
    "super": "super",
}
_WAIT = 0.3  # seconds between two looks whether to stop


class NoHotKey(Exception):
    """The combination cannot be had. The text says why."""


def parse(text: str) -> tuple[frozenset[str], str]:
    """`Ctrl+Alt+D` as modifiers and key. Raises NoHotKey."""
    *modifiers, key = [one.strip() for one in text.split("+")]
    found = frozenset(_MODIFIERS.get(one.lower(), "") for one in modifiers)
    functional = key[:1] in "Ff" and key[1:].isdigit() and 1 <= int(key[1:]) <= 12
    if not functional and not (len(key) == 1 and key.isalnum() and key.isascii()):
        raise NoHotKey(f"{text}: the key must be a letter, a digit or F1 to F12")
    if "" in found or (not functional and not found - {"shift"}):
        raise NoHotKey(f"{text}: write it as Ctrl+Alt+D, with at least one of Ctrl, Alt, Win")
    return found, key.upper() if functional else key.lower()


class HotKey:
    """Calls `pressed` on a thread of its own."""

    def __init__(self, text: str, pressed: Callable[[], None]) -> None:
        """Raises NoHotKey."""
        self._modifiers, self._key = parse(text)
        self._pressed = pressed
        self._stopping = threading.Event()
        self._ready = threading.Event()
        self._problem = ""
        run = self._run_windows if sys.platform == "win32" else self._run_x11
        if sys.platform == "darwin":
            raise NoHotKey("there is no hot key on macOS")
        self._thread = threading.Thread(target=self._guarded, args=(run,), name="hot-key", daemon=True)
        self._thread.start()
        self._ready.wait(2.0)
        if self._problem:
            raise NoHotKey(self._problem)

    def close(self) -> None:
        """Give the key back."""
        self._stopping.set()
        self._thread.join(2.0)

    def _guarded(self, run: Callable[[], None]) -> None:
        try:
            run()
        except Exception as error:  # no display, no library, or somebody has the key
            self._problem = str(error) or type(error).__name__
            logger.warning("no hot key: %s", self._problem)
        self._ready.set()

    def _run_x11(self) -> None:
        from Xlib import XK, X
        from Xlib.display import Display

        display = Display()
        refused: list[object] = []
        display.set_error_handler(lambda error, _request: refused.append(error))
        root = display.screen().root
        code = display.keysym_to_keycode(XK.string_to_keysym(self._key))
        bits = {"control": X.ControlMask, "alt": X.Mod1Mask, "shift": X.ShiftMask, "super": X.Mod4Mask}
        mask = sum(bits[one] for one in self._modifiers)
        for locks in (
            0,
            X.LockMask,
            X.Mod2Mask,
            X.LockMask | X.Mod2Mask,
        ):  # caps and number lock do not matter
            root.grab_key(code, mask | locks, True, X.GrabModeAsync, X.GrabModeAsync)
        display.sync()
        if refused:
            display.close()
            raise NoHotKey("another program has this key combination")
        self._ready.set()
        while not self._stopping.is_set():
            select.select([display.fileno()], [], [], _WAIT)
            while display.pending_events():
                if display.next_event().type == X.KeyPress:
                    self._pressed()
        with contextlib.suppress(Exception):
            display.close()

    def _run_windows(self) -> None:
        import ctypes
        from ctypes import wintypes

        user32 = ctypes.windll.user32  # type: ignore[attr-defined,unused-ignore]
        bits = {"alt": 1, "control": 2, "shift": 4, "super": 8}
        code = 0x6F + int(self._key[1:]) if len(self._key) > 1 else ord(self._key.upper())
        if not user32.RegisterHotKey(None, 1, sum(bits[one] for one in self._modifiers) | 0x4000, code):
            raise NoHotKey("another program has this key combination")
        self._ready.set()
        message = wintypes.MSG()
        while not self._stopping.wait(0.05):
            while user32.PeekMessageW(ctypes.byref(message), None, 0x312, 0x312, 1):
                self._pressed()
        user32.UnregisterHotKey(None, 1)
