"""What the server would cost if it noted nothing for explanations: only ever in a process that measures."""

from __future__ import annotations

import time
from typing import Any, Final

from astcti_server.calls import notifier, pairing, rendering, tracker, trail_notes
from astcti_server.explain.call_trails import CallTrails
from astcti_server.explain.kept_trails import KeptTrails
from astcti_server.explain.trail import FactTexts, Trail

KEPT: Final = 100_000
"""Bytes: full from the beginning, so that each call that ends lets an older one go, as after a server's first
hour."""
_OLDER: Final = 400
"""Bytes of each of those older ones: a usual size."""


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
        self._nothing = _NoTrail()

    def begin(self) -> Trail:
        return self._nothing

    def end(self, facts: FactTexts, trail: Trail, cause: int, meaning: str) -> None:
        pass


def trails_kept() -> CallTrails:
    """As the server keeps them, with room for few, which is used up."""
    kept = KeptTrails(KEPT)
    for number in range(KEPT // _OLDER):
        kept.keep(f"older-{number}", bytes(_OLDER), time.time())
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
