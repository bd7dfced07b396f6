"""Whether the client grows: many calls to one seat, and what it holds at rest between parts of them."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from tests.bench.lacking import Lacking, require_modules
from tests.bench.processes.screen_watch import ScreenWatch
from tests.bench.processes.server_process import ServerFailed
from tests.bench.processes.window_client import WindowClient
from tests.bench.report import Report
from tests.bench.scenarios.desk import CLIENT_MODULES, started_client, watched_desktop
from tests.client.ui.tools.desktop import missing
from tests.fake.cti_server import Peer

WARM_UP = 40  # calls before the first reading: the list of cards was full then
GROWTH = 1.05  # times, from the first part to the last
REST = 8.0  # seconds after a call in which its card and its notice go
PATIENCE = 30.0  # seconds
RINGS, TALKS = 0.4, 0.3  # of a call's time
HEARD_EVERY = 0.1  # seconds; tests/fake's peer has no thread that waits
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


def growth(report: Report, *, calls: int, pace: float, parts: int, warm_up: int = WARM_UP) -> None:
    """So many calls in so many parts, one each `pace` seconds, after `warm_up` that do not count.

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
            with _Answered(running.peer) as server:
                for part in range(parts + 1):
                    first = warm_up + (part - 1) * size if part else 0
                    try:
                        _ring(server, watch, range(first, warm_up + part * size), pace)
                    except OSError as error:
                        text = f"the client went away in part {part} of {parts} ({error}):\n{running.log}"
                        raise ServerFailed(text) from error
                    held.append(_held_at_rest(running, watch, counts))
                    report.values(f"memory after {part * size} calls", [held[-1].memory / 1e6], "MB")
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


class _Answered:
    """What the client hears, and an answer to whatever it asks meanwhile: without one it goes away."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._speaking = threading.Lock()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._hear, name="hears the client")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def say(self, *lines: str) -> None:
        """Send lines. OSError if the client is not there any more."""
        with self._speaking:
            self._peer.say(*lines)

    def _hear(self) -> None:
        while not self._done.wait(HEARD_EVERY):
            while self._peer.would_hear():
                line = self._peer.hear()
                if not line:
                    return  # it closed the connection: whoever says something is told so
                if line == "NOOP":
                    self.say("100 OK")


def _ring(server: _Answered, watch: ScreenWatch, numbers: range, pace: float) -> None:
    """Calls one after the other; every third is missed, the others are answered."""
    from tests.client.ui.tools.window_test_bed import event

    for number in numbers:
        key = f"{number}.1"
        who: dict[str, Any] = {"name": f"Caller {number}", "number": f"0551{number:05}"}
        server.say(event("Newchannel", key, state="Down", **who), event("Callerid", key, **who))
        watch.forget(pace * RINGS)
        answered = number % 3 > 0
        if answered:
            server.say(event("Link", key, state="Up", data=f"calldata={number}|order={number % 7}", **who))
        watch.forget(pace * TALKS)
        server.say(event("Hangup", key, end="answered" if answered else "missed", **who))
        watch.forget(pace * (1 - RINGS - TALKS))


def _held_at_rest(running: WindowClient, watch: ScreenWatch, counts: Path) -> Held:
    watch.forget(REST)
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
