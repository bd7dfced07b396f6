"""How Asterisk writes values: the many words for "unknown", C escapes, truth values, arguments of `Set`.

Pure functions.
"""

from __future__ import annotations

import re
from typing import Final

_UNKNOWN: Final = dict.fromkeys(("<unknown>", "<Unknown>", "unknown", "(null)", "<null>", "none"), "")
_ESCAPE: Final = re.compile(r"\\([abfnrtv\\'\"?])")
_ESCAPED: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_TRUE: Final = frozenset({"1", "true", "yes", "on", "y", "t"})
_NUMBER: Final = re.compile(r"\s*([+-]?[0-9]{1,10})\s*", re.ASCII)
"""As many digits as any number of Asterisk's has; Python itself refuses to read thousands (ValueError)."""
_BRACKETS: Final = {"(": 1, "[": 1, ")": -1, "]": -1}


def known(value: str) -> str:
    """The value, or the empty string where it only says that there is none."""
    return _UNKNOWN.get(value, value)


def unescaped(value: str) -> str:
    """Undo the C escapes that Asterisk 13.5 and later put into names and variables."""
    if "\\" not in value:
        return value
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), value)


def truth(value: str) -> bool | None:
    """`1`, `yes`, `true` ... or not; None for an empty value."""
    return value.strip().lower() in _TRUE if value else None


def number(value: str) -> int | None:
    """A whole number of at most ten digits; None for anything else."""
    found = _NUMBER.fullmatch(value)
    return int(found[1]) if found is not None else None


def variable_name(name: str) -> str:
    """A variable's name without the underscores that make it inherited (one: by children, two: by all)."""
    name = name.strip(" ")  # to Asterisk any other character, a tab too, belongs to the name
    return name[2:] if name.startswith("__") else name[1:] if name.startswith("_") else name


def is_global(name: str) -> bool:
    """Whether the name is a write to the global variables, which belong to no call."""
    return name[:7].upper() == "GLOBAL("


def set_one(data: str) -> list[tuple[str, str]]:
    """The assignment of `Set` from Asterisk 1.6 on: the value is all the rest and may hold any character."""
    name, equals, value = data.partition("=")
    return [(variable_name(name), value)] if equals else []


def set_many(data: str, separator: str) -> list[tuple[str, str]]:
    """The assignments of `MSet`, or of `Set` in Asterisk 1.4: several, and perhaps flags at the end.

    With the flag `g` they are global and belong to no call.
    """
    if separator not in data and '"' not in data and "\\" not in data:
        return set_one(data)
    pieces = arguments(data, separator)
    if len(pieces) > 1 and "=" not in pieces[-1] and "g" in pieces.pop():
        return []
    return [found for piece in pieces for found in set_one(piece)]


def arguments(data: str, separator: str) -> list[str]:
    """Separate an application's arguments: quotes and brackets keep together, a backslash keeps as it is."""
    found = [""]
    depth = 0
    quoted = False
    characters = iter(data)
    for character in characters:
        if character == "\\":
            found[-1] += next(characters, "")
        elif character == '"':
            quoted = not quoted
        elif character == separator and not depth and not quoted:
            found.append("")
        else:
            depth = max(0, depth + _BRACKETS.get(character, 0))
            found[-1] += character
    return found
