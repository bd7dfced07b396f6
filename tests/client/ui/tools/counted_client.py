"""The client as a program that tells what its Tk holds, to find what grows: `python -m` this module.

It writes a line of JSON to the file that `COUNTS` in the environment names, each time that it gets SIGUSR1.
"""

from __future__ import annotations

import json
import os
import signal
import tkinter as tk
from pathlib import Path
from typing import Any

from astcti_client.__main__ import main

COUNTS = "ASTCTI_TEST_COUNTS"
_roots: list[tk.Tk] = []


class CountedTk(tk.Tk):
    """Known to the handler of the signal."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        _roots.append(self)


def counts_of(root: tk.Tk) -> dict[str, int]:
    """Timers that are due, commands (a callback that was made is one until it is let go of), and widgets."""
    return {
        "timers": len(root.tk.splitlist(root.tk.call("after", "info"))),
        "callbacks": len(root.tk.splitlist(root.tk.call("info", "commands"))),
        "widgets": _widgets(root),
    }


def _widgets(widget: tk.Misc) -> int:
    return 1 + sum(map(_widgets, list(widget.children.values())))


def _write_counts(_number: int, _frame: object) -> None:
    with Path(os.environ[COUNTS]).open("a") as file:
        file.write(json.dumps(counts_of(_roots[-1])) + "\n")


if __name__ == "__main__":
    tk.Tk = CountedTk  # type: ignore[misc]
    signal.signal(signal.SIGUSR1, _write_counts)
    main()
