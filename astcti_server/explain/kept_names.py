"""What the kept bytes say of some channels: joined to explanations where a server keeps what it read.

Slow, for the thread that asks: everything that is kept is unpacked. So it is done once for the same channels,
and given up after a while.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from astcti_server.explain.heard_names import HeardNames, names_in

LONGEST: Final = 5.0
"""Seconds for all that one question needs."""
_BEGUN: Final = re.compile(rb"Event: Newchannel\r\n(?:.*\r\n)*?Uniqueid: ?([^\r\n]*)", re.IGNORECASE)


class NamesKept:
    """Answers `NamesHeard` of one question. One thread."""

    def __init__(
        self,
        blocks: Callable[[], Iterable[bytes]],
        encoding: str,
        clock: Callable[[], float] = time.monotonic,
        longest: float = LONGEST,
    ) -> None:
        """`blocks` begins anew with what is kept: each message as its raw block, the oldest first."""
        self._blocks = blocks
        self._encoding = encoding
        self._clock = clock
        self._until = clock() + longest
        self._found: dict[frozenset[str], HeardNames | None] = {}

    def __call__(self, uniqueids: frozenset[str]) -> HeardNames | None:
        """What was said of these channels; None if it is not all there any more, or takes too long."""
        if uniqueids not in self._found:
            self._found[uniqueids] = self._look(uniqueids)
        return self._found[uniqueids]

    def _look(self, uniqueids: frozenset[str]) -> HeardNames | None:
        missing = {uniqueid.encode() for uniqueid in uniqueids}
        names = names_in(self._noting_begins(missing), uniqueids, self._encoding)
        return None if missing else names

    def _noting_begins(self, missing: set[bytes]) -> Iterator[bytes]:
        """Every block. A channel is missing no more once its begin was among them: it is all there."""
        begun: set[bytes] = set()
        for count, block in enumerate(self._blocks()):
            if count % 1000 == 0 and self._clock() > self._until:
                missing.add(b"")  # not everything was looked at
                break
            if b"Newchannel" in block[:24] and (found := _BEGUN.match(block)):
                begun.add(found[1])
            yield block
        missing -= begun
