"""Turns what people paste or click into a number that can be dialled."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote

LONGEST_NUMBER = 40  # characters that the server takes
_SCHEME = re.compile(r"(tel|callto|sips?):(//)?", re.IGNORECASE)
_TRUNK_ZERO = re.compile(r"(?<=.)\(0\)")  # as in +49 (0)551: dialled only without the country's code
_KEEPS_ZERO = re.compile(r"\+(39|378|379|225|241|242)(?!\d)")
"""Countries whose numbers have their 0 from abroad, too (E.164 numbering plans at the ITU): Italy, San
Marino, the Vatican, Ivory Coast, Gabon, Congo. The code ends where something else than a digit follows."""
_SEPARATORS = re.compile(r"[\s.()\[\]/\u2010-\u2015\u2212\u00b7-]")
_NUMBER = re.compile(r"\+?[0-9*#]+")


def clean_number(text: str) -> str:
    """The digits, `*` and `#` of a number, with a `+` in front if there was one.

    Takes also `tel:`, `callto:` and `sip:` addresses. Raises ValueError for anything else, letters above all:
    what is not clearly a number is never dialled.
    """
    number = text.strip()
    if scheme := _SCHEME.match(number):
        number = re.split("[;?@]", unquote(number[scheme.end() :]), maxsplit=1)[0]
    # Numbers copied from other programs bring invisible marks with them.
    number = "".join(character for character in number if unicodedata.category(character) != "Cf")
    number = re.sub(r"\s", "", number)
    if number.startswith("+"):
        keeps = _KEEPS_ZERO.match(number)
        number = _TRUNK_ZERO.sub("0" if keeps else "", number)
    number = _SEPARATORS.sub("", number)
    if not _NUMBER.fullmatch(number):
        raise ValueError(f"{text!r} is not a telephone number")
    if len(number) > LONGEST_NUMBER:
        raise ValueError(f"{text!r} is too long for a telephone number")
    return number
