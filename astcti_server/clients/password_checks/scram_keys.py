"""With which salt, iterations and keys an operator logs in by SCRAM; and what stands in for who is none.

An unknown user gets what an operator could get: a salt that is always the same, of the size and with the
iterations that some operator has, in the same proportion. So nobody learns by asking who exists.
"""

from __future__ import annotations

import hmac
import threading
from collections import OrderedDict
from typing import Final, NamedTuple

from schemas.configuration.model import Configuration, Operator
from schemas.passwords import LOGINS_REMEMBERED
from schemas.scram import DERIVED_ITERATIONS, ScramKeys, derive_keys, parse_stored_keys

SALT_SIZE: Final = 16
"""Of the salts made here."""


class ScramEntry(NamedTuple):
    """What a login by SCRAM goes by. Either `keys` are there, or they are made of `md5_hex`."""

    iterations: int
    salt: bytes
    keys: ScramKeys | None
    md5_hex: str = ""


class ScramKind(NamedTuple):
    """What distinguishes the entries of operators from outside."""

    iterations: int
    salt_size: int
    derived: bool


class ScramDirectory:
    """Finds the entry of a user name, and makes keys where none are stored. Any thread."""

    def __init__(self, key: bytes) -> None:
        """`key` is secret and the same after a restart: then the salts are, too."""
        self._key = key
        self._lock = threading.Lock()
        self._made: OrderedDict[ScramEntry, ScramKeys] = OrderedDict()
        self._kinds: tuple[Configuration | None, tuple[ScramKind | None, ...]] = (None, ())

    def entry(self, configuration: Configuration, username: str) -> ScramEntry | None:
        """The entry for a user name, whoever that is. None if there can be no SCRAM with this name."""
        operator = configuration.operator_by_username.get(username)
        if operator is not None:
            return self._entry_of(operator)
        kinds = self._kinds_of(configuration)
        if not kinds:
            return None
        # A part of one: an operator more or less moves few of the names to another kind.
        part = int.from_bytes(self._digest("kind", username)[:8], "big")
        kind = kinds[part * len(kinds) >> 64]
        if kind is None:
            return None
        salt = self._salt(username, kind.salt_size)
        if kind.derived:
            return ScramEntry(kind.iterations, salt, None, self._digest("md5", username)[:16].hex())
        nobodys = (self._digest(part, username) for part in ("stored-key", "server-key"))
        return ScramEntry(kind.iterations, salt, ScramKeys(kind.iterations, salt, *nobodys))

    def keys_at_once(self, entry: ScramEntry) -> ScramKeys | None:
        """The entry's keys if nothing has to be computed."""
        if entry.keys is not None:
            return entry.keys
        with self._lock:
            if entry in self._made:
                self._made.move_to_end(entry)
            return self._made.get(entry)

    def make_keys(self, entry: ScramEntry) -> ScramKeys:
        """The entry's keys, computed from its MD5; they are kept, also those that stand in for nobody's."""
        keys = derive_keys(entry.md5_hex, entry.salt, entry.iterations)
        with self._lock:
            self._made[entry] = keys
            while len(self._made) > LOGINS_REMEMBERED:
                self._made.popitem(last=False)
        return keys

    def _entry_of(self, operator: Operator) -> ScramEntry | None:
        if operator.scram:
            keys = parse_stored_keys(operator.scram)
            return ScramEntry(keys.iterations, keys.salt, keys)
        scheme, _, rest = operator.password.partition(":")
        if scheme != "md5":
            return None
        return ScramEntry(DERIVED_ITERATIONS, self._salt(operator.username, SALT_SIZE), None, rest.lower())

    def _kinds_of(self, configuration: Configuration) -> tuple[ScramKind | None, ...]:
        known, kinds = self._kinds
        if known is not configuration:
            found = [_kind(self._entry_of(operator)) for operator in configuration.operators]
            kinds = tuple(sorted(found, key=lambda kind: kind or (0, 0, False)))
            self._kinds = (configuration, kinds)
        return kinds

    def _salt(self, username: str, size: int) -> bytes:
        # Never made of the password: whoever asks for a salt could guess that without any iteration.
        return (self._digest("salt", username) + self._digest("more-salt", username))[:size]

    def _digest(self, what: str, username: str) -> bytes:
        return hmac.digest(self._key, f"{what}\0{username}".encode("utf-8", "replace"), "sha256")


def _kind(entry: ScramEntry | None) -> ScramKind | None:
    return ScramKind(entry.iterations, len(entry.salt), entry.keys is None) if entry else None
