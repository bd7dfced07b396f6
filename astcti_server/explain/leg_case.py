"""A seat's leg with everything that may say something of it. Frozen; no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from astcti_server.explain.heard_names import HeardNames
from astcti_server.explain.server_marks import MarksView
from astcti_server.explain.trail import PartyRecord, Step
from schemas.explanation.codes import TrailStep

Related = Mapping[str, PartyRecord]
"""Other parties of the call, by uniqueid."""

MET: Final = (TrailStep.CONNECTED, TrailStep.FOUND_CONNECTED)
"""The steps at which two parties come to hear each other for the first time."""


class LegCase(NamedTuple):
    """A leg, and everything that may say something of it."""

    leg: PartyRecord
    related: Related
    view: MarksView
    heard: HeardNames = HeardNames()
    """What the kept bytes say of its call, beside the trail."""

    def having_heard(self, heard: HeardNames) -> LegCase:
        """The same with what the kept bytes say."""
        return self._replace(heard=heard)

    @property
    def phone(self) -> str:
        """The seat's extension."""
        return self.leg.facts.extension

    @property
    def caller(self) -> PartyRecord | None:
        """Who rang it; else, of one that called, nobody."""
        return self.related.get(self.leg.facts.caller)

    @property
    def began(self) -> float:
        """When the call began, as far as is known."""
        return min(self.leg.began, self.caller.began) if self.caller is not None else self.leg.began

    @property
    def dialplan_ids(self) -> frozenset[str]:
        """Uniqueids of those whose way through the dialplan tells the service."""
        facts = self.leg.facts
        own = [facts.uniqueid] if facts.outbound else [facts.caller]
        return frozenset([*own, *facts.path]) - {""}

    @property
    def until(self) -> float:
        """When it ended; now is later than everything."""
        return self.leg.ended or float("inf")

    def steps(self, *codes: TrailStep) -> Iterator[Step]:
        """The leg's own steps with these codes."""
        return (step for step in self.leg.steps if step[1] in codes)

    def last(self, *codes: TrailStep) -> Step | None:
        """The last of `steps`."""
        return next((step for step in reversed(self.leg.steps) if step[1] in codes), None)

    def parties(self) -> list[PartyRecord]:
        """The leg, its caller, the halves on the way, and whom it talked to."""
        named = [self.leg.facts.caller, *self.leg.facts.path]
        named += [step[3] for step in self.steps(*MET)]
        found = {name: self.related[name] for name in named if name in self.related}
        return [self.leg, *found.values()]
