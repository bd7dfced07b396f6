"""The queues of the seat as they are shown: by their services' names, with what may be done. No Tk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from astcti_client.net.messages import OwnQueue
from astcti_client.ui.state.seat_state import SeatQueue
from schemas.configuration.model import queue_key


@dataclass(frozen=True, slots=True)
class QueueLine:
    """One queue. `queue` says whether the phone is a member; the name in it is Asterisk's."""

    queue: SeatQueue
    label: str
    """The services' names, or the queue's own where the server does not tell them."""
    may_leave: bool


def queue_lines(queues: Iterable[SeatQueue], own: Iterable[OwnQueue]) -> tuple[QueueLine, ...]:
    """Those of the services in their order, then what else the phone is in.

    One that nothing was told of yet is as one that was left: the phone is no member.
    """
    told = {queue_key(queue.name): queue for queue in queues}
    lines = []
    for one in own:
        queue = told.pop(queue_key(one.name), None) or SeatQueue(one.name, "left")
        lines.append(QueueLine(queue, one.services or one.name, one.may_leave))
    return (*lines, *(QueueLine(queue, queue.name, False) for queue in told.values()))
