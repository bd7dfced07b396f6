"""Events and responses of the manager interface: raw blocks whose fields are found when they are read.

Events of one name repeat a few sequences of keys. Each such *shape* is learned once as a regular expression
over the whole block: a single match checks every key and finds every value. A block of no known shape, or one
that is not UTF-8, is taken apart line by line, with the same result.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Final

SHAPES_OF_A_NAME: Final = 8  # optional fields make a few; more means that a dialplan invents keys
MOST_FIELDS: Final = 150
MOST_LINES: Final = 2000
"""What a message has beyond is not looked at: the longest of Asterisk's, its list of commands, has 200."""
PLANS_KEPT: Final = 64  # look-ups prepared for a shape; the program's own, but never without a bound


def decode(value: bytes, encoding: str) -> str:
    """Text as phones and trunks write it: UTF-8 if it is that, else in `encoding`; never raises."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode(encoding, "replace")


class Shape:
    """A sequence of keys, as an expression that matches exactly the blocks which have it."""

    __slots__ = ("_keys", "absent", "fullmatch", "index", "lists_variables", "plans")

    def __init__(self, keys: tuple[tuple[str, str], ...]) -> None:
        lines = (
            re.escape(key + colon) + ("()" if colon == ":" else r"([^\r]*+)")  # `Key:` alone has no value
            for key, colon in keys
        )
        pattern = r"\r\n".join(lines)
        self.fullmatch = re.compile(pattern + "()").fullmatch
        self.absent = len(keys) + 1
        self.index: dict[str, int] = {}
        self._keys = tuple(key.lower() for key, _colon in keys)
        self.lists_variables = any("chanvariable" in key for key in self._keys)
        for number, key in enumerate(self._keys, 1):
            self.index.setdefault(key, number)
        self.plans: dict[tuple[str, ...], tuple[int, ...]] = {}
        """What `plan` said."""

    def group(self, key: str) -> int:
        """The number of the first value of a key; `absent` captures the empty string."""
        number = self.index.get(key)
        if number is None:
            number = self.index.get(key.lower(), self.absent)
            if len(self.index) < MOST_FIELDS + PLANS_KEPT:
                self.index[key] = number
        return number

    def groups(self, key: str) -> list[int]:
        """The numbers of all values of a key."""
        lower = key.lower()
        return [number for number, name in enumerate(self._keys, 1) if name == lower]

    def plan(self, keys: tuple[str, ...]) -> tuple[int, ...]:
        """The numbers of several keys' values."""
        plan = tuple([self.group(key) for key in keys])
        if len(self.plans) < PLANS_KEPT:
            self.plans[keys] = plan
        return plan


class MessageKind:
    """What all events of one name (or all responses) have in common: the name and the shapes learned."""

    __slots__ = ("_candidates", "encoding", "name", "shapes")

    def __init__(self, name: str, encoding: str) -> None:
        self.name = name
        self.encoding = encoding
        self.shapes: list[Shape] = []
        self._candidates: deque[int] = deque(maxlen=SHAPES_OF_A_NAME)

    def learn(self, keys: tuple[tuple[str, str], ...]) -> None:
        """Remember a sequence of keys once it came twice: keys that are made up each time never do."""
        if len(self.shapes) >= SHAPES_OF_A_NAME or len(keys) > MOST_FIELDS:
            return
        mark = hash(keys)
        if mark in self._candidates:
            self._candidates.remove(mark)
            self.shapes.append(Shape(keys))
        else:
            self._candidates.append(mark)


class Block:
    """One event or response. Read it on one thread; `raw` is the block without its final blank line."""

    __slots__ = ("_fields", "_kind", "_match", "_shape", "raw")

    _shape: Shape  # set together with _match; making thousands a second, every attribute counts

    def __init__(self, raw: bytes, kind: MessageKind) -> None:
        self.raw = raw
        self._kind = kind
        self._match: re.Match[str] | None = None
        self._fields: list[tuple[str, str]] | None = None

    @property
    def action_id(self) -> str:
        """The ActionID, empty without one."""
        return self.get("ActionID") if b"ction" in self.raw else ""

    def get(self, key: str, default: str = "") -> str:
        """The first value of a key, in any case; an empty value is a value."""
        match = self._match
        if match is None and self._fields is None:
            match = self._find()
        if match is not None:
            shape = self._shape
            number = shape.index.get(key) or shape.group(key)
            return match[number] if number != shape.absent else default
        lower = key.lower()
        return next((value for name, value in self._fields or () if name.lower() == lower), default)

    def has(self, key: str) -> bool:
        """Whether the key occurs, with a value or without."""
        if (self._match or self._find()) is not None:
            return self._shape.group(key) != self._shape.absent
        lower = key.lower()
        return any(name.lower() == lower for name, _value in self._fields or ())

    def get_all(self, key: str) -> list[str]:
        """Every value of a repeated key, in order."""
        match = self._match or self._find()
        if match is not None:
            return [match[number] for number in self._shape.groups(key)]
        lower = key.lower()
        return [value for name, value in self._fields or () if name.lower() == lower]

    def values(self, keys: tuple[str, ...]) -> tuple[str, ...]:
        """The first values of two or more keys at once, the quickest way; empty for one that is not there."""
        match = self._match
        if match is None and self._fields is None:
            match = self._find()
        if match is not None:
            shape = self._shape
            found: tuple[str, ...] = match.group(*(shape.plans.get(keys) or shape.plan(keys)))
            return found
        return tuple([self.get(key) for key in keys])

    @property
    def lists_variables(self) -> bool:
        """Whether it carries variables of channels along (`ChanVariable`, with whatever around the word)."""
        if self._match is not None or self._find() is not None:
            return self._shape.lists_variables
        return any("chanvariable" in key.lower() for key, _value in self._fields or ())

    def items(self) -> list[tuple[str, str]]:
        """Every key, as it was written, with its value, in order."""
        if self._fields is None:
            self._fields = self._take_apart()
        return self._fields

    def _find(self) -> re.Match[str] | None:
        """Match the block against the known shapes, or take it apart line by line."""
        if self._fields is not None:
            return None
        try:
            text = self.raw.decode()
        except UnicodeDecodeError:
            self._fields = self._take_apart()
            return None
        for shape in self._kind.shapes:
            match = shape.fullmatch(text)
            if match is not None:
                self._shape, self._match = shape, match
                return match
        self._fields = self._take_apart()
        return None

    def _take_apart(self) -> list[tuple[str, str]]:
        """The exact way. A line without a colon is no field, and its block teaches no shape."""
        encoding = self._kind.encoding
        fields: list[tuple[str, str]] = []
        keys: list[tuple[str, str]] = []
        regular = True
        for line in self.raw.split(b"\r\n", MOST_LINES)[:MOST_LINES]:
            key, colon, value = line.partition(b": ")
            if not colon:
                key, colon, value = line.partition(b":")
            if not colon or not key:
                regular = False
                continue
            name = decode(key, encoding)
            fields.append((name, decode(value, encoding)))
            keys.append((name, colon.decode()))
            regular = regular and (colon == b": " or not value) and b"\r" not in line
        if regular:
            self._kind.learn(tuple(keys))
        return fields


class AmiEvent(Block):
    """An event. `name` is its name as Asterisk writes it."""

    __slots__ = ("name",)

    def __init__(self, raw: bytes, kind: MessageKind) -> None:
        self.name = kind.name
        self.raw = raw
        self._kind = kind
        self._match = None
        self._fields = None

    def __repr__(self) -> str:
        return f"Event({self.raw!r})"


class AmiResponse(Block):
    """The answer to an action."""

    __slots__ = ()

    @property
    def status(self) -> str:
        """`Success`, `Error`, `Follows`, `Goodbye`, `Pong` ..."""
        return self.get("Response")

    @property
    def ok(self) -> bool:
        """Whether the action was carried out, in the words of any version."""
        return self.status.lower() not in ("error", "")

    @property
    def message(self) -> str:
        """Asterisk's words."""
        return self.get("Message")

    def __repr__(self) -> str:
        return f"Response({self.raw!r})"
