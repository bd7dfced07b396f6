"""A call in which no seat's phone took part, and one that is not known at all. No I/O."""

from __future__ import annotations

from typing import Final

from astcti_server.explain.leg_case import MET
from astcti_server.explain.likeness import same_phone
from astcti_server.explain.server_marks import MarksView
from astcti_server.explain.trail import PartyRecord
from schemas.explanation.codes import TrailStep, Verdict
from schemas.explanation.lines import ExplanationLine, verdict

_REACHED: Final = (*MET, TrailStep.RINGS)


def caller_verdict(record: PartyRecord, view: MarksView) -> ExplanationLine:
    """Why nothing popped up for a caller who reached no seat."""
    facts, at = record.facts, record.ended or record.began
    reached = [step for step in record.steps if step[1] in _REACHED]
    for step in reversed(reached):
        near = _near_seat(step[2], view)
        if near:
            return verdict(Verdict.PHONE_NEARLY_A_SEAT, step[0], facts.device, step[2], near)
    if reached:
        return verdict(Verdict.PHONE_IS_NO_SEAT, reached[-1][0], facts.device, reached[-1][2])
    if not record.ended:
        return verdict(Verdict.NOT_YET, at, facts.device)
    if any(step[1] == TrailStep.JOINED_QUEUE for step in record.steps):
        return verdict(Verdict.CALLER_LEFT, at, facts.device)
    code = Verdict.NO_PHONE if facts.state == "Up" else Verdict.NO_SEAT_TOOK_PART
    return verdict(code, at, facts.device)


def unknown_verdict(what: str, view: MarksView) -> ExplanationLine:
    """Nothing is known of a call with this."""
    near = _near_seat(what, view)
    if near:
        return verdict(Verdict.PHONE_NEARLY_A_SEAT, 0.0, what, what, near)
    down: float | None = None
    for mark in reversed(view.marks):
        if mark.step is TrailStep.LINK_UP:
            down = mark.at
        elif mark.step is TrailStep.LINK_DOWN:
            seconds = f"{down - mark.at:.0f}" if down is not None else "?"
            return verdict(Verdict.PBX_DOWN, mark.at, what, seconds)
    seats = view.configuration_at(float("inf")).seat_by_extension
    if "/" in what and what not in seats:
        return verdict(Verdict.PHONE_IS_NO_SEAT, 0.0, what, what)
    return verdict(Verdict.NO_CALL, 0.0, what, what)


def _near_seat(device: str, view: MarksView) -> str:
    """The seat's extension that this phone is called nearly as; empty if it is a seat's, or like none."""
    seats = view.configuration_at(float("inf")).seat_by_extension
    if device in seats or "/" not in device:
        return ""
    return next((extension for extension in seats if same_phone(extension, device)), "")
