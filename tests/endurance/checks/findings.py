"""What a check finds wrong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Wrong(Enum):
    """The kinds of wrong. There is no other."""

    LOST = "lost"
    DOUBLED = "doubled"
    WRONG_SEAT = "wrong seat"
    WRONG_DATA = "wrong data"
    INVENTED = "never answered"
    """Shown, but nobody answered such a call."""
    LATE = "late"
    AWAY = "away without a reason"
    STUCK_MEMBER = "stuck member"
    MISSING_MEMBER = "missing member"
    WRONG_MEMBER = "wrong penalty or pause"
    STUCK_CALL = "stuck call"
    GROWTH = "growth"
    BROKEN_PROMISE = "broken promise"
    """A fault was not met as it should be: a second server that ran, a process that ended by itself."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, in a sentence."""

    wrong: Wrong
    at: float
    text: str
