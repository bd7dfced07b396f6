"""What a client keeps from one log-in to the next: keys of SCRAM, and where it took that.

For the network thread alone.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Final

import platformdirs

from astcti_client.password import Password
from schemas.scram import ScramSecret, derive_secret

KEYS_KEPT: Final = 8
"""Of different salts: one is usual, a few more while servers or passwords change."""

logger = logging.getLogger(__name__)


def scram_places_file() -> Path:
    """Where it is kept at which servers SCRAM was once taken."""
    return Path(platformdirs.user_data_dir("astcti", appauthor=False)) / "scram-places"


class LoginMemory:
    """Of one operator at one server.

    Whoever sits between an unencrypted client and its server could say that there is no SCRAM, to be sent the
    password's MD5 instead, which logs in whoever has it. So where SCRAM was taken once the MD5 is withheld,
    unless it is allowed: by a setting, or since the server's certificate was checked.
    """

    def __init__(
        self, password: Password, *, place: str = "", file: Path | None = None, md5_allowed: bool = False
    ) -> None:
        """`place` names server and operator, for the lines of `file`; without a file only this run counts."""
        self.place = place
        self._password = password
        self._file = file
        self._md5_allowed = md5_allowed
        self._scram_taken = False
        self._secrets: dict[tuple[bytes, int], ScramSecret] = {}

    def secret(self, salt: bytes, iterations: int) -> ScramSecret:
        """The keys for what the server asks for; slow on purpose the first time."""
        asked = (salt, iterations)
        if asked not in self._secrets:
            if len(self._secrets) >= KEYS_KEPT:
                del self._secrets[next(iter(self._secrets))]
            self._secrets[asked] = derive_secret(self._password.md5, salt, iterations)
        return self._secrets[asked]

    def may_send_md5(self) -> bool:
        """Whether it is safe to log in with USER and PASS, as far as that can be known."""
        return self._md5_allowed or not (self._scram_taken or self.place in self._places())

    def scram_taken(self) -> None:
        """The server took SCRAM, and proved that it knows the password."""
        self._scram_taken = True
        if self._file is None or self.place in self._places():
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a+b") as file:
                # The line before may have been cut (disk full, power gone): this one must not be part of it.
                file.seek(0, os.SEEK_END)
                if file.tell():
                    file.seek(-1, os.SEEK_END)
                begun = file.read(1) not in (b"", b"\n")
                file.write(f"{chr(10) * begun}{self.place}\n".encode())
        except OSError as error:
            logger.warning("%s cannot be written: %s", self._file, error.strerror or error)

    def _places(self) -> list[str]:
        if self._file is None:
            return []
        try:
            # Not `splitlines`: a name may have what Unicode takes for a line's end.
            return self._file.read_text(encoding="utf-8", errors="replace").split("\n")
        except OSError:
            return []
