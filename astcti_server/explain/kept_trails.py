"""The trails of ended calls, as bytes, oldest out first. AMI thread only, but for what it hands out."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from astcti_server.explain.packed_trails import ended_at

MOST_BYTES: Final = 32 * 1024 * 1024
LONGEST: Final = 3600.0
"""Seconds that an ended call is kept at most."""
LOOKS: Final = 60
"""So often in that time is looked for what is too old: at each call that ends it would cost as much as a
step."""
SPARE: Final = 256
"""This part of the room is made at once: to let many go together costs less than one with each that comes."""
ENTRY_COST: Final = 320
"""Bytes that an entry needs beside its content: the key, the place in the dictionary, and what the system
loses between pieces of many sizes (measured over 50,000 calls, by the memory of the process)."""


class KeptTrails:
    """By the party's first uniqueid. What is given out are references to bytes that never change."""

    def __init__(self, most_bytes: int = MOST_BYTES, longest: float = LONGEST) -> None:
        self._most_bytes = most_bytes
        self._longest = longest
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        """The oldest first. (A plain dictionary looks for its first anew among all that left.)"""
        self._look_again = 0.0
        """When to look again for what is too old. Who reads has had it let go of before."""
        self.bytes = 0
        """What is kept, counted with `ENTRY_COST`."""

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, uniqueid: str, packed: bytes, now: float) -> None:
        """Keep an ended trail; of two with one id (an Asterisk that began anew) the later one."""
        kept = self._kept
        if uniqueid in kept:
            self.bytes -= len(kept.pop(uniqueid)) + ENTRY_COST
        kept[uniqueid] = packed
        self.bytes = size = self.bytes + len(packed) + ENTRY_COST
        if size > self._most_bytes:
            self._make_room()
        if now > self._look_again:
            self.forget_old(now)

    def replace(self, uniqueid: str, packed: bytes) -> None:
        """A kept trail became longer: what is said of a call after its end. It stays in its place."""
        self.bytes += len(packed) - len(self._kept[uniqueid])
        self._kept[uniqueid] = packed
        if self.bytes > self._most_bytes:
            self._make_room()

    def forget_old(self, now: float) -> None:
        """Let go of what is older than an hour."""
        kept, until = self._kept, now - self._longest
        self._look_again = now + self._longest / LOOKS
        while kept and ended_at(next(iter(kept.values()))) < until:
            self._drop_oldest(self.bytes - 1)

    def find(self, uniqueid: str) -> bytes | None:
        """The trail of a party."""
        return self._kept.get(uniqueid)

    def all(self) -> dict[str, bytes]:
        """Every trail by its party's uniqueid, the oldest first: a copy."""
        return dict(self._kept)

    def _make_room(self) -> None:
        self._drop_oldest(self._most_bytes - self._most_bytes // SPARE)

    def _drop_oldest(self, most_bytes: int) -> None:
        """Until no more bytes than these are kept."""
        size, pop_oldest = self.bytes, self._kept.popitem
        while size > most_bytes:
            size -= len(pop_oldest(False)[1]) + ENTRY_COST
        self.bytes = size
