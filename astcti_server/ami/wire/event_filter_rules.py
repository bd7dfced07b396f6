"""Decides about single events on their raw bytes: is a variable declared, does a step of the dialplan matter?

Half of what a busy Asterisk tells is `VarSet` and `Newexten`, and hardly any of it matters. So the usual
answer, no, is found by one regular expression, without a step of Python; Python decides about the rest.
No I/O, any thread.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, TypeAlias

from schemas.configuration.model import queue_key

BlockTest: TypeAlias = Callable[[bytes], object]
"""Says of one event, given as its raw block without the final blank line, whether it is wanted."""

NAMES_IN_A_PATTERN: Final = 48  # alternatives are tried one by one; a set has no such cost, but needs Python

_SETTERS: Final = frozenset({b"set", b"mset"})
_QUOTING: Final = b'"\\'
"""What separating arguments takes out, wherever it stands (`arguments`)."""
_NOTHING: Final = b"(?!)"


class EventRule(NamedTuple):
    """Two tests for the events of one name: wanted is what both let through."""

    quick: BlockTest
    exact: BlockTest | None = None
    """Asked only where `quick` is not enough to be sure."""

    def wants(self, block: bytes) -> bool:
        """The answer of both."""
        return bool(self.quick(block)) and (self.exact is None or bool(self.exact(block)))


def never(_block: bytes) -> bool:
    """The test that lets nothing through."""
    return False


def answers_an_action(block: bytes) -> bool:
    """Whether an event belongs to an action's answer."""
    return b"\r\nActionID: " in block


def brings_variables(block: bytes) -> bool:
    """Whether variables are carried along, by `eventwhencalled = vars` or by `channelvars`."""
    return b"ariable" in block


def for_variables(names: Iterable[str]) -> EventRule:
    """For `VarSet`: the variable is one of these, with or without the underscores of inheritance."""
    variables = _encoded(names)
    if len(variables) > NAMES_IN_A_PATTERN:
        return EventRule(lambda block: _declared(block, variables))
    # The last such line is the one: before it there is text of phones, which has no line ends.
    pattern = rb"(?>(?:(?s:.*)\r\nVariable: ()|))(?(1)(?:%(names)s|_++(?:%(names)s))(?:\r|\Z)|)"
    return EventRule(re.compile(pattern % {b"names": _any_of(variables)}).match)


def for_steps(contexts: Iterable[str], queues: Iterable[str], names: Iterable[str]) -> EventRule:
    """For `Newexten`: in one of the contexts, entering one of the queues, or setting one of the variables.

    Queues are compared as Asterisk does, without the case of ASCII letters.
    """
    steps = _Steps(_encoded(contexts), _encoded(map(queue_key, queues)), _encoded(names))
    if max(len(steps.contexts), len(steps.variables)) > NAMES_IN_A_PATTERN:
        return EventRule(steps.wanted)
    # In a context; else what begins like an application that matters, unless it is a plain `Set` of another
    # variable: one assignment, without a quote or backslash in its name. What has no line where Asterisk
    # writes one is let through, to be parsed properly.
    pattern = (
        rb"(?>(?:(?s:.*)\r\nContext: ()|))(?:(?(1)(?:%(contexts)s)(?:\r|\Z)|(?!))"
        rb"|(?>(?:(?s:.*)\r\nApplication: ()|))(?(2)(?:"
        rb"[sS][eE](?![tT]\r\nAppData: (?!(?:%(names)s|[ _]++(?:%(names)s))[ _]*+="
        rb"|[^=\r\"\\]*+(?:[\"\\]|=[^=\r]*+=)))"
        rb"|[mM][sS]|[qQ][uU])|))"
    )
    parts = {b"contexts": _any_of(steps.contexts), b"names": _any_of(steps.variables)}
    return EventRule(re.compile(pattern % parts).match, steps.wanted)


class _Steps(NamedTuple):
    contexts: frozenset[bytes]
    queues: frozenset[bytes]
    variables: frozenset[bytes]

    def wanted(self, block: bytes) -> bool:
        context = _value(block, b"\r\nContext: ")
        if context is not None and context in self.contexts:
            return True
        application = _value(block, b"\r\nApplication: ")
        if application is None:
            return True  # not as Asterisk writes it: have it parsed properly
        application = application.lower()
        if application in _SETTERS:
            return _sets_one_of(self.variables, _value(block, b"\r\nAppData: "))
        if application == b"queue" and self.queues:
            data = _value(block, b"\r\nAppData: ")
            return data is None or data.replace(b"|", b",").partition(b",")[0].strip().lower() in self.queues
        return False


def _declared(block: bytes, variables: frozenset[bytes]) -> bool:
    name = _value(block, b"\r\nVariable: ")
    if name is None:
        return True  # not as Asterisk writes it: have it parsed properly
    return name in variables or (name[:1] == b"_" and name.lstrip(b"_") in variables)


def _sets_one_of(variables: frozenset[bytes], data: bytes | None) -> bool:
    """Whether `Set` or `MSet` arguments, in whichever dialect, may name a declared variable."""
    if data is None:
        return True
    name, _, rest = data.partition(b"=")
    if name in variables or name.translate(None, _QUOTING).strip(b" _") in variables:
        return True
    if b"=" not in rest:
        return False
    names = (piece.partition(b"=")[0] for piece in data.replace(b"|", b",").split(b","))
    return any(name.translate(None, _QUOTING).strip(b" _") in variables for name in names)


def _value(block: bytes, key: bytes) -> bytes | None:
    start = block.find(key)
    if start < 0:
        return None
    start += len(key)
    end = block.find(b"\r\n", start)
    return block[start:end] if end >= 0 else block[start:]


def _encoded(names: Iterable[str]) -> frozenset[bytes]:
    return frozenset(name.encode() for name in names)


def _any_of(names: Iterable[bytes]) -> bytes:
    return b"|".join(re.escape(name) for name in sorted(names)) or _NOTHING
