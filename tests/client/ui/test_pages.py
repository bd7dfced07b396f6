"""The client's own browser: a real window of pywebview with a page that the test serves."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import pytest

from astcti_client.triggers.programs import Refused
from astcti_client.ui.browser.pages import Pages
from tests.client.ui.tools.web import Site, await_fact
from tests.client.ui.tools.window_test_bed import Desk, event


@pytest.mark.usefixtures("browser")
def test_a_call_opens_its_page_in_the_clients_own_window(desk: Callable[..., Desk], site: Site) -> None:
    one = desk()
    peer = one.log_in()
    url = f"{site.address}/ticket?id=12345"
    peer.say(
        event("Link", "7.1", trigger=f'<trigger type="internal-browser" os="any"><url>{url}</url></trigger>')
    )
    one.pump(lambda: one.app.triggers.pages._windows)
    assert site.hear() == "/ticket?id=12345"


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
