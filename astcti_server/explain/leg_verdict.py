"""What the trail of a seat's leg says: did it pop up, and if not, what hindered first. No I/O."""

from __future__ import annotations

from typing import Final, NamedTuple

from astcti_server.explain.leg_case import MET, LegCase
from astcti_server.explain.server_marks import MarksView
from astcti_server.explain.service_verdict import service_verdict
from astcti_server.explain.trail import Step
from schemas.events import MOMENT_OF
from schemas.explanation.codes import VERDICT_OF_FAILURE, TrailStep, Verdict
from schemas.explanation.lines import ExplanationLine, listed, unlisted, verdict
from schemas.protocol import TriggerFailure

MOMENTS: Final = ("answer", "ring", "hangup")
"""Of several pop-ups the first of these is the one that an agent means."""
_CALLING: Final = ("Ring", "Up", "Dialing")
"""States of a phone that calls; one that is rung is never in them before it answered."""
_EVENT_OF: Final = {moment: event for event, moment in MOMENT_OF.items()}


class Outcome(NamedTuple):
    """What became of triggers that were sent, as far as the client said, and the server noticed."""

    refused: Step | None = None
    """The client did not carry one out."""
    shown: Step | None = None
    resumed: Step | None = None
    """The client was away and came back for it."""
    lost: Step | None = None
    """It could not be told, and did not come back."""


def popped_up(case: LegCase) -> Step | None:
    """The step at which triggers were sent; of several the one that counts most."""
    opened = list(case.steps(TrailStep.OPENED))
    return min(opened, key=lambda step: MOMENTS.index(step[2]), default=None)


def leg_verdict(case: LegCase) -> ExplanationLine:
    """What to say first."""
    opened = popped_up(case)
    if opened is not None:
        return _of_pop_up(case, opened)
    return _of_lost_ring(case) or hindrance(case)


def _of_lost_ring(case: LegCase) -> ExplanationLine | None:
    """Its service would have opened something when it rang, but that event was not kept so long."""
    lost = list(case.steps(TrailStep.HELD_EVENTS_LOST))
    told = (step for step in case.steps(TrailStep.OPENED, TrailStep.NOT_OPENED) if step[2] == "ring")
    if not lost or "ring" not in unlisted(_moments(case, lost[0][0], case.leg.facts.service)) or any(told):
        return None
    return verdict(Verdict.HELD_EVENTS_LOST, lost[0][0], case.phone, len(lost))


def hindrance(case: LegCase) -> ExplanationLine:
    """Why nothing popped up when the call was answered, whatever did at another moment."""
    if case.last(*MET) is not None:
        return _of_conversation(case)
    return _of_ring(case)


def outcome_of(case: LegCase, opened: Step) -> Outcome:
    """What became of the triggers that were sent at this step."""
    found, moment = Outcome(), opened[2]
    steps = case.leg.steps
    for step in steps[steps.index(opened) + 1 :]:
        match step[1:]:
            case (TrailStep.TRIGGER_REFUSED, _reason, at) if at == moment and found.refused is None:
                found = found._replace(refused=step)
            case (TrailStep.SHOWN, _, at) | (TrailStep.ON_SCREEN, at) if at == moment and found.shown is None:
                found = found._replace(shown=step)
            case (TrailStep.RESUMED, _operator, event) if event == _EVENT_OF[moment]:
                found = found._replace(resumed=step, lost=None)
            case (TrailStep.NOT_DELIVERED, _operator, event) if event == _EVENT_OF[moment]:
                found = found._replace(lost=step)
    return found


def _of_pop_up(case: LegCase, opened: Step) -> ExplanationLine:
    at, _code, moment, _count, service, operator, systems = opened
    became = outcome_of(case, opened)
    if became.refused is not None:
        if became.refused[2] == TriggerFailure.OTHER_SYSTEM:
            return verdict(Verdict.OTHER_SYSTEM, became.refused[0], case.phone, service, systems)
        code = VERDICT_OF_FAILURE.get(became.refused[2], Verdict.TRIGGER_FAILED)
        return verdict(code, became.refused[0], case.phone, operator)
    if became.resumed is not None:
        at = became.resumed[0]
    told = (case.phone, operator, service, moment)
    if became.shown is not None:
        if became.shown[1] == TrailStep.SHOWN:
            return verdict(Verdict.SHOWN, at, case.phone, *told, became.shown[2])
        return verdict(Verdict.POPPED_UP, at, case.phone, *told)
    if became.lost is not None:
        return verdict(Verdict.CLIENT_LOST, became.lost[0], case.phone, operator)
    lost_at = None if became.resumed is not None else _lost_before(case.view, at, operator)
    if lost_at is not None:
        return verdict(Verdict.CLIENT_LOST, lost_at, case.phone, operator)
    return verdict(Verdict.POPPED_UP, at, case.phone, *told)


def _lost_before(view: MarksView, at: float, operator: str) -> float | None:
    """When the operator's client was lost, if it was not back by then: events are kept for it a while."""
    marks = [mark for mark in view.marks if mark.at <= at and mark.arguments[:1] == (operator,)]
    if marks and marks[-1].step is TrailStep.LOGGED_OUT and was_lost(marks[-1].arguments[2]):
        return marks[-1].at
    return None


def _of_conversation(case: LegCase) -> ExplanationLine:
    """It was connected with somebody, and no trigger was sent."""
    step = case.last(TrailStep.NOBODY_THERE, TrailStep.UNMATCHED, TrailStep.NOT_OPENED)
    met = case.last(*MET)
    assert met is not None
    if step is None:
        return verdict(Verdict.NOT_YET, met[0], case.phone)
    if step[1] == TrailStep.NOBODY_THERE:
        return absence(case, step[0])
    if step[1] == TrailStep.UNMATCHED:
        return service_verdict(case, step)
    at, _code, _moment, service, operator, reason = step
    match reason:
        case "repeat":
            return _of_repeat(case, at, operator)
        case "caller-left":
            return verdict(Verdict.CALLER_LEFT, at, case.phone)
        case "direction":
            code = Verdict.INBOUND_AT_CALLING_END
            if not case.leg.facts.outbound:
                code = Verdict.OUTBOUND_AT_CALLED_END
            return verdict(code, at, case.phone, service)
        case "no-trigger":
            return verdict(Verdict.NO_TRIGGER, at, case.phone, service)
        case "moment":
            return verdict(Verdict.OTHER_MOMENT, at, case.phone, service, _moments(case, at, service))
        case "unmatched":
            return verdict(Verdict.NOT_BOUND, at, case.phone, operator, service)
    return verdict(Verdict.CONNECTED_BEFORE, at, case.phone)


def _of_repeat(case: LegCase, at: float, operator: str) -> ExplanationLine:
    how = case.last(TrailStep.FOUND_CONNECTED, TrailStep.TOLD_AGAIN, TrailStep.SEATED)
    if how is not None and how[1] == TrailStep.FOUND_CONNECTED:
        return verdict(Verdict.FOUND_CONNECTED, at, case.phone)
    if how is not None and how[1] == TrailStep.SEATED:
        return verdict(Verdict.LOGGED_IN_DURING_CALL, at, case.phone, operator)
    return verdict(Verdict.CONNECTED_BEFORE, at, case.phone)


def _of_ring(case: LegCase) -> ExplanationLine:
    """Nobody talked at this phone."""
    facts, at = case.leg.facts, case.leg.ended or case.leg.began
    if facts.state == "Up" and (facts.outbound or not facts.caller):
        return verdict(Verdict.NO_PHONE, at, case.phone)
    if not case.leg.ended:
        return verdict(Verdict.NOT_YET, at, case.phone)
    if facts.outbound and facts.state in _CALLING:  # else it was rung to have it call
        return verdict(Verdict.NOT_CONNECTED, at, case.phone)
    if any(step[2] == "FORWARD" for step in case.steps(TrailStep.RING_ENDED)):
        return verdict(Verdict.FORWARDED, at, case.phone)
    match facts.end:
        case "answered-elsewhere":
            return verdict(Verdict.ANSWERED_ELSEWHERE, at, case.phone, _who_answered(case))
        case "missed" if facts.state != "Down":
            return verdict(Verdict.NOBODY_ANSWERED, at, case.phone)
        case "refused" | "missed":  # Asterisk 1.4 to 11 says no more of a phone that forwards
            return verdict(Verdict.REFUSED, at, case.phone)
    return verdict(Verdict.CALLER_LEFT, at, case.phone)


def _who_answered(case: LegCase) -> str:
    for record in case.related.values():
        if record.facts.uniqueid != case.leg.facts.caller:
            continue
        for step in record.steps:
            if step[1] in MET and step[2] != case.phone:
                return str(step[2])
    return ""


def absence(case: LegCase, at: float) -> ExplanationLine:
    """Why nobody was told who sits at the phone."""
    gone = [mark for mark in case.view.between(case.began, at) if mark.arguments[1:2] == (case.phone,)]
    for mark in reversed(gone):
        if mark.step is TrailStep.LOGGED_OUT and was_lost(mark.arguments[2]):
            return verdict(Verdict.CLIENT_LOST, mark.at, case.phone, mark.arguments[0])
    seatless = _seatless(case.view, at)
    if seatless:
        return verdict(Verdict.LOGGED_IN_WITHOUT_SEAT, at, case.phone, case.phone, listed(seatless))
    return verdict(Verdict.NOBODY_LOGGED_IN, at, case.phone, case.phone)


def was_lost(reason: str) -> bool:
    """Whether a session ended without anybody's will."""
    return reason.startswith(("connection lost", "outbox overflow", "keep-alive"))


def _seatless(view: MarksView, at: float) -> list[str]:
    """Who was logged in without a seat at a moment."""
    return sorted(operator for operator, extension in view.seats_at(at).items() if not extension)


def _moments(case: LegCase, at: float, name: str) -> str:
    services = case.view.configuration_at(at).services
    return listed(
        dict.fromkeys(
            trigger.on for service in services if service.name == name for trigger in service.triggers
        )
    )
