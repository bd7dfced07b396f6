"""Replaces what says who called whom, the same each time within one archive. One thread at a time.

What replaces a text has its shape: as many digits and letters, and different texts stay different, so that
calls are matched and phones told apart as before. How, is random and kept nowhere.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from dataclasses import replace
from random import SystemRandom
from typing import Final

from schemas.configuration.model import Configuration

_DIGITS: Final = re.compile("[0-9]+")
_WORDS: Final = re.compile(r"[0-9]+|[^\W\d_]+")
_PARTS: Final = re.compile(r"([;,][12](?=\Z|<)|<[A-Z]+>|-[0-9a-f]{8}(?![0-9a-f])|@[^;,<\-]*)")
"""Of a channel's name, what is no phone: half of a Local channel, Asterisk's marks, the count, a context."""
_MEANINGS: Final = frozenset(
    {"", "<unknown>", "unknown", "(null)", "<null>", "none", "anonymous", "asterisk", "private", "restricted"}
)
"""What stands for an unknown number or name."""
TRIES: Final = 200


class Mask:
    """The replacements of one archive."""

    def __init__(self) -> None:
        self._random = SystemRandom()
        self._replaced: dict[str, str] = {}
        self._used: set[str] = set()
        self._addresses: dict[str, str] = {}

    def number(self, text: str) -> str:
        """A number or an extension: its digits. Letters of an extension are the dialplan's own (`s`, `h`)."""
        return text if text.lower() in _MEANINGS else _DIGITS.sub(lambda found: self._word(found[0]), text)

    def text(self, text: str) -> str:
        """A name, or a variable's value: digits and letters."""
        return text if text.lower() in _MEANINGS else _WORDS.sub(lambda found: self._word(found[0]), text)

    def channel(self, name: str) -> str:
        """A channel or a device: what follows the technology, without its count and its context."""
        technology, slash, rest = name.partition("/")
        if not slash:
            return self.text(name)
        parts = _PARTS.split(rest)
        return (
            technology + slash + "".join(part if at % 2 else self.text(part) for at, part in enumerate(parts))
        )

    def configuration(self, configuration: Configuration) -> Configuration:
        """Seats and operators; services stay as they are."""
        return replace(
            configuration,
            services=tuple(
                replace(
                    service,
                    operators=tuple(
                        replace(binding, username=self.text(binding.username))
                        for binding in service.operators
                    ),
                )
                for service in configuration.services
            ),
            seats=tuple(
                replace(
                    seat,
                    mac=self._mac(seat.mac),
                    extension=self.channel(seat.extension),
                    queue_interface=self.channel(seat.queue_interface),
                    state_interface=self.channel(seat.state_interface),
                    address="",
                    description="",
                )
                for seat in configuration.seats
            ),
            operators=tuple(
                replace(
                    operator,
                    username=self.text(operator.username),
                    full_name=self.text(operator.full_name),
                    seat=self._mac(operator.seat),
                )
                for operator in configuration.operators
            ),
        )

    def operators(self, seated: Mapping[str, str]) -> dict[str, str]:
        """Who sits where."""
        return {self.channel(phone): self.text(name) for phone, name in seated.items()}

    def _mac(self, address: str) -> str:
        if not address:
            return ""
        number = len(self._addresses) + 1
        new = "02:" + ":".join(f"{number >> shift & 255:02x}" for shift in (32, 24, 16, 8, 0))
        return self._addresses.setdefault(address, new)

    def _word(self, word: str) -> str:
        lower = word.lower()
        new = self._replaced.get(lower)
        if new is None:
            new = self._replaced[lower] = self._invent(lower)
            self._used.add(new)
        if len(new) != len(word):
            return new
        return "".join(
            letter.upper() if before.isupper() else letter for letter, before in zip(new, word, strict=True)
        )

    def _invent(self, word: str) -> str:
        alphabet = string.digits if word[0] in string.digits else string.ascii_lowercase
        length = len(word)
        for attempt in range(TRIES * 4):
            new = "".join(self._random.choices(alphabet, k=length + attempt // TRIES))
            if new not in self._used:
                return new
        raise RuntimeError("no word is left that was not used")  # of 26^4 at least
