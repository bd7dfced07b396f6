"""The table of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.fuzz.shard import Tried
from tests.fuzz.target import FuzzTarget

SHOWN = 4  # kinds of outcome


@dataclass(frozen=True)
class TableRow:
    """A target with what came of its inputs."""

    target: FuzzTarget
    tried: Tried
    findings: int


def table(rows: Iterable[TableRow]) -> str:
    """As Markdown: a row a target."""
    return "\n".join(_lines(rows)) + "\n"


def _lines(rows: Iterable[TableRow]) -> Iterator[str]:
    yield "| parser | reads | inputs | outcomes | a second | slowest | findings |"
    yield "|---|---|---|---|---|---|---|"
    for row in rows:
        tried = row.tried
        speed = tried.inputs / tried.seconds if tried.seconds else 0.0
        cells = (
            f"`{row.target.name}`",
            row.target.reads,
            f"{tried.inputs:,}",
            outcomes(tried.kinds),
            f"{speed:,.0f}",
            f"{tried.slowest * 1000:.0f} ms",
            str(row.findings),
        )
        yield f"| {' | '.join(cells)} |"


def outcomes(kinds: Counter[str]) -> str:
    """The most frequent kinds with their share."""
    total = max(1, kinds.total())
    parts = [f"{kind} {_share(count / total)}" for kind, count in kinds.most_common(SHOWN)]
    if len(kinds) > SHOWN:
        parts.append(f"{len(kinds) - SHOWN} more")
    return ", ".join(parts).replace("|", "\\|")


def _share(part: float) -> str:
    return f"{part:.0%}" if part >= 0.01 else "< 1%"
