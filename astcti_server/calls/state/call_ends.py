"""Why a call that a client asked for came to nothing: at its own phone, or at the number that it called.

Seen on Asterisk 16 (chan_sip) and 22 (PJSIP); what older ones leave out has the codes of `OriginateResponse`.
"""

from __future__ import annotations

from typing import Final, Literal

from schemas.events import CalledEnd, PhoneEnd

NO_CAUSE: Final = -1
"""For `called_end`: no channel of the number that was called was seen to hang up."""

_BY_CAUSE: Final[dict[int, CalledEnd]] = {
    1: "unknown",  # unallocated number: SIP 404
    2: "unreachable",
    3: "unreachable",  # no route: what PJSIP says of a phone that is not registered
    17: "busy",
    18: "no-answer",
    19: "no-answer",
    20: "unreachable",  # subscriber absent: what chan_sip says of it
    21: "refused",
    22: "unknown",  # number changed
    27: "unreachable",
    28: "unknown",  # invalid number format
    34: "congested",
    38: "congested",
    41: "congested",
    42: "congested",
    44: "congested",
}
_BY_STATUS: Final[dict[str, CalledEnd]] = {
    "BUSY": "busy",
    "NOANSWER": "no-answer",
    "CONGESTION": "congested",
    "CHANUNAVAIL": "unreachable",
}
_TIME_OVER, _BUSY, _CONGESTION = 3, 5, 8  # of OriginateResponse: AST_CONTROL_RINGING, _BUSY, _CONGESTION


def called_end(own_cause: int, cause: int, status: str) -> CalledEnd | Literal[""]:
    """Why nobody was reached; empty if the caller himself gave up, or nothing tells.

    `cause` and `status` are the hang-up cause and the DialStatus of the last attempt, if there was one.
    """
    if status == "CANCEL":
        return ""
    # The cause is the network's own word. PJSIP's DialStatus of a 404 or 603 is NOANSWER, chan_sip's BUSY.
    # A busy Asterisk can tell of the caller's end first, which has the cause of the attempt, too.
    by_cause = _BY_CAUSE.get(cause if cause != NO_CAUSE else own_cause)
    return _BY_STATUS.get(status, "") if by_cause is None else by_cause


def phone_end(reason: int, state: str, status: str) -> PhoneEnd:
    """Why the own phone did not take part. `reason` is the code of the OriginateResponse.

    `state` is the last one of the phone's channel, empty if it never had one; `status` its DialStatus.
    """
    if not state:
        return "refused" if reason == _BUSY else "unreachable"
    if reason == _TIME_OVER:
        return "no-answer" if state == "Ringing" else "unreachable"
    if reason == _CONGESTION or status in ("CONGESTION", "CHANUNAVAIL"):
        return "unreachable"
    # From PJSIP the reason is 0, and the status BUSY (486) or NOANSWER (603, 480): told in another thread,
    # so perhaps after the OriginateResponse.
    return "refused"
