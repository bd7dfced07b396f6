"""Who used the processors during a measurement: the processes that belong to it, others, and other machines.

Wall time on a machine that has other things to do says little. Processor time is what an event costs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")  # seconds; /proc counts in these
NOISY_OTHERS = 0.1  # share of all cores
NOISY_STOLEN = 0.02
BUSY = 0.9  # of the time that one thread can run, or all cores can: who is above it, everybody waits for


@dataclass(frozen=True, slots=True)
class ProcessorTime:
    """Seconds that one process used, all its threads together."""

    total: float
    """To the nanosecond; the two others in ticks of 10 ms, so that they need not add up."""
    user: float
    system: float

    def since(self, before: ProcessorTime) -> ProcessorTime:
        """What was used since then."""
        return ProcessorTime(self.total - before.total, self.user - before.user, self.system - before.system)


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used between two readings."""

    seconds: float
    """Wall time."""
    processes: Mapping[str, ProcessorTime]
    others: float
    """The share of all cores that processes used which do not belong to the measurement."""
    stolen: float
    """The share of all cores that the host of a virtual machine gave to others."""
    load: float
    """The mean number of threads that wanted to run in the last minute."""

    def share(self, name: str) -> float:
        """How much of one core a process used; 1 is a thread that never waited."""
        return self.processes[name].total / self.seconds if self.seconds else 0.0

    def limit(self, cores: int) -> str:
        """Who kept the others waiting: a process that used a whole core, all cores together, or nobody."""
        busiest = max(self.processes, key=self.share)
        if self.share(busiest) >= BUSY:
            return busiest
        used = sum(self.share(name) for name in self.processes) / cores
        return "the cores" if used + self.others + self.stolen >= BUSY else "none"

    @property
    def noisy(self) -> bool:
        """Whether others used so much that wall times of this measurement mean little."""
        return self.others > NOISY_OTHERS or self.stolen > NOISY_STOLEN


@dataclass(frozen=True, slots=True)
class ProcessorReading:
    """The counters at one moment."""

    at: float
    processes: Mapping[str, ProcessorTime]
    busy: float
    idle: float
    stolen: float
    load: float

    def until(self, later: ProcessorReading) -> Usage:
        """What was used from this reading to a later one of the same processes."""
        processes = {name: used.since(self.processes[name]) for name, used in later.processes.items()}
        busy, idle = later.busy - self.busy, later.idle - self.idle
        stolen = later.stolen - self.stolen
        whole = max(busy + idle + stolen, TICK)
        own = sum(used.total for used in processes.values())
        return Usage(later.at - self.at, processes, max(busy - own, 0.0) / whole, stolen / whole, later.load)


class ProcessorMeter:
    """Reads the counters of some processes, by name, and of the machine."""

    def __init__(self, processes: Mapping[str, int]) -> None:
        """`processes` are process ids."""
        self._processes = processes

    def read(self) -> ProcessorReading:
        """Raises ProcessLookupError or OSError if a process has ended."""
        user, nice, system, idle, iowait, irq, softirq, steal = _machine()
        return ProcessorReading(
            time.perf_counter(),
            {name: processor_time(pid) for name, pid in self._processes.items()},
            user + nice + system + irq + softirq,
            idle + iowait,
            steal,
            os.getloadavg()[0],
        )


def processor_time(pid: int) -> ProcessorTime:
    """What a process has used until now."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    # The process's clock, numbered as by clock_getcpuclockid(3): ticks are too coarse for a few per cent.
    total = time.clock_gettime_ns(~pid << 3 | 2) / 1e9
    return ProcessorTime(total, int(fields[11]) * TICK, int(fields[12]) * TICK)


def _machine() -> list[float]:
    """Seconds of all cores together: user, nice, system, idle, iowait, irq, softirq, steal; see proc(5)."""
    first = Path("/proc/stat").read_text().partition("\n")[0]
    return [int(ticks) * TICK for ticks in first.split()[1:9]]


def wake_ups(pid: int) -> int:
    """How often a thread of a process that waited went on until now, threads that ended left out."""
    return sum(
        int(line.split()[1])
        for task in Path(f"/proc/{pid}/task").iterdir()
        for line in (task / "status").read_text().splitlines()
        if line.startswith("voluntary_ctxt_switches:")
    )
