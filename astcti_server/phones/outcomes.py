"""What became of an action that an operator's command asked for, in words for the client."""

from __future__ import annotations

from astcti_server.ami.pending import ActionOutcome
from schemas.protocol import Refusal


def reason_of(outcome: ActionOutcome, within: float = 0.0) -> str:
    """Why an action failed; empty for success. `within`: the seconds that Asterisk had, if they are told."""
    if outcome.ok:
        return ""
    if outcome.failure == "down":
        return Refusal.PBX_DOWN.text()
    if outcome.failure == "timeout":
        return Refusal.PBX_SLOW.text(seconds=round(within)) if within else Refusal.PBX_SILENT.text()
    return outcome.message or Refusal.PBX_REFUSED.text()
