"""What else is odd about a call at a seat's phone: mostly what its trigger lacks. No I/O."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from astcti_server.explain.leg_case import LegCase
from astcti_server.explain.leg_verdict import Outcome, absence, hindrance, outcome_of, popped_up, was_lost
from astcti_server.explain.likeness import nearest
from astcti_server.explain.trail import Step
from schemas.configuration.model import Service
from schemas.event_xml import MAX_VALUE
from schemas.explanation.codes import TrailStep, Verdict
from schemas.explanation.lines import ExplanationLine, listed, unlisted, verdict

LOST_SOON: Final = 60.0
"""Seconds after a pop-up: a client that is lost within the keep-alive time may not have had it."""

_OF_NO_SERVICE: Final = frozenset(
    {
        Verdict.NO_SERVICE.value,
        Verdict.NEARLY_A_SERVICE.value,
        Verdict.SERVICE_DISABLED.value,
        Verdict.NOT_BOUND.value,
        Verdict.NO_DIALPLAN_EVENTS.value,
    }
)
"""Nobody misses a variable there, even if a later conversation of the same phone had a service."""


def oddities(case: LegCase, first: ExplanationLine) -> list[ExplanationLine]:
    """What is to be said beside the verdict `first`, the most telling first."""
    variables = () if first.code in _OF_NO_SERVICE else _of_variables(case)
    found = [*variables, *_of_the_client(case), *_of_the_call(case)]
    said = {(first.code, first.arguments)}
    result = []
    for line in found:
        if (line.code, line.arguments) not in said:
            said.add((line.code, line.arguments))
            result.append(line)
    return result


def _of_variables(case: LegCase) -> Iterator[ExplanationLine]:
    opened = popped_up(case)
    service = _service_of(case)
    if service is None:
        return
    at = opened[0] if opened is not None else case.leg.began
    set_at: dict[str, Step] = {}
    for record in case.parties():
        for step in record.steps:
            if step[1] == TrailStep.VARIABLE_SET:
                set_at.setdefault(step[2], step)
                if int(step[4]) > MAX_VALUE:
                    yield verdict(Verdict.VALUE_CUT, step[0], case.phone, step[2], step[4])
    known = {name for record in case.parties() for name in record.facts.variables} | set(set_at)
    lacked = {str(step[2]).casefold() for step in case.steps(TrailStep.LACKED)}
    for name in service.variables:
        late = set_at.get(name)
        if name.casefold() in lacked and late is not None and late[0] >= at:
            yield verdict(Verdict.VARIABLE_LATE, late[0], case.phone, name, _seconds(late[0] - at))
        elif name not in known and (opened is not None or case.leg.facts.linked):
            yield _never_set(case, name, at, known)
    for name in sorted(known - set(service.variables)):
        others = [each.name for each in _services(case, at) if each.enabled and name in each.variables]
        if others:
            yield verdict(Verdict.VARIABLE_OF_ANOTHER_SERVICE, at, case.phone, name, ", ".join(others))


def _never_set(case: LegCase, name: str, at: float, known: set[str]) -> ExplanationLine:
    near = nearest((*known, *case.heard.variables), [name])
    if near is not None and near[2] != "tail":
        return verdict(Verdict.VARIABLE_OTHER_NAME, at, case.phone, name, near[0])
    if not case.view.dialplan_heard:
        return verdict(Verdict.NO_DIALPLAN_EVENTS, at, case.phone)
    return verdict(Verdict.VARIABLE_NEVER_SET, at, case.phone, name)


def _service_of(case: LegCase) -> Service | None:
    name = case.leg.facts.service
    return next((each for each in _services(case, case.leg.began) if name and each.name == name), None)


def _services(case: LegCase, at: float) -> tuple[Service, ...]:
    return case.view.configuration_at(at).services


def _of_the_client(case: LegCase) -> Iterator[ExplanationLine]:
    opened = popped_up(case)
    if opened is not None:
        yield from _after_pop_up(case, opened)
    elif any(case.steps(TrailStep.NOBODY_THERE)):
        step = case.last(TrailStep.NOBODY_THERE)
        assert step is not None
        yield absence(case, step[0])
    for mark in case.view.between(case.began, case.until):
        if mark.step is TrailStep.TAKEN_OVER and mark.arguments[1] == case.phone:
            yield verdict(Verdict.TAKEN_OVER, mark.at, case.phone, mark.arguments[0], mark.arguments[2])
    rung = [step for step in case.steps(TrailStep.NOT_OPENED) if step[5] == "rung"]
    if rung:
        yield verdict(Verdict.RUNG_BEFORE, rung[-1][0], case.phone)


def _after_pop_up(case: LegCase, opened: Step) -> Iterator[ExplanationLine]:
    at, operator = opened[0], opened[5]
    if opened[2] != "answer":
        yield hindrance(case)
    systems = unlisted(opened[6])
    if systems and "any" not in systems:
        yield verdict(Verdict.OTHER_SYSTEM, at, case.phone, opened[4], listed(systems))
    became = outcome_of(case, opened)
    if became.resumed is not None:
        later = became.resumed[0]
        yield verdict(Verdict.TOLD_LATER, later, case.phone, operator, _seconds(later - at))
    if became != Outcome():
        return
    for mark in case.view.between(at, at + LOST_SOON):
        if (
            mark.step is TrailStep.LOGGED_OUT
            and mark.arguments[0] == operator
            and was_lost(mark.arguments[2])
        ):
            yield verdict(Verdict.CLIENT_LOST_LATER, mark.at, case.phone, operator, _seconds(mark.at - at))


def _of_the_call(case: LegCase) -> Iterator[ExplanationLine]:
    lost = list(case.steps(TrailStep.HELD_EVENTS_LOST))
    if lost:
        yield verdict(Verdict.HELD_EVENTS_LOST, lost[0][0], case.phone, len(lost))
    down: float | None = None
    for mark in case.view.between(case.began, case.until):
        if mark.step is TrailStep.CONFIGURED:
            yield verdict(Verdict.CONFIGURATION_CHANGED, mark.at, case.phone, round(mark.at - case.began))
        elif mark.step is TrailStep.LINK_DOWN:
            down = mark.at
        elif mark.step is TrailStep.LINK_UP and down is not None:
            yield verdict(Verdict.PBX_DOWN, down, case.phone, _seconds(mark.at - down))
    left_out = sum(record.left_out for record in case.parties())
    if left_out:
        yield verdict(Verdict.STEPS_LEFT_OUT, 0.0, case.phone, left_out)


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f}" if seconds < 10 else f"{seconds:.0f}"
