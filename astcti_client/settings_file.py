"""Writes single settings into the user's file and leaves everything else in it as it is."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

Writable = str | bool | int | float | list[str] | None


def save(path: Path, changes: Mapping[str, Writable]) -> None:
    """Set each key of `changes`; None removes it. Comments and other keys stay.

    The file is replaced as a whole, readable by its user alone. Raises OSError.
    """
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
    for number, line in enumerate(lines):
        if line.lstrip().startswith("["):
            return number, number
        if pattern.match(line):
            end = number + 1
            if line.partition("=")[2].strip().startswith("["):  # a list may go on over several lines
                while "]" not in lines[end - 1].partition("#")[0] and end < len(lines):
                    end += 1
            return number, end
    return len(lines), len(lines)


def _written(value: Writable) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
