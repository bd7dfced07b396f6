"""Many stretches at a time, in processes of their own, each watched from outside."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing import connection as pipes
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz.minimising import SECONDS, run_minimising
from tests.fuzz.progress import FuzzProgress, ProgressFiles
from tests.fuzz.revision import revision_of
from tests.fuzz.shard import HANGS, Stretch, Tried, processes, run_exploration, run_stretch
from tests.fuzz.summary import TableRow
from tests.fuzz.target import FuzzTarget

STRETCH = 50_000  # inputs of one process
SHORT = 60.0  # seconds of a target in which no process reaches the end of a stretch
STUCK = HANGS  # seconds of processor time of one input until its process is ended
ASLEEP = 20  # times as long for one that waits: a machine may be busy
EXPLORED = 30_000  # inputs at most that are watched for new lines
EXPLORING = 0.1  # of the time that a target has
LONGEST_EXPLORING = 30.0  # seconds of processor time: what leads somewhere new is found early
ROUNDS = (20_000, 200_000)  # inputs of each target before more of any
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
    progress: FuzzProgress
    findings: dict[str, FuzzFinding] = field(default_factory=dict)
    """Of this run."""
    lost: int = 0
    """Processes that had to be ended, or died."""

    @property
    def row(self) -> TableRow:
        """For the table: of this run and those before it."""
        return TableRow(self.target, self.tried, len(self.progress.findings))

    @property
    def given_up(self) -> bool:
        """Whether so much was found that no more is tried in this run."""
        return len(self.findings) >= MOST_FINDINGS or self.lost >= MOST_LOST

    @property
    def tried(self) -> Tried:
        """Of this run and those before it."""
        return self.progress.tried


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
        self.told = stretch.first
        """Up to here is known what came of the inputs."""
        self._reached = processes.RawArray("q", [stretch.first])
        self._seen = (-1, time.monotonic(), 0.0)
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
        reached, since, used = self._seen
        if reached != self.reached:
            self._seen = (self.reached, time.monotonic(), self._used())
            return False
        waited = time.monotonic() - since
        return waited > STUCK and (self._used() - used > STUCK or waited > STUCK * ASLEEP)

    def _used(self) -> float:
        """Its processor time, in seconds."""
        try:
            fields = (
                Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            )
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Campaign:
    """One run over some targets. With files it goes on where those before it ended."""

    def __init__(
        self,
        targets: Sequence[FuzzTarget],
        plan: Plan,
        tell: Callable[[str], None],
        files: ProgressFiles | None = None,
    ) -> None:
        self._plan = plan
        self._tell = tell
        self._files = files
        self._results = [TargetResult(target, self._progress(target)) for target in targets]

    def run(self) -> list[TargetResult]:
        """Try everything: some inputs of each target, then more of each, with all processors."""
        bounded = self._plan.seconds < 1e9
        for inputs in (self._plan.inputs,) if bounded else (*ROUNDS, self._plan.inputs):
            for result in self._results:
                self._try_out(result, min(inputs, self._plan.inputs))
        return self._results

    def _progress(self, target: FuzzTarget) -> FuzzProgress:
        return self._files.load(target) if self._files else FuzzProgress(revision_of(target))

    def _try_out(self, result: TargetResult, inputs: int) -> None:
        progress = result.progress
        if not any(progress.missing(inputs)) or result.given_up:
            return
        _make_material(result.target)
        if not progress.corpus:
            progress.corpus = self._corpus(result.target)
            if self._files:
                self._files.save_corpus(result.target, progress.corpus)
        waiting = list(self._stretches(result, inputs))[::-1]
        running: list[_Job] = []
        while waiting or running:
            while waiting and len(running) < self._plan.jobs:
                running.append(_Job(waiting.pop()))
            pipes.wait([one for job in running for one in (job.process.sentinel, job.answer)], timeout=1.0)
            for job in [job for job in running if self._over(job, result, waiting)]:
                running.remove(job)
            if result.given_up:
                waiting.clear()
        self._tell(
            f"{result.target.name}: {result.tried.inputs} inputs, {len(result.findings)} findings,"
            f" {result.tried.inputs / max(0.001, result.tried.seconds):.0f}/s"
        )

    def _corpus(self, target: FuzzTarget) -> list[bytes]:
        plan = self._plan
        exploring = min(plan.seconds * EXPLORING, LONGEST_EXPLORING)
        count = min(EXPLORED, max(200, plan.inputs // 10))
        corpus = _ask(run_exploration, (target, plan.seed, count, exploring), (exploring + HANGS) * ASLEEP)
        # An input that hangs or crashes is found, and told, when it is tried.
        return list(target.seeds()) if corpus is None else list(corpus)

    def _stretches(self, result: TargetResult, inputs: int) -> Iterator[Stretch]:
        plan = self._plan
        size = -(-plan.inputs // plan.jobs)
        if plan.seconds > SHORT:  # else it takes longer to begin them than what is tried
            size = min(STRETCH, size)
        parts = [
            (at, min(end, at + size))
            for first, end in result.progress.missing(inputs)
            for at in range(first, end, size)
        ]
        share = plan.seconds / min(len(parts), plan.jobs) / max(1, len(parts) // plan.jobs)
        for first, end in parts:
            yield Stretch(result.target, plan.seed, first, end, result.progress.corpus, share)

    def _over(self, job: _Job, result: TargetResult, waiting: list[Stretch]) -> bool:
        """Whether a job has ended, after taking in what it told. Another does what is left."""
        stretch = job.stretch
        alive = job.process.is_alive()  # asked first: of one that has ended all that it told is there
        try:
            while job.answer.poll():
                tried = job.answer.recv()
                if tried is None:
                    job.process.join()
                    return True
                self._told(job, result, tried)
        except EOFError:
            job.process.join()
        if alive and not job.stuck():
            return False
        result.lost += 1
        hung = job.process.is_alive()
        job.process.kill()
        job.process.join()
        data = stretch.input(job.reached)
        key = f"hangs: {STUCK:.0f} s" if hung else f"the process ended with {job.process.exitcode}"
        self._found(result, FuzzFinding(stretch.target.name, job.reached, data, key, key))
        self._told(job, result, Tried(inputs=job.reached + 1 - job.told))
        if job.told < stretch.end:
            waiting.append(replace(stretch, first=job.told))
        return True

    def _told(self, job: _Job, result: TargetResult, tried: Tried) -> None:
        """Something came of the next inputs of a job."""
        progress = result.progress
        progress.tried.add(tried)
        progress.cover(job.told, job.told + tried.inputs)
        job.told += tried.inputs
        for data, key, words in tried.findings:
            self._found(result, FuzzFinding(result.target.name, -1, data, key, words))
        if self._files:
            self._files.save(result.target, progress)

    def _found(self, result: TargetResult, finding: FuzzFinding) -> None:
        if finding.key in result.findings:
            return
        smallest, alone = finding.data, False
        if not finding.key.startswith(("hangs", "the process", "Memory")):
            smallest, alone = minimised(result.target, finding.data, finding.key)
        if finding.key not in result.progress.findings:
            result.progress.findings.append(finding.key)
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


def _make_material(target: FuzzTarget) -> None:
    """Have what inputs are made of in memory here, so that no process has to read it again."""
    target.seeds()
    if target.grow is not None:
        target.grow(Random(0))


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
