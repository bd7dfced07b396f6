"""What the client costs the PC that it runs on, and how long its user waits, on a real X server."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.figures import Rounds, percentile
from tests.bench.lacking import Lacking, require_modules
from tests.bench.processes.server_process import PROJECT, ServerFailed
from tests.bench.processor_time import ProcessorMeter, wake_ups
from tests.bench.report import Report
from tests.client.ui.tools.desktop import Desktop, missing

if TYPE_CHECKING:
    from tests.bench.processes.screen_watch import ScreenWatch
    from tests.bench.processes.window_client import WindowClient

CLIENT_MODULES = ("click", "psutil", "platformdirs", "pystray", "PIL", "keyring", "Xlib")
NOTICE_WITHIN, START_WITHIN = 150, 1.5  # milliseconds; seconds
IDLE_SHARE, IDLE_WAKE_UPS, TRAY_SHARE = 0.5, 20, 0.2  # per cent of a core; a second; per cent
GROWTH = 1.05  # times, over all calls
PATIENCE = 30.0  # seconds
PAUSE = 0.25  # seconds between two calls: the stack of notices has settled, and no frame is drawn any more
WARM_UP = 20  # calls before memory is read for the first time: lists and caches are full then
BUSY_FROM = 5000  # the number of the first call while the screen is busy
PARTS = 5  # of the calls, whose medians tell the spread
IDLE_SPANS, SETTLE = 3, 3.0  # how often an idle client is measured; seconds that it is left alone before


def client(report: Report, *, calls: int, idle: float, starts: tuple[int, int]) -> None:
    """Start, notices, growth, and what it costs to wait for calls. `idle`: seconds of each span.

    Raises Lacking, ServerFailed.
    """
    require_modules(CLIENT_MODULES, "client")
    if lacking := missing():
        raise Lacking(f"missing: {', '.join(lacking)}; install them with tests/system-packages.sh")
    from tests.bench.processes.screen_watch import NotSeen

    try:
        with watched_desktop() as (desktop, watch, folder):
            _starts(report, Rounds(*starts), desktop, watch, folder)
            with started_client(folder / "long", desktop, watch) as running:
                _idle(report, running, "visible", idle, (IDLE_SHARE, IDLE_WAKE_UPS))
                _calls(report, running, watch, calls)
                _calls_on_busy_screen(
                    report, running, desktop, watch, range(BUSY_FROM, BUSY_FROM + calls // 2)
                )
                watch.hide_main_window(PATIENCE)
                _idle(report, running, "in the tray", idle, (TRAY_SHARE, None))
    except NotSeen as error:
        raise ServerFailed(str(error)) from error


def _starts(report: Report, rounds: Rounds, desktop: Desktop, watch: ScreenWatch, folder: Path) -> None:
    for number in rounds:
        with started_client(folder / f"start{number}", desktop, watch) as started:
            rounds.add("window", started.window_after)
            rounds.add("tray", started.tray_after)
    window = report.values("from its start to the window", rounds.series["window"], "s").median
    tray = report.values("from its start to the icon in the tray", rounds.series["tray"], "s").median
    report.at_most("window and icon are there", max(window, tray), START_WITHIN, "s")


def _calls(report: Report, running: WindowClient, watch: ScreenWatch, calls: int) -> None:
    """Calls one after the other; the first ones are not counted."""
    warm_up = min(WARM_UP, calls)
    _ring(running, watch, range(warm_up))
    memory, resources = running.memory, watch.resources()
    meter = ProcessorMeter({"clients": running.pid})
    before = meter.read()
    milliseconds = _ring(running, watch, range(warm_up, warm_up + calls))
    usage = before.until(meter.read())
    report_notices(report, milliseconds)
    report.usage(f"{calls} calls, one after the other", usage)
    report.values("processor time of a call", [usage.processes["clients"].total / calls * 1000], "ms")
    report.values(f"memory after {warm_up} calls", [memory / 1_000_000], "MB")
    report.values(f"memory after {warm_up + calls} calls", [running.memory / 1_000_000], "MB")
    report.at_most(f"memory after {calls} more calls", running.memory / memory, GROWTH)
    report.values("resources in the X server", [float(watch.resources())], "")
    report.at_most(f"resources after {calls} more calls", watch.resources() / resources, GROWTH)


def report_notices(report: Report, milliseconds: Sequence[float], where: str = "") -> None:
    """From the server's line to the notice: one value a call, in the order of the calls."""
    size = max(1, len(milliseconds) // PARTS)
    parts = [milliseconds[first : first + size] for first in range(0, size * PARTS, size)]
    medians = [percentile(part, 0.5) for part in parts if part]
    report.values(f"from the server's line to the notice{where}, p50", medians, "ms")
    longest = percentile(milliseconds, 0.99)
    report.at_most(f"from the server's line to the notice{where}, p99", longest, NOTICE_WITHIN, "ms")


def _calls_on_busy_screen(
    report: Report, running: WindowClient, desktop: Desktop, watch: ScreenWatch, numbers: range
) -> None:
    command = [sys.executable, "-m", "tests.bench.processes.busy_screen"]
    with subprocess.Popen(command, cwd=PROJECT, env=desktop.environ) as drawing:
        try:
            milliseconds = _ring(running, watch, numbers)
            if drawing.poll() is not None:
                raise ServerFailed("the program that keeps the screen busy has ended")
        finally:
            drawing.terminate()
    report_notices(report, milliseconds, ", busy screen")


def _ring(running: WindowClient, watch: ScreenWatch, numbers: range) -> list[float]:
    """Each call rings, is seen, and ends. Milliseconds from its line to its notice, all of it drawn."""
    from tests.client.ui.tools.window_test_bed import event

    found = []
    for number in numbers:
        watch.forget()
        key = f"{number}.1"
        who: dict[str, Any] = {"name": f"Caller {number}", "number": f"0551{number:04}"}
        running.peer.say(event("Newchannel", key, state="Down", **who))
        sent = time.perf_counter()
        running.peer.say(event("Callerid", key, **who))
        notice = watch.await_notice(PATIENCE)
        found.append((notice.drawn - sent) * 1000)
        running.peer.say(event("Hangup", key, end="missed", **who))
        watch.await_gone(notice.window, PATIENCE)
        time.sleep(PAUSE)  # the next call comes to a client at rest
    return found


def _idle(
    report: Report, running: WindowClient, where: str, seconds: float, targets: tuple[float, float | None]
) -> None:
    time.sleep(SETTLE)
    meter = ProcessorMeter({"clients": running.pid})
    shares, woken = [], []
    for _ in range(IDLE_SPANS):
        before, woken_before = meter.read(), wake_ups(running.pid)
        time.sleep(seconds)  # what is measured is that nothing happens
        usage = before.until(meter.read())
        shares.append(usage.share("clients") * 100)
        woken.append((wake_ups(running.pid) - woken_before) / usage.seconds)
    share = report.values(f"idle, {where}", shares, "% of a core").median
    often = report.values(f"wake-ups a second, idle, {where}", woken, "").median
    report.usage(f"idle, {where}, the last of {IDLE_SPANS}", usage)
    most_share, most_wake_ups = targets
    report.at_most(f"of a core, idle, {where}", share, most_share, "%")
    if most_wake_ups is not None:
        report.at_most(f"wake-ups, idle, {where}", often, most_wake_ups, "a second")


@contextmanager
def watched_desktop() -> Iterator[tuple[Desktop, ScreenWatch, Path]]:
    """A desktop of its own, who watches it, and an empty folder."""
    from tests.bench.processes.screen_watch import ScreenWatch

    with tempfile.TemporaryDirectory(prefix="astcti-bench-") as name:
        folder = Path(name)
        desktop = Desktop(folder)
        try:
            watch = ScreenWatch(desktop.display)
            try:
                yield desktop, watch, folder
            finally:
                watch.close()
        finally:
            desktop.close()


@contextmanager
def started_client(
    folder: Path,
    desktop: Desktop,
    watch: ScreenWatch,
    program: str = "astcti_client",
    environ: Mapping[str, str] | None = None,
    prepare: Callable[[Path], None] = lambda _folder: None,
) -> Iterator[WindowClient]:
    """The client that logged in, and its end; `program` and `environ` as in `WindowClient`.

    `prepare` puts into its folder what an earlier run left.
    """
    from tests.bench.processes.window_client import WindowClient

    folder.mkdir()
    prepare(folder)
    running = WindowClient(folder, desktop, watch, program, environ or {})
    try:
        yield running
    finally:
        running.close()
