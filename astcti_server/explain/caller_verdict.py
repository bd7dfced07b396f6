"""A call in which no seat's phone took part, and one that is not known at all. No I/O."""

from __future__ import annotations

from math import inf
from typing import Final

from astcti_server.explain.kept_trails import LONGEST
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
        near = near_seat(step[2], view)
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


def unknown_verdict(what: str, view: MarksView) -> tuple[ExplanationLine, list[ExplanationLine]]:
    """Nothing is known of a call with this: the likeliest reason, and what else may be one."""
    losses = [loss for loss in view.link_losses() if loss[1] >= view.at - LONGEST]
    down = [
        verdict(Verdict.PBX_DOWN, begin, what, f"{min(end, view.at) - begin:.0f}") for begin, end in losses
    ]
    if losses and losses[-1][1] > view.at:  # nothing can be heard
        return down[-1], []
    first = _unknown(what, view)
    return (down[-1], []) if down and first.code == Verdict.NO_CALL.value else (first, down[-1:])


def _unknown(what: str, view: MarksView) -> ExplanationLine:
    configuration = view.configuration_at(inf)
    seats = view.seats_at(inf)
    if what in seats and not seats[what]:
        return verdict(Verdict.OPERATOR_WITHOUT_SEAT, 0.0, what, what)
    if what in configuration.operator_by_username and what not in seats:
        return verdict(Verdict.OPERATOR_NOT_LOGGED_IN, 0.0, what, what)
    near = near_seat(what, view)
    if near:
        return verdict(Verdict.PHONE_NEARLY_A_SEAT, 0.0, what, what, near)
    if "/" in what and what not in configuration.seat_by_extension:
        return verdict(Verdict.PHONE_IS_NO_SEAT, 0.0, what, what)
    return verdict(Verdict.NO_CALL, 0.0, what, what)


def rang(record: PartyRecord, phone: str, view: MarksView) -> bool:
    """Whether it reached a phone that is no seat, and is called so, or nearly so."""
    seats = view.configuration_at(inf).seat_by_extension
    named = phone.rpartition("/")[2].casefold()
    return any(
        step[1] in _REACHED and step[2] not in seats and step[2].rpartition("/")[2].casefold() == named
        for step in record.steps
    )


def near_seat(device: str, view: MarksView) -> str:
    """The seat's extension that this phone is called nearly as; empty if it is a seat's, or like none."""
    seats = view.configuration_at(inf).seat_by_extension
    if device in seats or "/" not in device:
        return ""
    return next((extension for extension in seats if same_phone(extension, device)), "")
