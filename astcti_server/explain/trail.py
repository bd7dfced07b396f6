"""The trail of one party of a call: what the server decided, and on what ground.

A step is a plain tuple: seconds since 1970, a code of `TrailStep`, and its arguments (strings).
Steps stand at decisions, never at events. AMI thread only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeAlias

from schemas.explanation.codes import TrailStep

Step: TypeAlias = tuple[Any, ...]

FIRST_KEPT: Final = 40
LAST_KEPT: Final = 60
_SHORTEN_AT: Final = 2 * (FIRST_KEPT + LAST_KEPT)
"""So many steps, and the middle is let go of: seldom, since that costs more than a step."""
LONGEST_TEXT: Final = 200
"""Characters of an argument: names of services and values of variables have no other bound."""


class Trail:
    """Grows while the party is there. A party in a loop keeps its first and its last steps."""

    __slots__ = ("_clock", "began", "left_out", "steps")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.began: float = clock()
        self.steps: list[Step] = []
        self.left_out = 0
        """Steps in the middle that are not kept."""

    def add(self, code: str, *arguments: str) -> None:
        """Note a decision. `code` is the plain string of a `TrailStep`."""
        steps = self.steps
        steps.append((self._clock(), code) + arguments)  # noqa: RUF005  # half of what unpacking costs
        if len(steps) >= _SHORTEN_AT:
            self.shorten()

    def another(self) -> Trail:
        """An empty one, for another party of the same call."""
        return Trail(self._clock)

    def shorten(self) -> None:
        """Keep the first and the last steps only."""
        more = len(self.steps) - FIRST_KEPT - LAST_KEPT
        if more > 0:
            del self.steps[FIRST_KEPT : FIRST_KEPT + more]
            self.left_out += more


class PartyFacts(NamedTuple):
    """What a party is when its trail is read or ends. Plain texts and flags only: it goes through marshal."""

    uniqueid: str
    """The party's first one, by which clients know a leg."""
    linkedid: str
    device: str
    number: str
    name: str
    exten: str
    began_call: bool
    """It called, as far as was seen."""
    caller: str
    """Uniqueid of who rings or rang it; empty if nobody does."""
    path: tuple[str, ...]
    """Uniqueids of the halves of Local channels between it and its caller."""
    variables: tuple[str, ...]
    """Names of the declared variables that it has."""
    extension: str
    """Of the seat whose phone it is; empty if it is none."""
    operator: str
    service: str
    state: str
    """The channel's state."""
    outbound: bool
    """This end called the other one."""
    linked: bool
    talked: bool
    end: str
    """What its end means for the seat (`schemas.events.End`); empty while it is there."""


class PartyRecord(NamedTuple):
    """A trail with the facts of its party, frozen; `ended` is 0 while the party is there."""

    facts: PartyFacts
    began: float
    ended: float
    left_out: int
    steps: tuple[Step, ...]


def snapshot(facts: PartyFacts, trail: Trail) -> PartyRecord:
    """The record of a party that is still there."""
    trail.shorten()
    return PartyRecord(facts, trail.began, 0.0, trail.left_out, tuple(trail.steps))


_NAMES_A_PARTY: Final = {
    code.value for code in (TrailStep.CONNECTED, TrailStep.FOUND_CONNECTED, TrailStep.TOLD_AGAIN)
}


def related_to(record: PartyRecord) -> set[str]:
    """Uniqueids of the parties that a record names: its caller, halves on the way, and whom it heard."""
    facts = record.facts
    found = {facts.caller, *facts.path, *(step[3] for step in record.steps if step[1] in _NAMES_A_PARTY)}
    found |= {step[4] for step in record.steps if step[1] == TrailStep.RUNG_BY}
    return found - {""}
