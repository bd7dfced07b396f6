"""At a quiet moment, when the PBX has no call any more, the server knows of none."""

from __future__ import annotations

from collections.abc import Iterator

from tests.endurance.checks.findings import Finding, Wrong
from tests.endurance.checks.growth import Sample


def check_rest(sample: Sample | None, at: float) -> Iterator[Finding]:
    """What the server says of itself; `sample` is None if it did not answer, which is no proof of rest."""
    if sample is None:
        yield Finding(Wrong.BROKEN_PROMISE, at, "the server does not say how many calls it knows")
    elif sample.values["calls"]:
        text = f"the server knows {sample.values['calls']:.0f} calls, and the PBX has none"
        yield Finding(Wrong.STUCK_CALL, at, text)


def check_log(log: str, at: float) -> Iterator[Finding]:
    """No part of the server failed by a mistake of its own."""
    for word in ("Traceback", " CRITICAL "):
        if word in log:
            where = log.index(word)
            text = f"the server's log has: {log[max(0, where - 300) : where + 900]}"
            yield Finding(Wrong.BROKEN_PROMISE, at, text)
