"""A desktop of its own for tests of windows: Xvfb, openbox and trayer, ended with the test session."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.fake.patience import PATIENCE

PROGRAMS = ("Xvfb", "openbox", "trayer", "xdotool")


class Desktop:
    """Use `display` as DISPLAY."""

    def __init__(self, folder: Path, *, tray: bool = True, size: str = "1400x900") -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        reader, writer = os.pipe()
        # With its last client gone, and that is `xprop` here, it would begin anew, and send away who is just
        # connecting: openbox, which then ends.
        words = f"-noreset -screen 0 {size}x24 -nolisten tcp"
        self._start(["Xvfb", "-displayfd", str(writer), *words.split()], (writer,))
        os.close(writer)
        with os.fdopen(reader) as answer:
            self.display = ":" + answer.readline().strip()
        self._start(["openbox"])
        self._await(lambda: "_NET_SUPPORTING_WM_CHECK(WINDOW)" in self.run("xprop", "-root"))
        self._await_window_manager()
        if tray:
            self.start_tray()

    def start_tray(self) -> subprocess.Popen[bytes]:
        """A panel with a tray at the top."""
        words = "--edge top --align right --widthtype request --height 28 --transparent false --expand false"
        return self._start(["trayer", *words.split()])

    def run(self, *command: str) -> str:
        """A program's output."""
        done = subprocess.run(
            command, capture_output=True, text=True, env=self.environ, check=False, timeout=PATIENCE
        )
        return done.stdout

    def do(self, *words: str) -> str:
        """`xdotool` with these words."""
        return self.run("xdotool", *words).strip()

    @property
    def environ(self) -> dict[str, str]:
        return {**os.environ, "DISPLAY": self.display}

    def close(self) -> None:
        for process in reversed(self._processes):
            process.terminate()
        for process in reversed(self._processes):
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self, command: Sequence[str], keep: tuple[int, ...] = ()) -> subprocess.Popen[bytes]:
        environ = dict(os.environ) if command[0] == "Xvfb" else self.environ
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environ,
            pass_fds=keep,
            cwd=self._folder,
        )
        self._processes.append(process)
        return process

    def _await_window_manager(self) -> None:
        """Until it answers: it drops what comes while it starts, and never manages a window mapped then."""
        from Xlib import X
        from Xlib.display import Display
        from Xlib.protocol import event

        display = Display(self.display)
        try:
            root = display.screen().root
            window = root.create_window(0, 0, 1, 1, 0, X.CopyFromParent)
            answer = display.intern_atom("_NET_FRAME_EXTENTS")
            question = event.ClientMessage(
                window=window,
                client_type=display.intern_atom("_NET_REQUEST_FRAME_EXTENTS"),
                data=(32, [0, 0, 0, 0, 0]),
            )

            def answers() -> bool:
                root.send_event(question, event_mask=X.SubstructureRedirectMask | X.SubstructureNotifyMask)
                return window.get_full_property(answer, X.AnyPropertyType) is not None

            self._await(answers)
        finally:
            display.close()

    def _await(self, fact: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE
        while not fact():
            ended = [str(process.args) for process in self._processes if process.poll() is not None]
            assert not ended, f"the desktop does not start, these ended: {ended}"
            assert time.monotonic() < until, "the desktop does not start"
            time.sleep(0.05)


def missing() -> list[str]:
    """What this machine lacks for a desktop."""
    lacking = [program for program in (*PROGRAMS, "xprop") if shutil.which(program) is None]
    try:
        import tkinter  # noqa: F401
    except ImportError:
        lacking.append("tkinter (python3-tk)")
    return lacking


def tray_icon_name(desktop: Desktop) -> str:
    """What the client's icon in the tray is called: the text beside it. Empty without an icon."""
    from Xlib.display import Display

    windows = desktop.do("search", "--classname", "astctiSystemTrayIcon").split()
    display = Display(desktop.display)
    try:
        if not windows:
            return ""
        window = display.create_resource_object("window", int(windows[-1]))
        found = window.get_full_property(display.intern_atom("_NET_WM_NAME"), 0)
        return bytes(found.value).decode() if found else ""
    finally:
        display.close()
