"""Rows for people, aligned. Pure."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from schemas.log_lines import harmless


def aligned(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The titles and the rows, each column as wide as its longest text. No text breaks its line."""
    lines = [titles, *[[harmless(text) for text in row] for row in rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(titles))]
    for line in lines:
        yield "  ".join(f"{text:<{width}}" for text, width in zip(line, widths, strict=True)).rstrip()


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
