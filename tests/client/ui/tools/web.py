"""Pages for tests of the browser window, and a browser that can show them on a test's desktop."""

from __future__ import annotations

import http.server
import importlib.util
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import needed
from tests.client.ui.tools.desktop import Desktop

PATIENCE = 60.0  # seconds; the first start of a browser engine takes its time


class Site:
    """Serves any page, those of `pages` as written there, and tells which were asked for."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.asked: queue.Queue[str] = queue.Queue()
        asked, pages = self.asked, self.pages

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                text = pages.get(self.path, f"<title>CRM</title><h1>{self.path}</h1>")
                body = text.encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(body)
                if "favicon" not in self.path:
                    asked.put(self.path)

            def log_message(self, *_arguments: object) -> None:
                pass

        # Engines open connections ahead of need and keep them idle: one must not hold up the others.
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def hear(self) -> str:
        """The next page that is asked for."""
        return self.asked.get(timeout=PATIENCE)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    served = Site()
    yield served
    served.close()


@pytest.fixture
def browser(desktop: Desktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not (importlib.util.find_spec("webview") and importlib.util.find_spec("PyQt6")):
        needed.lacking("pywebview with Qt is not installed: pip install -e '.[browser]'")
    for name, value in {
        "DISPLAY": desktop.display,
        "PYWEBVIEW_GUI": "qt",
        "QT_QPA_PLATFORM": "xcb",
        "XDG_RUNTIME_DIR": str(tmp_path),
        "HOME": str(tmp_path),
        "QTWEBENGINE_CHROMIUM_FLAGS": "--disable-gpu --use-fake-device-for-media-stream",
    }.items():
        monkeypatch.setenv(name, value)
    if os.getuid() == 0:
        monkeypatch.setenv("QTWEBENGINE_DISABLE_SANDBOX", "1")


def await_fact(fact: Callable[[], object], what: str) -> None:
    until = time.monotonic() + PATIENCE
    while not fact():
        assert time.monotonic() < until, what
        time.sleep(0.05)
