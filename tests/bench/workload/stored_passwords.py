"""A call centre whose passwords are stored with scrypt, as the Configurator stores them."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from schemas import passwords, scram
from schemas.passwords import Scrypt
from schemas.scram import ScramKeys, ScramSecret
from tests.bench.workload.call_centre import CallCentre, SeatLogin


@dataclass(frozen=True, slots=True)
class HashedPassword:
    """What the server stores of one password, and what a client that logged in before has in memory."""

    password: str
    scram: str
    secret: ScramSecret


@dataclass(frozen=True, slots=True)
class ScryptCallCentre(CallCentre):
    """Each operator has another password."""

    hashed: tuple[HashedPassword, ...] = ()

    @classmethod
    def make(cls, technology: str, seats: int) -> ScryptCallCentre:
        """Hash everything first: some 150 ms of a processor each."""
        logins = CallCentre(technology, seats).logins
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return cls(technology, seats, hashed=tuple(pool.map(_hashed, range(seats), logins)))

    @property
    def secrets(self) -> dict[str, ScramSecret]:
        """By user name."""
        pairs = zip(self.logins, self.hashed, strict=True)
        return {login.username: hashed.secret for login, hashed in pairs}

    def password_attributes(self, number: int, login: SeatLogin) -> str:
        """Both forms."""
        return f'password="{self.hashed[number].password}" scram="{self.hashed[number].scram}"'


def _hashed(number: int, login: SeatLogin) -> HashedPassword:
    password = passwords.make_stored_password(f"secret{number}")
    form = passwords.parse_stored_password(password)
    assert isinstance(form, Scrypt)
    count = scram.STORED_ITERATIONS
    secret = scram.derive_secret(login.password_md5, form.salt, count)
    return HashedPassword(password, str(ScramKeys.of(secret, form.salt, count)), secret)
