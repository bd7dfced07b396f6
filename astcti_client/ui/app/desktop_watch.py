"""What is followed outside the windows: the hot key, and the colours of the desktop. Main thread."""

from __future__ import annotations

import queue
from typing import Any

from astcti_client.settings import Settings
from astcti_client.ui.app.inbox import HotKeyPressed
from astcti_client.ui.desktop import autostart
from astcti_client.ui.desktop.hot_key import HotKey, NoHotKey
from astcti_client.ui.desktop.system_colours import ColourWatch, SystemColours, system_wants_dark
from astcti_client.ui.i18n import _
from astcti_client.ui.state.preferences import Preferences


class DesktopWatch:
    """Puts what happens there into the queue."""

    def __init__(self, preferences: Preferences, inbox: queue.SimpleQueue[Any]) -> None:
        self._preferences, self._inbox = preferences, inbox
        self._dark = False
        self._hot_key: HotKey | None = None
        self._colours: ColourWatch | None = None
        self._follow_colours()

    @property
    def dark(self) -> bool:
        """Whether the desktop is dark, as far as the settings want that followed."""
        return self._dark

    def colours_changed(self, colours: SystemColours) -> None:
        """What this watch has put into the queue was taken out."""
        self._dark = colours.dark

    def settings_changed(self, before: Settings) -> str:
        """Follow what the settings want now; returns what is wrong, or nothing."""
        self._follow_colours()
        now = self._preferences.now
        problems = [
            self.set_hot_key() if before.hot_key != now.hot_key else "",
            self._set_start(now.start_with_pc) if before.start_with_pc != now.start_with_pc else "",
        ]
        return "\n".join(filter(None, problems))

    def set_start(self) -> str:
        """Have the client start with this PC if the settings want it: it may be installed elsewhere now.

        Returns what is wrong, or nothing. What somebody set up by hand is left alone.
        """
        return self._set_start(True) if self._preferences.now.start_with_pc else ""

    def _set_start(self, wanted: bool) -> str:
        try:
            autostart.start_with_pc(wanted)
        except OSError as error:
            return f"{_('Start with this PC')}: {error.filename or ''} {error.strerror or error}"
        return ""

    def set_hot_key(self) -> str:
        """Listen for the hot key of the settings; returns what is wrong with it, or nothing."""
        if self._hot_key is not None:
            self._hot_key.close()
            self._hot_key = None
        if keys := self._preferences.now.hot_key:
            try:
                self._hot_key = HotKey(keys, lambda: self._inbox.put(HotKeyPressed()))
            except NoHotKey as error:
                return f"{_('No hot key')}: {error}"
        return ""

    def close(self) -> None:
        """Follow nothing any more."""
        if self._hot_key is not None:
            self._hot_key.close()
        if self._colours is not None:
            self._colours.close()

    def _follow_colours(self) -> None:
        wanted = self._preferences.now.theme == "auto"
        if wanted and self._colours is None:
            self._dark = system_wants_dark()
            self._colours = ColourWatch(self._dark, self._inbox.put)
        elif not wanted and self._colours is not None:
            self._colours.close()
            self._colours = None
