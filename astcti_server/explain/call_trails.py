"""Makes the trails of the calls of the moment, and keeps those of ended ones. AMI thread only."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from astcti_server.explain.kept_trails import KeptTrails
from astcti_server.explain.packed_trails import pack, pack_record, unpack
from astcti_server.explain.trail import STEPS_KEPT, FactTexts, PartyFacts, PartyRecord, Trail
from schemas.explanation.codes import TrailStep

_HUNG_UP = TrailStep.HUNG_UP.value


class CallTrails:
    """Hands a trail to each party that matters, and takes it back at the party's end."""

    def __init__(self, clock: Callable[[], float] = time.time, kept: KeptTrails | None = None) -> None:
        """`clock` tells seconds since 1970; of a recording, those of the recording."""
        self.clock = clock
        self.begin: Callable[[], Trail] = partial(Trail, clock)
        """Gives a trail for a party. No method: a call of C costs less."""
        self.kept = kept if kept is not None else KeptTrails()

    def end(self, facts: FactTexts, trail: Trail, cause: int, meaning: str) -> None:
        """The party is gone, for this cause (Q.850) as Asterisk words it."""
        now = self.clock()
        trail.texts += _HUNG_UP, str(cause), meaning  # as `Trail.add` does: a call costs as much
        trail.times.append(now)
        self.kept.keep(facts[0], pack(facts, trail, now), now)

    def facts_of_ended(self, extension: str, uniqueid: str) -> PartyFacts | None:
        """What a seat's leg was at its end; None if it is not kept (any more), or not of this seat."""
        record = self._ended(extension, uniqueid)
        return record.facts if record is not None else None

    def add_to_ended(self, extension: str, uniqueid: str, code: str, *arguments: str) -> None:
        """Note what is said of a seat's leg after its end: of its last triggers, or that it was not told.

        Nothing happens if the call is not kept any more, or enough was said of it.
        """
        record = self._ended(extension, uniqueid)
        if record is not None and len(record.steps) < STEPS_KEPT:
            steps = (*record.steps, (self.clock(), code, *arguments))
            self.kept.replace(uniqueid, pack_record(record._replace(steps=steps)))

    def _ended(self, extension: str, uniqueid: str) -> PartyRecord | None:
        packed = self.kept.find(uniqueid)
        record = unpack(packed) if packed is not None else None
        return record if record is not None and record.facts.extension == extension else None
