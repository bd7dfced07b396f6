"""From the server's line until a page is asked for: in the own window, and in the system's browser."""

from __future__ import annotations

import http.server
import importlib.util
import os
import queue
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.bench.figures import percentile
from tests.bench.lacking import Lacking, require_modules
from tests.bench.processes.screen_watch import ScreenWatch
from tests.bench.processes.server_process import ServerFailed
from tests.bench.processes.window_client import WindowClient
from tests.bench.report import Report
from tests.bench.scenarios.desk import CLIENT_MODULES, started_client, watched_desktop
from tests.client.ui.tools.desktop import Desktop, missing
from tests.fake.cti_server import Peer

WITHIN = 150  # milliseconds, of the system's browser and of the own window once it has shown a page
FIRST_WITHIN = 300  # of the own window's first page: a process waits for it since the log-in
PATIENCE = 60.0  # seconds; the first start of a browser engine takes its time
WARM_UP = 2  # pages that do not count
PAUSE = 0.5  # seconds between two pages
ENGINE_PROCESSES = 4  # of Qt's engine once it can draw a page
SETTLE = 2.0  # seconds from then until the first call: sooner after a log-in none comes
STAND_IN = '#!/bin/sh\nexec curl --silent --output /dev/null "$1"\n'


class PageServer:
    """Answers every request with a small page and notes when it came."""

    def __init__(self) -> None:
        self._asked: queue.SimpleQueue[tuple[float, str]] = queue.SimpleQueue()
        asked = self._asked

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.put((time.perf_counter(), self.path))
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", "4")
                self.end_headers()
                self.wfile.write(b"page")

            def log_message(self, *_arguments: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def await_page(self, path: str) -> float:
        """When it was asked for, by `time.perf_counter`. Raises ServerFailed."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                at, asked = self._asked.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                raise ServerFailed(f"nobody asked for the page {path} within {PATIENCE:.0f} s") from None
            if asked == path:
                return at

    def close(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def page_requests(report: Report, *, pages: int, log_ins: int) -> None:
    """So many pages each way, and the own window's first one after so many log-ins.

    Raises Lacking, ServerFailed.
    """
    require_modules(CLIENT_MODULES, "client")
    if lacking := missing():
        raise Lacking(f"missing: {', '.join(lacking)}; install them with tests/system-packages.sh")
    with watched_desktop() as (desktop, watch, folder), _page_server() as server:
        stand_in = folder / "browser"
        stand_in.write_text(STAND_IN)
        stand_in.chmod(0o755)
        alone = [_asked_directly(server, stand_in, number) for number in range(WARM_UP + pages)][WARM_UP:]
        environ = {"BROWSER": str(stand_in)}
        of_system = _asked_by_client(
            server, desktop, watch, folder / "system", environ, ("browser", WARM_UP + pages)
        )[WARM_UP:]
        report_system(report, of_system, alone)
        if not (importlib.util.find_spec("webview") and importlib.util.find_spec("PyQt6")):
            raise Lacking("missing: pywebview with Qt; install it with pip install -e '.[browser]'")
        own = {"PYWEBVIEW_GUI": "qt", "QT_QPA_PLATFORM": "xcb", "QTWEBENGINE_CHROMIUM_FLAGS": "--disable-gpu"}
        if os.getuid() == 0:
            own["QTWEBENGINE_DISABLE_SANDBOX"] = "1"
        firsts = list[float]()
        for number in range(log_ins):
            # All that an engine needs is in the disk's cache from the first log-in on, which does not count.
            place = folder / f"own{number}"
            with started_client(place, desktop, watch, environ=own, prepare=_has_shown_pages) as running:
                _await_engine(running)
                firsts.append(_one_page(server, running.peer, "internal-browser", number))
        report_page(report, "the own window, first page", firsts[1:] or firsts, FIRST_WITHIN)
        shown = _asked_by_client(
            server, desktop, watch, folder / "own", own, ("internal-browser", WARM_UP + pages)
        )
        report_page(report, "the own window, warm", shown[WARM_UP:])


def _has_shown_pages(folder: Path) -> None:
    """As if pages had been shown in the client's own windows before: one waits for the next."""
    file = folder / "data" / "astcti" / "page-windows.ini"
    file.parent.mkdir(parents=True)
    file.touch()


def _await_engine(running: WindowClient) -> None:
    """Until a process waits for a page, its engine started: both of its zygotes have made a process."""
    until = time.monotonic() + PATIENCE
    while sum(child.startswith("QtWebEngine") for child in running.children()) < ENGINE_PROCESSES:
        if time.monotonic() >= until:
            raise ServerFailed(f"no process waits for a page:\n{running.log}")
        time.sleep(0.1)
    time.sleep(SETTLE)


def report_system(report: Report, by_client: Sequence[float], alone: Sequence[float]) -> None:
    """The system's browser, by the client and started directly; milliseconds."""
    report.values("a browser started directly, to the page's request", alone, "ms")
    report_page(report, "the system's browser", by_client)


def report_page(report: Report, where: str, milliseconds: Sequence[float], within: float = WITHIN) -> None:
    """From the line to the request."""
    report.values(f"from the server's line to the page's request, {where}", milliseconds, "ms")
    longest = percentile(milliseconds, 0.99)
    report.at_most(f"to the page's request, {where}, p99", longest, within, "ms")


def _asked_directly(server: PageServer, stand_in: Path, number: int) -> float:
    begun = time.perf_counter()
    with subprocess.Popen([str(stand_in), f"{server.address}/direct/{number}"]):
        return (server.await_page(f"/direct/{number}") - begun) * 1000


def _asked_by_client(
    server: PageServer,
    desktop: Desktop,
    watch: ScreenWatch,
    folder: Path,
    environ: Mapping[str, str],
    what: tuple[str, int],
) -> list[float]:
    kind, count = what
    with started_client(folder, desktop, watch, environ=environ) as running:
        return [_one_page(server, running.peer, kind, number) for number in range(count)]


def _one_page(server: PageServer, peer: Peer, kind: str, number: int) -> float:
    from tests.client.ui.tools.window_test_bed import event

    key, path = f"{number}.1", f"/{kind}/{number}"
    peer.say(event("Newchannel", key, state="Down"), event("Callerid", key))
    time.sleep(PAUSE)  # the phone rings
    trigger = f'<trigger type="{kind}" os="any"><url>{server.address}{path}</url></trigger>'
    begun = time.perf_counter()
    peer.say(event("Link", key, state="Up", trigger=trigger))
    took = (server.await_page(path) - begun) * 1000
    peer.say(event("Hangup", key, end="answered"))
    time.sleep(PAUSE)
    return took


@contextmanager
def _page_server() -> Iterator[PageServer]:
    server = PageServer()
    try:
        yield server
    finally:
        server.close()
