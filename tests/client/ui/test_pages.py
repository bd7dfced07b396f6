"""The client's own browser: a real window of pywebview with a page that the test serves."""

from __future__ import annotations

import http.server
import importlib.util
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from astcti_client.programs import Refused
from astcti_client.ui.pages import Pages
from tests.client.ui.desk import Desk, event
from tests.client.ui.desktop import Desktop

PATIENCE = 60.0  # seconds; the first start of a browser engine takes its time


class Site:
    """Serves any page and tells which were asked for."""

    def __init__(self) -> None:
        self.asked: queue.Queue[str] = queue.Queue()
        asked = self.asked

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = f"<title>CRM</title><h1>{self.path}</h1>".encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                if "favicon" not in self.path:
                    asked.put(self.path)

            def log_message(self, *_arguments: object) -> None:
                pass

        self._server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    one = Site()
    yield one
    one.close()


@pytest.fixture
def browser(desktop: Desktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not (importlib.util.find_spec("webview") and importlib.util.find_spec("PyQt6")):
        pytest.skip("pywebview with Qt is not installed: pip install -e '.[browser]'")
    for name, value in {
        "DISPLAY": desktop.display,
        "PYWEBVIEW_GUI": "qt",
        "QT_QPA_PLATFORM": "xcb",
        "XDG_RUNTIME_DIR": str(tmp_path),
        "HOME": str(tmp_path),
        "QTWEBENGINE_CHROMIUM_FLAGS": "--disable-gpu",
    }.items():
        monkeypatch.setenv(name, value)
    if os.getuid() == 0:
        monkeypatch.setenv("QTWEBENGINE_DISABLE_SANDBOX", "1")


def await_fact(fact: Callable[[], object], what: str) -> None:
    until = time.monotonic() + PATIENCE
    while not fact():
        assert time.monotonic() < until, what
        time.sleep(0.05)


@pytest.mark.usefixtures("browser")
def test_a_service_reuses_its_window_shows_the_address_and_closes_alone(site: Site, desktop: Desktop) -> None:
    failed: list[str] = []
    pages = Pages(failed.append)
    try:
        pages.show(f"{site.address}/one", "Demo")
        assert site.asked.get(timeout=PATIENCE) == "/one"
        await_fact(lambda: desktop.do("search", "--name", f"{site.address}/one"), "the address is not shown")
        pages.show(f"{site.address}/two", "Demo")
        assert site.asked.get(timeout=PATIENCE) == "/two"
        await_fact(lambda: desktop.do("search", "--name", f"{site.address}/two"), "the address is not shown")
        assert len(pages._windows) == 1
        found = desktop.do("search", "--onlyvisible", "--name", f"{site.address}/two").split()
        desktop.do("windowactivate", "--sync", found[-1], "key", "--clearmodifiers", "alt+F4")
        pages._windows[0].process.wait(PATIENCE)
        pages.tick()
        assert pages._windows == []
        assert failed == []
    finally:
        pages.close()


@pytest.mark.usefixtures("browser")
def test_a_call_opens_its_page_in_the_clients_own_window(desk: Callable[..., Desk], site: Site) -> None:
    one = desk()
    peer = one.log_in()
    url = f"{site.address}/ticket?id=12345"
    peer.say(
        event("Link", "7.1", trigger=f'<trigger type="internal-browser" os="any"><url>{url}</url></trigger>')
    )
    one.pump(lambda: one.app.triggers.pages._windows)
    assert site.asked.get(timeout=PATIENCE) == "/ticket?id=12345"


def test_without_pywebview_the_systems_browser_opens_and_that_is_said_once(
    desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pages, "available", staticmethod(lambda: False))
    one = desk()
    opened: list[list[str]] = []
    monkeypatch.setattr(one.app.triggers.runner, "_start", lambda command, _action: opened.append(command))
    told: list[str] = []
    monkeypatch.setattr(one.app.windows.main, "tell", told.append)
    peer = one.log_in()
    for number in (1, 2):
        url = f"https://crm.example/{number}"
        trigger = f'<trigger type="internal-browser" os="any"><url>{url}</url></trigger>'
        peer.say(event("Link", f"{number}.1", trigger=trigger))
    one.pump(lambda: len(opened) == 2)
    assert [command[-1] for command in opened] == ["https://crm.example/1", "https://crm.example/2"]
    assert len(told) == 1


def test_a_window_that_cannot_open_gives_its_page_back(monkeypatch: pytest.MonkeyPatch) -> None:
    failed: list[str] = []
    pages = Pages(failed.append, environ={**os.environ, "PYWEBVIEW_GUI": "none", "DISPLAY": ""})
    monkeypatch.setattr(Pages, "available", staticmethod(lambda: True))
    monkeypatch.setattr(sys, "executable", "/bin/false")
    pages.show("https://crm.example/", "Demo")
    await_fact(lambda: pages.tick() or failed, "the page is not given back")
    assert failed == ["https://crm.example/"]
    monkeypatch.setattr(Pages, "available", staticmethod(lambda: False))
    with pytest.raises(Refused):
        pages.show("https://crm.example/", "Demo")
    pages.close()
