"""When each seat was reachable, by what it wrote down itself and by what the fault log says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.endurance.history import Fact

AHEAD = 1.0  # seconds before a fault: what was on its way then may be lost with it


@dataclass(frozen=True, slots=True)
class Fault:
    """One disturbance: of which seats, from when to when, and how long its effects may last after that."""

    kind: str
    begin: float
    end: float
    seats: frozenset[str] | None
    """None: all."""
    settle: float
    """Seconds."""

    def concerns(self, seat: str) -> bool:
        return self.seats is None or seat in self.seats


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A time in which something was so."""

    begin: float
    end: float

    def holds(self, at: float) -> bool:
        return self.begin <= at <= self.end

    def meets(self, other: Span) -> bool:
        return self.begin <= other.end and other.begin <= self.end


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same times, without overlap, in their order."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.begin <= found[-1].end:
            found[-1] = Span(found[-1].begin, max(found[-1].end, span.end))
        else:
            found.append(span)
    return found


@dataclass
class SeatTimes:
    """A seat's life, told fact by fact."""

    seat: str
    away: list[Span] = field(default_factory=list)
    """Not logged in."""
    without_pbx: list[Span] = field(default_factory=list)
    """Logged in, but the server has no link to the PBX."""
    up: bool = False
    pbx_up: bool = True
    resumes: bool = False
    paused: bool = False
    queues: set[str] = field(default_factory=set)
    killed: list[float] = field(default_factory=list)
    """When its client's process was."""
    _away_since: float | None = None
    _without_since: float | None = None

    def take(self, fact: Fact) -> None:
        """The next fact that concerns this seat."""
        at = fact["at"]
        match fact["what"]:
            case "began" | "killed" | "down" as what:
                if what == "killed":
                    self.killed.append(at)
                self._go(at)
            case "up":
                if self._away_since is not None:
                    self.away.append(Span(self._away_since, at))
                    self._away_since = None
                self.up = True
            case "pbx":
                self._pbx(at, up=fact["up"])
            case "resumes":
                self.resumes = True
            case "paused":
                self.paused = fact["paused"]
            case "joined":
                self.queues.add(fact["queue"])
            case "left":
                self.queues.discard(fact["queue"])

    def close(self, at: float) -> None:
        """Nothing more comes."""
        for since, spans in ((self._away_since, self.away), (self._without_since, self.without_pbx)):
            if since is not None:
                spans.append(Span(since, at))

    def _go(self, at: float) -> None:
        self._pbx(at, up=True)
        self.up = False
        self.queues.clear()
        if self._away_since is None:
            self._away_since = at

    def _pbx(self, at: float, *, up: bool) -> None:
        if not up and self._without_since is None:
            self._without_since = at
        elif up and self._without_since is not None:
            self.without_pbx.append(Span(self._without_since, at))
            self._without_since = None
        self.pbx_up = up

    def broken(self, faults: Sequence[Fault]) -> list[Span]:
        """When a call could not be told in time, since a fault that concerns this seat was there."""
        own = [Span(fault.begin - AHEAD, fault.end) for fault in faults if fault.concerns(self.seat)]
        reached = [
            Span(fault.begin - AHEAD, fault.end + fault.settle)
            for fault in faults
            if fault.concerns(self.seat)
        ]
        lost = [Span(span.begin - AHEAD, span.end) for span in (*self.away, *self.without_pbx)]
        return merged([*own, *(span for span in lost if any(span.meets(time) for time in reached))])

    def unexplained(self, faults: Sequence[Fault]) -> list[Span]:
        """When the seat was away and no fault says why, or for longer than any fault may have it."""
        reached = merged(
            Span(fault.begin - AHEAD, fault.end + fault.settle)
            for fault in faults
            if fault.concerns(self.seat)
        )
        return [
            span
            for span in (*self.away, *self.without_pbx)
            if not any(time.begin <= span.begin and span.end <= time.end for time in reached)
        ]


def follow(facts: Iterable[Fact], seats: dict[str, SeatTimes]) -> None:
    """Hand each fact to the seat it is of."""
    for fact in facts:
        names = fact["seats"] if "seats" in fact else (fact["seat"],)
        for name in names:
            seats.setdefault(name, SeatTimes(name)).take(fact)
