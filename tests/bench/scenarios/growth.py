"""Whether the client grows: many calls to one seat, and what it holds at rest between parts of them."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.bench.lacking import Lacking, require_modules
from tests.bench.processes.screen_watch import ScreenWatch
from tests.bench.processes.server_process import ServerFailed
from tests.bench.processes.window_client import WindowClient
from tests.bench.report import Report
from tests.bench.scenarios.desk import CLIENT_MODULES, started_client, watched_desktop
from tests.client.ui.tools.desktop import missing
from tests.fake.cti_server import Peer

WARM_UP = 40  # calls before the first reading: the list of cards and caches were full then
GROWTH = 1.05  # times, from the first part to the last
REST = 8.0  # seconds after a call in which its card and its notice go
PATIENCE = 30.0  # seconds
RINGS, TALKS = 0.4, 0.3  # of a call's time
PROGRAM = "tests.client.ui.tools.counted_client"


@dataclass(frozen=True, slots=True)
class Held:
    """What a client at rest holds."""

    memory: int
    """Bytes."""
    resources: int
    """In the X server."""
    timers: int
    callbacks: int
    widgets: int


class Grown(ServerFailed):
    """The client holds more than before."""


def growth(report: Report, *, calls: int, pace: float, parts: int) -> None:
    """So many calls in so many parts, one each `pace` seconds, after some that do not count.

    Raises Grown, Lacking, ServerFailed.
    """
    require_modules(CLIENT_MODULES, "client")
    if lacking := missing():
        raise Lacking(f"missing: {', '.join(lacking)}; install them with tests/system-packages.sh")
    size = max(1, calls // parts)
    with watched_desktop() as (desktop, watch, folder):
        counts = folder / "counts"
        environ = {"ASTCTI_TEST_COUNTS": str(counts)}
        with started_client(folder / "counted", desktop, watch, program=PROGRAM, environ=environ) as running:
            held = list[Held]()
            for part in range(parts + 1):
                first = WARM_UP + (part - 1) * size if part else 0
                _ring(running.peer, range(first, WARM_UP + part * size), pace)
                held.append(_held_at_rest(running, watch, counts))
    report_growth(report, held, size)


def report_growth(report: Report, held: Sequence[Held], size: int) -> None:
    """What was held before and after each part of `size` calls. Raises Grown."""
    grown = list[str]()
    calls = size * (len(held) - 1)
    series = [asdict(one) for one in held]
    for what, first in series[0].items():
        last = series[-1][what]
        report.values(f"{what}, each {size} calls", [float(one[what]) for one in series], "")
        report.at_most(f"{what} after {calls} more calls", last / first, GROWTH)
        if last > first * GROWTH:
            grown.append(f"{what} {first} -> {last}")
    if grown:
        raise Grown(f"after {calls} calls the client holds more: {', '.join(grown)}")


def _ring(peer: Peer, numbers: range, pace: float) -> None:
    """Calls one after the other; every third is missed, the others are answered."""
    from tests.client.ui.tools.window_test_bed import event

    for number in numbers:
        key = f"{number}.1"
        who: dict[str, Any] = {"name": f"Caller {number}", "number": f"0551{number:05}"}
        peer.say(event("Newchannel", key, state="Down", **who), event("Callerid", key, **who))
        time.sleep(pace * RINGS)
        answered = number % 3 > 0
        if answered:
            peer.say(event("Link", key, state="Up", data=f"calldata={number}|order={number % 7}", **who))
        time.sleep(pace * TALKS)
        peer.say(event("Hangup", key, end="answered" if answered else "missed", **who))
        time.sleep(pace * (1 - RINGS - TALKS))
        _hear(peer)


def _hear(peer: Peer) -> None:
    """What the client said: from a server that takes nothing it goes away once all buffers are full."""
    while peer.would_hear():
        if peer.hear() == "NOOP":
            peer.say("100 OK")


def _held_at_rest(running: WindowClient, watch: ScreenWatch, counts: Path) -> Held:
    time.sleep(REST)
    watch.forget()
    before, known = None, len(_lines(counts))
    until = time.monotonic() + PATIENCE
    while True:
        os.kill(running.pid, signal.SIGUSR1)
        while len(lines := _lines(counts)) == known:
            if time.monotonic() > until:
                raise ServerFailed(f"the client does not tell what it holds:\n{running.log}")
            time.sleep(0.05)  # nothing tells another process of it
        known = len(lines)
        held = Held(running.memory, watch.resources(), **json.loads(lines[-1]))
        now = (held.resources, held.timers, held.callbacks, held.widgets)
        if now == before or time.monotonic() > until:
            return held
        before = now
        time.sleep(1.1)  # the client's second


def _lines(file: Path) -> list[str]:
    return (
        [line for line in file.read_text().splitlines(True) if line.endswith("\n")] if file.exists() else []
    )
