"""A trail that ended as one string of bytes: nothing that the garbage collector ever looks at. No I/O.

Made on the AMI thread at every hang-up, so it is laid out for little work: how many there are of each, the
times, the lengths of all texts, then the texts without anything between. Only ever read by this process.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Final

from astcti_server.explain.trail import PartyFacts, PartyRecord, Step, Trail

_COUNTS: Final = struct.Struct("<BBHHI")
"""Flags, steps, path, variables, steps that were left out."""
_SINGLE: Final = 12
"""Facts that are one text each."""
_LONGEST: Final = 65_535
_ERRORS: Final = "surrogatepass"


def pack(facts: PartyFacts, trail: Trail, ended: float) -> bytes:
    """A trail that ends."""
    trail.shorten()
    return _pack(facts, trail.began, ended, trail.left_out, trail.steps)


def pack_record(record: PartyRecord) -> bytes:
    """The string that `unpack` made this record of."""
    return _pack(*record)


def _pack(facts: PartyFacts, began: float, ended: float, left_out: int, steps: Sequence[Step]) -> bytes:
    texts = [
        facts.uniqueid,
        facts.linkedid,
        facts.device,
        facts.number,
        facts.name,
        facts.exten,
        facts.caller,
        facts.extension,
        facts.operator,
        facts.service,
        facts.state,
        facts.end,
        *facts.path,
        *facts.variables,
    ]
    times = [began, ended]
    sizes = []
    for step in steps:
        times.append(step[0])
        sizes.append(len(step))
        texts += step[1:]
    try:
        lengths = array("H", list(map(len, texts)))
    except OverflowError:
        texts = [text[:_LONGEST] for text in texts]
        lengths = array("H", list(map(len, texts)))
    flags = facts.began_call | facts.outbound << 1 | facts.linked << 2 | facts.talked << 3
    counts = _COUNTS.pack(flags, len(steps), len(facts.path), len(facts.variables), left_out)
    return b"".join(
        [counts, array("d", times), bytes(sizes), lengths, "".join(texts).encode("utf-8", _ERRORS)]
    )


def unpack(kept: bytes) -> PartyRecord:
    """The record that `pack` made."""
    flags, count, halves, variables, left_out = _COUNTS.unpack_from(kept)
    at = _COUNTS.size
    times = struct.unpack_from(f"={count + 2}d", kept, at)
    at += 8 * len(times)
    sizes = kept[at : at + count]
    at += count
    amount = _SINGLE + halves + variables + sum(sizes) - count
    lengths = struct.unpack_from(f"={amount}H", kept, at)
    text = kept[at + 2 * amount :].decode("utf-8", _ERRORS)
    texts = [text[begin:end] for begin, end in pairwise(accumulate(lengths, initial=0))]
    uniqueid, linkedid, device, number, name, exten, caller, extension, operator, service, state, end = texts[
        :_SINGLE
    ]
    of_steps = _SINGLE + halves + variables
    facts = PartyFacts(
        uniqueid,
        linkedid,
        device,
        number,
        name,
        exten,
        bool(flags & 1),
        caller,
        tuple(texts[_SINGLE : _SINGLE + halves]),
        tuple(texts[_SINGLE + halves : of_steps]),
        extension,
        operator,
        service,
        state,
        bool(flags & 2),
        bool(flags & 4),
        bool(flags & 8),
        end,
    )
    steps: list[Step] = []
    for moment, size in zip(times[2:], sizes, strict=True):
        steps.append((moment, *texts[of_steps : of_steps + size - 1]))
        of_steps += size - 1
    return PartyRecord(facts, times[0], times[1], left_out, tuple(steps))
