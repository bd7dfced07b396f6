"""Makes inputs that keep to a format's rules, so that what is wrong in them is found far inside the parser.

A change of bytes breaks the form of most inputs, and the form is what parsers look at first.
"""

from __future__ import annotations

import copy
import json
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from random import Random
from typing import Any, TypeAlias

Grow: TypeAlias = Callable[[Random], bytes]

ODD_VALUES: tuple[object, ...] = (
    *(None, True, False, 0, -1, 1, 1.5, 10**30, 1e308, float("nan"), float("-inf"), -0.0, 2**63),
    *("", "x", "1", "\ud800", "\x00", "\u2028", "a\nb", "é" * 300, "../x", "{", "%s", "9" * 5000),
    *([], {}, [1], [[]], {"a": 1}, [None], [{}], {"": ""}),
)
ODD_TEXTS: tuple[str, ...] = (
    *("", " ", "x", "0", "-1", "1", "99999999999", "1.5", "true", "yes", "no", "nan", "٣", "1e9"),
    *("\u00e8", "\u2028", "\u202e", "\x7f", "a b", "a,b", "a;b", "a:b", "a/b", "a|b", "../..", "x" * 300),
    *(
        "{",
        "}",
        "{{",
        "{CALLDATA}",
        "{X}",
        "&",
        "<",
        '"',
        "'",
        "%00",
        "\\",
        "$(x)",
        "*",
        "?",
        "#",
        "PJSIP/201",
    ),
)


def json_like(documents: Sequence[object], ending: bytes = b"") -> Grow:
    """Documents of JSON with some values changed for odd ones, taken out, doubled or put elsewhere."""

    def grow(random: Random) -> bytes:
        document = copy.deepcopy(random.choice(documents))
        for _ in range(random.choice((0, 1, 1, 1, 2, 3))):
            document = json_changed(random, document)
        return json.dumps(document).encode() + ending

    return grow


def json_changed(random: Random, document: Any) -> Any:
    """The document, with one change in it."""
    places = list(_places(document))
    if not places:
        return random.choice(ODD_VALUES)
    holder, key = random.choice(places)
    match random.randrange(6):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[random.choice(("", "x", "format", str(key).upper()))] = holder[key]
        case 1:
            holder.insert(key, copy.deepcopy(holder[key]))
        case 2:
            other, place = random.choice(places)
            with suppress(LookupError):  # it may have been within the first
                holder[key] = copy.deepcopy(other[place])
        case _:
            holder[key] = random.choice(ODD_VALUES)
    return document


def _places(document: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    waiting = [document]
    while waiting:
        holder = waiting.pop()
        if isinstance(holder, dict):
            keys: list[Any] = list(holder)
        elif isinstance(holder, list):
            keys = list(range(len(holder)))
        else:
            continue
        found += [(holder, key) for key in keys]
        waiting += [holder[key] for key in keys]
    return found


_ATTRIBUTE = re.compile(rb'([\w:.-]+)="([^"<]*)"')
_TEXT = re.compile(rb">([^<>]+)</")
_LEAF = re.compile(rb"<([\w:.-]+)(?: [^<>]*)?(?:/>|>[^<>]*</\1>)")
_TAG_END = re.compile(rb">")


def xml_like(documents: Sequence[bytes], values: Mapping[str, Sequence[str]]) -> Grow:
    """Well-formed documents with attributes and texts that say something else, and elements elsewhere.

    `values` are right ones, or nearly, by the name of the attribute or (in `""`) for any text.
    """
    written = {name.encode(): [_escaped(text) for text in texts] for name, texts in values.items()}
    names = sorted(written)
    odd = [_escaped(text) for text in ODD_TEXTS if text != "\x00"]

    def value(random: Random, name: bytes) -> bytes:
        known = written.get(name) or written.get(b"", odd)
        return random.choice(known if random.random() < 0.6 else odd)

    def grow(random: Random) -> bytes:
        data = random.choice(documents)
        for _ in range(random.choice((0, 1, 1, 2, 3, 4))):
            shape = random.randrange(8)
            found = _next_match((_TEXT, _LEAF, _ATTRIBUTE)[min(shape, 2)], random, data)
            if found is None:
                continue
            if shape == 0:
                data = data[: found.start(1)] + value(random, b"") + data[found.end(1) :]
            elif shape == 1:
                data = _leaf_elsewhere(random, data, found)
            elif shape == 2:
                data = data[: found.start()].rstrip(b" ") + data[found.end() :]
            elif shape == 3:
                name = random.choice(names) or b"name"
                data = data[: found.end()] + b' %s="%s"' % (name, value(random, name)) + data[found.end() :]
            else:
                data = data[: found.start(2)] + value(random, found[1]) + data[found.end(2) :]
        return data

    return grow


def _leaf_elsewhere(random: Random, data: bytes, leaf: re.Match[bytes]) -> bytes:
    kept = random.random() < 0.5
    rest = data if kept else data[: leaf.start()] + data[leaf.end() :]
    place = _next_match(_TAG_END, random, rest)
    if place is None or (not kept and random.random() < 0.3):
        return rest
    return rest[: place.end()] + leaf[0] * random.choice((1, 1, 1, 2, 60)) + rest[place.end() :]


def _escaped(text: str) -> bytes:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return "".join(f"&#{ord(one)};" if one < " " else one for one in text).encode()


def _next_match(pattern: re.Pattern[bytes], random: Random, data: bytes) -> re.Match[bytes] | None:
    return pattern.search(data, random.randrange(len(data) + 1)) or pattern.search(data)


SQL_VALUES = (
    *("NULL", "''", "x'ff'", "x'00'", "x'fffe00'", "-1", "0", "1", "2", "2147483648", "9223372036854775807"),
    *("1e999", "-1e999", "'x'", "'\u00e8'", "0.5", "'{'", "char(0)", "'[[1]]'", "'[[[['", "'{\"a\": 1}'"),
    *("'x' || char(10)", "printf('%.*c', 5000, 'x')", "99999999999999", "'inbound'", "'ring'"),
)


def database_like(image: bytes, columns: Mapping[str, Sequence[str]], scripts: Sequence[str] = ()) -> Grow:
    """Whole databases: an image with some values changed for odd ones, rows gone, or a script run."""

    def statement(random: Random) -> str:
        if scripts and random.random() < 0.3:
            return random.choice(scripts)
        table = random.choice(sorted(columns))
        column = random.choice(columns[table])
        where = random.choice(("", "", " WHERE rowid % 2"))
        if random.random() < 0.1:
            return f"DELETE FROM {table}{where}"
        return f"UPDATE {table} SET {column} = {random.choice(SQL_VALUES)}{where}"

    def grow(random: Random) -> bytes:
        with closing(sqlite3.connect(":memory:")) as database:
            database.deserialize(image)
            with suppress(sqlite3.Error):
                database.executescript("PRAGMA ignore_check_constraints=1; PRAGMA foreign_keys=0;")
                for _ in range(random.choice((0, 1, 1, 2, 3))):
                    database.executescript(statement(random))
            database.rollback()
            return database.serialize()

    return grow


def mixed(*parts: tuple[float, Grow]) -> Grow:
    """One of several, each with its weight."""
    weights = [weight for weight, _grow in parts]
    grows = [grow for _weight, grow in parts]
    return lambda random: random.choices(grows, weights)[0](random)


def lines_like(lines: Sequence[bytes], beginnings: Sequence[bytes], most: int) -> Grow:
    """One of the beginnings, and lines in any order."""
    return lambda random: (
        random.choice(beginnings) + b"".join(random.choices(lines, k=random.randint(0, most)))
    )
