"""What happens on an X display, as another program sees it: which windows of the client are there since when.

Needs python-xlib, which the client's tray needs too. One thread.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from Xlib import X
from Xlib.display import Display
from Xlib.error import BadWindow
from Xlib.ext.damage import DamageReportRawRectangles
from Xlib.protocol.event import ClientMessage

QUIET = 0.1  # seconds without drawing after which a notice is taken to be complete
NOTICE, MAIN, TRAY_ICON = "AstctiNotice", "Astcti", "astctiSystemTrayIcon"


class NotSeen(Exception):
    """Something did not come on the screen, or did not leave it, in time."""


@dataclass(frozen=True, slots=True)
class SeenNotice:
    """A notice that came on the screen; times are those of `time.perf_counter`."""

    window: int
    mapped: float
    drawn: float
    """When the last of it was drawn."""


class ScreenWatch:
    """Sees every window come and go; its events are read while it waits for one, and by `forget`."""

    def __init__(self, display: str) -> None:
        self._display: Any = Display(display)
        self._display.set_error_handler(lambda *_: None)  # windows go while they are asked about
        self._display.damage_query_version()
        self._display.res_query_version()
        self._damage = self._display.extension_event.DamageNotify
        self._root = self._display.screen().root
        self._root.change_attributes(event_mask=X.SubstructureNotifyMask)
        self._display.sync()
        self.shown: dict[int, float] = {}
        """The client's main windows and the icon in the tray, and since when each is on the screen."""
        self._kinds: dict[int, str] = {}
        self._frames: dict[int, int] = {}
        self._drawn: dict[int, float] = {}

    def close(self) -> None:
        """End the connection."""
        self._display.close()

    def begin(self) -> None:
        """Before a client starts: what an earlier one had on the screen is forgotten."""
        self.forget()
        self.shown.clear()
        self._kinds.clear()
        self._frames.clear()
        self._drawn.clear()

    def await_start(self, within: float) -> tuple[float, float]:
        """When the main window and the icon in the tray were on the screen. Raises NotSeen."""
        self._await(lambda: {MAIN, TRAY_ICON} <= self._kinds_shown(), within, "the client's window and icon")
        times = {self._kinds[window]: at for window, at in self.shown.items()}
        return times[MAIN], times[TRAY_ICON]

    def await_notice(self, within: float) -> SeenNotice:
        """The next notice that comes, once nothing more is drawn in it. Raises NotSeen."""
        until = time.perf_counter() + within
        for at, event in self._events(until):
            self._take(at, event)
            if event.type == X.MapNotify and event.override and self._kind(event.window) == NOTICE:
                self._await_silence(event.window.id, at)
                return SeenNotice(event.window.id, at, max(at, self._drawn.get(event.window.id, at)))
        raise NotSeen(f"no notice of the call came on the screen within {within:.0f} s")

    def await_gone(self, window: int, within: float) -> None:
        """Wait until a notice left the screen. Raises NotSeen."""
        for _, event in self._events(time.perf_counter() + within):
            if event.type in (X.UnmapNotify, X.DestroyNotify) and event.window.id == window:
                return
        raise NotSeen(f"the notice did not leave the screen within {within:.0f} s")

    def hide_main_window(self, within: float) -> None:
        """Close the main window as its frame's button does; wait until it is gone. Raises NotSeen."""
        (window,) = (window for window in self.shown if self._kinds[window] == MAIN)
        protocols, delete = map(self._display.intern_atom, ("WM_PROTOCOLS", "WM_DELETE_WINDOW"))
        asked = self._display.create_resource_object("window", window)
        asked.send_event(ClientMessage(window=asked, client_type=protocols, data=(32, [delete, 0, 0, 0, 0])))
        self._await(lambda: MAIN not in self._kinds_shown(), within, "the main window's end")

    def resources(self) -> int:
        """How many things the client has in the X server: windows, pixmaps, cursors and all else."""
        owners = {window >> 21: window for window in self._kinds}  # a connection's ids share their upper bits
        return sum(
            kind.count
            for window in owners.values()
            for kind in self._display.res_query_client_resources(window).types
        )

    def forget(self, seconds: float = 0.0) -> None:
        """Take note of what happened until now, or happens for so long: the next notice is a new one.

        Whoever watches for long without this has the X server keep all that it would tell.
        """
        for at, event in self._events(time.perf_counter() + seconds):
            self._take(at, event)

    def _kinds_shown(self) -> set[str]:
        return {self._kinds[window] for window in self.shown}

    def _await(self, fact: Callable[[], bool], within: float, what: str) -> None:
        if fact():
            return
        for at, event in self._events(time.perf_counter() + within):
            self._take(at, event)
            if fact():
                return
        raise NotSeen(f"{what} did not come within {within:.0f} s")

    def _await_silence(self, notice: int, at: float) -> None:
        last = at
        while True:
            for moment, event in self._events(last + QUIET):
                self._take(moment, event)
                if event.type == self._damage and event.drawable.id == notice:
                    last = moment
                    break
            else:
                return

    def _events(self, until: float) -> Iterator[tuple[float, Any]]:
        """What the server tells until then, and has told already; each with the time at which it was read."""
        while True:
            if self._display.pending_events():
                yield time.perf_counter(), self._display.next_event()
                continue
            left = until - time.perf_counter()
            if left <= 0 or not select.select([self._display.fileno()], [], [], left)[0]:
                return

    def _take(self, at: float, event: Any) -> None:
        if event.type == self._damage:
            self._drawn[event.drawable.id] = at
        elif event.type == X.CreateNotify:
            # Before it is shown, or what is drawn first would be missed.
            event.window.damage_create(DamageReportRawRectangles)
            self._display.flush()
        elif event.type == X.ReparentNotify:
            self._take_reparented(at, event)
        elif event.type == X.MapNotify and event.window.id in self._frames:
            self.shown[self._frames[event.window.id]] = at
        elif event.type in (X.UnmapNotify, X.DestroyNotify):
            self.shown.pop(self._frames.get(event.window.id, event.window.id), None)
            self._drawn.pop(event.window.id, None)

    def _take_reparented(self, at: float, event: Any) -> None:
        kind = self._kind(event.window)
        if event.parent.id == self._root.id or kind not in (MAIN, TRAY_ICON):
            return
        self._kinds[event.window.id] = kind
        if kind == MAIN:
            self._frames[event.parent.id] = event.window.id  # shown with its frame
        else:
            self.shown[event.window.id] = at

    def _kind(self, window: Any) -> str:
        """Which of the client's windows it is, by the names that it carries; empty for another."""
        try:
            names = window.get_wm_class() or ()
        except BadWindow:  # it went meanwhile
            return ""
        return next((name for name in (NOTICE, MAIN, TRAY_ICON) if name in names), "")
