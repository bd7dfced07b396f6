"""Whether a call can reach this agent, and if not, why not: every place that tells it asks here. No Tk."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

from astcti_client.net.messages import ConnectionState
from astcti_client.ui.state.seat_state import Pause, SeatQueue

ObstacleKind = Literal[
    "connecting",
    "logging-in",
    "connection-lost",
    "taken-over",
    "disabled",
    "logged-out",
    "pbx-down",
    "seat-unknown",
    "paused",
    "coming-back",
    "joining",
    "queues-refuse",
    "queues-left",
    "no-queue",
]

JOIN_TIME: Final = 10.0
"""Seconds after the log-in, or after the PBX came back, in which the server tells of the queues."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why no call can reach this agent. `reason` is that of the pause, or of the queue that refuses."""

    kind: ObstacleKind
    reason: str = ""


def obstacle(
    connection: ConnectionState,
    *,
    pbx_up: bool,
    extension: str,
    pause: Pause,
    queues: Collection[SeatQueue],
    joining: bool,
) -> Obstacle | None:
    """What keeps calls from this agent; None if one can come.

    `joining`: within `JOIN_TIME`. A pause that is only asked for keeps no call away yet.
    """
    if connection.phase != "up":
        return Obstacle(_unconnected(connection))
    if not pbx_up:
        return Obstacle("pbx-down")
    if pause.phase == "leaving":
        return Obstacle("coming-back", pause.reason)
    if pause.phase == "in":
        return Obstacle("paused", pause.reason)
    if any(queue.state == "joined" for queue in queues):
        return None
    return _in_no_queue(extension, queues, joining=joining)


def _unconnected(connection: ConnectionState) -> ObstacleKind:
    match connection.phase, connection.ending:
        case "waiting", _:
            return "connection-lost"
        case "ended", ("taken-over" | "disabled") as ending:
            return ending
        case "ended", _:
            return "logged-out"
        case "logging-in", _:
            return "logging-in"
    return "connecting"


def _in_no_queue(extension: str, queues: Collection[SeatQueue], *, joining: bool) -> Obstacle:
    if refused := next((queue for queue in queues if queue.state == "refused"), None):
        return Obstacle("queues-refuse", refused.reason)
    if queues:
        return Obstacle("queues-left")
    if not extension:
        return Obstacle("seat-unknown")
    return Obstacle("joining" if joining else "no-queue")
