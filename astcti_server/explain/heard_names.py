"""Names that Asterisk said of some channels, whether the server looked at them or not: read off kept bytes.

This is the one place where an explanation looks beyond the trails: what no service declares is dropped before
it is parsed, and a trail says nothing of it. Slow, for the thread that asks. No I/O.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

_ID: Final = re.compile(rb"^Uniqueid: ?([^\r\n]*)", re.MULTILINE | re.IGNORECASE)
_FIELD: Final = re.compile(rb"^(Event|Context|Queue|Variable|AppData|Application): ?([^\r\n]*)", re.MULTILINE)
_SETTERS: Final = ("set", "mset")


class HeardNames(NamedTuple):
    """What was said of the channels, each name once."""

    contexts: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    dialplan: bool = False
    """Anything of the dialplan or of a variable was said, of whichever channel."""


def nothing_kept(_uniqueids: frozenset[str]) -> HeardNames | None:
    """Stands for bytes that nobody keeps."""
    return None


def names_in(blocks: Iterable[bytes], uniqueids: frozenset[str], encoding: str = "cp1252") -> HeardNames:
    """Look through events, each as its raw block, for what they say of channels with these ids."""
    wanted = {uniqueid.encode() for uniqueid in uniqueids}
    contexts: dict[str, None] = {}
    queues: dict[str, None] = {}
    variables: dict[str, None] = {}
    dialplan = False
    for block in blocks:
        of_dialplan = b"Event: VarSet" in block or b"Event: Newexten" in block
        dialplan = dialplan or of_dialplan
        if wanted.isdisjoint(_ID.findall(block)):
            continue
        fields = {key.decode(): _text(value, encoding) for key, value in _FIELD.findall(block)}
        if fields.get("Context"):
            contexts[fields["Context"]] = None
        if fields.get("Queue"):
            queues[fields["Queue"]] = None
        if of_dialplan and (name := _variable(fields)):
            variables[name] = None
    return HeardNames(tuple(contexts), tuple(queues), tuple(variables), dialplan)


def _variable(fields: dict[str, str]) -> str:
    if fields.get("Event") == "VarSet":
        return fields.get("Variable", "").lstrip("_")
    if fields.get("Application", "").lower() in _SETTERS:
        return fields.get("AppData", "").partition("=")[0].strip(" _")
    return ""


def _text(value: bytes, encoding: str) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode(encoding, "replace")
