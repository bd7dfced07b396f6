"""Many stretches at a time, in processes of their own, each watched from outside."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing import connection as pipes
from typing import Any

from tests.fuzz.minimising import SECONDS, run_minimising
from tests.fuzz.shard import Stretch, Tried, processes, run_exploration, run_stretch
from tests.fuzz.target import FuzzTarget

STRETCH = 50_000  # inputs of one process
STUCK = 60.0  # seconds of one input until its process is ended: a machine may be busy
EXPLORED = 30_000  # inputs at most that are watched for new lines
EXPLORING = 0.1  # of the time that a target has
MOST_FINDINGS = 12  # of a target; then it is left
MOST_LOST = 5  # processes that hang or die; each costs STUCK seconds


@dataclass(frozen=True)
class FuzzFinding:
    """A mistake, with the input that shows it."""

    target: str
    index: int
    """The input's number of this run; -1 where it is of many inputs together."""
    data: bytes
    key: str
    words: str
    alone: bool = True
    """Whether the input shows it by itself, in a fresh process."""


@dataclass
class TargetResult:
    """A target's share of the run."""

    target: FuzzTarget
    corpus: int = 0
    tried: Tried = field(default_factory=Tried)
    findings: dict[str, FuzzFinding] = field(default_factory=dict)
    lost: int = 0
    """Processes that had to be ended, or died."""

    def add(self, tried: Tried) -> None:
        """Another stretch is over."""
        total = self.tried
        total.inputs += tried.inputs
        total.seconds += tried.seconds
        total.slowest = max(total.slowest, tried.slowest)
        total.growth = max(total.growth, tried.growth)
        total.kinds.update(tried.kinds)


@dataclass(frozen=True)
class Plan:
    """How much is tried. `jobs` does not change which inputs these are."""

    seed: int = 1
    inputs: int = 1_000_000
    """Of each target."""
    seconds: float = 1e9
    """Of processor time of each target, after which it is left."""
    jobs: int = 2


class _Job:
    """A process with its stretch and the number that it has reached."""

    def __init__(self, stretch: Stretch) -> None:
        self.stretch = stretch
        self._reached = processes.RawArray("q", [stretch.first])
        self._seen = (-1, time.monotonic())
        self.answer, sent = processes.Pipe(duplex=False)
        self.process = processes.Process(target=run_stretch, args=(stretch, self._reached, sent), daemon=True)
        self.process.start()
        sent.close()

    @property
    def reached(self) -> int:
        """The input that is being tried, or was last."""
        return int(self._reached[0])

    def stuck(self) -> bool:
        """Whether it is at one input for too long."""
        reached, since = self._seen
        if reached != self.reached:
            self._seen = (self.reached, time.monotonic())
            return False
        return time.monotonic() - since > STUCK


class Campaign:
    """One run over some targets."""

    def __init__(self, targets: Sequence[FuzzTarget], plan: Plan, tell: Callable[[str], None]) -> None:
        self._targets = targets
        self._plan = plan
        self._tell = tell

    def run(self) -> list[TargetResult]:
        """Try everything. One target after the other, each with all processors."""
        return [self._try_out(target) for target in self._targets]

    def _try_out(self, target: FuzzTarget) -> TargetResult:
        result = TargetResult(target)
        plan = self._plan
        exploring = min(plan.seconds * EXPLORING, 120.0)
        count = min(EXPLORED, max(200, plan.inputs // 10))
        corpus = _ask(run_exploration, (target, plan.seed, count, exploring), exploring * 3 + STUCK)
        if corpus is None:  # an input that hangs or crashes: it is found, and told, below
            corpus = list(target.seeds())
        result.corpus = len(corpus)
        waiting = list(self._stretches(target, corpus))[::-1]
        running: list[_Job] = []
        while waiting or running:
            while waiting and len(running) < plan.jobs:
                running.append(_Job(waiting.pop()))
            pipes.wait([job.process.sentinel for job in running], timeout=1.0)
            for job in [job for job in running if self._over(job, result, waiting)]:
                running.remove(job)
            if len(result.findings) >= MOST_FINDINGS or result.lost >= MOST_LOST:
                waiting.clear()
        self._tell(
            f"{target.name}: {result.tried.inputs} inputs, {len(result.findings)} findings,"
            f" {result.tried.inputs / max(0.001, result.tried.seconds):.0f}/s"
        )
        return result

    def _stretches(self, target: FuzzTarget, corpus: Sequence[bytes]) -> Iterator[Stretch]:
        plan = self._plan
        size = min(STRETCH, -(-plan.inputs // plan.jobs))
        parts = -(-plan.inputs // size)
        share = plan.seconds / min(parts, plan.jobs) / max(1, parts // plan.jobs)
        for first in range(0, plan.inputs, size):
            yield Stretch(target, plan.seed, first, min(plan.inputs, first + size), corpus, share)

    def _over(self, job: _Job, result: TargetResult, waiting: list[Stretch]) -> bool:
        """Whether a job has ended, its result taken in; the rest of one that was lost is done by another."""
        stretch = job.stretch
        if job.answer.poll():
            try:
                tried = job.answer.recv()
            except EOFError:
                tried = None
            job.process.join()
            if tried is not None:
                result.add(tried)
                for data, key, words in tried.findings:
                    self._found(result, FuzzFinding(stretch.target.name, -1, data, key, words))
                return True
        elif job.process.is_alive() and not job.stuck():
            return False
        result.lost += 1
        hung = job.process.is_alive()
        job.process.kill()
        job.process.join()
        data = stretch.input(job.reached)
        key = f"hangs: {STUCK:.0f} s" if hung else f"the process ended with {job.process.exitcode}"
        self._found(result, FuzzFinding(stretch.target.name, job.reached, data, key, key))
        result.tried.inputs += job.reached - stretch.first
        if job.reached + 1 < stretch.end:
            waiting.append(replace(stretch, first=job.reached + 1))
        return True

    def _found(self, result: TargetResult, finding: FuzzFinding) -> None:
        if finding.key in result.findings:
            return
        smallest, alone = finding.data, False
        if not finding.key.startswith(("hangs", "the process", "Memory")):
            smallest, alone = minimised(result.target, finding.data, finding.key)
        result.findings[finding.key] = FuzzFinding(
            finding.target, finding.index, smallest, finding.key, finding.words, alone
        )
        self._tell(f"FOUND in {finding.target}: {finding.key}\n  {smallest[:300]!r}\n{finding.words}")


def minimised(target: FuzzTarget, data: bytes, key: str) -> tuple[bytes, bool]:
    """The smallest input found with the same outcome; and whether a fresh process shows it at all."""
    receiver, sender = processes.Pipe(duplex=False)
    process = processes.Process(target=run_minimising, args=(target, data, key, sender), daemon=True)
    process.start()
    sender.close()
    smallest, alone = data, False
    until = time.monotonic() + SECONDS * 2
    try:
        while receiver.poll(max(0.0, until - time.monotonic())):
            smaller = receiver.recv()
            if smaller is None:
                break
            smallest, alone = smaller, True
    except EOFError:
        pass  # it died of a smaller one; what it had told is good
    process.kill()
    process.join()
    return smallest, alone


def _ask(body: Callable[..., None], arguments: tuple[Any, ...], seconds: float) -> Any:
    """What a process of its own answers; None if it dies or takes too long."""
    receiver, sender = processes.Pipe(duplex=False)
    process = processes.Process(target=body, args=(*arguments, sender), daemon=True)
    process.start()
    sender.close()
    try:
        return receiver.recv() if receiver.poll(seconds) else None
    except EOFError:
        return None
    finally:
        process.kill()
        process.join()
