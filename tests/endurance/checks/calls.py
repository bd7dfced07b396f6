"""Each answered call was shown once, at its seat, with its data, in time; or a fault says why not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from tests.endurance.checks.findings import Finding, Wrong
from tests.endurance.checks.seat_times import Fault, SeatTimes, Span
from tests.endurance.history import Fact
from tests.endurance.office import Office

ANSWER, HANGUP = "answer", "hangup"
DATA = ("other", "number", "name", "digits", "queue")
KEPT = 180.0  # seconds for which an answered call that was not shown is kept for a seat
LATE_POP_UP = 30.0  # seconds: the same for a client that does not resume, while only the PBX was away
STILL_THERE = 5.0  # seconds that a call must go on after a seat is back; one that ends sooner may be missed


@dataclass(frozen=True, slots=True)
class Limits:
    """In seconds."""

    shown: float = 5.0
    """From the answer to the page."""
    caught_up: float = 15.0
    """From the moment when all is well again to the page of a call that was answered before."""


@dataclass
class CallTally:
    """How the calls went."""

    answered: int = 0
    shown: int = 0
    caught_up: int = 0
    """Shown after a fault."""
    excused: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Not shown, by the kinds of fault that were going on."""
    interrupted: int = 0
    """Their client was killed while it opened the page; the card offers it."""
    wrapped_up: int = 0
    """Pages at the end of a call."""
    delays: list[float] = field(default_factory=list)
    """Seconds from answer to page, where nothing was wrong."""


@dataclass
class _Answered:
    at: float
    end: float
    fact: Fact


def answered_calls(pbx: Iterable[Fact], over: float) -> dict[str, _Answered]:
    """By the leg's id. A PBX that starts has no calls."""
    calls: dict[str, _Answered] = {}
    running: set[str] = set()
    for fact in pbx:
        match fact["what"]:
            case "answered":
                calls[fact["leg"]] = _Answered(fact["at"], over, fact)
                running.add(fact["leg"])
            case "ended" if fact["leg"] in running:
                running.discard(fact["leg"])
                calls[fact["leg"]].end = fact["at"]
            case "killed":
                for leg in running:
                    calls[leg].end = fact["at"]
                running.clear()
    return calls


class CallCheck:
    """`run` it once, then look at `tally`."""

    def __init__(
        self,
        pbx: Iterable[Fact],
        shown: Iterable[Fact],
        seats: dict[str, SeatTimes],
        faults: Sequence[Fault],
        *,
        over: float,
        limits: Limits,
    ) -> None:
        """`shown` are the facts of that name and of `not-shown`, in any order; `over`: when the run ended."""
        self._calls = answered_calls(pbx, over)
        self._seats, self._faults, self._limits = seats, faults, limits
        self._over = over
        self._broken = {name: times.broken(faults) for name, times in seats.items()}
        self._shown: dict[tuple[str, str], list[Fact]] = defaultdict(list)
        self._not_shown: dict[tuple[str, str], list[Fact]] = defaultdict(list)
        for fact in sorted(shown, key=lambda fact: fact["at"]):
            known = self._shown if fact["what"] == "shown" else self._not_shown
            known[fact["moment"], fact["leg"]].append(fact)
        self.tally = CallTally()

    def run(self) -> Iterator[Finding]:
        """All that is wrong."""
        for (_moment, leg), facts in self._shown.items():
            if leg not in self._calls:
                yield Finding(Wrong.INVENTED, facts[0]["at"], f"{leg} at {facts[0]['seat']}")
        for leg, call in self._calls.items():
            self.tally.answered += 1
            answers = self._shown.get((ANSWER, leg), [])
            ends = self._shown.get((HANGUP, leg), [])
            yield from self._place_and_data(call, [*answers, *ends])
            for facts in (answers, ends):
                if len(facts) > 1:
                    times = ", ".join(f"{fact['at'] - call.at:.1f} s" for fact in facts)
                    yield Finding(
                        Wrong.DOUBLED, call.at, f"{facts[0]['moment']} of {_words(call)} after {times}"
                    )
            if answers:
                yield from self._in_time(call, answers[0]["at"])
            elif self._interrupted(call):
                self.tally.interrupted += 1
            elif (reason := self._must_be_shown(call)) is not None:
                yield Finding(Wrong.LOST, call.at, f"{_words(call)}: {reason}")
            self.tally.wrapped_up += bool(ends)
            if not ends and self._undisturbed(call):
                yield Finding(Wrong.LOST, call.end, f"the end of {_words(call)}")

    def _place_and_data(self, call: _Answered, facts: list[Fact]) -> Iterator[Finding]:
        phone = call.fact["phone"]
        expected = {name: call.fact[name] for name in DATA} | {
            "phone": phone,
            "operator": Office.operator(phone),
        }
        for fact in facts:
            if fact["seat"] != phone:
                yield Finding(Wrong.WRONG_SEAT, fact["at"], f"{_words(call)} at {fact['seat']}")
                continue
            wrong = {name: fact.get(name) for name, value in expected.items() if fact.get(name) != value}
            if wrong:
                yield Finding(Wrong.WRONG_DATA, fact["at"], f"{_words(call)}: {wrong}, answered {call.fact}")

    def _in_time(self, call: _Answered, at: float) -> Iterator[Finding]:
        span = self._trouble(call)
        self.tally.shown += 1
        if span is None:
            self.tally.delays.append(at - call.at)
            if at - call.at > self._limits.shown:
                yield Finding(Wrong.LATE, call.at, f"{_words(call)} after {at - call.at:.1f} s")
            return
        self.tally.caught_up += 1
        if at > max(span.end, call.at) + self._limits.caught_up:
            text = f"{_words(call)} after {at - call.at:.1f} s, {at - span.end:.1f} s after all was well"
            yield Finding(Wrong.LATE, call.at, text)

    def _must_be_shown(self, call: _Answered) -> str | None:
        """Why it had to be; None with a fault to excuse it, or where the run ended."""
        if call.at + self._limits.shown > self._over:
            return None
        span = self._trouble(call)
        if span is None:
            return "nothing was wrong then"
        until = span.end + STILL_THERE
        if min(call.end, self._over) < until:
            self._excuse(span)
            return None
        times = self._seats.get(call.fact["phone"])
        if times is not None and times.resumes:
            if until - call.at > KEPT:
                self._excuse(span)
                return None
            return "the seat was back while it went on, and resumes"
        if times is None or any(away.meets(span) for away in times.away) or until - call.at > LATE_POP_UP:
            self._excuse(span)
            return None
        return "the seat was there all the time, and the PBX came back while it went on"

    def _excuse(self, span: Span) -> None:
        kinds = {fault.kind for fault in self._faults if Span(fault.begin, fault.end).meets(span)}
        if not kinds:
            kinds = {
                fault.kind
                for fault in self._faults
                if Span(fault.begin, fault.end + fault.settle).meets(span)
            }
        self.tally.excused[" + ".join(sorted(kinds))] += 1

    def _interrupted(self, call: _Answered) -> bool:
        """Whether the client said so, and was killed in the time in which it would have opened the page."""
        times = self._seats.get(call.fact["phone"])
        said = any(fact["why"] == "interrupted" for fact in self._not_shown[ANSWER, call.fact["leg"]])
        until = call.at + self._limits.caught_up
        return said and times is not None and any(call.at <= at <= until for at in times.killed)

    def _undisturbed(self, call: _Answered) -> bool:
        """Whether nothing was wrong from the answer to the end, which the seat has to hear of."""
        if call.end + self._limits.shown > self._over:
            return False
        whole = Span(call.at, call.end + self._limits.shown)
        return not any(span.meets(whole) for span in self._broken.get(call.fact["phone"], ()))

    def _trouble(self, call: _Answered) -> Span | None:
        """The time of trouble that the answer fell into."""
        near = Span(call.at, call.at + self._limits.shown)
        return next((span for span in self._broken.get(call.fact["phone"], ()) if span.meets(near)), None)


def _words(call: _Answered) -> str:
    fact = call.fact
    return f"{fact['leg']} ({fact['digits']}) answered at {fact['phone']} for {call.end - call.at:.1f} s"
