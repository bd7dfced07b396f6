"""A trail that ended as one string of bytes: nothing that the garbage collector ever looks at. No I/O.

Made on the AMI thread at every hang-up: one call of C packs its times, another its texts. `marshal`, which
looks at each text whether it had that before, needs twice the instructions.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import Final

from astcti_server.explain.trail import (
    STEPS_KEPT,
    FactTexts,
    PartyFacts,
    PartyRecord,
    Trail,
    facts_from,
    steps_from,
    texts_of,
)

_SEPARATOR: Final = "\0"
"""Ends every string in Asterisk: so it is in none of them, and XML has no such character either."""
_COUNTS: Final = Struct("HI")
_ENDED: Final = Struct("HId")
_HEADS: Final = tuple(Struct(f"HI{1 + times}d") for times in range(2 + STEPS_KEPT))
"""By how many times a trail has, with that of its beginning: that number, steps left out, when it ended, and
the times. In the order and with the gaps of this machine: bytes of a process are read by no other."""
_MOST_TIMES: Final = len(_HEADS) - 1
_FACTS: Final = len(PartyFacts._fields)


def pack(facts: FactTexts, trail: Trail, ended: float) -> bytes:
    """A trail that ends."""
    times = trail.times
    size = len(times)
    if size > _MOST_TIMES:
        trail.shorten()
        size = len(times)
    head = _HEADS[size].pack(size, trail.left_out, ended, *times)
    joined = _SEPARATOR.join(facts + trail.texts)
    try:
        return head + joined.encode()
    except UnicodeEncodeError:  # what decoding never makes; to name the handler each time would cost more
        return head + joined.encode("utf-8", "surrogatepass")


def pack_record(record: PartyRecord) -> bytes:
    """The string that `unpack` made this record of; of at most `STEPS_KEPT` steps."""
    times = [record.began, *[step[0] for step in record.steps]]
    texts = [*texts_of(record.facts), *[text for step in record.steps for text in step[1:]]]
    head = _HEADS[len(times)].pack(len(times), record.left_out, record.ended, *times)
    return head + _SEPARATOR.join(texts).encode("utf-8", "surrogatepass")


def unpack(kept: bytes) -> PartyRecord:
    """The record that `pack` made. Only ever of bytes of this process."""
    size, _ = _COUNTS.unpack_from(kept)
    head = _HEADS[size]
    _, left_out, ended, began, *times = head.unpack_from(kept)
    texts: Sequence[str] = kept[head.size :].decode("utf-8", "surrogatepass").split(_SEPARATOR)
    return PartyRecord(facts_from(texts[:_FACTS]), began, ended, left_out, steps_from(times, texts[_FACTS:]))


def ended_at(kept: bytes) -> float:
    """When the party of these bytes ended."""
    ended: float = _ENDED.unpack_from(kept)[2]
    return ended
