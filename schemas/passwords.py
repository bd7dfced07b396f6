"""Stored passwords: `md5:<hex>` or `scrypt:log2N:r:p:<salt base64>:<hash base64>`. Standard library only.

Clients send the hex MD5 of the UTF-8 password, so what is hashed with scrypt is that hex in lower case: a
stolen file with scrypt hashes logs nobody in.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import threading
from collections import OrderedDict
from typing import Literal, NamedTuple

from schemas.scram import SHORTEST_SALT, derive_keys, parse_stored_keys
from schemas.sentences import said

COST = 14  # log2 N; with r = 8 it takes 16 MiB and some 40 ms
LONGEST_COST = 17
MOST_MEMORY = 128 * 1024 * 1024  # one log-in may not take more, whatever a file says
MOST_LANES = 16
LOGINS_REMEMBERED = 20_000  # successful log-ins remembered: twice the largest installation's operators
EMPTY_MD5 = hashlib.md5(b"", usedforsecurity=False).hexdigest()

_MD5 = re.compile(r"[0-9A-Fa-f]{32}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,3}", re.ASCII)


class Scrypt(NamedTuple):
    """A stored scrypt password, taken apart."""

    cost: int
    block: int
    lanes: int
    salt: bytes
    digest: bytes

    def matches(self, md5_hex: str) -> bool:
        """Compute and compare in constant time. Takes as long as the parameters ask for."""
        return hmac.compare_digest(_scrypt(md5_hex, self), self.digest)


class StoredForms(NamedTuple):
    """What is stored of one password: for `password`, and for `scram` (empty where that needs nothing)."""

    password: str
    scram: str


def make_stored_forms(plain: str, scheme: Literal["scrypt", "md5"] = "scrypt") -> StoredForms:
    """Return what is stored of a password. ValueError if it is empty or has a line break.

    Both forms of one password have the same salt: so it shows if somebody changed only one of them.
    """
    password = make_stored_password(plain, scheme)
    return StoredForms(password, make_keys_beside(password, md5_of(plain)))


def make_keys_beside(password: str, md5_hex: str) -> str:
    """Return what belongs into `scram` beside a stored password, from the MD5 that matches it."""
    form = parse_stored_password(password)
    if isinstance(form, str) or len(form.salt) < SHORTEST_SALT:
        return ""  # an md5: password: the keys are made of it at each start
    return str(derive_keys(md5_hex, form.salt))


def belong_together(password: str, scram: str) -> bool:
    """Whether two stored forms can be those of one password, as far as it shows. Any texts are taken."""
    if not scram:
        return True
    try:
        form = parse_stored_password(password)
        return isinstance(form, str) or parse_stored_keys(scram).salt == form.salt
    except ValueError:
        return True  # said elsewhere


def make_stored_password(plain: str, scheme: Literal["scrypt", "md5"] = "scrypt") -> str:
    """Return the stored form of a password. ValueError if it is empty or has a line break."""
    if not plain or "\n" in plain or "\r" in plain:
        raise ValueError("the password is empty or has a line break")
    md5_hex = md5_of(plain)
    if scheme == "md5":
        return f"md5:{md5_hex}"
    blank = Scrypt(COST, 8, 1, os.urandom(16), bytes(32))
    digest = _scrypt(md5_hex, blank)
    salt_text, digest_text = (base64.b64encode(part).decode() for part in (blank.salt, digest))
    return f"scrypt:{blank.cost}:{blank.block}:{blank.lanes}:{salt_text}:{digest_text}"


def md5_of(plain: str) -> str:
    """What the specification's PASS sends of a password: its MD5 in lower-case hexadecimal."""
    return hashlib.md5(plain.encode(), usedforsecurity=False).hexdigest()


def check_stored_password(stored: str) -> str:
    """Say what is wrong with a stored password, without showing it; empty when nothing is."""
    try:
        parse_stored_password(stored)
    except ValueError as error:
        wrong: str = error.args[0]  # a sentence: `str` would forget its template
        return wrong
    return ""


def parse_stored_password(stored: str) -> str | Scrypt:
    """Return the lower-case MD5 of an `md5:` password, or the parts of a `scrypt:` one.

    ValueError, without the password in its text, if it is neither.
    """
    scheme, _, rest = stored.partition(":")
    if scheme == "md5":
        if not _MD5.fullmatch(rest):
            raise ValueError(said("after md5: exactly 32 hexadecimal digits are expected"))
        return rest.lower()
    if scheme == "scrypt":
        return _parse_scrypt(rest.split(":"))
    raise ValueError(
        said(
            "it has to begin with md5: or scrypt: (a plain password is not accepted); "
            "`astcti-server hash-password` makes one"
        )
    )


def _parse_scrypt(parts: list[str]) -> Scrypt:
    if len(parts) != 5 or not all(_NUMBER.fullmatch(part) for part in parts[:3]):
        raise ValueError(said("after scrypt: the form is log2N:r:p:salt:hash, salt and hash in base64"))
    cost, block, lanes = (int(part) for part in parts[:3])
    try:
        salt, digest = (base64.b64decode(part, validate=True) for part in parts[3:])
    except (binascii.Error, ValueError):
        raise ValueError(said("the salt and the hash of scrypt: have to be base64")) from None
    if not 10 <= cost <= LONGEST_COST or not 1 <= block <= 32 or not 1 <= lanes <= MOST_LANES:
        raise ValueError(
            said(
                "scrypt takes log2N from 10 to {cost}, r from 1 to 32 and p from 1 to {lanes}",
                cost=LONGEST_COST,
                lanes=MOST_LANES,
            )
        )
    if 128 * block << cost > MOST_MEMORY:
        raise ValueError(
            said("scrypt with this log2N and r takes more than 128 MiB for a log-in: use 14 and 8")
        )
    if not 8 <= len(salt) <= 64 or not 16 <= len(digest) <= 64:
        raise ValueError(said("scrypt takes a salt of 8 to 64 bytes and a hash of 16 to 64 bytes"))
    return Scrypt(cost, block, lanes, salt, digest)


def _scrypt(md5_hex: str, form: Scrypt) -> bytes:
    return hashlib.scrypt(
        md5_hex.encode("ascii"),
        salt=form.salt,
        n=1 << form.cost,
        r=form.block,
        p=form.lanes,
        maxmem=2 * MOST_MEMORY,
        dklen=len(form.digest),
    )


class PasswordChecker:
    """Compares what clients send with what is stored. Any thread.

    A success is remembered as a hash under a key of this process, so that a thousand clients that come back
    at once do not cost a thousand computations. How many are computed at a time is the caller's to limit.
    """

    def __init__(self) -> None:
        self._key = os.urandom(32)
        self._lock = threading.Lock()
        self._known: OrderedDict[bytes, None] = OrderedDict()
        self._usual: Scrypt | None = None

    def matches(self, stored: str, md5_hex: str) -> bool:
        """Tell whether a client's hex (any case) belongs to a stored password.

        An empty `stored` stands for an unknown user: it never matches, and takes as long as a wrong
        password of the operators seen so far. Never raises for what a client sends.
        """
        quick = self.matches_at_once(stored, md5_hex)
        if quick is not None:
            return quick
        sent = md5_hex.lower()
        wanted = parse_stored_password(stored) if stored else self._usual
        assert isinstance(wanted, Scrypt)  # everything else is known at once
        found = wanted.matches(sent) and bool(stored)
        if found:
            self._remember(self._mark(stored, sent))
        return found

    def matches_at_once(self, stored: str, md5_hex: str) -> bool | None:
        """The same, as far as it is known without computing for long; None if `matches` has to."""
        sent = md5_hex.lower() if _MD5.fullmatch(md5_hex) else ""
        if not stored:
            return False if self._usual is None or not sent else None
        try:
            wanted = parse_stored_password(stored)
        except ValueError:
            return False
        if isinstance(wanted, str):
            return hmac.compare_digest(wanted, sent)
        self._usual = wanted
        if not sent:
            return False
        mark = self._mark(stored, sent)
        with self._lock:
            if mark not in self._known:
                return None
            self._known.move_to_end(mark)
        return True

    def remember_match(self, stored: str, md5_hex: str) -> None:
        """Note that a client's hex belongs to a stored password: one was just made of the other."""
        self._remember(self._mark(stored, md5_hex.lower()))

    def _mark(self, stored: str, sent: str) -> bytes:
        return hmac.digest(self._key, f"{stored}\0{sent}".encode(), "sha256")

    def _remember(self, mark: bytes) -> None:
        with self._lock:
            self._known[mark] = None
            while len(self._known) > LOGINS_REMEMBERED:
                self._known.popitem(last=False)
