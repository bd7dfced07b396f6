"""Makes the traffic of a busy PBX: overlapping queue calls as bytes, and which seat must be notified of each.

Deterministic: the same numbers give the same bytes. Each call has a number and data of its own, so that a
notification that is lost, doubled, mixed up or sent to the wrong seat is seen.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from tests.bench.workload.event_script import EventScript, PlannedCall

RINGS_TWO = 0.15  # so many of the calls ring a second seat in vain
BURST = 3  # events that one call emits at most before another one's turn


class ExpectedLink(NamedTuple):
    """A Link that must reach a seat exactly once; the fields as they stand in the line."""

    extension: str
    calldata: str
    number: str


@dataclass(frozen=True, slots=True)
class Traffic:
    """A stream without its greeting, and what it must cause."""

    data: bytes
    events: int
    to_last_link: int
    """Events up to the one that causes the last Link."""
    expected: tuple[ExpectedLink, ...]

    @property
    def mean_size(self) -> float:
        """Bytes an event, final blank line included."""
        return len(self.data) / self.events

    @property
    def mean_fields(self) -> float:
        """Header lines an event."""
        return self.data.count(b"\r\n") / self.events - 1


@dataclass(frozen=True, slots=True)
class CallerQueue:
    """A queue that callers wait in, with the dialplan context that leads to it."""

    name: str
    context: str


def make_calls(
    seats: Sequence[str], queue: CallerQueue, *, seed: int = 1, first: int = 1
) -> Iterator[PlannedCall]:
    """Calls without end to the seats in turn, numbered from `first`; `seats` are extensions."""
    chance = random.Random(seed)
    order = list(seats)
    chance.shuffle(order)
    position, serial = 0, first
    while True:
        ringing: tuple[str, ...] = ()
        if len(order) > 2 and chance.random() < RINGS_TWO:
            ringing = (order[(position + 1) % len(order)],)
        yield PlannedCall(
            serial=serial,
            number=f"3{serial:09d}",
            name=f"Caller {serial}",
            calldata=f"{serial * 7919 % 100_000_000:08d}",
            seat=order[position % len(order)],
            ringing=ringing,
            queue=queue.name,
            context=queue.context,
        )
        position += 1 + len(ringing)
        serial += 1


def make_traffic(
    script: EventScript,
    seats: Sequence[str],
    queue: CallerQueue,
    *,
    calls: int,
    concurrent: int,
    seed: int = 1,
    first: int = 1,
) -> Traffic:
    """So many calls, so many of them at a time as long as there are seats for them; numbered from `first`."""
    planned = list(islice(make_calls(seats, queue, seed=seed, first=first), calls))
    waiting = planned[::-1]
    chance = random.Random(seed + 1)
    busy: set[str] = set()
    ongoing: list[_OngoingCall] = []
    parts: list[bytes] = []
    last_link = 0
    while waiting or ongoing:
        while waiting and len(ongoing) < concurrent and busy.isdisjoint(waiting[-1].seats):
            call = waiting.pop()
            busy.update(call.seats)
            ongoing.append(_OngoingCall(call, script))
        index = chance.randrange(len(ongoing))
        running = ongoing[index]
        burst = running.take(chance.randint(1, BURST))
        if running.begins <= running.connecting < running.position:
            last_link = len(parts) + running.connecting - running.begins + 1
        parts.extend(burst)
        if running.over:
            busy.difference_update(running.call.seats)
            ongoing[index] = ongoing[-1]
            ongoing.pop()
    links = tuple(expected_link(call) for call in planned)
    return Traffic(b"".join(parts), len(parts), last_link, links)


def expected_link(call: PlannedCall) -> ExpectedLink:
    """The Link that a call causes."""
    return ExpectedLink(call.seat, call.calldata, call.number)


def split_at_link(script: EventScript, call: PlannedCall) -> tuple[bytes, bytes, bytes]:
    """What comes before the event that connects a call, that event, and what follows."""
    blocks, at = script.blocks(call), script.connecting(call)
    return b"".join(blocks[:at]), blocks[at], b"".join(blocks[at + 1 :])


def callers_waiting(script: EventScript, queue: CallerQueue, *, count: int, first: int) -> bytes:
    """Callers who reached the queue and are still waiting: live calls that cause nothing."""
    source = make_calls(("PJSIP/nobody",), queue, first=first)
    arrivals = []
    for call in islice(source, count):
        blocks = script.blocks(call)
        joined = next(
            index
            for index, part in enumerate(blocks)
            if part.startswith((b"Event: QueueCallerJoin\r\n", b"Event: Join\r\n"))
        )
        arrivals.extend(blocks[: joined + 1])
    return b"".join(arrivals)


class _OngoingCall:
    """A call of which some events are already in the stream."""

    __slots__ = ("begins", "blocks", "call", "connecting", "position")

    def __init__(self, call: PlannedCall, script: EventScript) -> None:
        self.call = call
        self.blocks = script.blocks(call)
        self.connecting = script.connecting(call)
        self.begins = self.position = 0

    def take(self, count: int) -> list[bytes]:
        self.begins = self.position
        self.position = min(self.position + count, len(self.blocks))
        return self.blocks[self.begins : self.position]

    @property
    def over(self) -> bool:
        return self.position >= len(self.blocks)
