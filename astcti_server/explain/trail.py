"""The trail of one party of a call: what the server decided, and on what ground.

A step is the time, a code of `TrailStep`, and its arguments (strings). Steps stand at decisions, never at
events. While the party is there they are kept as they cost least to note, and to pack at its end: times in
one list, codes and arguments in another, one after the other. Who explains gets tuples. AMI thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from schemas.explanation.codes import TrailStep

Step: TypeAlias = tuple[Any, ...]
"""Seconds since 1970, the code, and its arguments: what a step is for who reads it."""

FIRST_KEPT: Final = 40
LAST_KEPT: Final = 60
STEPS_KEPT: Final = FIRST_KEPT + LAST_KEPT
SHORTEN_AT: Final = 2 * STEPS_KEPT
"""So many times, and the middle is let go of: seldom, since that costs more than a step."""
LONGEST_TEXT: Final = 200
"""Characters of an argument: names of services and values of variables have no other bound."""

_JUST_AFTER: Final = 5e-7
"""Seconds from a pair's step at the one end to that at the other, so that a story has them in this order: the
clock, which costs as much as the rest of a step, is read once for both."""

_OF_ANOTHER: Final = frozenset(
    {
        TrailStep.CONNECTED,
        TrailStep.FOUND_CONNECTED,
        TrailStep.PARTED,
        TrailStep.RUNG_BY,
        TrailStep.TOLD_AGAIN,
    }
)
ARGUMENTS: Final = {code.value: len(code.arguments) + (code in _OF_ANOTHER) for code in TrailStep}
"""How many a step of this code has: those that its words name, and behind them the uniqueid of the other
party where it speaks of one."""


class Trail:
    """Grows while the party is there. A party in a loop keeps its first and its last steps."""

    __slots__ = ("clock", "left_out", "texts", "times")

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.times: list[float] = [clock()]
        """When it began, then the time of each step."""
        self.texts: list[str] = []
        """Of each step the code and its arguments, as many as `ARGUMENTS` says."""
        self.left_out = 0
        """Steps in the middle that are not kept."""

    def add(self, *step: str) -> None:
        """Note a decision: the plain string of a `TrailStep`, and all its arguments."""
        self.texts += step
        times = self.times
        times.append(self.clock())
        if len(times) > SHORTEN_AT:
            self.shorten()

    def add_pair(
        self, other: Trail, code: str, own_device: str, own_id: str, device: str, uniqueid: str
    ) -> None:
        """Note a step of a pair in both trails. The party with `own_device` and `own_id` has this one.

        Written out: four times in each call, and a call of `add` costs as much.
        """
        now = self.clock()
        self.texts += code, device, uniqueid
        self.times.append(now)
        other.texts += code, own_device, own_id
        other.times.append(now + _JUST_AFTER)
        if len(self.times) + len(other.times) > 2 * SHORTEN_AT:
            self.shorten()
            other.shorten()

    def another(self) -> Trail:
        """An empty one, for another party of the same call."""
        return Trail(self.clock)

    def shorten(self) -> None:
        """Keep the first and the last steps only."""
        more = len(self.times) - 1 - STEPS_KEPT
        if more > 0:
            starts = [0]
            for _ in range(FIRST_KEPT + more):
                starts.append(starts[-1] + 1 + ARGUMENTS[self.texts[starts[-1]]])
            del self.texts[starts[FIRST_KEPT] : starts[-1]]
            del self.times[1 + FIRST_KEPT : 1 + FIRST_KEPT + more]
            self.left_out += more


class PartyFacts(NamedTuple):
    """What a party is when its trail is read or ends."""

    uniqueid: str
    """The party's first one, by which clients know a leg."""
    linkedid: str
    device: str
    number: str
    name: str
    exten: str
    caller: str
    """Uniqueid of who rings or rang it; empty if nobody does."""
    path: tuple[str, ...]
    """Uniqueids of the halves of Local channels between it and its caller."""
    variables: tuple[str, ...]
    """Names of the declared variables that it has."""
    state: str
    """The channel's state."""
    end: str
    """What its end means for the seat (`schemas.events.End`); empty while it is there."""
    began_call: bool
    """It called, as far as was seen."""
    extension: str
    """Of the seat whose phone it is; empty if it is none."""
    operator: str
    service: str
    outbound: bool
    """This end called the other one."""
    linked: bool
    talked: bool


FactTexts: TypeAlias = list[str]
"""`PartyFacts` in their order as they are packed: several texts with line feeds between them, a flag as `YES`
or empty."""
YES: Final = "1"
NO_LEG: Final = ("",) * 6
"""What comes behind `began_call` for who is no seat's phone."""


def facts_from(texts: Sequence[str]) -> PartyFacts:
    """What these texts say; there are `len(PartyFacts._fields)`."""
    uniqueid, linkedid, device, number, name, exten, caller, path, variables, state, end, began, *leg = texts
    extension, operator, service, *flags = leg
    return PartyFacts(
        uniqueid,
        linkedid,
        device,
        number,
        name,
        exten,
        caller,
        tuple(path.split("\n")) if path else (),
        tuple(variables.split("\n")) if variables else (),
        state,
        end,
        began == YES,
        extension,
        operator,
        service,
        *[flag == YES for flag in flags],
    )


def texts_of(facts: PartyFacts) -> FactTexts:
    """The texts that `facts_from` makes these facts of."""
    return [_text(fact) for fact in facts]


def _text(fact: str | bool | tuple[str, ...]) -> str:
    if isinstance(fact, bool):
        return YES if fact else ""
    return fact if isinstance(fact, str) else "\n".join(fact)


class PartyRecord(NamedTuple):
    """A trail with the facts of its party, frozen; `ended` is 0 while the party is there."""

    facts: PartyFacts
    began: float
    ended: float
    left_out: int
    steps: tuple[Step, ...]


def snapshot(facts: FactTexts, trail: Trail) -> PartyRecord:
    """The record of a party that is still there."""
    trail.shorten()
    began, *times = trail.times
    return PartyRecord(facts_from(facts), began, 0.0, trail.left_out, steps_from(times, trail.texts))


def steps_from(times: Iterable[float], texts: Sequence[str]) -> tuple[Step, ...]:
    """The steps of these times, of codes and arguments that follow one another."""
    following = iter(texts)
    steps = []
    for time in times:
        # Codes that are none, and too few texts, are what a NUL in one of them would leave.
        code = next(following, "")
        steps.append((time, code, *[next(following, "") for _ in range(ARGUMENTS.get(code, 0))]))
    return tuple(steps)


_NAMES_A_PARTY: Final = {code.value for code in _OF_ANOTHER - {TrailStep.PARTED}}


def related_to(record: PartyRecord) -> set[str]:
    """Uniqueids of the parties that a record names: its caller, halves on the way, and whom it heard."""
    facts = record.facts
    found = {facts.caller, *facts.path, *(step[-1] for step in record.steps if step[1] in _NAMES_A_PARTY)}
    return found - {""}
