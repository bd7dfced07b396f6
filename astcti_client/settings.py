"""The client's settings and where they come from.

An option outranks an environment variable, that the user's file, that the system's file; but what the
system's file lists in its table `[locked]` outranks everything. Every error says where the value stands and
what is wrong with it, and all of them are reported at once.
"""

from __future__ import annotations

import difflib
import os
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from astcti_client.password import Password
from astcti_client.settings_values import SETTING_READERS, SettingValue

ENVIRONMENT_PREFIX = "ASTCTI_CLIENT_"
FILE_NAME = "client.toml"
# They name the user's file, see the command line, and where the browser window keeps its cookies.
_NOT_SETTINGS = {"ASTCTI_CLIENT_CONFIG", "ASTCTI_CLIENT_PAGES"}


@dataclass(frozen=True, slots=True)
class Settings:
    """Valid settings. `keep_alive` is the time between NOOPs in seconds, 0 to follow the server."""

    host: str = "127.0.0.1"
    port: int = 5000
    user: str = ""
    password: Password | None = None
    mac: str = ""
    tls: bool = False
    ca_file: str = ""
    server_name: str = ""
    verify: bool = True
    keep_alive: float = 0.0
    triggers: bool = True
    allowed_programs: tuple[str, ...] | None = None
    """Programs that triggers may run; None for any that the server names."""
    # What follows is for the window alone.
    theme: str = "auto"
    language: str = ""
    """Empty for the system's."""
    scale: float = 0.0
    """Size of everything, 1.0 being 96 dots to the inch; 0 for what the screen asks."""
    notices: bool = True
    notice_corner: str = "bottom-right"
    notice_time: float = 6.0
    """Seconds that a notice stays after its ring is over; 0 until it is clicked."""
    confirm_triggers: bool = False
    browser_window: str = "reuse"
    pause_lock: bool = False
    remember: bool = True
    start_hidden: bool = False
    history_days: int = 90
    """Days that calls are kept in the history; 0 keeps none."""
    hot_key: str = ""


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """The settings in force, and remarks that the user should see."""

    settings: Settings
    remarks: tuple[str, ...] = ()
    locked: frozenset[str] = frozenset()
    """The names of the settings that the system's file fixes."""


class SettingsError(Exception):
    """Settings that cannot be used. `problems` are sentences that name the place of each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class _Layer:
    """Values from one place. `where` has a `{}` for the key, or for its environment or option form."""

    where: str
    values: Mapping[str, Any]
    base: Path | None = None
    """What relative file names are relative to."""

    def place(self, key: str) -> str:
        if "environment" in self.where:
            return self.where.format(ENVIRONMENT_PREFIX + key.upper().replace("-", "_"))
        return self.where.format(key)


def user_file() -> Path:
    """Where the user's settings are read from unless told otherwise."""
    return Path(platformdirs.user_config_dir("astcti", appauthor=False)) / FILE_NAME


def system_file() -> Path:
    """Where the system's settings are read from.

    On Linux a fixed path, not one that the user's environment can move: it may hold locked values.
    """
    if sys.platform in ("win32", "darwin"):
        return Path(platformdirs.site_config_dir("astcti", appauthor=False)) / FILE_NAME
    return Path("/etc/xdg/astcti") / FILE_NAME


def load_settings(
    options: Mapping[str, Any], environ: Mapping[str, str], user: Path | None, system: Path
) -> LoadedSettings:
    """Merge every source. `options` are those given on the command line, by the names used in the files.

    `user` may be None for "no such file"; a file that does not exist counts as empty. Raises SettingsError.
    """
    problems: list[str] = []
    locked, system_layer = _system_layers(system, problems)
    layers = [
        locked,
        _Layer("option --{}", {key: value for key, value in options.items() if value is not None}),
        _Layer("environment variable {}", _from_environment(environ, problems)),
        _file_layer(user, problems) if user is not None else _Layer("{}", {}),
        system_layer,
    ]
    for layer in layers:
        if "password" in layer.values and "password-file" in layer.values:
            problems.append(f"{layer.place('password')}: there is a password-file too; keep one of them")
    remarks = [
        f"{layer.place(key)} is ignored: {locked.place(key)} fixes this setting"
        for layer in layers[1:3]
        for key in layer.values
        if key in locked.values
    ]
    chosen = _merge(layers, problems)
    if problems:
        raise SettingsError(problems)
    if not chosen.get("verify", True) and chosen.get("tls"):
        remarks.append(
            "the server's certificate is not checked (verify is off): anybody may pose as the server"
        )
    return LoadedSettings(Settings(**chosen), tuple(remarks), frozenset(locked.values))


def _merge(layers: Sequence[_Layer], problems: list[str]) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    for layer in layers:
        found: dict[str, Any] = {}
        for key, value in layer.values.items():
            reader = SETTING_READERS[key]
            try:
                found[reader.field] = reader.read(SettingValue(value, layer.base))
            except ValueError as error:
                problems.append(f"{layer.place(key)}: {error}")
        for name, value in found.items():
            chosen.setdefault(name, value)
    return chosen


def _from_environment(environ: Mapping[str, str], problems: list[str]) -> dict[str, str]:
    found = {}
    for variable, value in environ.items():
        name = variable.upper() if os.name == "nt" else variable
        if not value or not name.startswith(ENVIRONMENT_PREFIX) or name in _NOT_SETTINGS:
            continue  # an empty variable counts as not set: many tools cannot remove one
        key = name.removeprefix(ENVIRONMENT_PREFIX).lower().replace("_", "-")
        if key in SETTING_READERS:
            found[key] = value
        else:
            problems.append(f"environment variable {variable}: there is no setting {key!r}{_suggestion(key)}")
    return found


def _system_layers(path: Path, problems: list[str]) -> tuple[_Layer, _Layer]:
    content = _read(path, problems)
    locked = content.pop("locked", {})
    if not isinstance(locked, dict):
        problems.append(f"{path}: locked: write a table, that is a line [locked] with the settings below it")
        locked = {}
    return (
        _Layer(f"{path}: [locked] {{}}", _known(path, locked, problems), path.parent),
        _Layer(f"{path}: {{}}", _known(path, content, problems), path.parent),
    )


def _file_layer(path: Path, problems: list[str]) -> _Layer:
    content = _read(path, problems)
    if content.pop("locked", None) is not None:
        problems.append(f"{path}: locked: only the system's file {system_file()} can lock settings")
    return _Layer(f"{path}: {{}}", _known(path, content, problems), path.parent)


def _read(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except tomllib.TOMLDecodeError as error:
        hint = (
            " (in double quotes a backslash is written twice; or use single quotes)"
            if "\\" in str(error)
            else ""
        )
        problems.append(f"{path}: not valid TOML: {error}{hint}")
    except UnicodeDecodeError:
        problems.append(f"{path}: is not a text in UTF-8; save it again in that encoding")
    except OSError as error:
        problems.append(f"{path}: cannot be read: {error.strerror or error}")
    return {}


def _known(path: Path, content: Mapping[str, Any], problems: list[str]) -> dict[str, Any]:
    for key in content:
        if key not in SETTING_READERS:
            problems.append(f"{path}: {key}: there is no such setting{_suggestion(key)}")
    return {key: value for key, value in content.items() if key in SETTING_READERS}


def _suggestion(key: str) -> str:
    close = difflib.get_close_matches(key.replace("_", "-"), SETTING_READERS, n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(SETTING_READERS)}"
