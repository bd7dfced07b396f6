"""Makes inputs out of real ones, by changes that parsers get wrong. The same random, the same input."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random
from typing import TypeAlias

Change: TypeAlias = Callable[["Mutator", Random, bytes], bytes]

MOST_CHANGES = 6
LONG_REPEAT = 0.01  # of repeats: enough to meet what takes the square of the time, and they cost most of it
NUMBERS = tuple(
    str(number).encode()
    for number in (
        *(0, -1, 1, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**31 - 1, 2**31, -(2**31) - 1, 2**32),
        *(2**53, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**18, 10**40, "9" * 4400, "1e400", "1e-400", "0.1"),
        *("nan", "inf", "-inf", "0x10", "1_000", "007", "+1", "-0", "٣", "²", "1.", ".5", "", " 1 "),
    )
)
COMMON: tuple[bytes, ...] = (
    *(
        b"\0",
        b"\n",
        b"\r",
        b"\r\n",
        b"\r\n\r\n",
        b"\t",
        b" ",
        b"\x1b",
        b"\x7f",
        b"\x85",
        b"\xff",
        b"\xfe\xff",
    ),
    *(b"\xef\xbb\xbf", b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x80\xa8"),
    *("\u202e".encode(), "\u00df".encode(), "\u0130".encode(), "\ufb01".encode(), "e\u0301".encode()),
    *(
        "\U0001f600".encode(),
        "\ufffe".encode(),
        "\u2029".encode(),
        "\u00a0".encode(),
        b"\xe0\xa0",
        b"\xf0\x9f",
    ),
    *(
        b"%",
        b"%s",
        b"{",
        b"}",
        b"{}",
        b"{0}",
        b"%00",
        b"\\",
        b"\\u0000",
        b"\\ud800",
        b'"',
        b"'",
        b"`",
        b"$",
        b"|",
    ),
    *(
        b":",
        b";",
        b",",
        b"=",
        b"&",
        b"<",
        b">",
        b"/",
        b"../",
        b"@",
        b"#",
        b"*",
        b"+",
        b"-",
        b"[",
        b"]",
        b"(",
        b")",
    ),
)
_NUMBER = re.compile(rb"(?<![0-9])[0-9]{1,20}")
_WORD = re.compile(rb"(?<![A-Za-z0-9_.-])[A-Za-z0-9_.-]+")
_PIECES = re.compile(rb"[^\r\n]*\r?\n|[^\r\n]+")


class Mutator:
    """Inputs out of a corpus, a language's words and chance."""

    def __init__(
        self,
        corpus: Sequence[bytes],
        tokens: Sequence[bytes] = (),
        grow: Callable[[Random], bytes] | None = None,
        longest: int = 32768,
    ) -> None:
        self.corpus = list(corpus) or [b""]
        self.tokens = [*tokens, *tokens, *COMMON] if tokens else list(COMMON)
        self._grow = grow
        self._longest = longest

    def make(self, random: Random) -> bytes:
        """One input."""
        if self._grow is not None and random.random() < 0.5:
            data = self._grow(random)
            changes = random.choice((0, 0, 1, 1, 2))
        else:
            data = self.real(random)
            changes = random.randint(1, MOST_CHANGES)
        for _ in range(changes):
            data = random.choice(CHANGES)(self, random, data)
            if len(data) > self._longest:
                data = data[: self._longest]
        return data

    def real(self, random: Random) -> bytes:
        """One of the corpus; rather a short one: each byte costs time, and a change says more in it."""
        one, other = random.choice(self.corpus), random.choice(self.corpus)
        return one if len(one) < len(other) else other

    def token(self, random: Random) -> bytes:
        """A word of the language, or one that is trouble in any."""
        return random.choice(self.tokens)


def _span(random: Random, data: bytes, most: int = 256) -> tuple[int, int]:
    start = random.randrange(len(data) + 1)
    return start, min(len(data), start + random.randint(0, random.choice((1, 4, 16, most))))


def _next(pattern: re.Pattern[bytes], random: Random, data: bytes) -> re.Match[bytes] | None:
    """The first that follows a place drawn, else the first of all."""
    return pattern.search(data, random.randrange(len(data) + 1)) or pattern.search(data)


def _flip_a_bit(_: Mutator, random: Random, data: bytes) -> bytes:
    if not data:
        return data
    at = random.randrange(len(data))
    return data[:at] + bytes((data[at] ^ (1 << random.randrange(8)),)) + data[at + 1 :]


def _change_a_byte(_: Mutator, random: Random, data: bytes) -> bytes:
    if not data:
        return data
    at = random.randrange(len(data))
    return data[:at] + bytes((random.randrange(256),)) + data[at + 1 :]


def _insert_bytes(_: Mutator, random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + random.randbytes(random.randint(1, 8)) + data[at:]


def _insert_token(mutator: Mutator, random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + mutator.token(random) + data[at:]


def _put_token_for_span(mutator: Mutator, random: Random, data: bytes) -> bytes:
    start, end = _span(random, data, 32)
    return data[:start] + mutator.token(random) + data[end:]


def _put_token_for_word(mutator: Mutator, random: Random, data: bytes) -> bytes:
    found = _next(_WORD, random, data)
    if not found:
        return mutator.token(random)
    return data[: found.start()] + mutator.token(random) + data[found.end() :]


def _put_number(_: Mutator, random: Random, data: bytes) -> bytes:
    found = _next(_NUMBER, random, data)
    if not found:
        return data
    return data[: found.start()] + random.choice(NUMBERS) + data[found.end() :]


def _remove_span(_: Mutator, random: Random, data: bytes) -> bytes:
    start, end = _span(random, data)
    return data[:start] + data[end:]


def _truncate(_: Mutator, random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] if random.random() < 0.7 else data[at:]


def _repeat_span(_: Mutator, random: Random, data: bytes) -> bytes:
    start, end = _span(random, data)
    times = 3000 if random.random() < LONG_REPEAT else random.choice((2, 2, 3, 3, 5, 5, 20, 20, 200))
    return data[:end] + data[start:end] * times + data[end:]


def _copy_span(_: Mutator, random: Random, data: bytes) -> bytes:
    start, end = _span(random, data)
    at = random.randrange(len(data) + 1)
    return data[:at] + data[start:end] + data[at:]


def _splice(mutator: Mutator, random: Random, data: bytes) -> bytes:
    other = random.choice(mutator.corpus)
    start = random.randrange(len(other) + 1)
    return data[: random.randrange(len(data) + 1)] + other[start:]


def _copy_from_other(mutator: Mutator, random: Random, data: bytes) -> bytes:
    other = random.choice(mutator.corpus)
    start, end = _span(random, other)
    at = random.randrange(len(data) + 1)
    return data[:at] + other[start:end] + data[at:]


def _change_lines(_: Mutator, random: Random, data: bytes) -> bytes:
    lines = _PIECES.findall(data)
    if len(lines) < 2:
        return data
    one, other = random.randrange(len(lines)), random.randrange(len(lines))
    match random.randrange(4):
        case 0:
            lines[one], lines[other] = lines[other], lines[one]
        case 1:
            lines.insert(other, lines[one])
        case 2:
            del lines[min(one, other) : max(one, other)]
        case _:
            random.shuffle(lines)
    return b"".join(lines)


def _encode_anew(_: Mutator, random: Random, data: bytes) -> bytes:
    text = data.decode("utf-8", "replace")
    encoding = random.choice(
        ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "latin-1", "cp1252", "utf-7")
    )
    return text.encode(encoding, "replace")


def _swap_case(_: Mutator, random: Random, data: bytes) -> bytes:
    start, end = _span(random, data)
    return data[:start] + data[start:end].swapcase() + data[end:]


CHANGES: tuple[Change, ...] = (
    *(_flip_a_bit, _change_a_byte, _insert_bytes, _remove_span, _truncate, _repeat_span, _copy_span),
    *(
        _insert_token,
        _insert_token,
        _put_token_for_span,
        _put_token_for_word,
        _put_token_for_word,
        _put_number,
    ),
    *(_splice, _copy_from_other, _change_lines, _swap_case, _encode_anew),
)
