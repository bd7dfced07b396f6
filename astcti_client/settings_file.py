"""Writes single settings into the user's file and leaves everything else in it as it is."""

from __future__ import annotations

import contextlib
import json
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path

from astcti_client.whole_file import write_whole_file

MOST_SETTINGS_FILE = 65_536  # bytes; a file with every setting has some 2,000
_LONG_NUMBER = re.compile("[0-9_]{4301}")
_TABLE = re.compile(r"""\s*\[\s*(["']?)([^"'\[\]]*)\1\s*\]""")
_KEY = re.compile(r"""\s*(["']?)([A-Za-z0-9_-]+)\1\s*=""")

Writable = str | bool | int | float | list[str] | None


def save(path: Path, changes: Mapping[str, Writable]) -> None:
    """Set each key of `changes`; None removes it. Comments and other keys stay.

    The file is replaced as a whole, readable by its user alone; a link to it stays one. Raises OSError.
    """
    try:
        text = settings_text(path)
    except UnicodeDecodeError:
        raise OSError(0, "is not a text in UTF-8") from None
    write_whole_file(path, changed(text, changes))


def settings_text(path: Path) -> str:
    """The file's text, empty if there is no such file. Raises OSError, UnicodeDecodeError.

    What is no file, and might never end or make its reader wait, is not opened.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise OSError(0, "is not a file")
        with path.open("rb") as file:
            content = file.read(MOST_SETTINGS_FILE + 1)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    if len(content) > MOST_SETTINGS_FILE:
        raise OSError(0, f"is longer than {MOST_SETTINGS_FILE} bytes, which no settings file needs to be")
    # As in text mode: TOML knows no other ends of lines.
    return content.decode("utf-8-sig").replace("\r\n", "\n")


def _lines(text: str) -> list[str]:
    """As TOML has them: other ends of lines that Unicode knows may stand within a text."""
    return text.removesuffix("\n").split("\n") if text else []


def key_lines(text: str) -> dict[tuple[str, str], int]:
    """In which line each key first stands, from 1 on, by its table, "" before the first, and its name.

    The text is valid TOML. It is for messages: lines of a long text that look like keys are taken for some.
    """
    found, table = dict[tuple[str, str], int](), ""
    for number, line in enumerate(_lines(text), 1):
        if header := _TABLE.match(line):
            table = header[2]
        elif key := _KEY.match(line):
            found.setdefault((table, key[2]), number)
    return found


def unreadable_number(text: str) -> tuple[int, str]:
    """The line of the number that made tomllib give up, since Python reads none so long, and its key.

    The key is empty where none stands in that line.
    """
    lines = _lines(text)
    for number, line in enumerate(lines, 1):
        if _LONG_NUMBER.search(line):
            try:
                tomllib.loads("\n".join(lines[:number]))
            except tomllib.TOMLDecodeError:
                continue  # it stands in a text that goes on in the next line
            except ValueError:
                key = _KEY.match(line)
                return number, key[2] if key else ""
    return 0, ""


def changed(text: str, changes: Mapping[str, Writable]) -> str:
    """The TOML text with these keys set. Keys stand before the first table, each on lines of its own."""
    lines = _lines(text)
    for key, value in changes.items():
        start, end = _place(lines, key)
        lines[start:end] = [] if value is None else [f"{key} = {_written(value)}"]
    return "".join(line + "\n" for line in lines)


def _place(lines: list[str], key: str) -> tuple[int, int]:
    """Where the key stands, or the empty place where it belongs."""
    pattern = re.compile(rf"""\s*(["']?){re.escape(key)}\1\s*=""")
    number = 0
    while number < len(lines):
        if lines[number].lstrip().startswith("["):
            return number, number
        end = _end(lines, number)
        if pattern.match(lines[number]):
            return number, end
        number = end
    return len(lines), len(lines)


def _end(lines: list[str], start: int) -> int:
    """The line after what begins here: lists and texts may go on over several lines."""
    for end in range(start + 1, len(lines) + 1):
        with contextlib.suppress(ValueError, RecursionError):
            tomllib.loads("\n".join(lines[start:end]))
            return end
    return start + 1


def _written(value: Writable) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
