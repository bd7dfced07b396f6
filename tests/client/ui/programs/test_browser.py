"""The browser window of the client, used with mouse and keyboard, on pages good and bad."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from PIL import ImageColor, ImageGrab

from astcti_client.ui.browser.browser_windows import BrowserWindows
from astcti_client.ui.browser.page import PageRequest, host_of, may_be_shown, read_page
from astcti_client.ui.theme.palette import LIGHT
from tests.client.ui.tools.desktop import Desktop
from tests.client.ui.tools.web import Site, await_fact

# Where the buttons of the bar are, from the window's corner.
BACK, FORWARD, RELOAD = (22, 22), (60, 22), (99, 22)
IN_THE_PAGE = (400, 400)
PASTE = "import tkinter; root = tkinter.Tk(); root.withdraw(); print(root.clipboard_get(), end='')"


# Who follows a link while the page still loads leaves no step to go back to: that is the engine's rule.
TELLS_WHEN_LOADED = "<script>onload = () => setTimeout(() => fetch('/loaded'))</script>"


def link(target: str, attributes: str = "") -> str:
    """A page that is all one link."""
    return f'<a href="{target}" {attributes} style="display:block;height:100vh">here</a>'


class Window:
    """The browser window on the screen."""

    def __init__(self, desktop: Desktop, title: str) -> None:
        self._desktop = desktop
        self.id = ""
        await_fact(lambda: self._found(title), f"no window shows {title}")
        desktop.do("windowactivate", "--sync", self.id)

    def _found(self, title: str) -> bool:
        """Asked once: a page that loads gives its window other titles meanwhile."""
        self.id = next(reversed(self.find(title)), "")
        return bool(self.id)

    def find(self, title: str) -> list[str]:
        return self._desktop.do("search", "--onlyvisible", "--name", title).split()

    @property
    def title(self) -> str:
        return self._desktop.do("getwindowname", self.id)

    def click(self, place: tuple[int, int]) -> None:
        x, y = (str(dots) for dots in place)
        self._desktop.do("mousemove", "--window", self.id, x, y, "click", "1")

    def press(self, place: tuple[int, int]) -> None:
        """Click a button once it can be used."""
        await_fact(lambda: self._is_dark(place), "the button cannot be used")
        self.click(place)

    def _is_dark(self, place: tuple[int, int]) -> bool:
        self._desktop.do("mousemove", "--window", self.id, *(str(dots) for dots in place))
        where = dict(word.split("=") for word in self._desktop.do("getmouselocation", "--shell").split())
        x, y = int(where["X"]), int(where["Y"])
        box = (x - 10, y - 10, x + 10, y + 10)
        grey = ImageGrab.grab(box, xdisplay=self._desktop.display).convert("L")
        return sum(grey.histogram()[:100]) > 0

    def has_in_bar(self, colour: str) -> bool:
        """Whether something of this colour stands in the bar."""
        where = dict(
            word.split("=") for word in self._desktop.do("getwindowgeometry", "--shell", self.id).split()
        )
        x, y, width = (int(where[name]) for name in ("X", "Y", "WIDTH"))
        bar = ImageGrab.grab((x, y, x + width, y + 44), xdisplay=self._desktop.display).convert("RGB")
        return ImageColor.getrgb(colour) in {found for _count, found in bar.getcolors(1 << 24) or ()}

    def keys(self, *keys: str) -> None:
        self._desktop.do("key", "--clearmodifiers", *keys)

    def address(self) -> str:
        """What somebody copies from the bar."""
        self.keys("ctrl+l", "ctrl+c")
        return self._desktop.run(sys.executable, "-c", PASTE)


@pytest.fixture
def pages(browser: None) -> Iterator[BrowserWindows]:
    failed: list[str] = []
    windows = BrowserWindows(lambda url, why: failed.append(f"{url}: {why}"))
    yield windows
    windows.tick()
    windows.close()
    assert failed == []


def window_processes() -> list[psutil.Process]:
    """The processes of browser windows that run, the oldest first."""
    children = [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]
    windows = [child for child in children if "astcti_client.ui.browser.window" in child.cmdline()]
    return sorted(windows, key=psutil.Process.create_time)


def open_page(pages: BrowserWindows, desktop: Desktop, site: Site, path: str = "/one") -> Window:
    pages.show(f"{site.address}{path}", "Demo")
    assert site.hear() == path
    return Window(desktop, "Demo – 127.0.0.1")


def test_the_buttons_go_back_forward_and_load_again(
    pages: BrowserWindows, site: Site, desktop: Desktop
) -> None:
    site.pages["/one"] = link("/two") + TELLS_WHEN_LOADED
    window = open_page(pages, desktop, site)
    assert site.hear() == "/loaded"
    window.click(IN_THE_PAGE)
    assert site.hear() == "/two"
    await_fact(lambda: window.address() == f"{site.address}/two", "the bar does not follow the link")
    window.press(BACK)
    assert [site.hear(), site.hear()] == ["/one", "/loaded"]
    await_fact(lambda: window.address() == f"{site.address}/one", "the bar does not follow the way back")
    window.press(FORWARD)
    assert site.hear() == "/two"
    await_fact(lambda: window.address() == f"{site.address}/two", "the bar does not follow the way forward")
    window.press(RELOAD)
    assert site.hear() == "/two"
    window.keys("alt+Left")
    assert site.hear() == "/one"


def test_a_service_reuses_its_window_which_closes_alone(
    pages: BrowserWindows, site: Site, desktop: Desktop
) -> None:
    window = open_page(pages, desktop, site)
    pages.show(f"{site.address}/two", "Demo")
    assert site.hear() == "/two"
    await_fact(lambda: window.address() == f"{site.address}/two", "the address is not shown")
    assert len(window.find("Demo – ")) == 1
    pages.show(f"{site.address}/three", "Other")
    assert site.hear() == "/three"
    Window(desktop, "Other – 127.0.0.1")
    first, second = window_processes()
    desktop.do("windowactivate", "--sync", window.id, "key", "--clearmodifiers", "alt+F4")
    await_fact(lambda: first.status() == psutil.STATUS_ZOMBIE, "the window's process does not end")
    pages.tick()  # takes its exit code; what is not 0 would be told as a failure
    assert window_processes() == [second]
    assert second.status() != psutil.STATUS_ZOMBIE


def test_no_page_can_forge_the_address(pages: BrowserWindows, site: Site, desktop: Desktop) -> None:
    site.pages["/one"] = (
        "<title>Demo – bank.example</title><script>"
        "history.replaceState(0, '', '/https://bank.example/login');"
        "document.title = 'https://bank.example'; fetch('/done')</script>"
    )
    window = open_page(pages, desktop, site)
    assert site.hear() == "/done"
    await_fact(
        lambda: window.address() == f"{site.address}/https://bank.example/login",
        "the bar shows another address",
    )
    assert window.title == "Demo – 127.0.0.1"


PRYING = """<script>
const seen = [typeof qt, typeof pywebview, typeof QWebChannel];
window.open('/unasked');
const tell = (word) => { seen.push(word); fetch('/' + seen.join('-')) };
setTimeout(() => navigator.mediaDevices.getUserMedia({audio: true}).then(() => tell('granted'),
  () => tell('refused')), 500);
location = 'file:///etc/passwd';
</script>"""


def test_a_page_gets_no_microphone_no_files_no_window_and_no_way_into_the_client(
    pages: BrowserWindows, site: Site, desktop: Desktop
) -> None:
    site.pages["/one"] = PRYING
    window = open_page(pages, desktop, site)
    assert site.hear() == "/undefined-undefined-undefined-refused"
    assert window.address() == f"{site.address}/one"


def test_what_wants_a_window_of_its_own_replaces_the_page(
    pages: BrowserWindows, site: Site, desktop: Desktop
) -> None:
    site.pages["/one"] = link("/two", "target=_blank") + TELLS_WHEN_LOADED
    window = open_page(pages, desktop, site)
    assert site.hear() == "/loaded"
    window.click(IN_THE_PAGE)
    assert site.hear() == "/two"
    window.press(BACK)
    assert site.hear() == "/one"


def test_a_number_in_a_page_is_given_to_the_desktop_by_a_click_only(
    pages: BrowserWindows, site: Site, desktop: Desktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opener = tmp_path / "bin" / "xdg-open"
    opener.parent.mkdir()
    opener.write_text(f'#!/bin/sh\necho "$1" >> {tmp_path}/opened\n')
    opener.chmod(0o755)
    monkeypatch.setenv("PATH", f"{opener.parent}:/usr/bin:/bin")
    site.pages["/one"] = (
        "<script>setTimeout(() => { location = 'tel:666'; fetch('/waited') }, 500)</script>"
        + link("tel:0551234567")
    )
    window = open_page(pages, desktop, site)
    assert site.hear() == "/waited"
    window.click(IN_THE_PAGE)
    opened = tmp_path / "opened"
    await_fact(opened.exists, "the link reaches nobody")
    assert opened.read_text() == "tel:0551234567\n"
    assert window.address() == f"{site.address}/one"


# --- without a window ---


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://crm.example/ticket?id=1", "https://crm.example/ticket?id=1"),
        ("https://bank.example:secret@evil.example/", "https://evil.example/"),
        ("https://b\u0430nk.example/", "https://xn--bnk-6cd.example/"),  # the second letter is Cyrillic
        ("https://evil.example/\u202emoc.knab//:sptth", "https://evil.example/%E2%80%AEmoc.knab//:sptth"),
    ],
)
def test_an_address_is_shown_so_that_nothing_passes_for_something_else(address: str, shown: str) -> None:
    pytest.importorskip("PyQt6.QtWebEngineCore", reason="pip install -e '.[browser]'")
    from qtpy.QtCore import QUrl

    from astcti_client.ui.browser.bar import host_place, shown_address

    text = shown_address(QUrl(address))
    assert text == shown
    start, end = host_place(text)
    assert text[start:end] == host_of(text)


def test_pages_are_of_the_web_and_frames_may_be_made_on_the_spot() -> None:
    assert may_be_shown("https", whole_page=True)
    assert may_be_shown("about", whole_page=False)
    for scheme in ("file", "javascript", "data", "blob", "about", "view-source", "chrome", "ftp"):
        assert not may_be_shown(scheme, whole_page=True)
    assert not may_be_shown("file", whole_page=False)


def test_what_is_no_page_is_passed_over() -> None:
    good = PageRequest("https://crm.example/", True, "it")
    bad = b'nonsense\n[]\n"https://a.example"\n{"url": 1}\n{"url": "file:///etc/passwd"}\n'
    lines = io.StringIO((bad + good.written()).decode())
    assert read_page(lines) == good
    assert read_page(lines) is None


def test_the_browsers_process_imports_no_tk() -> None:
    code = "import sys, astcti_client.ui.browser.window; sys.exit('tkinter' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_systems_browser_gets_the_page_and_holds_the_window_up_for_nothing(
    browser: None, site: Site, desktop: Desktop, tmp_path: Path
) -> None:
    asked, slow = tmp_path / "asked", tmp_path / "slow-browser"
    slow.write_text(f'#!/bin/sh\necho "$$ $1" >{asked}.new; mv {asked}.new {asked}; exec sleep 600\n')
    slow.chmod(0o755)
    windows = BrowserWindows(lambda _url, _why: None, environ={**os.environ, "BROWSER": str(slow)})
    try:
        window = open_page(windows, desktop, site)
        await_fact(lambda: window.address() == f"{site.address}/one", "it does not have the page yet")
        window.keys("ctrl+shift+o")
        await_fact(asked.exists, "no browser is started")
        process, address = asked.read_text().split()
        assert address == f"{site.address}/one"
        window.keys("F5")
        assert site.hear() == "/one"
        assert psutil.Process(int(process)).is_running()
        psutil.Process(int(process)).kill()
    finally:
        windows.close()


def test_where_no_browser_can_be_started_the_bar_says_so_until_there_is_another_page(
    browser: None, site: Site, desktop: Desktop, tmp_path: Path
) -> None:
    none = {**os.environ, "BROWSER": "/bin/false", "PATH": str(tmp_path)}
    windows = BrowserWindows(lambda _url, _why: None, environ=none)
    try:
        window = open_page(windows, desktop, site)
        await_fact(lambda: window.address() == f"{site.address}/one", "it does not have the page yet")
        assert not window.has_in_bar(LIGHT.bad)
        window.keys("ctrl+shift+o")
        await_fact(lambda: window.has_in_bar(LIGHT.bad), "nothing is said")
        window.keys("F5")
        assert site.hear() == "/one"
        await_fact(lambda: not window.has_in_bar(LIGHT.bad), "it is said for ever")
    finally:
        windows.close()
