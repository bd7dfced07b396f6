"""Makes the traffic of a busy PBX: overlapping queue calls as bytes, and who must be told of each.

Deterministic: the same numbers give the same bytes. Each call has a number and data of its own, so that a
notification that is lost, doubled, mixed up or sent to the wrong seat is seen.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from tests.bench.workload.scripts import QueueCall, Script

RINGS_TWO = 0.15  # so many of the calls ring a second seat in vain
BURST = 3  # events that one call emits at most before another one's turn


class Expected(NamedTuple):
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
    expected: tuple[Expected, ...]

    @property
    def mean_size(self) -> float:
        """Bytes an event, final blank line included."""
        return len(self.data) / self.events

    @property
    def mean_fields(self) -> float:
        """Header lines an event."""
        return self.data.count(b"\r\n") / self.events - 1


@dataclass(frozen=True, slots=True)
class Place:
    """A queue that callers come through, with its dialplan context."""

    queue: str
    context: str


def make_calls(seats: Sequence[str], place: Place, *, seed: int = 1, first: int = 1) -> Iterator[QueueCall]:
    """Endless calls to the seats in turn, numbered from `first`; `seats` are extensions."""
    chance = random.Random(seed)
    order = list(seats)
    chance.shuffle(order)
    position, serial = 0, first
    while True:
        ringing: tuple[str, ...] = ()
        if len(order) > 2 and chance.random() < RINGS_TWO:
            ringing = (order[(position + 1) % len(order)],)
        yield QueueCall(
            serial=serial,
            number=f"3{serial:09d}",
            name=f"Caller {serial}",
            calldata=f"{serial * 7919 % 100_000_000:08d}",
            seat=order[position % len(order)],
            ringing=ringing,
            queue=place.queue,
            context=place.context,
        )
        position += 1 + len(ringing)
        serial += 1


def make_traffic(
    script: Script,
    seats: Sequence[str],
    place: Place,
    *,
    calls: int,
    concurrent: int,
    seed: int = 1,
    first: int = 1,
) -> Traffic:
    """So many calls, so many of them at a time as long as there are seats for them; numbered from `first`."""
    planned = list(islice(make_calls(seats, place, seed=seed, first=first), calls))
    waiting = planned[::-1]
    chance = random.Random(seed + 1)
    busy: set[str] = set()
    going_on: list[_Running] = []
    parts: list[bytes] = []
    last_link = 0
    while waiting or going_on:
        while waiting and len(going_on) < concurrent and busy.isdisjoint(waiting[-1].seats):
            call = waiting.pop()
            busy.update(call.seats)
            going_on.append(_Running(call, script))
        index = chance.randrange(len(going_on))
        running = going_on[index]
        burst = running.take(chance.randint(1, BURST))
        if running.begins <= running.connecting < running.position:
            last_link = len(parts) + running.connecting - running.begins + 1
        parts.extend(burst)
        if running.over:
            busy.difference_update(running.call.seats)
            going_on[index] = going_on[-1]
            going_on.pop()
    links = tuple(expect(call) for call in planned)
    return Traffic(b"".join(parts), len(parts), last_link, links)


def expect(call: QueueCall) -> Expected:
    """The Link that a call causes."""
    return Expected(call.seat, call.calldata, call.number)


def split_at_link(script: Script, call: QueueCall) -> tuple[bytes, bytes, bytes]:
    """What comes before the event that connects a call, that event, and what follows."""
    blocks, at = script.blocks(call), script.connecting(call)
    return b"".join(blocks[:at]), blocks[at], b"".join(blocks[at + 1 :])


def callers_waiting(script: Script, place: Place, *, count: int, first: int) -> bytes:
    """Callers who reached the queue and are still waiting: live calls that cause nothing."""
    source = make_calls(("PJSIP/nobody",), place, first=first)
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


class _Running:
    """A call of which some events were told."""

    __slots__ = ("begins", "blocks", "call", "connecting", "position")

    def __init__(self, call: QueueCall, script: Script) -> None:
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
