"""The lines between server and client, both directions, no sockets (section 2.2.3.2 of the specification).

Standard library only: the seats' PCs import this. Bytes in, values out; malformed input raises `BadLine`,
any other exception is a bug of ours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from schemas import event_xml
from schemas.event_xml import BadEvent
from schemas.events import CallEvent
from schemas.protocol import Refusal, ReplyCode

MAX_COMMAND: Final = 4096
"""Bytes of a client's line without its ending. The longest sensible one, a PAUSE with a reason, has 200."""
MAX_EVENT: Final = event_xml.MAX_EVENT
"""Bytes of a server's line: only events come near it."""

_TOKEN = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")
_REPLY = re.compile(r"([0-9]{1,6})(?:[ \t]+([^ \t]+)(?:[ \t]+(.*))?)?[ \t]*", re.DOTALL)
_CONTROLS = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029], " ")


class BadLine(ValueError):
    """A line that the protocol does not know. For a client's line the text is that of a `Refusal`."""


@dataclass(frozen=True, slots=True)
class Oversize:
    """Stands in `LineBuffer.feed` for a line longer than the limit; the rest of that line is skipped."""

    limit: int


class LineBuffer:
    """Cuts a stream into lines ended by LF; one CR before it is dropped.

    A line may have `limit` bytes without its ending. A longer one is reported as soon as it is seen to be
    longer, once, and then skipped up to its end, so little more than `limit` bytes are ever held.
    """

    __slots__ = ("_limit", "_skipping", "_tail")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._tail: list[bytes] = []
        self._skipping = False

    def feed(self, data: bytes) -> list[bytes | Oversize]:
        """The lines that `data` completes, without their endings, in order."""
        pieces = data.split(b"\n")
        found: list[bytes | Oversize] = []
        for piece in pieces[:-1]:
            if self._skipping:
                self._skipping = False
                continue
            self._tail.append(piece)
            line = self._take().removesuffix(b"\r")
            found.append(line if len(line) <= self._limit else Oversize(self._limit))
        if pieces[-1] and not self._skipping:
            self._tail.append(pieces[-1])
            self._keep_bounded(found)
        return found

    def _take(self) -> bytes:
        line = self._tail[0] if len(self._tail) == 1 else b"".join(self._tail)
        self._tail.clear()
        return line

    def _keep_bounded(self, found: list[bytes | Oversize]) -> None:
        """Drop an unfinished line that is too long already; a last CR may still belong to its ending."""
        if len(self._tail) > 64:  # a peer that sends byte by byte costs neither time nor memory
            self._tail = [b"".join(self._tail)]
        length = sum(map(len, self._tail)) - self._tail[-1].endswith(b"\r")
        if length > self._limit:
            self._tail.clear()
            self._skipping = True
            found.append(Oversize(self._limit))


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A client's line: its token in upper case, and what follows, blanks around cut. Tabs are blanks."""

    token: str
    rest: str

    @property
    def args(self) -> tuple[str, ...]:
        """The parameters, separated by blanks."""
        return tuple([word for word in self.rest.split(" ") if word])

    def after(self, count: int) -> str:
        """What follows the first `count` parameters, to the end of the line."""
        rest = self.rest
        for _ in range(count):
            rest = rest.partition(" ")[2].lstrip(" ")
        return rest


def parse_command(line: bytes) -> CommandLine:
    """Read a client's line (without its ending). Raises `BadLine`."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        raise BadLine(Refusal.NOT_UTF8.text()) from None
    text = text.replace("\t", " ").strip(" ")
    if not text:
        raise BadLine(Refusal.EMPTY_LINE.text())
    token, _, rest = text.partition(" ")
    if not _TOKEN.fullmatch(token):
        raise BadLine(Refusal.NOT_A_COMMAND.text())
    return CommandLine(token.upper(), rest.lstrip(" "))


def clean(text: str) -> str:
    """The text with each control character (and Unicode line separator) turned into a blank."""
    return text if text.isprintable() else text.translate(_CONTROLS)


def reply(code: ReplyCode, *words: str) -> bytes:
    """A server's line, ending included. Empty words are left out; no word can begin another line."""
    text = " ".join([str(code), *filter(None, words)])
    return clean(text).encode("utf-8", "replace") + b"\n"


@dataclass(frozen=True, slots=True)
class Reply:
    """A server's line that begins with a number: `101 KO reason` is number 101, token `KO`, text `reason`."""

    number: int
    token: str = ""
    text: str = ""

    @property
    def information(self) -> str:
        """Everything after the number: for the lines without a token, such as `200 queue`."""
        return f"{self.token} {self.text}" if self.text else self.token


def parse_server_line(line: bytes) -> Reply | CallEvent:
    """Read a server's line, without its ending: an event unless a number begins it. Raises `BadLine`."""
    if not line[:1].isdigit():
        try:
            return event_xml.decode(line)
        except BadEvent as error:
            raise BadLine(str(error)) from None
    try:
        found = _REPLY.fullmatch(line.decode("utf-8"))
    except UnicodeDecodeError:
        raise BadLine(Refusal.NOT_UTF8.text()) from None
    if not found:
        raise BadLine("neither a reply nor an event")
    number, token, text = found.groups()
    return Reply(int(number), token or "", (text or "").rstrip(" \t"))
