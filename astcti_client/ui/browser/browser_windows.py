"""The client's own browser windows: each a process of its own, reused or new per service. Main thread."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO

from astcti_client.triggers.child_processes import child_environment, home_folder
from astcti_client.triggers.programs import TriggerRefused
from astcti_client.ui.browser.page import PageRequest
from schemas.sentences import said

NOT_INSTALLED = said("the client's own browser is not installed (pip install 'asteriskcti[browser]')")
MOST_LAST_WORDS = 4096  # bytes of what a window's process wrote that are looked at
MOST_KEPT_WORDS = 65536  # bytes of it that are kept while the window is open
OPENING_TIME = 20.0  # seconds; a window that ends badly before could not open its page
END_TIME = 3.0  # seconds for a window to close by itself


@dataclass(slots=True)
class _BrowserProcess:
    """A window's process. `url` is the page that it was told to show last."""

    process: subprocess.Popen[bytes]
    service: str
    url: str
    started: float
    words: IO[bytes]
    """What it writes to its standard error: Qt and others write a good deal there, and why they fail."""


class BrowserWindows:
    """Opens pages in windows made with pywebview. No page can harm the client: it is another process."""

    def __init__(
        self,
        failed: Callable[[str, str], None],
        look: Callable[[], tuple[bool, str]] = lambda: (False, ""),
        *,
        reuse: bool = True,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """`failed` gets the address of a page whose window could not open, and why.

        `look` says whether new windows shall be dark, and their language (empty for the system's).
        With `reuse` a service has one window.
        """
        self._failed, self._look = failed, look
        self._environ = environ
        self._reuse = reuse
        self._windows: list[_BrowserProcess] = []

    @staticmethod
    def available() -> bool:
        """Whether pywebview is installed."""
        return importlib.util.find_spec("webview") is not None

    def show(self, url: str, service: str) -> None:
        """Open a checked address. Raises TriggerRefused if there can be no window."""
        if not self.available():
            raise TriggerRefused(NOT_INSTALLED)
        if self._reuse:
            for window in self._windows:
                if window.service == service and window.process.poll() is None and self._send(window, url):
                    return
        # -P: no module of the folder in which the client was started takes the place of the real one.
        command = [sys.executable, "-P", "-m", "astcti_client.ui.browser.window"]
        if getattr(sys, "frozen", False):
            command = [sys.executable, "browser-window", "--"]
        flags = 0
        if sys.platform == "win32":
            flags = subprocess.CREATE_NO_WINDOW
        written = tempfile.TemporaryFile("ab+")  # noqa: SIM115  (open as long as the window is)
        try:
            process = subprocess.Popen(
                [*command, service or "AsteriskCTI"],
                creationflags=flags,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=written,
                env=child_environment(self._environ),
                cwd=home_folder(),
            )
        except OSError as error:
            written.close()
            raise TriggerRefused(
                f"the browser window could not be started: {error.strerror or error}"
            ) from None
        window = _BrowserProcess(process, service, url, time.monotonic(), written)
        self._windows.append(window)
        self._send(window, url)

    def reuse_windows(self, reuse: bool) -> None:
        """Whether the next page of a service replaces the one before; windows that are open stay."""
        self._reuse = reuse

    def tick(self) -> None:
        """Clear away windows that were closed."""
        over = [window for window in self._windows if window.process.poll() is not None]
        self._windows = [window for window in self._windows if window.process.returncode is None]
        for window in over:
            _close_pipe(window)
            why = _why_it_ended(window)
            window.words.close()
            if window.process.returncode != 0 and time.monotonic() - window.started < OPENING_TIME:
                self._failed(window.url, why)
        for window in self._windows:
            if os.fstat(window.words.fileno()).st_size > MOST_KEPT_WORDS:
                window.words.truncate(0)

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
            window.words.close()
        self._windows.clear()

    def _send(self, window: _BrowserProcess, url: str) -> bool:
        assert window.process.stdin is not None
        try:
            window.process.stdin.write(PageRequest(url, *self._look()).written())
            window.process.stdin.flush()
        except OSError:
            return False
        window.url = url
        return True


def _why_it_ended(window: _BrowserProcess) -> str:
    """Its last line, which is why, as far as its toolkit says so; and how it ended."""
    window.words.seek(max(0, window.words.seek(0, os.SEEK_END) - MOST_LAST_WORDS))
    lines = [line.strip() for line in window.words.read().decode("utf-8", "replace").splitlines()]
    last = next((line for line in reversed(lines) if line), "")
    code = window.process.returncode
    return said("the browser window ended with code {code}: {last}", code=code, last=last or "-")


def _close_pipe(window: _BrowserProcess) -> None:
    assert window.process.stdin is not None
    try:
        window.process.stdin.close()
    except OSError:
        pass  # the window was gone already
