"""The machine and the Python of a run: figures of two machines or builds of Python cannot be compared."""

from __future__ import annotations

import os
import platform
import resource
import sys
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path

_FLAGS = ("CONFIG_ARGS", "PY_CFLAGS_NODIST", "PY_LDFLAGS_NODIST", "PY_CFLAGS", "PY_LDFLAGS")
_ROUNDS = 7


@dataclass(frozen=True, slots=True)
class Machine:
    """In plain words, but for the loop and the cores."""

    python: str
    build: str
    loop: float
    """Milliseconds of processor time of a fixed piece of Python: builds differ by a factor of 1.6."""
    kernel: str
    processor: str
    cores: int


def this_machine() -> Machine:
    """The one that the bench runs on."""
    return Machine(
        python=f"{sys.implementation.name} {platform.python_version()}, {Path(sys.executable).resolve()}",
        build=build_of_python(),
        loop=_time_loop(),
        kernel=f"{platform.system()} {platform.release()}",
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
    )


def build_of_python() -> str:
    """How this Python was optimised, as far as its configuration says it."""
    flags = " ".join(str(sysconfig.get_config_var(name)) for name in _FLAGS)
    profile = "--enable-optimizations" in flags or "-fprofile-use" in flags or "-fprofile-instr-use" in flags
    link_time = "--with-lto" in flags or "-flto" in flags
    if not profile and sys.base_prefix == "/usr":
        # Debian compiles its own with a profile and at link time too, and names neither in its sysconfig.
        return "of the distribution, which does not say how it was optimised; the loop below tells"
    if not profile:
        return "NOT OPTIMISED: its figures are those of no installed server"
    return "optimised with a profile" + (" and at link time" if link_time else ", not at link time")


def python_of(pid: int) -> Path:
    """The program that a process runs, links followed: of a virtual environment, its base's Python."""
    return Path(f"/proc/{pid}/exe").readlink()


def raise_descriptor_limit() -> None:
    """Thousands of sockets need more than a process has by default; children inherit the limit."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _time_loop() -> float:
    best = float("inf")
    for _ in range(_ROUNDS):
        begun = time.process_time()
        _loop()
        best = min(best, time.process_time() - begun)
    return best * 1000


def _loop() -> None:
    """What the server does most: look up in dictionaries, cut and join text."""
    counts: dict[str, int] = {}
    for number in range(100_000):
        key = f"key{number % 50}"
        counts[key] = counts.get(key, 0) + len(key.partition("2")[0])


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
