"""MAC addresses as the configuration and the protocol write them. Standard library only."""

from __future__ import annotations

import re

from schemas.sentences import said

_FORM = re.compile(r"[0-9A-Fa-f]{2}(?:([:-])[0-9A-Fa-f]{2})(?:\1[0-9A-Fa-f]{2}){4}")
_NOBODY = ("00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff")


def canonical(text: str) -> str:
    """Return the address in lower case with colons; dashes and case do not matter. ValueError if none."""
    if not _FORM.fullmatch(text):
        raise ValueError(said("a MAC address is six pairs of hexadecimal digits, such as 00:11:22:33:44:55"))
    address = text.lower().replace("-", ":")
    if address in _NOBODY:
        raise ValueError(said("{address} belongs to no network card", address=address))
    return address


_PAIR = "([0-9A-Fa-f]{2})"
_OTHER_FORMS = (
    re.compile(_PAIR * 3 + "[.:-]?" + _PAIR * 3),
    re.compile(f"{_PAIR}{_PAIR}[.:-]{_PAIR}{_PAIR}[.:-]{_PAIR}{_PAIR}"),
    re.compile("([0-9A-Fa-f]{1,2})" + r"[:.\s-]([0-9A-Fa-f]{1,2})" * 5),
)
"""001122334455, 001122-334455, 0011.2233.4455, and pairs apart by anything usual, a leading zero left out as
macOS does."""


def from_any_form(text: str) -> str:
    """The same for what people copy from labels, switches and systems. ValueError if it is no address."""
    for form in _OTHER_FORMS:
        if found := form.fullmatch(text.strip()):
            return canonical(":".join(pair.zfill(2) for pair in found.groups()))
    return canonical(text)
