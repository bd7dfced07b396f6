"""A stored password for users that do not exist, so that refusing them takes as long as refusing others."""

from __future__ import annotations

import base64
import hashlib
import os

from schemas.configuration.model import Configuration

_KEY = os.urandom(32)


def decoy(configuration: Configuration, username: str) -> str:
    """A password nobody has, of the kind that some operator has: always the same one's for one name."""
    if not configuration.operators:
        return ""
    digest = hashlib.blake2b(username.encode("utf-8", "replace"), key=_KEY, digest_size=32).digest()
    number = int.from_bytes(digest[:8], "big") % len(configuration.operators)
    scheme, _, rest = configuration.operators[number].password.partition(":")
    if scheme != "scrypt":
        return f"md5:{digest[:16].hex()}"
    parameters, _, stored = rest.rpartition(":")
    length = len(base64.b64decode(stored))
    return f"scrypt:{parameters}:{base64.b64encode(hashlib.shake_256(digest).digest(length)).decode()}"
