"""The operator's password, kept only as what the server wants to see of it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

_MD5 = re.compile(r"md5:([0-9a-f]{32})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Password:
    """The lower-case hex MD5 of a password in UTF-8. It never shows in a log or a message."""

    md5: str = field(repr=False)

    @classmethod
    def from_text(cls, text: str) -> Password:
        """From the password itself, or `md5:` and its 32 hex digits. ValueError if it is empty."""
        if not text:
            raise ValueError("the password is empty")
        if found := _MD5.fullmatch(text):
            return cls(found[1].lower())
        return cls(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest())
