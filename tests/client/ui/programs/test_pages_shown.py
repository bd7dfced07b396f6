"""Pages in the client's own window: in sight at once, and the keyboard stays where somebody types."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from Xlib import X, Xatom
from Xlib.display import Display
from Xlib.protocol import event

from astcti_client.ui.browser.browser_windows import BrowserWindows, note_page, pages_are_used
from astcti_client.ui.browser.page import places_file
from tests.client.ui.tools.desktop import Desktop
from tests.client.ui.tools.elsewhere import Elsewhere
from tests.client.ui.tools.web import Site, await_fact

FORM = """<input autofocus style="width:100vw;height:100vh" oninput="fetch('/typed-' + this.value)">
<script>onload = () => { document.querySelector('input').focus(); fetch('/there') }</script>"""


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


def the_window(desktop: Desktop, title: str) -> str:
    """The window with this title, once it is there: while a page loads it has another one for a moment."""
    found = ""

    def is_there() -> bool:
        nonlocal found
        found = window_of(desktop, title)
        return bool(found)

    await_fact(is_there, "no window")
    return found


def wants_attention(desktop: Desktop, window: str) -> bool:
    return "DEMANDS_ATTENTION" in desktop.run("xprop", "-id", window, "_NET_WM_STATE")


def place_of(desktop: Desktop, window: str) -> tuple[int, int, int, int]:
    """Left, top, width and height of what is inside its frame."""
    display = Display(desktop.display)
    found = display.create_resource_object("window", int(window))
    inside, corner = found.get_geometry(), display.screen().root.translate_coords(found, 0, 0)
    display.close()
    return corner.x, corner.y, inside.width, inside.height


def close_window(desktop: Desktop, window: str) -> None:
    """Ask the window manager to, as a click on the frame's button does."""
    display = Display(desktop.display)
    root, windows = display.screen().root, display.intern_atom("_NET_CLIENT_LIST")

    def is_managed() -> bool:
        found = root.get_full_property(windows, X.AnyPropertyType)
        return found is not None and int(window) in found.value

    await_fact(is_managed, "the window manager does not know the window")
    message = event.ClientMessage(
        window=display.create_resource_object("window", int(window)),
        client_type=display.intern_atom("_NET_CLOSE_WINDOW"),
        data=(32, [0, 2, 0, 0, 0]),
    )
    mask = X.SubstructureRedirectMask | X.SubstructureNotifyMask
    root.send_event(message, event_mask=mask)
    display.close()


class Panel:
    """Takes the lowest dots of a screen for itself."""

    def __init__(self, desktop: Desktop, dots: int) -> None:
        display = self._display = Display(desktop.display)
        root, size = display.screen().root, display.screen()
        window = root.create_window(
            0, size.height_in_pixels - dots, size.width_in_pixels, dots, 0, size.root_depth
        )
        for name, kind, values in (
            ("_NET_WM_WINDOW_TYPE", Xatom.ATOM, [display.intern_atom("_NET_WM_WINDOW_TYPE_DOCK")]),
            ("_NET_WM_STRUT", Xatom.CARDINAL, [0, 0, 0, dots]),
        ):
            window.change_property(display.intern_atom(name), kind, 32, values)
        window.map()
        display.sync()
        await_fact(
            lambda: f", {size.height_in_pixels - dots}" in desktop.run("xprop", "-root", "_NET_WORKAREA"),
            "no room",
        )

    def close(self) -> None:
        self._display.close()


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
    assert [site.hear(), site.hear()] == ["/one", "/there"]
    window = the_window(desktop, "^Demo – ")
    await_fact(lambda: wants_attention(desktop, window), "it does not flash")
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
    window = the_window(desktop, "^Demo – ")
    for path, minimized in (("/two", False), ("/three", True)):
        site.pages[path] = FORM
        if minimized:
            desktop.do("windowminimize", window)
            await_fact(lambda: not window_of(desktop, "^Demo – "), "it is not minimized")
        elsewhere.take()
        pages.show(f"{site.address}{path}", "Demo")
        elsewhere.type_through(lambda: not site.asked.empty() and window_of(desktop, "^Demo – "))
        assert [site.hear(), site.hear()] == [path, "/there"]
        assert site.asked.empty()
        await_fact(lambda: wants_attention(desktop, window), "it does not flash")
        assert the_window(desktop, "^Demo – ") == window


def test_a_window_comes_back_where_its_user_left_it(
    pages: BrowserWindows, site: Site, desktop: Desktop
) -> None:
    seen: list[tuple[int, int, int, int]] = []
    for _turn in range(3):
        pages.show(f"{site.address}/one", "Help & more/désk")
        assert site.hear() == "/one"
        window = the_window(desktop, "désk – ")
        if not seen:
            desktop.do("windowmove", "--sync", window, "120", "140", "windowsize", window, "640", "420")
        await_fact(lambda window=window: place_of(desktop, window)[2:] == (640, 420), "another size")  # type: ignore[misc]
        seen.append(place_of(desktop, window))
        (process,) = window_processes()
        close_and_wait(pages, desktop, window, process)
    assert seen[1:] == seen[:1] * 2
    assert pages_are_used()


def test_on_a_small_screen_the_window_is_as_large_as_the_panels_leave_it(
    browser: None, site: Site, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = Desktop(tmp_path_factory.mktemp("small"), tray=False, size="800x480")
    try:
        panel = Panel(small, 40)
        monkeypatch.setenv("DISPLAY", small.display)
        pages = BrowserWindows(lambda _url, _why: None)
        pages.show(f"{site.address}/one", "Demo")
        assert site.hear() == "/one"
        x, y, width, height = place_of(small, the_window(small, "^Demo – "))
        assert x >= 0
        assert y >= 0
        assert x + width <= 800
        assert y + height <= 440
        assert width > 700
        pages.close()
        panel.close()
    finally:
        small.close()


def test_a_window_that_is_ready_asks_for_the_first_page_at_once(pages: BrowserWindows, site: Site) -> None:
    wait_until_ready(pages)
    begun = time.monotonic()
    pages.show(f"{site.address}/one", "Demo")
    assert site.hear() == "/one"
    print(f"asked for after {1000 * (time.monotonic() - begun):.0f} ms")
    assert time.monotonic() - begun < 1.5  # a machine that has nothing else to do: 0.1


def close_and_wait(pages: BrowserWindows, desktop: Desktop, window: str, process: psutil.Process) -> None:
    """Close it until its process is over: a busy window manager may not take the first wish."""
    again = 0.0

    def is_gone() -> bool:
        nonlocal again
        if (
            window in desktop.do("search", "--onlyvisible", "--name", " – ").split()
            and time.monotonic() >= again
        ):
            close_window(desktop, window)
            again = time.monotonic() + 2
        return gone(pages, process)

    await_fact(is_gone, "it does not close")


def gone(pages: BrowserWindows, process: psutil.Process) -> bool:
    pages.tick()
    return not process.is_running()


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
    window = the_window(desktop, "^Demo – ")
    (shown,) = window_processes()
    close_and_wait(pages, desktop, window, shown)
    await_fact(lambda: gone(pages, shown) and window_processes(), "none gets ready")
    (ready,) = window_processes()
    pages.show(f"{site.address}/two", "Demo")
    assert site.hear() == "/two"
    assert window_processes() == [ready]


def test_a_page_that_goes_to_a_window_that_is_being_closed_opens_another(
    pages: BrowserWindows, site: Site, desktop: Desktop
) -> None:
    pages.show(f"{site.address}/one", "Demo")
    assert site.hear() == "/one"
    window = the_window(desktop, "^Demo – ")
    (process,) = window_processes()
    process.suspend()  # it is slow
    close_window(desktop, window)
    time.sleep(0.2)  # whichever it sees first when it goes on
    pages.show(f"{site.address}/two", "Demo")
    process.resume()

    def asked() -> bool:
        pages.tick()
        return not site.asked.empty()

    await_fact(asked, "the page is lost")
    assert site.hear() == "/two"


def test_a_ready_window_ends_with_the_client(browser: None, tmp_path: Path) -> None:
    windows = BrowserWindows(lambda _url, _why: None)
    wait_until_ready(windows)
    (process,) = window_processes()
    windows.close()
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_the_places_are_a_file_of_the_user_alone(browser: None) -> None:
    note_page()
    assert places_file().stat().st_mode & 0o077 == 0
