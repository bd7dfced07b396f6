"""The settings in force, and the user's file that changes go to. Main thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from astcti_client.settings import LoadedSettings, Settings, SettingsError
from astcti_client.settings_file import Writable, save
from astcti_client.ui.state.actions import LoginRequest


class CannotChange(Exception):
    """The file cannot be written, or what would stand in it cannot be. The text says why."""


class Preferences:
    """`now` are the settings, `locked` the names of those that the administrator fixed."""

    def __init__(self, loaded: LoadedSettings, reload: Callable[[], LoadedSettings], file: Path) -> None:
        """`reload` reads the settings again after `file` was changed."""
        self.now, self.locked, self.file = loaded.settings, loaded.locked, file
        self._reload = reload

    def change(self, changes: Mapping[str, Writable]) -> None:
        """Write settings and use them; where the session goes stays as it is. Raises CannotChange."""
        self._write(changes)
        try:
            now = self._reload().settings
        except OSError as error:
            raise CannotChange(f"{self.file}: {error.strerror or error}") from None
        except SettingsError as error:
            raise CannotChange("\n".join(error.problems)) from None
        before = self.now
        self.now = replace(
            now,
            host=before.host,
            port=before.port,
            tls=before.tls,
            plain=now.plain if "plain" in changes else before.plain,
            user=before.user,
            # A certificate that was chosen for this session is in no file yet.
            ca_file=now.ca_file if "ca-file" in changes else before.ca_file,
        )

    def use_for_session(self, settings: Settings) -> None:
        """Take over what was typed for this session; nothing is written before the log-in worked."""
        self.now = settings

    def keep_login(self, request: LoginRequest) -> None:
        """Write where and as whom the log-in worked, never its password. Raises CannotChange."""
        changes: dict[str, Writable] = {
            "host": request.host,
            "port": request.port,
            "tls": request.tls,
            "user": request.user,
            "remember": request.remember,
        }
        if request.plain:
            changes["plain"] = True
        if request.ca_file:
            changes["ca-file"] = request.ca_file
        changes = {key: value for key, value in changes.items() if key not in self.locked}
        if "remember" in changes:
            self.now = replace(self.now, remember=request.remember)
        self._write(changes)

    def _write(self, changes: Mapping[str, Writable]) -> None:
        try:
            save(self.file, changes)
        except OSError as error:
            raise CannotChange(f"{self.file}: {error.strerror or error}") from None
