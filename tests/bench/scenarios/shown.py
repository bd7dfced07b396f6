"""From the server's taking in of an answer until it hears that the call is on the agent's screen (SHOWN)."""

from __future__ import annotations

import math
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from tests.bench.lacking import Lacking, require_modules
from tests.bench.processes.measured_server import MeasuredServer
from tests.bench.processes.seat_window import SeatWindow, wait_until
from tests.bench.processes.server_process import ServerFailed
from tests.bench.processes.showing_clients import ShowingClients
from tests.bench.report import Report
from tests.bench.scenarios.desk import CLIENT_MODULES
from tests.bench.workload.call_centre import CallCentre, password_of
from tests.bench.workload.event_script import EventScript
from tests.bench.workload.traffic import make_calls
from tests.client.ui.tools.desktop import Desktop, missing
from tests.fake.ports import free_port

FAMILY = "astcti_shown_seconds"
WITHIN = 250  # milliseconds, of 99 in 100
FIRST_OF_WINDOW = 1_000_000
"""The number of the first call to the window."""
WINDOW_PAUSE = 0.25  # seconds before and after its answers: an agent's calls do not come one on another

Buckets = Mapping[float, float]
"""How many took at most so many seconds."""


def shown(report: Report, script: EventScript, *, seats: int, rate: int, seconds: float, window: int) -> None:
    """So many calls a second to all seats in turn; then `window` calls to the one with a real window.

    Every seat resumes and says SHOWN, that of the window once the call's card is drawn. Both times count at
    the server: from its handing the answer on until SHOWN is there. Raises Lacking, ServerFailed.
    """
    require_modules(("prometheus_client",), "metrics")
    require_modules(CLIENT_MODULES, "client")
    if lacking := missing():
        raise Lacking(f"missing: {', '.join(lacking)}; install them with tests/system-packages.sh")
    call_centre = CallCentre(script.technology, seats)
    port = free_port()
    settings = f'<metrics address="127.0.0.1" port="{port}"/>'
    with MeasuredServer(script, call_centre, clients=ShowingClients, settings=settings) as measured:
        measured.log_in(but=1)
        pause = 1 / rate / 2
        others = make_calls(call_centre.extensions[1:], call_centre.queue, first=1)
        before = _buckets(port)
        measured.notify(list(islice(others, int(rate * seconds))), pause=pause)
        _report(report, f"{seats - 1} seats, {rate} calls/s", _since(before, _buckets(port)))
        with _window(measured, call_centre) as client:
            before = _buckets(port)
            _ring_window(measured, call_centre, window, client, port, before)
            _report(report, "the window", _since(before, _buckets(port)))


def _ring_window(
    measured: MeasuredServer,
    call_centre: CallCentre,
    count: int,
    client: SeatWindow,
    port: int,
    before: Buckets,
) -> None:
    own = make_calls(call_centre.extensions[:1], call_centre.queue, first=FIRST_OF_WINDOW)
    blocks = [measured.split(call) for call in islice(own, count)]
    measured.feeder.call("send_calls", blocks, WINDOW_PAUSE, timeout=60 + count * 4 * WINDOW_PAUSE)
    wait_until(
        f"SHOWN of {count} calls", lambda: _since(before, _buckets(port)).get(math.inf, 0) >= count, client
    )


@contextmanager
def _window(measured: MeasuredServer, call_centre: CallCentre) -> Iterator[SeatWindow]:
    with tempfile.TemporaryDirectory(prefix="astcti-bench-") as name:
        folder = Path(name)
        desktop = Desktop(folder)
        try:
            place = folder / "client"
            place.mkdir()
            login = call_centre.logins[0]
            window = SeatWindow(place, desktop, measured.process.port, login, password_of(0))
            try:
                joined = call_centre.seats
                wait_until("the client's log-in", lambda: measured.feeder.call("members") >= joined, window)
                yield window
            finally:
                window.close()
        finally:
            desktop.close()


def _report(report: Report, who: str, found: Buckets) -> None:
    count = found.get(math.inf, 0)
    if not count:
        raise ServerFailed(f"{who}: the server counted no SHOWN")
    report.note(
        f"{who}: SHOWN came {count:.0f} times; "
        + ", ".join(
            f"{share / count:.2%} within {bound * 1000:g} ms"
            for bound, share in found.items()
            if bound < math.inf
        )
    )
    report.at_most(f"{who}: 99 in 100 within", quantile(found, 0.99) * 1000, WITHIN, "ms")


def quantile(found: Buckets, share: float) -> float:
    """Seconds within which this share was: the upper end of its bucket."""
    count = found[math.inf]
    return next(bound for bound, within in sorted(found.items()) if within >= share * count)


def _since(before: Buckets, after: Buckets) -> Buckets:
    return {bound: within - before.get(bound, 0.0) for bound, within in after.items()}


def _buckets(port: int) -> Buckets:
    from prometheus_client.parser import text_string_to_metric_families

    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return {
        float(sample.labels["le"]): sample.value
        for family in text_string_to_metric_families(text)
        if family.name == FAMILY
        for sample in family.samples
        if sample.name == f"{FAMILY}_bucket"
    }
