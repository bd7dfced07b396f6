"""What is followed outside the windows: the hot keys, and the colours of the desktop. Main thread."""

from __future__ import annotations

import queue
from functools import partial
from typing import Any

from astcti_client.settings import Settings
from astcti_client.ui.app.inbox import HangUpKeyPressed, HotKeyPressed
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
        self._hot_keys: dict[str, HotKey] = {}
        """By the combination that the settings name."""
        self._colours: ColourWatch | None = None
        self._follow_colours()

    @property
    def dark(self) -> bool:
        """Whether the desktop is dark, as far as the settings want that followed."""
        return self._dark

    def colours_changed(self, colours: SystemColours) -> None:
        """What this watch has put into the queue was taken out."""
        self._dark = colours.dark

    def looked_at(self) -> None:
        """A window was shown, or got the keyboard: it should have the desktop's colours."""
        if self._colours is not None:
            self._colours.ask_soon()

    def settings_changed(self, before: Settings) -> str:
        """Follow what the settings want now; returns what is wrong, or nothing."""
        self._follow_colours()
        now = self._preferences.now
        same_keys = (before.hot_key, before.hang_up_key) == (now.hot_key, now.hang_up_key)
        problems = [
            "" if same_keys else self.set_hot_keys(),
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

    def set_hot_keys(self) -> str:
        """Listen for the hot keys of the settings; returns what is wrong with one, or nothing."""
        self._give_keys_back()
        now, problems = self._preferences.now, list[str]()
        for keys, pressed in ((now.hot_key, HotKeyPressed()), (now.hang_up_key, HangUpKeyPressed())):
            if not keys:
                continue
            try:
                if keys in self._hot_keys:
                    raise NoHotKey(_("it is the other hot key, too"))
                self._hot_keys[keys] = HotKey(keys, partial(self._inbox.put, pressed))
            except NoHotKey as error:
                problems.append(f"{_('No hot key')} ({keys}): {error}")
        return "\n".join(problems)

    def _give_keys_back(self) -> None:
        for key in self._hot_keys.values():
            key.close()
        self._hot_keys.clear()

    def close(self) -> None:
        """Follow nothing any more."""
        self._give_keys_back()
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
