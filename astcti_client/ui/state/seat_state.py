"""Words for the state of the seat: its pause, its queues, and the one state that the tray shows. No Tk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PausePhase = Literal["out", "requested", "in", "leaving"]
TrayState = Literal["offline", "pbx-down", "no-queue", "available", "paused", "ringing", "talking"]
QueueState = Literal["joined", "left", "refused"]


@dataclass(frozen=True, slots=True)
class Pause:
    """The pause state. `requested` and `leaving` wait for the server's word."""

    phase: PausePhase = "out"
    reason: str = ""
    since: float = 0.0


@dataclass(frozen=True, slots=True)
class SeatQueue:
    """A queue and whether this phone is its member; `reason` belongs to "refused"."""

    name: str
    state: QueueState
    reason: str = ""
