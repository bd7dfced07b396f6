"""What the server would cost if it noted nothing for explanations: only ever in a process that measures."""

from __future__ import annotations

import time
from typing import Any, Final

from astcti_server.calls import notifier, pairing, rendering, tracker, trail_notes
from astcti_server.explain.call_trails import CallTrails
from astcti_server.explain.kept_trails import ENTRY_COST, KeptTrails
from astcti_server.explain.trail import FactTexts, Trail

_KEPT: Final = 4 * 1024 * 1024
"""Bytes: less than a server has, since a larger dictionary is made anew once in 40,000 calls, which could be
among the few that are counted; and so many that room is made for several at a time, as there."""
_OLDER: Final = bytes(400)
"""Of a usual size."""


class _NoTrail(Trail):
    """Takes everything, and keeps nothing."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(float)

    def add(self, *step: str) -> None:
        pass

    def another(self) -> Trail:
        return self


class _NoTrails(CallTrails):
    """One trail for all parties, of which nothing stays."""

    def __init__(self) -> None:
        super().__init__()
        nothing = _NoTrail()
        self.begin = lambda: nothing

    def end(self, facts: FactTexts, trail: Trail, cause: int, meaning: str) -> None:
        pass


def trails_kept() -> CallTrails:
    """As the server keeps them, and full at once: calls that end let older ones go, as after an hour."""
    kept = KeptTrails(_KEPT)
    now = time.time()
    for number in range(_KEPT // (ENTRY_COST + len(_OLDER))):
        kept.keep(f"older-{number}", _OLDER, now)
    return CallTrails(kept=kept)


def no_trails() -> CallTrails:
    """Trails that keep nothing. From now on this process does not even look at what they would be told."""
    for module in (notifier, pairing, rendering, tracker):
        for name, found in list(vars(module).items()):
            if getattr(found, "__module__", "") == trail_notes.__name__:
                setattr(module, name, _nothing)
    return _NoTrails()


def _nothing(*_arguments: Any, **_named: Any) -> None:
    pass
