"""Numbers as people write them: with signs and blanks between, with a country's code or without.

Standard library only.
"""

from __future__ import annotations

import re
from typing import Final

_SHORTEST_WHOLE: Final = 6
"""Digits that a number has at least, to be meant by its end: an extension ends many a number."""
_SHORTEST_ENDING: Final = 5
"""Of them without the zeros that are dialled before."""
_WRITTEN: Final = re.compile(r"[-+() /0-9]*[0-9][-+() /0-9]*").fullmatch


def is_number(text: str) -> bool:
    """Whether there is nothing in it but digits and what people write between them."""
    return _WRITTEN(text) is not None


def digits_of(text: str) -> str:
    """Its digits alone."""
    return "".join(filter(str.isdigit, text))


def significant_digits(number: str) -> str:
    """The digits behind a `0` or `00` that is dialled before; empty if too few to mean one number."""
    digits = digits_of(number)
    found = digits.lstrip("0")
    return found if len(digits) >= _SHORTEST_WHOLE and len(found) >= _SHORTEST_ENDING else ""


def end_alike(one: str, other: str) -> bool:
    """Whether two numbers are one but for what stands before: `+39055123` and `055123`."""
    first, second = significant_digits(one), significant_digits(other)
    return bool(first and second) and (first.endswith(second) or second.endswith(first))


def ending(number: str) -> str:
    """The last digits, which every number has that `end_alike` says so of; empty if there is none."""
    return significant_digits(number)[-_SHORTEST_ENDING:]


def written_anyhow(digits: str) -> bytes:
    """A regular expression for these digits, whatever people write between them."""
    return rb"[^0-9\r\n]{0,3}".join(re.findall(rb"[0-9]", digits.encode()))
