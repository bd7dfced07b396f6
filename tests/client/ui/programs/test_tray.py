"""The tray where GTK is installed: its icon is taken if it works, and a plain one if it does not."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from astcti_client.ui import i18n
from astcti_client.ui.desktop import tray
from astcti_client.ui.desktop.tray import Tray, TrayContent
from tests.client.ui.tools.desktop import Desktop, tray_icon_name
from tests.client.ui.tools.web import await_fact
from tests.fake.patience import PATIENCE

Make = Callable[[], Tray]


class GtkIcon:
    """What pystray has for GTK, without GTK."""

    __module__ = "pystray._appindicator"
    bus = True
    menus: list[Any] = []

    def __init__(self, *arguments: object) -> None:
        self.menus.append(arguments[3])
        self._stopped = threading.Event()

    def run(self, _ready: object) -> None:
        if not self.bus:
            raise OSError("no session bus")
        self._stopped.wait()
        raise OSError("nothing shows notifications")  # as GTK's does at its end

    def stop(self) -> None:
        self._stopped.set()


def test_an_icon_that_is_closed_before_its_loop_began_goes_too(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", desktop.display)
    from astcti_client.ui.desktop.tray_x11 import DockedIcon

    held = threading.Event()
    run = DockedIcon.run
    monkeypatch.setattr(DockedIcon, "run", lambda icon, ready: held.wait() and run(icon, ready))
    stop, stopped = DockedIcon.stop, threading.Event()

    def stop_and_tell(icon: DockedIcon) -> None:
        stop(icon)
        stopped.set()

    monkeypatch.setattr(DockedIcon, "stop", stop_and_tell)
    icon_in_the_tray = Tray(lambda _asked: None, TrayContent("available", "AsteriskCTI"))
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "tray"]
    closing = threading.Thread(target=icon_in_the_tray.close)
    closing.start()
    assert stopped.wait(PATIENCE), "nobody closes it"
    held.set()
    closing.join()
    thread.join(PATIENCE)
    assert not thread.is_alive()


@pytest.fixture
def make(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    monkeypatch.setenv("DISPLAY", desktop.display)
    import pystray  # looks for a display

    monkeypatch.setattr(pystray, "Icon", GtkIcon)
    made: list[Tray] = []

    def start() -> Tray:
        made.append(Tray(lambda _request: None, TrayContent("available", "AsteriskCTI")))
        return made[-1]

    yield start
    for shown in made:
        shown.close()


def test_the_menu_asks_for_its_words_anew_in_every_language(make: Make) -> None:
    make()
    assert "Settings" in [item.text for item in GtkIcon.menus[-1].items]
    i18n.use_language("it")
    try:
        assert "Impostazioni" in [item.text for item in GtkIcon.menus[-1].items]
    finally:
        i18n.use_language("en")


def test_without_a_session_bus_a_plain_icon_takes_the_place_of_gtks(
    make: Make, desktop: Desktop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(GtkIcon, "bus", False)
    shown = make()
    await_fact(lambda: caplog.messages, "nobody noticed")

    def plain_icon() -> str:
        shown.tick()
        return tray_icon_name(desktop)

    await_fact(plain_icon, "no plain icon")
    await_fact(lambda: shown.present, "the tray does not take it")
    assert caplog.messages == ["the tray's icon is gone: no session bus"]


@pytest.mark.parametrize(("x11", "indicators"), [(True, False), (False, True), (False, False)])
def test_gtks_icon_is_there_if_anything_shows_it(
    make: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, x11: bool, indicators: bool
) -> None:
    monkeypatch.setattr(tray, "tray_exists", lambda: x11)
    monkeypatch.setattr(tray, "indicators_are_shown", lambda: indicators)
    shown = make()
    assert shown.present == (x11 or indicators)
    shown.close()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
