"""How each setting's value is read, whether it comes from a file (typed) or as a text."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astcti_client.key_combination import parse_combination
from astcti_client.password import Password
from schemas.mac_address import canonical
from schemas.sentences import said

_YES = {"yes", "true", "on", "1"}
_NO = {"no", "false", "off", "0"}
WINDOW_LANGUAGES = ("en", "it")
CORNERS = ("bottom-right", "top-right", "bottom-left", "top-left")
MOST_DAYS = 3650  # days of history; ten years
LONGEST_KEEP_ALIVE = 3600.0  # seconds; beyond this, routers on the way have long forgotten the connection
LONGEST_VALUE_SHOWN = 60  # characters
MOST_PASSWORD_FILE = 4096  # bytes; a file longer than this is not a password file


@dataclass(frozen=True, slots=True)
class SettingValue:
    """A value as found, and the directory that relative file names in it start from."""

    found: Any
    base: Path | None = None


@dataclass(frozen=True, slots=True)
class SettingReader:
    """Fills the field of that name. `read` raises ValueError with what is wrong."""

    field: str
    read: Callable[[SettingValue], Any]


def shown_value(found: object) -> str:
    """A value as an error shows it: as it is written in Python, and not longer than a line."""
    try:
        text = repr(found)
    except (ValueError, RecursionError):  # Python writes no number of more than 4,300 digits
        return "a number of thousands of digits" if isinstance(found, int) else "what stands there"
    return text if len(text) <= LONGEST_VALUE_SHOWN else text[: LONGEST_VALUE_SHOWN - 1] + "…"


def _real(found: Any) -> float:
    """As a number that may be none, which no comparison holds for: a text, a truth value, far too long."""
    try:
        return math.nan if isinstance(found, bool) else float(found)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _text(value: SettingValue) -> str:
    if not isinstance(value.found, str):
        raise ValueError(f"{shown_value(value.found)} is not a text; write it in quotes")
    if not value.found.isprintable():
        raise ValueError(said("contains a control character"))
    return value.found.strip()


def _host(value: SettingValue) -> str:
    host = _text(value)
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if not host or any(character in host for character in " /@"):
        raise ValueError(f"{host!r} is not a host name or IP address; the port is a setting of its own")
    return host


def _port(value: SettingValue) -> int:
    found = value.found
    if isinstance(found, str) and re.fullmatch(r"\s*[0-9]{1,9}\s*", found):
        found = int(found)
    if not isinstance(found, int) or isinstance(found, bool) or not 1 <= found <= 65535:
        raise ValueError(f"{shown_value(value.found)} is not a port; write a number from 1 to 65535")
    return found


def _boolean(value: SettingValue) -> bool:
    if isinstance(value.found, bool):
        return value.found
    word = value.found.strip().lower() if isinstance(value.found, str) else shown_value(value.found)
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise ValueError(f"{shown_value(value.found)} is neither yes nor no")


def _seconds(value: SettingValue) -> float:
    seconds = _real(value.found)
    if math.isnan(seconds):
        raise ValueError(f"{shown_value(value.found)} is not a number of seconds")
    if not (seconds == 0 or 1 <= seconds <= LONGEST_KEEP_ALIVE):
        raise ValueError(
            f"{shown_value(value.found)}: write 1 to {LONGEST_KEEP_ALIVE:.0f} seconds, or 0 for what the "
            "server asks"
        )
    return seconds


def _user(value: SettingValue) -> str:
    user = _text(value)
    if any(character.isspace() for character in user):
        raise ValueError(f"{user!r} is not a user name: it has a blank in it")
    return user


def _mac(value: SettingValue) -> str:
    text = _text(value)
    return canonical(text) if text else ""


def _file(value: SettingValue) -> str:
    text = _text(value)
    if not text:
        return ""
    try:
        path = Path(text).expanduser()
    except RuntimeError:
        raise ValueError(
            f"{shown_value(text)} begins with ~ and the name of a user who is not there"
        ) from None
    return str(path if value.base is None else value.base / path)


def _existing_file(value: SettingValue) -> str:
    path = _file(value)
    try:
        if path and not Path(path).is_file():
            raise ValueError(said("{path}: there is no such file", path=path))
    except OSError as error:  # a folder that this user may not enter
        why = str(error.strerror or error)
        raise ValueError(said("cannot read {path}: {why}", path=path, why=why)) from None
    return path


def _password(value: SettingValue) -> Password:
    if not isinstance(value.found, str):
        raise ValueError("a password is a text; write it in quotes")
    return Password.from_text(value.found)


def _password_file(value: SettingValue) -> Password:
    path = _file(value)
    try:
        with Path(path).open("rb") as file:
            content = file.read(MOST_PASSWORD_FILE + 1)
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror or error}") from None
    if len(content) > MOST_PASSWORD_FILE:
        raise ValueError(f"{path} is too long for a password; the password alone belongs in its first line")
    try:
        lines = re.split(r"\r\n|\r|\n", content.decode("utf-8-sig"))  # a password may have other ends in it
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not a text in UTF-8") from None
    if not lines[0]:
        raise ValueError(f"{path} is empty; write the password, or md5: and its hash, in its first line")
    return Password.from_text(lines[0])


def _programs(value: SettingValue) -> tuple[str, ...]:
    found = value.found.split(os.pathsep) if isinstance(value.found, str) else value.found
    if not isinstance(found, list | tuple) or not all(isinstance(name, str) for name in found):
        raise ValueError("write a list of program names or paths")
    return tuple(name.strip() for name in found if name.strip())


def _choice(*words: str) -> Callable[[SettingValue], str]:
    def read(value: SettingValue) -> str:
        word = _text(value).lower()
        if word not in words:
            shown = ", ".join(known or '""' for known in words)
            raise ValueError(f"{shown_value(value.found)} is none of {shown}")
        return word

    return read


def _number(least: float, most: float) -> Callable[[SettingValue], float]:
    def read(value: SettingValue) -> float:
        number = _real(value.found)
        if not (number == 0 or least <= number <= most):
            raise ValueError(
                said(
                    "{found} is neither 0 nor a number from {least} to {most}",
                    found=shown_value(value.found),
                    least=f"{least:g}",
                    most=f"{most:g}",
                )
            )
        return number

    return read


def _combination(value: SettingValue) -> str:
    text = _text(value)
    if text:
        parse_combination(text)
    return text


def _sound(value: SettingValue) -> str:
    text = _text(value)
    return text.lower() if text.lower() in ("", "system") else _existing_file(value)


def _days(value: SettingValue) -> int:
    return int(_number(1, MOST_DAYS)(value))


SETTING_READERS = {
    "host": SettingReader("host", _host),
    "port": SettingReader("port", _port),
    "user": SettingReader("user", _user),
    "password": SettingReader("password", _password),
    "password-file": SettingReader("password", _password_file),
    "mac": SettingReader("mac", _mac),
    "tls": SettingReader("tls", _boolean),
    "plain": SettingReader("plain", _boolean),
    "ca-file": SettingReader("ca_file", _existing_file),
    "server-name": SettingReader("server_name", _text),
    "verify": SettingReader("verify", _boolean),
    "allow-md5": SettingReader("allow_md5", _boolean),
    "keep-alive": SettingReader("keep_alive", _seconds),
    "triggers": SettingReader("triggers", _boolean),
    "allowed-programs": SettingReader("allowed_programs", _programs),
    "theme": SettingReader("theme", _choice("auto", "light", "dark")),
    "language": SettingReader("language", _choice("", *WINDOW_LANGUAGES)),
    "scale": SettingReader("scale", _number(0.5, 5.0)),
    "notices": SettingReader("notices", _boolean),
    "notice-corner": SettingReader("notice_corner", _choice(*CORNERS)),
    "notice-time": SettingReader("notice_time", _number(1, 3600)),
    "ring-sound": SettingReader("ring_sound", _sound),
    "confirm-triggers": SettingReader("confirm_triggers", _boolean),
    "browser-window": SettingReader("browser_window", _choice("reuse", "new")),
    "pause-lock": SettingReader("pause_lock", _boolean),
    "remember": SettingReader("remember", _boolean),
    "start-with-pc": SettingReader("start_with_pc", _boolean),
    "on-top": SettingReader("on_top", _boolean),
    "mini-view": SettingReader("mini_view", _boolean),
    "start-hidden": SettingReader("start_hidden", _boolean),
    "history-days": SettingReader("history_days", _days),
    "hot-key": SettingReader("hot_key", _combination),
    "hang-up-key": SettingReader("hang_up_key", _combination),
}
"""Every setting by the name it has in a file."""
