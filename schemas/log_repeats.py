"""Counts the lines of a log that come again and again, instead of writing each of them.

A client that connects and closes in a loop would otherwise write half a megabyte a second. What is new is
always written at once; only what was written often enough within a minute is counted, and the count is told
when the minute is over. No I/O. The caller sees to it that one thread at a time is in here.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Final, NamedTuple

WINDOW: Final = 60.0
"""Seconds over which lines are counted."""
SAME_TEXT: Final = 10
"""How often the same text is written in that time."""
SAME_SOURCE: Final = 60
"""How many lines of one kind about one source (see `counted_by`) are written: an office of 50 logs in."""
SAME_KIND_OF_SOURCES: Final = 3_000
"""How many lines of one kind about all sources together are written."""
SAME_KIND: Final = 6_000
"""How many lines of any one kind are written: a thousand agents join six queues each."""
REMEMBERED: Final = 1_000
"""Texts, and sources, that are counted at a time; the oldest give way."""
LONGEST_TEXT: Final = 500
"""Characters of a text that tell it from others."""


def counted_by(source: str) -> dict[str, str]:
    """For `extra=`: lines of this kind are counted by their source, such as an address, not by their text.

    For what anybody may cause as often as he likes.
    """
    return {"counted_by": source}


class RepeatedLines:
    """Decides which records are written, and makes the lines that tell how many were not."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kinds = _Counts()  # as many as there are calls of a logger in the program
        self._sources = _Counts()
        self._texts = _Counts()

    def passes(self, record: logging.LogRecord) -> bool:
        """Whether to write this record. What is there for looking into a problem (DEBUG) always is."""
        if record.levelno <= logging.DEBUG:
            return True
        now = self._clock()
        kind = (record.name, record.levelno, str(record.msg))
        source = getattr(record, "counted_by", None)
        if source is not None:
            return self._sources.passes((*kind, source), SAME_SOURCE, record, now) and self._kinds.passes(
                kind, SAME_KIND_OF_SOURCES, record, now
            )
        # An exception comes with a traceback each time, whatever it happened to.
        text = type(record.exc_info[1]).__name__ if record.exc_info else record.getMessage()[:LONGEST_TEXT]
        return self._texts.passes((*kind, text), SAME_TEXT, record, now) and self._kinds.passes(
            kind, SAME_KIND, record, now
        )

    def due(self) -> list[logging.LogRecord]:
        """The counts of the minutes that are over."""
        now = self._clock()
        return [record for counts in self._tables() for record in counts.due(now)]

    def all(self) -> list[logging.LogRecord]:
        """Every count, at the end of the log."""
        now = self._clock()
        return [record for counts in self._tables() for record in counts.all(now)]

    def _tables(self) -> tuple[_Counts, ...]:
        return self._sources, self._texts, self._kinds


class _Line(NamedTuple):
    """What is kept of a record: not its exception, whose frames hold on to everything."""

    name: str
    level: int
    message: object
    args: Any
    thread: str | None


class _Count:
    """Lines of one key since `begun`."""

    __slots__ = ("begun", "hidden", "last", "shown")

    def __init__(self, begun: float, shown: int) -> None:
        self.begun = begun
        self.shown = shown
        self.hidden = 0
        self.last: _Line | None = None

    def told(self, now: float) -> list[logging.LogRecord]:
        """The line that tells how many were not written; none if all were."""
        last = self.last
        if last is None:
            return []
        record = logging.LogRecord(last.name, last.level, "", 0, last.message, last.args, None)
        record.threadName = last.thread
        if self.hidden > 1:
            seconds = max(1.0, now - self.begun)
            text = f"{record.getMessage()} ... repeated {self.hidden:,} times in {seconds:.0f} s"
            record.msg, record.args = "%s", (text,)
        return [record]


class _Counts:
    """A bounded table of counts, the oldest first."""

    def __init__(self) -> None:
        self._counts: OrderedDict[Hashable, _Count] = OrderedDict()
        self._pushed_out: list[logging.LogRecord] = []

    def passes(self, key: Hashable, most: int, record: logging.LogRecord, now: float) -> bool:
        count = self._counts.get(key)
        if count is None:
            if len(self._counts) >= REMEMBERED:
                _, oldest = self._counts.popitem(last=False)
                self._pushed_out += oldest.told(now)
            count = self._counts[key] = _Count(now, 0)
        if count.shown < most:
            count.shown += 1
            return True
        count.hidden += 1
        count.last = _Line(record.name, record.levelno, record.msg, record.args, record.threadName)
        return False

    def due(self, now: float) -> list[logging.LogRecord]:
        told, self._pushed_out = self._pushed_out, []
        while self._counts:
            key, count = next(iter(self._counts.items()))
            if now - count.begun < WINDOW:
                break
            del self._counts[key]
            if count.last is not None:  # it goes on, as far as we know: from now on one line a minute
                told += count.told(now)
                self._counts[key] = _Count(now, count.shown)
        return told

    def all(self, now: float) -> list[logging.LogRecord]:
        told, self._pushed_out = self._pushed_out, []
        for count in self._counts.values():
            told += count.told(now)
        self._counts.clear()
        return told
