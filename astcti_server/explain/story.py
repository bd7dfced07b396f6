"""The story of a call in order: the steps of all its parties, and what happened to the server. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import inf
from typing import Final

from astcti_server.explain.leg_case import LegCase
from astcti_server.explain.server_marks import MarksView
from astcti_server.explain.trail import PartyRecord, Step
from schemas.explanation.codes import TrailStep
from schemas.explanation.lines import ExplanationLine

_OF_THE_CALL: Final = frozenset(
    {
        TrailStep.ENTERED,
        TrailStep.JOINED_QUEUE,
        TrailStep.LEFT_QUEUE,
        TrailStep.VARIABLE_SET,
        TrailStep.RINGS,
        TrailStep.CONNECTED,
        TrailStep.FOUND_CONNECTED,
        TrailStep.HUNG_UP,
    }
)
"""What is told of other parties: not what their own seats were told."""
_OFTEN_SAID: Final = frozenset({TrailStep.RUNG_BY, TrailStep.RING_ENDED})
"""Each Dial of a queue says so again, and both the queue and its Dial say how a ring ended."""
_OF_TWO: Final = frozenset({TrailStep.CONNECTED, TrailStep.FOUND_CONNECTED})


def story_of(case: LegCase) -> list[ExplanationLine]:
    """The leg's steps, and those of its caller and of the outside that have to do with them, in order."""
    lines = list(_of(case.leg, case.leg.steps))
    for record in case.parties()[1:]:
        if record.facts.extension and record.facts.uniqueid != case.leg.facts.caller:
            continue
        lines += _of(record, _concerning(case, record))
    lines += _of_server(case.view, case.began, case.until, case.phone)
    return sorted(lines, key=lambda line: line.at)


def story_of_caller(record: PartyRecord, view: MarksView) -> list[ExplanationLine]:
    """The steps of a party that reached no seat."""
    lines = [*_of(record, record.steps), *_of_server(view, record.began, record.ended or inf, "")]
    return sorted(lines, key=lambda line: line.at)


def _concerning(case: LegCase, record: PartyRecord) -> Iterator[Step]:
    own = case.leg.facts.uniqueid
    for step in record.steps:
        if step[1] in _OF_THE_CALL and step[0] <= case.until and not (step[1] in _OF_TWO and step[3] == own):
            yield step


def _of(record: PartyRecord, steps: Iterable[Step]) -> Iterator[ExplanationLine]:
    facts = record.facts
    phone = facts.extension or facts.device
    if facts.began_call:
        told = (facts.number, facts.name, facts.exten)
        yield ExplanationLine(TrailStep.BEGAN.value, record.began, phone, told, step=True)
    said: dict[str, list[str]] = {}
    for step in steps:
        at, code, *arguments = step
        if code in _OFTEN_SAID:
            if said.get(code) == arguments or (code == TrailStep.RING_ENDED and _is_why(said, arguments)):
                continue
            if code == TrailStep.RUNG_BY:
                said.pop(TrailStep.RING_ENDED, None)
            said[code] = arguments
        yield ExplanationLine(code, at, phone, tuple(map(str, arguments)), step=True)


def _is_why(said: Mapping[str, list[str]], arguments: list[str]) -> bool:
    """A queue that gives a phone up calls its Dial off: that nobody answered was said, and is why."""
    return said.get(TrailStep.RING_ENDED) == ["NOANSWER"] and arguments == ["CANCEL"]


def _of_server(view: MarksView, begin: float, end: float, extension: str) -> Iterator[ExplanationLine]:
    for mark in view.between(begin, end):
        seat = mark.arguments[1] if len(mark.arguments) > 1 else ""
        if not mark.arguments or (seat and seat == extension):
            yield ExplanationLine(mark.step.value, mark.at, seat, mark.arguments, step=True)
