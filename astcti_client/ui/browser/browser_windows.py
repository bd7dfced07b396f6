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
from astcti_client.ui.browser.page import NAME, TAKEN, PageRequest, places_file
from schemas.sentences import said

NOT_INSTALLED = said("the client's own browser is not installed (pip install 'asteriskcti[browser]')")
MOST_LAST_WORDS = 4096  # bytes of what a window's process wrote that are looked at
MOST_KEPT_WORDS = 65536  # bytes of it that are kept while the window is open
OPENING_TIME = 20.0  # seconds; a window that ends badly before could not open its page
END_TIME = 3.0  # seconds for a window to close by itself
USED_TIME = 30 * 86400  # seconds after the last page in which the next one is expected


@dataclass(slots=True)
class _BrowserProcess:
    """A window's process. `url` is the page that it was told to show last, `told` how many lines it got."""

    process: subprocess.Popen[bytes]
    service: str
    url: str
    started: float
    words: IO[bytes]
    """What it writes to its standard error: Qt and others write a good deal there, and why they fail."""
    told: int = 0

    def lost_a_page(self) -> bool:
        """Whether it ended, as its user closed the window, while the last page was on its way."""
        assert self.process.stdout is not None
        try:
            # What the engine started holds the other end, perhaps for a moment longer.
            os.set_blocking(self.process.stdout.fileno(), False)
        except OSError:
            pass  # Windows, where nobody else has it
        taken = self.process.stdout.read() or b""
        return bool(self.url) and taken.count(TAKEN.encode()) < self.told


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
        self._ready: _BrowserProcess | None = None
        """Its window is not shown yet: for the next page that needs one."""
        self._ready_look: tuple[bool, str] | None = None
        self._keeps_ready = False

    @staticmethod
    def available() -> bool:
        """Whether pywebview is installed."""
        return importlib.util.find_spec("webview") is not None

    def show(self, url: str, service: str) -> None:
        """Open a checked address. Raises TriggerRefused if there can be no window.

        One that goes to a window whose user closes it in that moment is opened by a later `tick`.
        """
        if not self.available():
            raise TriggerRefused(NOT_INSTALLED)
        note_page()
        self._keeps_ready = True
        if self._reuse:
            for window in self._windows:
                if window.service == service and window.process.poll() is None and self._send(window, url):
                    return
        ready, self._ready = self._ready, None
        if ready is not None:
            ready.service, ready.started = service, time.monotonic()
            if ready.process.poll() is None and self._send(ready, url):
                self._windows.append(ready)
                return
            _let_go(ready)
        window = self._start(service)
        self._windows.append(window)
        self._send(window, url)

    def keep_ready(self) -> None:
        """From now on have a process wait for the next page, so that this comes at once."""
        self._keeps_ready = self.available()

    def _start(self, service: str) -> _BrowserProcess:
        # -P: no module of the folder in which the client was started takes the place of the real one.
        command = [sys.executable, "-P", "-m", "astcti_client.ui.browser.window"]
        if getattr(sys, "frozen", False):
            command = [sys.executable, "browser-window"]
        flags = 0
        if sys.platform == "win32":
            flags = subprocess.CREATE_NO_WINDOW
        written = tempfile.TemporaryFile("ab+")  # noqa: SIM115  (open as long as the window is)
        try:
            process = subprocess.Popen(
                command,
                creationflags=flags,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=written,
                env=child_environment(self._environ),
                cwd=home_folder(),
            )
        except OSError as error:
            written.close()
            raise TriggerRefused(
                f"the browser window could not be started: {error.strerror or error}"
            ) from None
        return _BrowserProcess(process, service, "", time.monotonic(), written)

    def reuse_windows(self, reuse: bool) -> None:
        """Whether the next page of a service replaces the one before; windows that are open stay."""
        self._reuse = reuse

    def tick(self) -> None:
        """Clear away windows that were closed; have one ready for the next page."""
        over = [window for window in self._windows if window.process.poll() is not None]
        self._windows = [window for window in self._windows if window.process.returncode is None]
        for window in over:
            why = _why_it_ended(window)
            if window.process.returncode == 0:
                if window.lost_a_page():
                    self.show(window.url, window.service)
            elif time.monotonic() - window.started < OPENING_TIME:
                self._keeps_ready = False  # nor would the next one
                self._failed(window.url, why)
            _let_go(window)
        for window in self._windows:
            if os.fstat(window.words.fileno()).st_size > MOST_KEPT_WORDS:
                window.words.truncate(0)
        self._see_to_ready()

    def _see_to_ready(self) -> None:
        if self._ready is not None and self._ready.process.poll() is not None:
            _let_go(self._ready)
            self._keeps_ready = self._ready.process.returncode == 0  # there can be no window here
            self._ready = None
        if self._ready is not None and self._ready_look != self._look():
            _close_pipe(self._ready)  # it ends, and the next one has other colours, or another language
            return
        if self._keeps_ready and self._ready is None and not (self._reuse and self._windows):
            try:
                self._ready = self._start("")
            except TriggerRefused:  # said when there is a page
                self._keeps_ready = False
                return
            self._ready_look = self._look()
            self._send(self._ready, "")

    def close(self) -> None:
        """Close every window."""
        if self._ready is not None:
            self._windows.append(self._ready)
            self._ready = None
        self._keeps_ready = False
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
            window.process.stdin.write(PageRequest(url, *self._look(), window.service or NAME).written())
            window.process.stdin.flush()
        except OSError:
            return False
        window.url = url
        window.told += 1
        return True


def note_page() -> None:
    """A page is shown in a window of the client: others will be."""
    try:
        places_file().parent.mkdir(parents=True, exist_ok=True)
        places_file().touch(mode=0o600)
    except OSError:
        pass  # the first page of the next log-in takes its time


def pages_are_used() -> bool:
    """Whether pages were shown in the client's own windows lately: then one may wait for the next."""
    try:
        return time.time() - places_file().stat().st_mtime < USED_TIME
    except OSError:
        return False


def _why_it_ended(window: _BrowserProcess) -> str:
    """Its last line, which is why, as far as its toolkit says so; and how it ended."""
    window.words.seek(max(0, window.words.seek(0, os.SEEK_END) - MOST_LAST_WORDS))
    lines = [line.strip() for line in window.words.read().decode("utf-8", "replace").splitlines()]
    last = next((line for line in reversed(lines) if line), "")
    code = window.process.returncode
    return said("the browser window ended with code {code}: {last}", code=code, last=last or "-")


def _close_pipe(window: _BrowserProcess) -> None:
    for pipe in (window.process.stdin, window.process.stdout):
        assert pipe is not None
        try:
            pipe.close()
        except OSError:
            pass  # the window was gone already


def _let_go(window: _BrowserProcess) -> None:
    """Close what the client has of a window that is over."""
    _close_pipe(window)
    window.words.close()
