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
