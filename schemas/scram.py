"""SCRAM-SHA-256 (RFC 5802, RFC 7677) without channel binding: both sides, and stored keys. No I/O.

The password of SCRAM is the lower-case hex MD5 of the operator's password, so an `md5:` password is enough to
make keys. Messages are base64 text, as they stand on a line of the protocol.

Standard library only, as the seats' PCs import this. It is no library of others because the client keeps its
keys for the next time it connects (PBKDF2 is slow on purpose), and because user names go as they are written:
SASLprep knows no character after Unicode 3.2 and makes one name of two. Tests have `scramp` speak to each.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from typing import Final, NamedTuple

from schemas.sentences import said

STORED_ITERATIONS: Final = 200_000
"""Of PBKDF2, at least, for keys that are stored: some 0.1 s for each guess with a stolen file."""
DERIVED_ITERATIONS: Final = 10_000
"""For an `md5:` password, whose keys are made at each start: a thousand in some five seconds."""
MOST_ITERATIONS: Final = 10_000_000
"""More would only keep the client busy."""
KEY_SIZE: Final = 32
SHORTEST_SALT: Final = 12
LONGEST_SALT: Final = 64

_HEADER = "n,,"  # no channel binding, no other identity
_NUMBER = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_NONCE = re.compile(r"[!-+\--~]{1,1000}", re.ASCII)  # printable but for the comma
_BARE_FIRST = re.compile(r"n=([^,]+),r=([^,]+)((?:,[A-Za-z]=[^,]+)*)")
_FINAL = re.compile(r"c=([^,]+),r=([^,]+)((?:,[A-Za-z]=[^,]+)*),p=([^,]+)")
_SERVER_FIRST = re.compile(r"r=([^,]+),s=([^,]+),i=([^,]+)(?:,[A-Za-z]=[^,]+)*")


class BadScram(ValueError):
    """A message that is none of RFC 5802, or that does not belong to this exchange."""


class ChannelBindingWanted(BadScram):
    """The client insists on channel binding, which is not offered."""


class ScramKeys(NamedTuple):
    """What the server keeps of a password: it proves who knows that, and logs nobody in by itself."""

    iterations: int
    salt: bytes
    stored_key: bytes
    server_key: bytes

    @classmethod
    def of(cls, secret: ScramSecret, salt: bytes, iterations: int) -> ScramKeys:
        """What the server keeps of a client's keys."""
        return cls(iterations, salt, hashlib.sha256(secret.client_key).digest(), secret.server_key)

    def __str__(self) -> str:
        """As the configuration writes it."""
        parts = (_base64(part) for part in (self.salt, self.stored_key, self.server_key))
        return ":".join((str(self.iterations), *parts))


class ScramSecret(NamedTuple):
    """What the client computes from its password: whoever has it can log in with the same salt."""

    client_key: bytes
    server_key: bytes


def derive_secret(md5_hex: str, salt: bytes, iterations: int) -> ScramSecret:
    """Compute a client's keys. Takes as long as the iterations ask for."""
    salted = hashlib.pbkdf2_hmac("sha256", md5_hex.lower().encode("ascii"), salt, iterations)
    return ScramSecret(_hmac(salted, b"Client Key"), _hmac(salted, b"Server Key"))


def derive_keys(md5_hex: str, salt: bytes, iterations: int = STORED_ITERATIONS) -> ScramKeys:
    """Compute what the server keeps. Takes as long as the iterations ask for."""
    return ScramKeys.of(derive_secret(md5_hex, salt, iterations), salt, iterations)


def parse_stored_keys(stored: str) -> ScramKeys:
    """Read `iterations:salt:StoredKey:ServerKey`, the last three in base64. ValueError; no key is in it."""
    parts = stored.split(":")
    if len(parts) != 4 or not _NUMBER.fullmatch(parts[0]):
        raise ValueError(said("the form is iterations:salt:StoredKey:ServerKey, all but the first in base64"))
    iterations = int(parts[0])
    if not STORED_ITERATIONS <= iterations <= MOST_ITERATIONS:
        raise ValueError(
            said("it takes from {least} to {most} iterations", least=STORED_ITERATIONS, most=MOST_ITERATIONS)
        )
    try:
        salt, stored_key, server_key = (base64.b64decode(part, validate=True) for part in parts[1:])
    except (binascii.Error, ValueError):
        raise ValueError(said("the salt and the two keys have to be base64")) from None
    if not SHORTEST_SALT <= len(salt) <= LONGEST_SALT or {len(stored_key), len(server_key)} != {KEY_SIZE}:
        raise ValueError(
            said(
                "it takes a salt of {least} to {most} bytes and two keys of {size} bytes",
                least=SHORTEST_SALT,
                most=LONGEST_SALT,
                size=KEY_SIZE,
            )
        )
    return ScramKeys(iterations, salt, stored_key, server_key)


def check_stored_keys(stored: str) -> str:
    """Say what is wrong with stored keys, without showing them; empty when nothing is."""
    try:
        parse_stored_keys(stored)
    except ValueError as error:
        wrong: str = error.args[0]  # a sentence: `str` would forget its template
        return wrong
    return ""


def begins_exchange(message: str) -> bool:
    """Whether this is a client's first message rather than a final one. Raises BadScram."""
    return _text(message).startswith(("n,", "y,", "p="))


class ClientFirst(NamedTuple):
    """The client's first message, taken apart."""

    header: str
    bare: str
    username: str
    nonce: str

    @classmethod
    def read(cls, message: str) -> ClientFirst:
        """Read it. Raises BadScram."""
        text = _text(message)
        flag, _, rest = text.partition(",")
        identity, _, bare = rest.partition(",")
        if flag.startswith("p="):
            raise ChannelBindingWanted("channel binding is not offered")
        found = _BARE_FIRST.fullmatch(bare)
        if flag not in ("n", "y") or identity or found is None or not _NONCE.fullmatch(found[2]):
            raise BadScram("no first message of a client")
        return cls(f"{flag},,", bare, _unescaped(found[1]), found[2])


class ScramExchange:
    """The server's side of one login, from the client's first message on."""

    def __init__(self, first: ClientFirst, salt: bytes, iterations: int, nonce: str = "") -> None:
        """`nonce` is the server's part; random unless a test gives it."""
        self._first = first
        self._nonce = first.nonce + (nonce or secrets.token_urlsafe(18))
        self._server_first = f"r={self._nonce},s={_base64(salt)},i={iterations}"

    @property
    def username(self) -> str:
        """Who wants to log in."""
        return self._first.username

    @property
    def server_first(self) -> str:
        """The server's first message."""
        return _base64(self._server_first.encode())

    def read_final(self, message: str) -> ClientProof:
        """Read the client's final message. Raises BadScram if it is none, or that of another exchange."""
        text = _text(message)
        found = _FINAL.fullmatch(text)
        if found is None or _bytes(found[1]) != self._first.header.encode():
            raise BadScram("no final message of a client")
        if not hmac.compare_digest(found[2].encode(), self._nonce.encode()):
            raise BadScram("the final message belongs to another exchange")
        said_by_both = ",".join((self._first.bare, self._server_first, text.rpartition(",p=")[0]))
        return ClientProof(said_by_both.encode(), _bytes(found[4]))


class ClientProof(NamedTuple):
    """What both sides said, and what shows that the client knows the password."""

    said_by_both: bytes
    proof: bytes

    def answer(self, keys: ScramKeys) -> str:
        """The server's final message if the proof is right, else an empty text."""
        if len(self.proof) != KEY_SIZE:
            return ""
        client_key = _xor(self.proof, _hmac(keys.stored_key, self.said_by_both))
        if not hmac.compare_digest(hashlib.sha256(client_key).digest(), keys.stored_key):
            return ""
        return _base64(f"v={_base64(_hmac(keys.server_key, self.said_by_both))}".encode())


class ScramClient:
    """The client's side of one login."""

    def __init__(self, username: str, secret: Callable[[bytes, int], ScramSecret], nonce: str = "") -> None:
        """`secret` gives the keys for a salt and iterations. `nonce` is random unless a test gives it."""
        self._secret = secret
        self._nonce = nonce or secrets.token_urlsafe(18)
        self._bare = f"n={username.replace('=', '=3D').replace(',', '=2C')},r={self._nonce}"
        self._expected = b""

    def first(self) -> str:
        """The client's first message."""
        return _base64(f"{_HEADER}{self._bare}".encode())

    def final(self, server_first: str) -> str:
        """The client's final message. Raises BadScram for a server's first one that is not to be trusted.

        So few iterations are refused that whoever pretends to be the server could guess the password.
        """
        text = _text(server_first)
        found = _SERVER_FIRST.fullmatch(text)
        if found is None or not _NUMBER.fullmatch(found[3]) or not _NONCE.fullmatch(found[1]):
            raise BadScram("no first message of a server")
        nonce, salt, iterations = found[1], _bytes(found[2]), int(found[3])
        if not nonce.startswith(self._nonce) or nonce == self._nonce:
            raise BadScram("the server's message belongs to another exchange")
        if not DERIVED_ITERATIONS <= iterations <= MOST_ITERATIONS or not salt:
            raise BadScram(f"the server asks for {iterations} iterations")
        secret = self._secret(salt, iterations)
        without_proof = f"c={_base64(_HEADER.encode())},r={nonce}"
        said_by_both = ",".join((self._bare, text, without_proof)).encode()
        stored_key = hashlib.sha256(secret.client_key).digest()
        proof = _xor(secret.client_key, _hmac(stored_key, said_by_both))
        self._expected = _hmac(secret.server_key, said_by_both)
        return _base64(f"{without_proof},p={_base64(proof)}".encode())

    def server_proved(self, server_final: str) -> bool:
        """Whether the server's final message shows that the server knows the password, too."""
        try:
            text = _text(server_final)
            signature = _bytes(text.partition(",")[0].removeprefix("v="))
        except BadScram:
            return False
        return text.startswith("v=") and hmac.compare_digest(signature, self._expected)


def _unescaped(name: str) -> str:
    if re.search(r"=(?!2C|3D)", name):
        raise BadScram("a user name with an = that is not escaped")
    return name.replace("=2C", ",").replace("=3D", "=")


def _text(message: str) -> str:
    try:
        return _bytes(message).decode()
    except UnicodeDecodeError:
        raise BadScram("the message is not UTF-8") from None


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        raise BadScram("this is not base64") from None


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(left ^ right for left, right in zip(one, other, strict=True))
