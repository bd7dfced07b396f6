"""Another program's window, in a process of its own, in which somebody types."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

from tests.client.ui.tools.desktop import Desktop
from tests.fake.patience import PATIENCE, until

_PROGRAM = """
import tkinter
root = tkinter.Tk()
root.title("Elsewhere")
root.geometry("300x80+20+500")
field = tkinter.Entry(root)
field.pack()
field.bind("<KeyRelease>", lambda _event: print(field.get(), flush=True))
field.focus_force()
root.mainloop()
"""


class Elsewhere:
    """It has the keyboard from the beginning, and keeps it unless somebody takes it."""

    def __init__(self, desktop: Desktop) -> None:
        self._desktop = desktop
        self._output: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM], env=desktop.environ, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        until(lambda: desktop.do("search", "--onlyvisible", "--name", "^Elsewhere$"), "no window", every=0.1)
        self.id = desktop.do("search", "--onlyvisible", "--name", "^Elsewhere$").split()[-1]
        self.take()
        self.written = ""

    def take(self) -> None:
        """Its user clicks it."""
        self._desktop.do("windowactivate", "--sync", self.id)

    def has_keyboard(self) -> bool:
        """Whether it is the active window."""
        return self._desktop.do("getactivewindow") == self.id

    def type(self, text: str) -> None:
        """Type, and see all of it arrive here, and nowhere else."""
        assert self._process.stdout is not None
        self.written += text
        self._desktop.do("type", text)
        line = ""
        while line != self.written:
            line = self._process.stdout.readline().rstrip("\n")
            assert self.written.startswith(line), f"{line!r} instead of {self.written!r} arrived"

    def type_through(self, fact: Callable[[], object], turn: Callable[[], object] = lambda: None) -> None:
        """Go on typing until something is so, and a little longer; every letter arrives here."""
        done_at: float | None = None
        deadline = time.monotonic() + 2 * PATIENCE  # an engine may start meanwhile
        while done_at is None or time.monotonic() < done_at + 0.5:
            turn()
            self.type("x")
            assert self.has_keyboard(), "the keyboard was taken away"
            assert time.monotonic() < deadline, "it did not come true"
            if done_at is None and fact():
                done_at = time.monotonic()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
