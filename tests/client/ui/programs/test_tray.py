"""The tray where GTK is installed: its icon is taken if it works, and a plain one if it does not."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator

import pytest

from astcti_client.ui.desktop import tray
from astcti_client.ui.desktop.tray import Tray, TrayContent
from tests.client.ui.tools.desktop import Desktop
from tests.client.ui.tools.web import await_fact
from tests.fake.patience import PATIENCE

Make = Callable[[], Tray]


class GtkIcon:
    """What pystray has for GTK, without GTK."""

    __module__ = "pystray._appindicator"
    bus = True

    def __init__(self, *_arguments: object) -> None:
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
    one = Tray(lambda _asked: None, TrayContent("available", "AsteriskCTI"))
    closing = threading.Thread(target=one.close)
    closing.start()
    await_fact(lambda: one._closing, "nobody closes it")
    held.set()
    closing.join()
    assert one._thread is not None
    one._thread.join(PATIENCE)
    assert not one._thread.is_alive()


@pytest.fixture
def make(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    monkeypatch.setenv("DISPLAY", desktop.display)
    import pystray  # looks for a display

    monkeypatch.setattr(pystray, "Icon", GtkIcon)
    made: list[Tray] = []

    def one() -> Tray:
        made.append(Tray(lambda _asked: None, TrayContent("available", "AsteriskCTI")))
        return made[-1]

    yield one
    for each in made:
        each.close()


def test_without_a_session_bus_a_plain_icon_takes_the_place_of_gtks(
    make: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(GtkIcon, "bus", False)
    one = make()
    await_fact(lambda: one._plain, "nobody noticed")
    await_fact(lambda: one.tick() or type(one._icon).__name__ == "DockedIcon", "no plain icon")
    await_fact(lambda: one.present, "the tray does not take it")
    assert caplog.messages == ["the tray's icon is gone: no session bus"]


@pytest.mark.parametrize(("x11", "indicators"), [(True, False), (False, True), (False, False)])
def test_gtks_icon_is_there_if_anything_shows_it(
    make: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, x11: bool, indicators: bool
) -> None:
    monkeypatch.setattr(tray, "tray_exists", lambda: x11)
    monkeypatch.setattr(tray, "indicators_are_shown", lambda: indicators)
    one = make()
    assert one.present == (x11 or indicators)
    one.close()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
