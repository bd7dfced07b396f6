"""Who of the colleagues is there, and what they do, as the server tells it. No Tk, one thread."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from astcti_client.net.messages import IssuedCommand
from schemas.protocol import NO_SEAT, ColleagueState, ReplyCode, Word
from schemas.wire import Reply

_NUMBER = re.compile(r"[0-9*#+]{1,40}")


@dataclass(frozen=True, slots=True)
class Colleague:
    """Another operator who serves one of the own services."""

    username: str
    extension: str
    """Asterisk's name of the phone; empty where none is known."""
    state: ColleagueState
    full_name: str

    @property
    def name(self) -> str:
        """What to call him."""
        return self.full_name or self.username

    @property
    def number(self) -> str:
        """What to dial: phones are called as their devices are named. Empty where the name is no number."""
        device = self.extension.rpartition("/")[2].partition("@")[0]
        return device if _NUMBER.fullmatch(device) else ""


class Colleagues:
    """Those that the server told of. It tells nothing unless it is asked, once for each connection."""

    def __init__(self) -> None:
        self.offered = False
        """Whether the server can tell."""
        self.known: dict[str, Colleague] = {}
        """By user name, in the server's order. What a lost connection left stays until then."""
        self.to_be_asked = True
        """Whether this connection has yet to be asked."""
        self.changes = 0
        """Grows with each change, so that nothing is drawn that did not change."""
        self._coming: dict[str, Colleague] = {}
        self._answering = -1

    def connected(self, *, offered: bool) -> None:
        """A new connection, and whether its server can tell."""
        self.offered, self.to_be_asked = offered, True
        if not offered and self.known:
            self.known = {}
            self.changes += 1

    def asked(self, *, to_be_told: bool) -> None:
        """The server was asked, or told that no more is wanted."""
        self.to_be_asked = not to_be_told

    def hear(self, reply: Reply, answers: IssuedCommand | None) -> None:
        """A line about one of them, by itself or as part of the whole list."""
        if reply.number == ReplyCode.COLLEAGUE_GONE:
            if self.known.pop(reply.token, None) is not None:
                self.changes += 1
            return
        if answers is not None and answers.number != self._answering:
            self._answering, self._coming = answers.number, {}
        if reply.token == Word.END and not reply.text:
            self.known, self._coming = self._coming, {}
            self.changes += 1
            return
        colleague = _told(reply)
        if colleague is None:
            return
        if answers is not None:
            self._coming[colleague.username] = colleague
        elif self.known.get(colleague.username) != colleague:
            self.known[colleague.username] = colleague
            self.changes += 1


def _told(reply: Reply) -> Colleague | None:
    """The colleague of a line; None for a line that says something else, or a state not known here."""
    extension, _blank, rest = reply.text.partition(" ")
    state, _blank, full_name = rest.partition(" ")
    if not reply.token or state not in set(ColleagueState):
        return None
    found = "" if extension == NO_SEAT else extension
    return Colleague(reply.token, found, ColleagueState(state), full_name.strip())


def folded(text: str) -> str:
    """The text as a search compares it: neither accents nor capitals count."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in parts if not unicodedata.combining(character))


def in_order(colleagues: Iterable[Colleague]) -> list[Colleague]:
    """By name, so that a row keeps its place whatever its colleague does."""
    return sorted(colleagues, key=lambda colleague: (folded(colleague.name), colleague.username))


def found(colleagues: Iterable[Colleague], text: str) -> list[Colleague]:
    """Those whose name, user name or phone has each word of the text, in their order."""
    words = folded(text).split()
    return [
        colleague
        for colleague in colleagues
        if all(
            word in folded(f"{colleague.full_name} {colleague.username} {colleague.extension}")
            for word in words
        )
    ]
