"""Why a call popped up, as far as the client knows by itself; of the others the server is asked. No Tk."""

from __future__ import annotations

from astcti_client.triggers.runner import own_system
from astcti_client.ui.state.seat_call import SeatCall
from schemas.explanation.codes import Verdict
from schemas.explanation.lines import encode, listed, verdict
from schemas.protocol import TriggerFailure

_FAILURES = {
    TriggerFailure.NOT_ALLOWED: Verdict.PROGRAM_NOT_ALLOWED,
    TriggerFailure.NOT_FOUND: Verdict.PROGRAM_NOT_FOUND,
    TriggerFailure.NO_BROWSER: Verdict.NO_BROWSER,
    TriggerFailure.TRIGGERS_OFF: Verdict.TRIGGERS_OFF,
    TriggerFailure.INTERRUPTED: Verdict.TRIGGER_INTERRUPTED,
    TriggerFailure.NOT_CONFIRMED: Verdict.TRIGGER_NOT_CONFIRMED,
    TriggerFailure.FAILED: Verdict.TRIGGER_FAILED,
}


def own_verdict(
    call: SeatCall, extension: str, operator: str, *, triggers: bool, now: float, wall: float
) -> str:
    """The verdict on a call whose triggers came, as it travels; empty if none came.

    `triggers`: whether the settings let any be carried out. `now` is the call's clock, `wall` the time of day
    at that moment.
    """
    if not call.opened:
        return ""
    at = wall - (now - call.opened_at)
    if call.failure is not None:
        return encode(verdict(_FAILURES[call.failure], at, extension, operator))
    if not triggers:
        return encode(verdict(Verdict.TRIGGERS_OFF, at, extension, operator))
    if not {"any", own_system()} & set(call.opened_for):
        systems = listed(call.opened_for)
        return encode(verdict(Verdict.OTHER_SYSTEM, at, extension, call.service, systems))
    return encode(verdict(Verdict.POPPED_UP, at, extension, extension, operator, call.service, call.opened))
