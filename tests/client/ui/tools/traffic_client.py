"""The client as a program on a test's desktop, whose words to the X server are counted."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

from tests.bench.processes.client_process import ClientProcess
from tests.bench.processes.window_client import SETTINGS
from tests.bench.processor_time import wake_ups
from tests.client.ui.tools.desktop import Desktop
from tests.client.ui.tools.window_test_bed import MARIO
from tests.client.ui.tools.x_traffic import XTraffic
from tests.fake.cti_server import CtiServer
from tests.fake.patience import PATIENCE, until

SPAN = 3.5  # seconds: the client looks every second whether a time is over


class TrafficClient:
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

    def notices(self) -> list[str]:
        """Those on the screen."""
        return self._desktop.do("search", "--onlyvisible", "--class", "^AstctiNotice$").split()

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

    def since(self, before: Counter[int]) -> Counter[int]:
        """Requests since then, by their codes."""
        return self.traffic.requests() - before

    def idle(self) -> tuple[tuple[int, int], float]:
        """Requests and bytes, and wake-ups a second, in a span in which nobody asks for anything."""
        before, woken, begun = self.told(), wake_ups(self.process.pid), time.monotonic()
        time.sleep(SPAN)  # what is measured is that nothing happens
        now, lasted = self.told(), time.monotonic() - begun
        return (now[0] - before[0], now[1] - before[1]), (wake_ups(self.process.pid) - woken) / lasted
