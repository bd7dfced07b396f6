"""What the screen asks for: how large things are drawn, and what panels leave free. Main thread."""

from __future__ import annotations

import contextlib
import ctypes
import re
import sys
import tkinter as tk
from typing import Any

SAFE_XFT = 20305  # 2.3.5: before, glyphs larger than a request of X were an error
SAFE_TK = [8, 6, 13]


def screen_scale(root: tk.Tk) -> float:
    """How much larger than on a 96 dpi screen things must be here."""
    dots = root.winfo_fpixels("1i")
    if root.tk.call("tk", "windowingsystem") == "x11":
        dots = _x11_dots(root) or 96.0  # what X itself says is the size of the glass, often wrong
    return min(5.0, max(0.75, round(dots / 96 * 8) / 8))


def _x11_dots(root: tk.Tk) -> float:
    """The dots per inch that the desktop asks for; 0 if it does not say."""
    with contextlib.suppress(Exception):  # no python-xlib, or an X server that is no more
        from Xlib.display import Display

        display = Display(root.winfo_screen())
        try:
            atom = display.intern_atom("RESOURCE_MANAGER")
            found = display.screen(0).root.get_full_property(atom, 0)
            text = found.value.decode("latin-1") if found else ""
            for line in text.splitlines():
                key, _, value = line.partition(":")
                if key.strip() == "Xft.dpi":
                    return float(value)
        finally:
            display.close()
    return 0.0


def draw_in_real_dots() -> None:
    """Tell Windows that this program draws in real dots, or it stretches windows. Before the first one."""
    if sys.platform == "win32":
        with contextlib.suppress(AttributeError, OSError):
            ctypes.windll.shcore.SetProcessDpiAwareness(1)  # type: ignore[attr-defined,unused-ignore]


def draws_emoji(root: tk.Tk) -> bool:
    """Whether coloured glyphs are safe here: older libXft end the whole program with an error of X."""
    if root.tk.call("tk", "windowingsystem") != "x11":
        return True
    try:
        version = int(ctypes.CDLL("libXft.so.2").XftGetVersion())
    except (OSError, AttributeError):
        return False
    parts = [int(digits) for digits in re.findall(r"\d+", str(root.tk.call("info", "patchlevel")))]
    return version >= SAFE_XFT and parts >= SAFE_TK


class WorkArea:
    """What panels leave free. Keeps its connection to an X server: to open one takes longer than to ask."""

    def __init__(self, root: tk.Tk) -> None:
        self._root = root
        self._display: Any = None

    def now(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom."""
        if sys.platform == "win32":
            from ctypes import wintypes

            area = wintypes.RECT()
            found = ctypes.windll.user32.SystemParametersInfoW(  # type: ignore[attr-defined,unused-ignore]
                0x30, 0, ctypes.byref(area), 0
            )
            if found:
                return area.left, area.top, area.right, area.bottom
        whole = (0, 0, self._root.winfo_screenwidth(), self._root.winfo_screenheight())
        if self._root.tk.call("tk", "windowingsystem") != "x11":
            return whole
        try:
            return self._on_x11(whole)
        except Exception:  # no python-xlib, a window manager that says nothing, or a connection that was lost
            self.close()
            return whole

    def close(self) -> None:
        """Let go of the connection."""
        display, self._display = self._display, None
        if display is not None:
            with contextlib.suppress(Exception):  # it was lost before
                display.close()

    def _on_x11(self, whole: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
        from Xlib.display import Display
        from Xlib.ext import randr

        if self._display is None:
            self._display = Display(self._root.winfo_screen())
        display, window = self._display, self._display.screen().root
        area = window.get_full_property(display.intern_atom("_NET_WORKAREA"), 0)
        if area and len(area.value) >= 4:
            x, y, width, height = (int(number) for number in area.value[:4])
            whole = (x, y, x + width, y + height)
        with contextlib.suppress(Exception):  # one monitor, or an X server without RandR
            resources = randr.get_screen_resources_current(window)
            output = randr.get_output_primary(window).output or resources.outputs[0]
            crtc = randr.get_output_info(window, output, resources.config_timestamp).crtc
            info = randr.get_crtc_info(window, crtc, resources.config_timestamp)
            whole = (
                max(whole[0], info.x),
                max(whole[1], info.y),
                min(whole[2], info.x + info.width),
                min(whole[3], info.y + info.height),
            )
        return whole
