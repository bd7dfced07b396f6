"""Why a call popped up, as far as the client knows by itself; of the others the server is asked. No Tk."""

from __future__ import annotations

from astcti_client.triggers.runner import own_system
from astcti_client.ui.state.seat_call import SeatCall
from schemas.explanation.codes import VERDICT_OF_FAILURE, Verdict
from schemas.explanation.lines import encode, listed, verdict


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
        return encode(verdict(VERDICT_OF_FAILURE[call.failure], at, extension, operator))
    if not {"any", own_system()} & set(call.opened_for):
        systems = listed(call.opened_for)
        return encode(verdict(Verdict.OTHER_SYSTEM, at, extension, call.service, systems))
    if not triggers:
        return encode(verdict(Verdict.TRIGGERS_OFF, at, extension, operator))
    return encode(verdict(Verdict.POPPED_UP, at, extension, extension, operator, call.service, call.opened))
