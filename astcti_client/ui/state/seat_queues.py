"""The queues of the seat, and how they are shown: by their services' names. No Tk, no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from astcti_client.net.messages import OwnQueue
from astcti_client.ui.state.receiving import JOIN_TIME
from astcti_client.ui.state.seat_state import SeatQueue
from schemas.configuration.model import queue_key


class SeatQueues:
    """Which queues the phone is in, and which of them its operator wants to be out of."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` gives seconds that never go back."""
        self._clock = clock
        self._by_name: dict[str, SeatQueue] = {}
        self.own: tuple[OwnQueue, ...] = ()
        """What services each queue is of, and whether it may be left; empty if the server cannot tell."""
        self._own_told = False
        """Whether the server told `own`: then none are none, and not none that it can tell."""
        self._left: set[str] = set()
        """By their keys; the server knows it, too, unless it is of the release before and was restarted."""
        self._due = 0.0
        """When, by the clock, the server should have told of the queues."""

    @property
    def by_name(self) -> Mapping[str, SeatQueue]:
        """Those that the server told of, as Asterisk writes them."""
        return self._by_name

    @property
    def joining(self) -> bool:
        """Whether the server still has time to tell of them."""
        return self._clock() < self._due

    @property
    def none_to_join(self) -> bool:
        """Whether the server said that no service of this operator has a queue."""
        return self._own_told and not self.own

    def logging_in(self) -> None:
        """A new session begins: the server will tell what it knows."""
        self._by_name.clear()
        self._own_told = False

    def expected(self) -> None:
        """The server joins them from now on."""
        self._due = self._clock() + JOIN_TIME

    def own_told(self, queues: tuple[OwnQueue, ...]) -> None:
        """The server told which there are."""
        self.own, self._own_told = queues, True

    def joined(self, name: str) -> bool:
        """The phone is in it. Whether its operator wants to be out."""
        self._by_name[name] = SeatQueue(name, "joined")
        return queue_key(name) in self._left

    def left(self, name: str) -> None:
        """The phone is no member any more."""
        self._by_name[name] = SeatQueue(name, "left")

    def refused(self, name: str, reason: str) -> None:
        """The PBX does not take the phone."""
        self._by_name[name] = SeatQueue(name, "refused", reason)

    def wanted(self, name: str) -> None:
        """The user wants to be in it again, or it cannot be left."""
        self._left.discard(queue_key(name))

    def wanted_out(self, name: str) -> None:
        """The server took note that the user is out of it."""
        self._left.add(queue_key(name))


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
