"""Rows for people, aligned, and long lines folded. Pure."""

from __future__ import annotations

import re
import textwrap
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from schemas.log_lines import harmless

_COLUMNS: Final = re.compile(r"(?:.*\S)? {2,}(?=\S)")


def aligned(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The titles and the rows, each column as wide as its longest text. No text breaks its line."""
    lines = [titles, *[[harmless(text) for text in row] for row in rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(titles))]
    for line in lines:
        yield "  ".join(f"{text:<{width}}" for text, width in zip(line, widths, strict=True)).rstrip()


def folded(line: str, width: int) -> list[str]:
    """The line in lines of at most so many characters, cut between words: what goes on stands under the text
    of the last column. A word that is longer stays whole."""
    if len(line) <= width:
        return [line]
    columns = _COLUMNS.match(line)
    begin = columns.end() if columns is not None and columns.end() <= width // 2 else 0
    return textwrap.wrap(
        line[begin:],
        width,
        initial_indent=line[:begin],
        subsequent_indent=" " * (begin or 4),
        break_long_words=False,
        break_on_hyphens=False,
    )


def how_long(written: str, now: float | None = None) -> str:
    """Since a time as the server writes it, short: `12:05`, `1:02:05`, `3 d`; empty if there is none."""
    if not written:
        return ""
    moment = time.time() if now is None else now
    seconds = max(0, int(moment - datetime.fromisoformat(written).timestamp()))
    if seconds >= 2 * 86400:
        return f"{seconds // 86400} d"
    minutes = f"{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{seconds // 3600}:{minutes}" if seconds >= 3600 else minutes


def counted(number: int, what: str) -> str:
    """`1 call`, `2 calls`."""
    return f"{number} {what}{'' if number == 1 else 's'}"
