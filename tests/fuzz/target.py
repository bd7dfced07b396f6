"""What is tried: a parser, where its inputs come from, and what it may do with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

Attempt: TypeAlias = Callable[[bytes], str]
"""Gives an input to the parser; returns the kind of outcome in a word or two, or raises what that raises."""


class Broken(AssertionError):
    """The parser raised nothing it should not, but what it returned is wrong. The text says how."""


@dataclass(frozen=True)
class FuzzTarget:
    """One parser."""

    name: str
    reads: str
    """What it reads and from whom, for the table."""
    prepare: Callable[[], Attempt]
    """Called once in each process. What it returns has to forget an input before the next one."""
    seeds: Callable[[], Sequence[bytes]]
    """Real inputs. The same ones in the same order each time."""
    reaches: str = ""
    """An outcome that is well inside: some real or grown input has to have it."""
    refusals: tuple[type[Exception], ...] = ()
    """What it may raise; everything else is a finding."""
    tokens: tuple[bytes, ...] = ()
    """What its language is made of."""
    grow: Callable[[Random], bytes] | None = None
    """Makes an input by the language's rules: half of the inputs begin with one."""
    longest: int = 32768
    """Bytes of an input."""
    seconds: float = 2.0
    """Processor time for one input; the usual one takes less than a thousandth of it."""
    growth: int = 48 << 20
    """Bytes that the process may grow by while it is given ten thousands of inputs."""


def attempted(target: FuzzTarget, attempt: Attempt, data: bytes) -> str:
    """The kind of outcome of one input. Raises what is a finding."""
    try:
        return attempt(data)
    except target.refusals as refusal:
        return f"refused: {type(refusal).__name__}"
