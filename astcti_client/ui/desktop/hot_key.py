"""A key combination that works everywhere and calls the selected number. Off unless the settings name one.

X11: a grab of the key. Windows: RegisterHotKey. Elsewhere there is none.
"""

from __future__ import annotations

import contextlib
import logging
import select
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from astcti_client.key_combination import parse_combination
from astcti_client.ui.i18n import _
from astcti_client.ui.text import words

logger = logging.getLogger(__name__)

_LOOK = 0.3  # seconds between two looks whether to stop
_HELD = 0.7  # seconds; a key that is held down repeats itself faster than this, and means one call
_START_TIME = 3.0  # seconds for the system to say whether the combination is free


class NoHotKey(Exception):
    """The combination cannot be had. The text says why, in the language of the window."""


class HotKey:
    """Calls `pressed` on a thread of its own."""

    def __init__(self, text: str, pressed: Callable[[], None]) -> None:
        """Raises NoHotKey."""
        try:
            self._modifiers, self._key = parse_combination(text)
        except ValueError as error:
            raise NoHotKey(words.told(error)) from None
        if sys.platform == "darwin":
            raise NoHotKey(_("there is none on macOS"))
        self._pressed = pressed
        self._stopping = threading.Event()
        self._ready = threading.Event()
        self._problem = ""
        run = self._run_windows if sys.platform == "win32" else self._run_x11
        self._thread = threading.Thread(target=self._guarded, args=(run,), name="hot-key", daemon=True)
        self._thread.start()
        self._ready.wait(_START_TIME)
        if self._problem:
            self._thread.join(_START_TIME)
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
        from Xlib.display import Display

        display = Display()
        try:
            grab = _Grab(display, self._modifiers, self._key)
            grab.take()
            self._ready.set()
            self._listen(display, grab)
        finally:
            with contextlib.suppress(Exception):  # the server may be gone; else this ends the grab
                display.close()

    def _listen(self, display: Any, grab: _Grab) -> None:
        from Xlib import X

        last = -_HELD
        while not self._stopping.is_set():
            select.select([display.fileno()], [], [], _LOOK)
            while display.pending_events():
                event = display.next_event()
                if event.type == X.MappingNotify:
                    # Another layout was chosen: the same letter may be on another key now.
                    display.refresh_keyboard_mapping(event)
                    grab.take()
                elif event.type == X.KeyPress:
                    now = time.monotonic()
                    if now - last >= _HELD:
                        self._pressed()
                    last = now

    def _run_windows(self) -> None:
        import ctypes
        from ctypes import wintypes

        # Windows tells the thread that registered the key, and only that thread can give it back.
        user32 = ctypes.windll.user32  # type: ignore[attr-defined,unused-ignore]
        bits = {"alt": 1, "control": 2, "shift": 4, "super": 8}
        no_repeat = 0x4000  # else a key that is held down is told again and again
        # The code of F1 is 0x70; those of letters and digits are their characters.
        code = 0x6F + int(self._key[1:]) if len(self._key) > 1 else ord(self._key.upper())
        modifiers = sum(bits[modifier] for modifier in self._modifiers)
        if not user32.RegisterHotKey(None, 1, modifiers | no_repeat, code):
            raise NoHotKey(_("another program has this combination of keys"))
        self._ready.set()
        message = wintypes.MSG()
        while not self._stopping.wait(0.05):
            while user32.PeekMessageW(ctypes.byref(message), None, 0x312, 0x312, 1):  # WM_HOTKEY alone
                self._pressed()
        user32.UnregisterHotKey(None, 1)


class _Grab:
    """One key with its modifiers, whatever the lock keys are at."""

    def __init__(self, display: Any, modifiers: frozenset[str], key: str) -> None:
        self._display, self._modifiers, self._key = display, modifiers, key
        self._code: int | None = None

    def take(self) -> None:
        """Take the key, also anew after the keyboard's layout changed. Raises NoHotKey."""
        from Xlib import XK, X

        code = self._display.keysym_to_keycode(XK.string_to_keysym(self._key))
        if code == self._code:
            return
        root = self._display.screen().root
        if self._code:
            root.ungrab_key(self._code, X.AnyModifier)
        self._code = code
        if not code:  # the server would take it for "every key"
            raise NoHotKey(_("this keyboard has no key {key}").format(key=self._key.upper()))
        bits = {"control": X.ControlMask, "alt": X.Mod1Mask, "shift": X.ShiftMask, "super": X.Mod4Mask}
        mask = sum(bits[modifier] for modifier in self._modifiers)
        refused: list[object] = []
        # X answers requests that fail later, with an error: BadAccess if another program grabbed the key.
        self._display.set_error_handler(lambda error, _request: refused.append(error))
        number_lock = self._modifier_of(XK.string_to_keysym("Num_Lock")) or X.Mod2Mask
        # X counts Caps Lock and Num Lock as modifiers: the key is another one for each of their states.
        for locks in (0, X.LockMask, number_lock, X.LockMask | number_lock):
            root.grab_key(code, mask | locks, True, X.GrabModeAsync, X.GrabModeAsync)
        self._display.sync()
        if refused:
            raise NoHotKey(_("another program has this combination of keys"))

    def _modifier_of(self, keysym: int) -> int:
        """The bit of the modifier that this key is on; 0 if it is on none."""
        code = self._display.keysym_to_keycode(keysym)
        for number, codes in enumerate(self._display.get_modifier_mapping()):
            if code and code in codes:
                return 1 << number
        return 0
