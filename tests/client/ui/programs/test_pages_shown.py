"""Pages in the client's own window: in sight at once, and the keyboard stays where somebody types."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from astcti_client.ui.browser.browser_windows import BrowserWindows, note_page, pages_are_used
from astcti_client.ui.browser.page import places_file
from tests.client.ui.tools.desktop import Desktop
from tests.client.ui.tools.elsewhere import Elsewhere
from tests.client.ui.tools.web import Site, await_fact

FORM = """<input autofocus style="width:100vw;height:100vh" oninput="fetch('/typed-' + this.value)">
<script>onload = () => document.querySelector('input').focus()</script>"""


@pytest.fixture
def pages(browser: None) -> Iterator[BrowserWindows]:
    failed: list[str] = []
    windows = BrowserWindows(lambda url, _why: failed.append(url))
    yield windows
    windows.close()
    assert failed == []


@pytest.fixture
def elsewhere(desktop: Desktop) -> Iterator[Elsewhere]:
    window = Elsewhere(desktop)
    yield window
    window.close()


def window_of(desktop: Desktop, title: str) -> str:
    found = desktop.do("search", "--onlyvisible", "--name", title).split()
    return found[-1] if found else ""


def wants_attention(desktop: Desktop, window: str) -> bool:
    return "DEMANDS_ATTENTION" in desktop.run("xprop", "-id", window, "_NET_WM_STATE")


def place_of(desktop: Desktop, window: str) -> tuple[int, int, int, int]:
    words = desktop.do("getwindowgeometry", "--shell", window).split()
    found = dict(word.split("=") for word in words)
    return int(found["X"]), int(found["Y"]), int(found["WIDTH"]), int(found["HEIGHT"])


def wait_until_ready(pages: BrowserWindows) -> None:
    """Until a process waits for a page, its engine started."""
    pages.keep_ready()
    pages.tick()

    def renders() -> bool:
        """The engine's two zygotes have each made a process: one of these draws pages."""
        names = [child.name() for child in psutil.Process().children(recursive=True)]
        return sum(name.startswith("QtWebEngine") for name in names) >= 4

    await_fact(renders, "no process gets ready")


@pytest.mark.parametrize("ready", [False, True])
def test_a_page_that_opens_leaves_the_keyboard_where_it_is_and_gets_it_by_a_click(
    pages: BrowserWindows, site: Site, desktop: Desktop, elsewhere: Elsewhere, ready: bool
) -> None:
    site.pages["/one"] = FORM
    if ready:
        wait_until_ready(pages)
    pages.show(f"{site.address}/one", "Demo")
    elsewhere.type_through(lambda: not site.asked.empty() and window_of(desktop, "^Demo – "))
    assert site.hear() == "/one"
    window = window_of(desktop, "^Demo – ")
    assert wants_attention(desktop, window)
    assert site.asked.empty()
    desktop.do("mousemove", "--window", window, "300", "300", "click", "1")
    await_fact(lambda: desktop.do("getactivewindow") == window, "a click does not give it the keyboard")
    await_fact(lambda: not wants_attention(desktop, window), "it goes on flashing")
    desktop.do("type", "7")
    assert site.hear() == "/typed-7"


def test_the_next_page_of_a_window_behind_or_in_the_panel_leaves_the_keyboard_too(
    pages: BrowserWindows, site: Site, desktop: Desktop, elsewhere: Elsewhere
) -> None:
    pages.show(f"{site.address}/one", "Demo")
    assert site.hear() == "/one"
    await_fact(lambda: window_of(desktop, "^Demo – "), "no window")
    window = window_of(desktop, "^Demo – ")
    for path, minimized in (("/two", False), ("/three", True)):
        site.pages[path] = FORM
        if minimized:
            desktop.do("windowminimize", window)
            await_fact(lambda: not window_of(desktop, "^Demo – "), "it is not minimized")
        elsewhere.take()
        pages.show(f"{site.address}{path}", "Demo")
        elsewhere.type_through(lambda: not site.asked.empty() and window_of(desktop, "^Demo – "))
        assert site.hear() == path
        assert site.asked.empty()
        assert wants_attention(desktop, window_of(desktop, "^Demo – "))
        assert window_of(desktop, "^Demo – ") == window


def test_a_window_comes_back_where_its_user_left_it(
    pages: BrowserWindows, site: Site, desktop: Desktop
) -> None:
    seen: list[tuple[int, int, int, int]] = []
    for _turn in range(3):
        pages.show(f"{site.address}/one", "Help & more/désk")
        assert site.hear() == "/one"
        await_fact(lambda: window_of(desktop, "désk – "), "no window")
        window = window_of(desktop, "désk – ")
        if not seen:
            desktop.do("windowmove", "--sync", window, "120", "140", "windowsize", window, "640", "420")
        await_fact(lambda window=window: place_of(desktop, window)[2:] == (640, 420), "another size")  # type: ignore[misc]
        seen.append(place_of(desktop, window))
        desktop.do("windowactivate", "--sync", window, "key", "--clearmodifiers", "alt+F4")
        await_fact(lambda: window_processes() == [], "it does not close")
    assert seen[1:] == seen[:1] * 2
    assert pages_are_used()


def test_on_a_small_screen_the_window_is_as_large_as_the_panels_leave_it(
    browser: None, site: Site, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = Desktop(tmp_path_factory.mktemp("small"), tray=False, size="800x480")
    try:
        small.run("xprop", "-root", "-f", "_NET_WORKAREA", "32c", "-set", "_NET_WORKAREA", "0, 0, 800, 440")
        monkeypatch.setenv("DISPLAY", small.display)
        pages = BrowserWindows(lambda _url, _why: None)
        pages.show(f"{site.address}/one", "Demo")
        assert site.hear() == "/one"
        await_fact(lambda: window_of(small, "^Demo – "), "no window")
        x, y, width, height = place_of(small, window_of(small, "^Demo – "))
        assert x >= 0
        assert y >= 0
        assert x + width <= 800
        assert y + height <= 440
        assert width > 700
        pages.close()
    finally:
        small.close()


def test_a_window_that_is_ready_asks_for_the_first_page_at_once(pages: BrowserWindows, site: Site) -> None:
    wait_until_ready(pages)
    begun = time.monotonic()
    pages.show(f"{site.address}/one", "Demo")
    assert site.hear() == "/one"
    print(f"asked for after {1000 * (time.monotonic() - begun):.0f} ms")
    assert time.monotonic() - begun < 1.5  # a machine that has nothing else to do: 0.1


def window_processes() -> list[psutil.Process]:
    """The processes of browser windows that run."""
    running = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            if "astcti_client.ui.browser.window" in child.cmdline():
                running.append(child)
    return running


def test_nothing_waits_where_no_page_was_ever_shown(pages: BrowserWindows) -> None:
    assert not pages_are_used()
    pages.tick()
    assert window_processes() == []
    note_page()
    assert pages_are_used()


def test_who_closes_the_window_finds_the_next_one_ready(
    pages: BrowserWindows, site: Site, desktop: Desktop
) -> None:
    pages.show(f"{site.address}/one", "Demo")
    assert site.hear() == "/one"
    await_fact(lambda: window_of(desktop, "^Demo – "), "no window")
    window = window_of(desktop, "^Demo – ")
    desktop.do("windowactivate", "--sync", window, "key", "--clearmodifiers", "alt+F4")

    def another() -> bool:
        pages.tick()
        return len(window_processes()) == 1 and not window_of(desktop, "^Demo – ")

    await_fact(another, "none gets ready")
    (ready,) = window_processes()
    pages.show(f"{site.address}/two", "Demo")
    assert site.hear() == "/two"
    assert window_processes() == [ready]


def test_a_ready_window_ends_with_the_client(browser: None, tmp_path: Path) -> None:
    windows = BrowserWindows(lambda _url, _why: None)
    wait_until_ready(windows)
    (process,) = window_processes()
    windows.close()
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_the_places_are_a_file_of_the_user_alone(browser: None) -> None:
    note_page()
    assert places_file().stat().st_mode & 0o077 == 0
