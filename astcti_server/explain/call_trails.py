"""Makes the trails of the calls of the moment, and keeps those of ended ones. AMI thread only."""

from __future__ import annotations

import time
from collections.abc import Callable

from astcti_server.explain.kept_trails import KeptTrails
from astcti_server.explain.trail import PartyFacts, Trail, pack


class CallTrails:
    """Hands a trail to each party that matters, and takes it back at the party's end."""

    def __init__(self, clock: Callable[[], float] = time.time, kept: KeptTrails | None = None) -> None:
        """`clock` tells seconds since 1970; of a recording, those of the recording."""
        self.clock = clock
        self.kept = kept if kept is not None else KeptTrails()

    def begin(self) -> Trail:
        """A trail for a party."""
        return Trail(self.clock)

    def end(self, facts: PartyFacts, trail: Trail) -> None:
        """The party is gone."""
        now = self.clock()
        self.kept.keep(facts.uniqueid, pack(facts, trail, now), now)
