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
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import platformdirs

from astcti_client.password import Password
from astcti_client.settings_file import key_lines, settings_text, unreadable_number
from astcti_client.settings_values import SETTING_READERS, SettingValue

ENVIRONMENT_PREFIX = "ASTCTI_CLIENT_"
FILE_NAME = "client.toml"
LONGEST_PROBLEM = 1000  # characters; a value may have tens of thousands
_BEYOND_ANY = 1 << 20_000  # stands for a number that Python does not read
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
    plain: bool = False
    """Whether the connection may leave this PC without TLS."""
    ca_file: str = ""
    server_name: str = ""
    verify: bool = True
    allow_md5: bool = False
    """Send the password's MD5 also where a log-in by SCRAM succeeded before and now none is possible."""
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
    ring_sound: str = ""
    """`system`, or a file to play when the phone rings; empty for none."""
    confirm_triggers: bool = False
    browser_window: str = "reuse"
    pause_lock: bool = False
    remember: bool = True
    start_with_pc: bool = False
    on_top: bool = False
    """Whether the main window stays above all others."""
    mini_view: bool = False
    """Whether it shows state, pause and calls alone."""
    start_hidden: bool = False
    history_days: int = 90
    """Days that calls are kept in the history; 0 keeps none."""
    hot_key: str = ""
    hang_up_key: str = ""

    @property
    def place(self) -> str:
        """Server and user, as they are written: what is kept for one is not of use for another."""
        return f"{self.host} {self.port} {self.user}"


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
        self.problems = tuple(
            problem if len(problem) <= LONGEST_PROBLEM else f"{problem[: LONGEST_PROBLEM - 1]}…"
            for problem in problems
        )
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True, slots=True)
class _Layer:
    """Values from one place: a file, or what `where` says, with a `{}` for the key."""

    values: Mapping[str, Any]
    where: str = ""
    file: Path | None = None
    """Relative file names start from its directory."""
    table: str = ""
    """The file's table, empty for what stands before the first."""
    lines: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """In which line of the file a key of a table stands, where that is known."""

    @property
    def base(self) -> Path | None:
        return self.file.parent if self.file else None

    def place(self, key: str) -> str:
        if self.file is None:
            variable = ENVIRONMENT_PREFIX + key.upper().replace("-", "_")
            return self.where.format(variable if "environment" in self.where else key)
        line = self.lines.get((self.table, key))
        where = f"{self.file}:{line}" if line else f"{self.file}"
        return f"{where}: [{self.table}] {key}" if self.table else f"{where}: {key}"


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
        _Layer({key: value for key, value in options.items() if value is not None}, "option --{}"),
        _Layer(_from_environment(environ, problems), "environment variable {}"),
        _file_layer(user, problems) if user is not None else _Layer({}),
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
    content, lines = _read(path, problems)
    locked = content.pop("locked", {})
    if not isinstance(locked, dict):
        problems.append(f"{path}: locked: write a table, that is a line [locked] with the settings below it")
        locked = {}
    layers = _Layer(locked, file=path, table="locked", lines=lines), _Layer(content, file=path, lines=lines)
    return _known(layers[0], problems), _known(layers[1], problems)


def _file_layer(path: Path, problems: list[str]) -> _Layer:
    content, lines = _read(path, problems)
    if content.pop("locked", None) is not None:
        problems.append(f"{path}: locked: only the system's file {system_file()} can lock settings")
    return _known(_Layer(content, file=path, lines=lines), problems)


def _read(path: Path, problems: list[str]) -> tuple[dict[str, Any], dict[tuple[str, str], int]]:
    """The file's content and the lines of its keys; what keeps it from being read goes to `problems`."""
    text = ""
    try:
        text = settings_text(path)
        return tomllib.loads(text), key_lines(text)
    except tomllib.TOMLDecodeError as error:
        hint = (
            " (in double quotes a backslash is written twice; or use single quotes)"
            if "\\" in str(error)
            else ""
        )
        problems.append(f"{path}: not valid TOML: {error}{hint}")
    except UnicodeDecodeError:
        problems.append(f"{path}: is not a text in UTF-8; save it again in that encoding")
    except ValueError:
        problems.append(_unreadable_number(path, text))
    except RecursionError:
        problems.append(f"{path}: lists within lists too deep for any setting")
    except OSError as error:
        problems.append(f"{path}: cannot be read: {error.strerror or error}")
    return {}, {}


def _unreadable_number(path: Path, text: str) -> str:
    line, key = unreadable_number(text)
    where = f"{path}:{line}"
    try:
        if key in SETTING_READERS:
            SETTING_READERS[key].read(SettingValue(_BEYOND_ANY))
    except ValueError as error:  # it says what is allowed
        return f"{where}: {key}: {error}"
    return f"{where}: a number of thousands of digits is the value of no setting"


def _known(layer: _Layer, problems: list[str]) -> _Layer:
    for key in layer.values:
        if key not in SETTING_READERS:
            problems.append(f"{layer.place(key)}: there is no such setting{_suggestion(key)}")
    return replace(layer, values={key: layer.values[key] for key in layer.values if key in SETTING_READERS})


def _suggestion(key: str) -> str:
    close = difflib.get_close_matches(key.replace("_", "-"), SETTING_READERS, n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(SETTING_READERS)}"
