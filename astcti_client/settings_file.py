"""Writes single settings into the user's file and leaves everything else in it as it is."""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

Writable = str | bool | int | float | list[str] | None


def save(path: Path, changes: Mapping[str, Writable]) -> None:
    """Set each key of `changes`; None removes it. Comments and other keys stay.

    The file is replaced as a whole, readable by its user alone; a link to it stays one. Raises OSError.
    """
    path = path.resolve()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        text = ""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".client-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(changed(text, changes))
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def changed(text: str, changes: Mapping[str, Writable]) -> str:
    """The TOML text with these keys set. Keys stand before the first table, each on lines of its own."""
    lines = text.splitlines()
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
        with contextlib.suppress(tomllib.TOMLDecodeError):
            tomllib.loads("\n".join(lines[start:end]))
            return end
    return start + 1


def _written(value: Writable) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
