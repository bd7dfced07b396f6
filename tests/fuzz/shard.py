"""A stretch of a target's inputs, in a process of its own: it may hang, crash or eat memory."""

from __future__ import annotations

import logging
import multiprocessing
import resource
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz.exploration import ROOT, explore
from tests.fuzz.mutation import Mutator
from tests.fuzz.target import Attempt, FuzzTarget, attempted

processes = multiprocessing.get_context("fork")
ROOM = 1 << 30  # bytes of address space that a process may take beside what it begins with
SETTLED = 2000  # inputs after which caches are as full as they get
KINDS = 40  # kinds of outcome that are counted apart
LOOK = 16  # inputs between two looks at the clock
HANGS = 30.0  # seconds of processor time in which anything should be over
TELL = 10.0  # seconds between two tellings of what came of the inputs so far
BUSY = 3  # times the processor time that it may take on a machine with other work
ENOUGH = 3  # findings of one process: more are of the same kind, as a rule


@dataclass(frozen=True)
class Stretch:
    """Inputs number `first` up to `end` of a target. The corpus is the same for all its stretches."""

    target: FuzzTarget
    seed: int
    first: int
    end: int
    corpus: Sequence[bytes]
    seconds: float
    """Of processor time, after which it stops."""

    def input(self, index: int) -> bytes:
        """The input of this number; the same in any process."""
        target = self.target
        mutator = Mutator(self.corpus, target.tokens, target.grow, target.longest)
        return mutator.make(Random(f"{self.seed} {target.name} {index}"))


@dataclass
class Tried:
    """What came of some inputs, which follow each other."""

    inputs: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    growth: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    findings: list[tuple[bytes, str, str]] = field(default_factory=list)
    """Input, key and words of each: the key is the same for those that are the same mistake."""

    def add(self, more: Tried) -> None:
        """What came of others, too; their findings are another's."""
        self.inputs += more.inputs
        self.seconds += more.seconds
        self.slowest = max(self.slowest, more.slowest)
        self.growth = max(self.growth, more.growth)
        for kind, count in more.kinds.items():
            self.kinds[kind if len(self.kinds) < KINDS or kind in self.kinds else "other"] += count


def key_of(error: BaseException) -> str:
    """Where it was raised: two findings with one key are one mistake."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_ours(frame.filename)]
    place = ""
    if frames:
        file = Path(frames[-1].filename).relative_to(ROOT)
        place = f" in {file}, {frames[-1].name}, line {frames[-1].lineno}"
    said = f": {error}"[:160] if isinstance(error, AssertionError) else ""
    return f"{type(error).__name__}{said}{place}"


def _is_ours(file: str) -> bool:
    return file.startswith(f"{ROOT}/") and "/tests/fuzz/s" not in file and "/.venv" not in file


def words_of(error: BaseException) -> str:
    """The traceback, bounded."""
    return "".join(traceback.format_exception(error))[-4000:]


def resident() -> int:
    """Bytes of memory that this process has now."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()


def begin_process() -> None:
    """What each process does first: no log output, and an end to memory."""
    logging.disable(logging.NOTSET)
    root = logging.getLogger()
    root.handlers[:] = [_Rendering()]
    root.setLevel(logging.DEBUG)
    size = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + ROOM, size + ROOM))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class _Rendering(logging.Handler):
    """Makes the text of each record and throws it away: wrong arguments of a log line are findings, too."""

    def emit(self, record: logging.LogRecord) -> None:
        record.getMessage()


def once(target: FuzzTarget, attempt: Attempt, data: bytes) -> tuple[str, BaseException | None, float]:
    """One input: its kind of outcome or what was raised, and the processor time it took."""
    began = time.process_time()
    error: BaseException | None = None
    kind = ""
    try:
        kind = attempted(target, attempt, data)
    except Exception as raised:
        error = raised
    took = time.process_time() - began
    if error is None and took > target.seconds:
        error = TimeoutError(f"{target.name}: an input took {took:.1f} s of processor time")
    return kind, error, took


class _Trying:
    """Tries the inputs of a stretch, and tells of them in parts."""

    def __init__(self, stretch: Stretch, answer: Connection) -> None:
        self._stretch = stretch
        self._attempt = stretch.target.prepare()
        self._answer = answer
        self._known: set[str] = set()
        self._part = Tried()
        self._part_began = self._began = time.process_time()
        self._told_at = time.monotonic()
        self._until = self._told_at + BUSY * stretch.seconds

    @property
    def over(self) -> bool:
        """Whether its time is over, or enough was found."""
        now = time.process_time()
        if time.monotonic() - self._told_at > TELL:
            self.tell()
        late = now - self._began > self._stretch.seconds or time.monotonic() > self._until
        return late or len(self._known) >= ENOUGH

    def attempt(self, data: bytes) -> None:
        """The next input."""
        part = self._part
        kind, error, took = once(self._stretch.target, self._attempt, data)
        part.inputs += 1
        part.slowest = max(part.slowest, took)
        if error is not None:
            kind = "finding"
            self.found(data, key_of(error), words_of(error))
        part.kinds[kind if len(part.kinds) < KINDS or kind in part.kinds else "other"] += 1

    def found(self, data: bytes, key: str, words: str) -> None:
        """A finding; the first one with its key is told."""
        if key not in self._known:
            self._known.add(key)
            self._part.findings.append((data, key, words))

    def tell(self) -> None:
        """What came of the inputs since it was last told."""
        now = time.process_time()
        self._part.seconds, self._part_began = now - self._part_began, now
        self._answer.send(self._part)
        self._part, self._told_at = Tried(), time.monotonic()

    def grown(self, growth: int) -> None:
        """By so many bytes since the caches were full."""
        self._part.growth = growth
        target = self._stretch.target
        if growth > target.growth:
            self.found(b"", f"MemoryGrowth in {target.name}", f"grew by {growth >> 20} MiB")


def run_stretch(stretch: Stretch, reached: Any, answer: Connection) -> None:
    """The body of the process. `reached[0]` is the number of the input that is being tried.

    Answers with a `Tried` now and then, and with None when the stretch is over.
    """
    begin_process()
    trying = _Trying(stretch, answer)
    target = stretch.target
    mutator = Mutator(stretch.corpus, target.tokens, target.grow, target.longest)
    settled = 0
    for index in range(stretch.first, stretch.end):
        reached[0] = index
        trying.attempt(mutator.make(Random(f"{stretch.seed} {target.name} {index}")))
        if index - stretch.first == SETTLED:
            settled = resident()
        if index % LOOK == 0 and trying.over:
            break
    if settled:
        trying.grown(max(0, resident() - settled))
    trying.tell()
    answer.send(None)


def run_exploration(target: FuzzTarget, seed: int, count: int, seconds: float, answer: Connection) -> None:
    """The body of the process that makes a target's corpus, of so much processor time.

    An input that hangs ends it: by the system, since a busy machine says nothing by its clock.
    """
    begin_process()
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds + HANGS), int(seconds + HANGS)))
    began = time.process_time()
    answer.send(explore(target, target.prepare(), seed, count, began + seconds, time.process_time))


def run_one(target: FuzzTarget, data: bytes, answer: Connection) -> None:
    """The body of the process that tries a single input, to see whether it is a finding by itself."""
    begin_process()
    _, error, _ = once(target, target.prepare(), data)
    answer.send(None if error is None else (key_of(error), words_of(error)))
