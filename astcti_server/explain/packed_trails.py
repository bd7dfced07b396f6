"""A trail that ended as one string of bytes: nothing that the garbage collector ever looks at. No I/O.

Made on the AMI thread at every hang-up. Strings put together and split by hand were measured, too: they need
more instructions than marshal does.
"""

from __future__ import annotations

import marshal

from astcti_server.explain.trail import PartyFacts, PartyRecord, Trail


def pack(facts: PartyFacts, trail: Trail, ended: float) -> bytes:
    """A trail that ends."""
    trail.shorten()
    return marshal.dumps((tuple(facts), trail.began, ended, trail.left_out, trail.steps))


def pack_record(record: PartyRecord) -> bytes:
    """The string that `unpack` made this record of."""
    return marshal.dumps((tuple(record.facts), *record[1:]))


def unpack(kept: bytes) -> PartyRecord:
    """The record that `pack` made. Only ever of bytes of this process."""
    facts, began, ended, left_out, steps = marshal.loads(kept)
    return PartyRecord(PartyFacts(*facts), began, ended, left_out, tuple(steps))
