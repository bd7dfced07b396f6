"""Names that nearly are one another: people write them by hand, in the dialplan and in the configuration."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

NameDifference = Literal["case", "blank", "tail", "technology"]

_SHORTEST_TAIL = 3
"""Characters that a name has in common with a longer one, at least."""


def nearest(seen: Iterable[str], configured: Iterable[str]) -> tuple[str, str, NameDifference] | None:
    """What was seen and what is configured, of the two that differ least, and in what they do."""
    seen, configured = list(seen), list(configured)
    for difference in ("case", "blank", "tail"):
        for one in seen:
            for other in configured:
                if one != other and differs_in(one, other) == difference:
                    return one, other, difference
    return None


def differs_in(one: str, other: str) -> NameDifference | None:
    """In what alone two names differ; None if they have little in common."""
    if one.casefold() == other.casefold():
        return "case"
    if "".join(one.split()).casefold() == "".join(other.split()).casefold():
        return "blank"
    short, long = sorted((one.casefold().strip(), other.casefold().strip()), key=len)
    if len(short) >= _SHORTEST_TAIL and long.startswith(short):
        return "tail"
    return None


def same_phone(one: str, other: str) -> bool:
    """Whether two devices have one name, of different channel drivers: `SIP/201` and `PJSIP/201`."""
    return one != other and (
        one.casefold() == other.casefold()
        or one.partition("/")[2].casefold() == other.partition("/")[2].casefold()
    )
