"""The client's own browser: a real window of pywebview with a page that the test serves."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from astcti_client.triggers.programs import TriggerRefused
from astcti_client.ui.browser.browser_windows import BrowserWindows
from tests.client.ui.tools.web import Site, await_fact
from tests.client.ui.tools.widgets import press, texts
from tests.client.ui.tools.window_test_bed import WindowTestBed, event


@pytest.mark.usefixtures("browser")
def test_a_call_opens_its_page_in_the_clients_own_window(
    open_client: Callable[..., WindowTestBed], site: Site
) -> None:
    bed = open_client()
    peer = bed.log_in()
    url = f"{site.address}/ticket?id=12345"
    peer.say(
        event("Link", "7.1", trigger=f'<trigger type="internal-browser" os="any"><url>{url}</url></trigger>')
    )
    bed.pump(lambda: not site.asked.empty(), "no window asks for the page")
    assert site.hear() == "/ticket?id=12345"


def test_without_pywebview_the_systems_browser_opens_and_that_is_said_once(
    open_client: Callable[..., WindowTestBed], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BrowserWindows, "available", staticmethod(lambda: False))
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" >> {opened}\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(browser))
    bed = open_client()
    peer = bed.log_in()
    for number in (1, 2):
        url = f"https://crm.example/{number}"
        trigger = f'<trigger type="internal-browser" os="any"><url>{url}</url></trigger>'
        peer.say(event("Link", f"{number}.1", trigger=trigger))
    bed.pump(lambda: opened.exists() and len(opened.read_text().splitlines()) == 2)
    assert sorted(opened.read_text().splitlines()) == ["https://crm.example/1", "https://crm.example/2"]
    assert texts(bed.root).count("own browser is not available") == 1
    press(bed.root, "Details")
    assert "asteriskcti[browser]" in texts(bed.root)


def test_a_window_that_cannot_open_gives_its_page_back_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: list[tuple[str, str]] = []
    pages = BrowserWindows(lambda *page: failed.append(page), environ=os.environ)
    monkeypatch.setattr(BrowserWindows, "available", staticmethod(lambda: True))
    python = tmp_path / "python"
    python.write_text(
        "#!/bin/sh\nyes noise | head -c 100000 >&2\necho >&2\necho 'no display :9' >&2\necho >&2\nexit 3\n"
    )
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    pages.show("https://crm.example/", "Demo")

    def given_back() -> bool:
        pages.tick()
        return bool(failed)

    await_fact(given_back, "the page is not given back")
    assert failed == [("https://crm.example/", "the browser window ended with code 3: no display :9")]
    monkeypatch.setattr(BrowserWindows, "available", staticmethod(lambda: False))
    with pytest.raises(TriggerRefused):
        pages.show("https://crm.example/", "Demo")
    pages.close()
