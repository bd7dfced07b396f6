"""Keeps the last bytes that Asterisk sent, compressed, for reports and explanations.

The AMI thread only appends to a queue. A thread of its own gathers what came, at least `GATHER` seconds long,
and compresses it in pieces of some 256 KiB (zlib releases the interpreter meanwhile); the oldest pieces go
first. Bounded three ways: compressed bytes, minutes, and bytes that wait to be compressed.
"""

from __future__ import annotations

import threading
import time
import zlib
from array import array
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple, TypeAlias

from astcti_server.kept_ami.marks import ConfiguredMark, HadMark, KeptMark, KeptState, LostMark, SeatsMark
from astcti_server.threads import Died, ServiceThread
from schemas.server.settings import KeptAmiSettings

SEGMENT: Final = 4 * 65536
"""Bytes that are compressed at once. Each time the AMI thread may have to wait for the interpreter: with
64 KiB it spends a tenth more on everything while Asterisk sends all it can (measured)."""
GATHER: Final = 0.5  # seconds: waking for each read of some hundred bytes would cost more than the keeping
MOST_WAITING: Final = 8 << 20
HURRY_AT: Final = 1 << 20
MOST_MARKS_WAITING: Final = 64  # each may hold a copy of who sits where
MOST_CONFIGURATIONS: Final = 8
MARK_COST: Final = 200
"""Bytes that a mark is counted as."""
ENTRY_COST: Final = 12
"""Bytes that the time and the size of a read take."""
SEGMENT_COST: Final = 500
"""Bytes that a piece takes beside what is in it (measured)."""
MOST_ENTRIES: Final = 16384  # in a piece
_NOTED: Final = -1
END: Final = b"\r\n\r\n"

KeptEntry: TypeAlias = tuple[float, bytes | KeptMark]
"""When (seconds since 1970), and what was read at once, or noted."""


class KeptMessage(NamedTuple):
    """One message of Asterisk's, without its blank line, and when it was read."""

    time: float
    raw: bytes


class _Segment(NamedTuple):
    packed: bytes
    times: array[float]
    """When what came or was noted, in order. Arrays: two objects for each read take ten times as much."""
    sizes: array[int]
    """Of each, how many bytes were read; `_NOTED` where something was noted."""
    marks: tuple[KeptMark, ...]
    cost: int

    def unpacked(self) -> Iterator[KeptEntry]:
        data = zlib.decompress(self.packed)
        marks = iter(self.marks)
        at = 0
        for moment, size in zip(self.times, self.sizes, strict=True):
            if size == _NOTED:
                yield moment, next(marks)
            else:
                yield moment, data[at : at + size]
                at += size

    @property
    def configurations(self) -> int:
        """How many of the marks have one."""
        return sum(isinstance(mark, ConfiguredMark) for mark in self.marks)

    @property
    def last(self) -> float:
        return self.times[-1]


class KeptWindow(NamedTuple):
    """What was kept at a moment. Frozen; any thread."""

    state: KeptState
    """Where it begins."""
    segments: tuple[_Segment, ...]

    def entries(self) -> Iterator[KeptEntry]:
        """Everything, in order. Gives way to other threads now and then, for it may be a lot."""
        for segment in self.segments:
            yield from segment.unpacked()
            time.sleep(0.001)

    def messages(self) -> Iterator[KeptMessage]:
        """Whole messages only."""
        rest = b""
        for moment, item in self.entries():
            if isinstance(item, bytes):
                *blocks, rest = (rest + item).split(END)
                for block in blocks:
                    yield KeptMessage(moment, block)
            elif isinstance(item, LostMark):
                rest = b""


class KeptAmi(ServiceThread):
    """`write` and `mark` and `operators` are for the AMI thread, the rest for any."""

    def __init__(
        self,
        settings: KeptAmiSettings,
        seated: Callable[[], Mapping[str, str]],
        died: Died | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`seated` says who sits where: a mapping that never changes, replaced by another one."""
        super().__init__("kept-ami", died)
        self._limit = settings.bytes
        self._longest = settings.minutes * 60.0
        self._seated = seated
        self._clock = clock
        self.operators: Mapping[str, str] = {}
        """Who sits where for the events of one read: what a report says of it is then exactly so."""
        self._waiting: deque[tuple[float, bytes | KeptMark | Mapping[str, str]]] = deque()
        self._put = self._taken = self._lost = 0
        """Bytes. Each is written by one side alone, so that the AMI thread needs no lock."""
        self._something, self._hurry = threading.Event(), threading.Event()
        self._idle = True
        self._lock = threading.Lock()
        self._state = KeptState()
        self._known: Mapping[str, str] = {}
        self._segments: deque[_Segment] = deque()
        self._cost = self._configurations = 0
        self._open: list[bytes] = []
        self._open_size = 0
        self._times, self._sizes = array("d"), array("i")
        self._marks: list[KeptMark] = []

    # -- AMI thread ----------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """These bytes were read. Never waits."""
        self.look_who_sits()
        if self._put - self._taken + len(data) > MOST_WAITING:
            self._lost += len(data)
            return
        if self._lost:
            self._append(LostMark(self._lost))
            self._lost = 0
        self._put += len(data)
        self._append(data)
        if self._put - self._taken > HURRY_AT and not self._hurry.is_set():
            self._hurry.set()

    def mark(self, mark: KeptMark) -> None:
        """Note this behind what was read so far. Never waits."""
        self._append(mark)

    def pop_up_had(self, extension: str, uniqueid: str, other: str) -> None:
        """Note that an operator had the pop-up of an answer. Never waits."""
        self._append(HadMark(extension, uniqueid, other))

    def look_who_sits(self) -> None:
        """From now on `operators` is who sits where at this moment."""
        now = self._seated()
        if now is not self.operators:
            self.operators = now
            self._append(now)
            if len(self._waiting) > MOST_MARKS_WAITING:
                self._hurry.set()

    def _append(self, item: bytes | KeptMark | Mapping[str, str]) -> None:
        self._waiting.append((self._clock(), item))
        if self._idle:
            self._idle = False
            self._something.set()

    # -- the thread ----------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Look up, whether anything came or not."""
        self._hurry.set()
        self._something.set()

    def serve(self) -> None:
        """Compress what comes until the stop."""
        while not self.stopping.is_set():
            self._something.wait(self._longest)
            self._hurry.wait(GATHER)
            self._something.clear()
            self._hurry.clear()
            self._idle = True  # before looking: what comes from here on wakes again
            self._take_in()

    def _take_in(self) -> None:
        with self._lock:
            while self._waiting:
                moment, item = self._waiting.popleft()
                if isinstance(item, bytes):
                    self._taken += len(item)
                    self._keep(moment, item)
                elif isinstance(item, tuple):
                    self._note(moment, item)
                else:
                    self._note(moment, self._change_of_seats(item))
                if len(self._times) >= MOST_ENTRIES:
                    self._seal()
            self._forget_old()

    def _change_of_seats(self, now: Mapping[str, str]) -> SeatsMark:
        before, self._known = self._known, now
        taken = {phone: name for phone, name in now.items() if before.get(phone) != name}
        return SeatsMark(taken, tuple(phone for phone in before if phone not in now))

    def _keep(self, moment: float, data: bytes) -> None:
        self._open.append(data)
        self._open_size += len(data)
        self._times.append(moment)
        self._sizes.append(len(data))
        if self._open_size >= SEGMENT:
            self._seal()

    def _note(self, moment: float, mark: KeptMark) -> None:
        self._times.append(moment)
        self._sizes.append(_NOTED)
        self._marks.append(mark)

    def _seal(self) -> None:
        """End the piece that is open: compress it and count it."""
        sealed = self._open_segment()
        self._segments.append(sealed)
        self._cost += sealed.cost
        self._configurations += sealed.configurations
        self._open.clear()
        self._marks.clear()
        self._times, self._sizes = array("d"), array("i")
        self._open_size = 0

    def _open_segment(self) -> _Segment:
        """What is not yet a piece of its own, as one."""
        packed = zlib.compress(b"".join(self._open), 1)
        cost = len(packed) + ENTRY_COST * len(self._times) + MARK_COST * len(self._marks) + SEGMENT_COST
        return _Segment(packed, self._times[:], self._sizes[:], tuple(self._marks), cost)

    def _forget_old(self) -> None:
        oldest = self._clock() - self._longest
        while self._segments and (
            self._cost > self._limit
            or self._configurations > MOST_CONFIGURATIONS
            or self._segments[0].last < oldest
        ):
            gone = self._segments.popleft()
            self._cost -= gone.cost
            self._configurations -= gone.configurations
            for mark in gone.marks:
                self._state = self._state.after(mark)

    # -- any thread ----------------------------------------------------------------------------------------

    @property
    def used(self) -> int:
        """How many bytes it takes: compressed, waiting, and what is kept beside them."""
        return self._cost + self._open_size + self._put - self._taken

    @property
    def since(self) -> float | None:
        """Since when everything is there (seconds since 1970): what was said before is gone. None: never."""
        self._take_in()
        with self._lock:
            times = self._segments[0].times if self._segments else self._times
            return times[0] if times else None

    def window(self) -> KeptWindow:
        """Everything that is kept now."""
        self._take_in()
        with self._lock:
            ending = [self._open_segment()] if self._times else []
            return KeptWindow(self._state, (*self._segments, *ending))

    def blocks(self) -> Iterator[bytes]:
        """Every whole message that is kept, as its raw block, the oldest first.

        Waits for nobody, but it unpacks everything: a second or two for the most there can be. See `since`.
        """
        for message in self.window().messages():
            yield message.raw
