"""What Asterisk writes on an AMI connection: blocks of `Key: value` lines. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

Fields: TypeAlias = list[tuple[str, str]]

UNKNOWN = "<unknown>"

_ESCAPES = str.maketrans(
    {
        "\a": r"\a",
        "\b": r"\b",
        "\f": r"\f",
        "\n": r"\n",
        "\r": r"\r",
        "\t": r"\t",
        "\v": r"\v",
        "\\": r"\\",
        "'": r"\'",
        '"': r"\"",
        "?": r"\?",
    }
)


class DemoEvent(NamedTuple):
    """One event: its name, the class of permission that it needs, and its fields in Asterisk's order."""

    name: str
    privilege: str
    fields: tuple[tuple[str, str], ...]

    def get(self, key: str) -> str:
        """A field's value; empty if there is none."""
        return next((value for name, value in self.fields if name == key), "")

    def encode(self) -> bytes:
        return encode([("Event", self.name), ("Privilege", f"{self.privilege},all"), *self.fields])


def encode(fields: Iterable[tuple[str, str]]) -> bytes:
    """A whole block, the empty line that ends it included."""
    return "".join(f"{key}: {value}\r\n" for key, value in fields).encode("utf-8", "replace") + b"\r\n"


def escape(value: str) -> str:
    """Names and variables' values as AMI has written them since version 2.8.0."""
    return value.translate(_ESCAPES)


def for_people(value: str) -> str:
    """An escaped value as a person wrote it; control characters stay escaped."""
    return re.sub(r"""\\([\\'"?])""", r"\1", value)


def parse(block: bytes) -> Fields:
    """The headers of an action; lines without a colon are passed over, as Asterisk does."""
    fields = []
    for line in block.decode("utf-8", "replace").splitlines():
        key, colon, value = line.partition(":")
        if colon:
            fields.append((key.strip(), value.strip()))
    return fields
