"""The client's own browser windows: each a process of its own, reused or new per service. Main thread."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from astcti_client.triggers.programs import Refused
from astcti_client.ui.browser.window import Page

PROVEN_TIME = 20.0  # seconds; a window that ends badly before could not open its page
END_TIME = 3.0  # seconds for a window to close by itself


@dataclass(slots=True)
class _Window:
    process: subprocess.Popen[bytes]
    service: str
    url: str
    started: float


class Pages:
    """Opens pages in windows made with pywebview. No page can harm the client: it is another process."""

    def __init__(
        self, failed: Callable[[str], None], *, reuse: bool = True, environ: Mapping[str, str] | None = None
    ) -> None:
        """`failed` gets the address of a page whose window could not open. With `reuse` a service has one."""
        self._failed = failed
        self.look: Callable[[], tuple[bool, str]] = lambda: (False, "")
        """Says whether new windows shall be dark, and their language (empty for the system's)."""
        self._environ = environ
        self.reuse = reuse
        self._windows: list[_Window] = []

    @staticmethod
    def available() -> bool:
        """Whether pywebview is installed."""
        return importlib.util.find_spec("webview") is not None

    def show(self, url: str, service: str) -> None:
        """Open a checked address. Raises Refused if there can be no window."""
        if not self.available():
            raise Refused("the client's own browser is not installed (pip install 'asteriskcti[browser]')")
        if self.reuse:
            for window in self._windows:
                if window.service == service and window.process.poll() is None and self._send(window, url):
                    return
        command = [sys.executable, "-m", "astcti_client.ui.browser.window"]
        if getattr(sys, "frozen", False):
            command = [sys.executable, "browser-window", "--"]
        flags = 0
        if sys.platform == "win32":
            flags = subprocess.CREATE_NO_WINDOW
        try:
            process = subprocess.Popen(
                [*command, service or "AsteriskCTI"],
                creationflags=flags,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=None if self._environ is None else dict(self._environ),
            )
        except OSError as error:
            raise Refused(f"the browser window could not be started: {error.strerror or error}") from None
        window = _Window(process, service, url, time.monotonic())
        self._windows.append(window)
        self._send(window, url)

    def tick(self) -> None:
        """Clear away windows that were closed."""
        over = [one for one in self._windows if one.process.poll() is not None]
        self._windows = [one for one in self._windows if one.process.returncode is None]
        for window in over:
            _close_pipe(window)
            if window.process.returncode != 0 and time.monotonic() - window.started < PROVEN_TIME:
                self._failed(window.url)

    def close(self) -> None:
        """Close every window."""
        for window in self._windows:
            _close_pipe(window)  # the window closes when nothing can come any more
        until = time.monotonic() + END_TIME
        for window in self._windows:
            try:
                window.process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                window.process.kill()
                window.process.wait()
        self._windows.clear()

    def _send(self, window: _Window, url: str) -> bool:
        assert window.process.stdin is not None
        try:
            window.process.stdin.write(Page(url, *self.look()).written())
            window.process.stdin.flush()
        except OSError:
            return False
        window.url = url
        return True


def _close_pipe(window: _Window) -> None:
    assert window.process.stdin is not None
    try:
        window.process.stdin.close()
    except OSError:
        pass  # the window was gone already
