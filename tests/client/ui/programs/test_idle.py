"""An idle client: nothing goes to the X server, and its threads sleep."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.processes.client_process import ClientProcess
from tests.bench.processes.window_client import SETTINGS
from tests.bench.processor_time import wake_ups
from tests.client.ui.tools.desktop import Desktop
from tests.client.ui.tools.window_test_bed import MARIO, event
from tests.client.ui.tools.x_traffic import XTraffic
from tests.fake.cti_server import CtiServer
from tests.fake.patience import PATIENCE, until

SPAN = 3.5  # seconds: the client looks every second whether a time is over
MOST_WAKE_UPS = 20  # a second, measured: 6
MOST_OF_CLOCKS = 80  # requests a second for the time of the call and of the pause, measured: 34


class IdleClient:
    """The real client, whose words to the X server are counted."""

    def __init__(self, folder: Path, desktop: Desktop, server: CtiServer) -> None:
        self._desktop, self.traffic = desktop, XTraffic(desktop.display)
        environ = {**desktop.environ, "DISPLAY": self.traffic.display}
        self.process = ClientProcess(folder, SETTINGS.format(port=server.port), environ)
        self._server = server

    def log_in(self) -> None:
        """Until its window is on the screen."""
        self.peer = self._server.accept()
        self.peer.log_in(who=MARIO, keep_alive=3600)
        self.peer.say("310 OUT", "200 astcti")
        until(lambda: self.main_windows(), "no window", every=0.1)

    def close(self) -> None:
        """End it."""
        self.process.tell_to_end()
        self._server.close()
        self.process.end()
        self.traffic.close()

    def main_windows(self) -> list[str]:
        """Those on the screen."""
        return self._desktop.do("search", "--onlyvisible", "--name", "^AsteriskCTI$").split()

    def hide(self) -> None:
        """As its user does."""
        (window, *_others) = self.main_windows()
        self._desktop.do("windowactivate", "--sync", window, "key", "Escape")
        until(lambda: not self.main_windows(), "it does not go to the tray", every=0.1)

    def told(self) -> tuple[int, int]:
        """Requests to the X server until now, and bytes from it."""
        return self.traffic.requests().total(), self.traffic.answered

    def settle(self) -> None:
        """Until it has nothing more to draw."""
        deadline = time.monotonic() + PATIENCE
        before = (-1, -1)
        while (now := self.told()) != before:
            assert time.monotonic() < deadline, "it never comes to rest"
            before = now
            time.sleep(SPAN)  # what is waited for is that nothing happens

    def idle(self) -> tuple[tuple[int, int], float]:
        """Requests and bytes, and wake-ups a second, in a span in which nobody asks for anything."""
        before, woken, begun = self.told(), wake_ups(self.process.pid), time.monotonic()
        time.sleep(SPAN)  # what is measured is that nothing happens
        now, lasted = self.told(), time.monotonic() - begun
        return (now[0] - before[0], now[1] - before[1]), (wake_ups(self.process.pid) - woken) / lasted


@pytest.fixture
def idle_client(desktop: Desktop, server: CtiServer, tmp_path: Path) -> Iterator[IdleClient]:
    folder = tmp_path / "client"
    folder.mkdir()
    client = IdleClient(folder, desktop, server)
    try:
        client.log_in()
        yield client
    finally:
        client.close()


def test_an_idle_client_draws_nothing_and_sleeps_in_the_window_and_in_the_tray(
    idle_client: IdleClient,
) -> None:
    client = idle_client
    client.settle()
    told, woken = client.idle()
    assert told == (0, 0), client.traffic.requests()
    assert woken < MOST_WAKE_UPS

    client.hide()
    client.settle()
    told, woken = client.idle()
    assert told == (0, 0), client.traffic.requests()
    assert woken < MOST_WAKE_UPS


def test_a_clock_draws_itself_alone_and_nothing_while_nobody_can_see_it(idle_client: IdleClient) -> None:
    client = idle_client
    client.peer.say(event("Newchannel", "1.1", state="Down"), event("Callerid", "1.1"))
    client.peer.say(event("Link", "1.1", state="Up"), "310 IN Lunch")
    until(lambda: client.idle()[0][0] < MOST_OF_CLOCKS * SPAN, "more than clocks is drawn")
    assert client.idle()[0][0] > 0, "no clock is drawn"

    client.hide()
    client.settle()  # the notice goes, too
    assert client.idle()[0] == (0, 0), client.traffic.requests()
