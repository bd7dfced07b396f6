"""The table of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from tests.fuzz.campaign import TargetResult

SHOWN = 4  # kinds of outcome


def table(results: Iterable[TargetResult]) -> str:
    """As Markdown: a row a target."""
    return "\n".join(_rows(results)) + "\n"


def _rows(results: Iterable[TargetResult]) -> Iterator[str]:
    yield "| parser | reads | inputs | outcomes | a second | slowest | findings |"
    yield "|---|---|--:|---|--:|--:|--:|"
    for result in results:
        tried = result.tried
        speed = tried.inputs / tried.seconds if tried.seconds else 0.0
        cells = (
            f"`{result.target.name}`",
            result.target.reads,
            f"{tried.inputs:,}",
            outcomes(tried.kinds),
            f"{speed:,.0f}",
            f"{tried.slowest * 1000:.0f} ms",
            str(len(result.findings)),
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
