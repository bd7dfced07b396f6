"""Runs a program of the demo as `python -m` does, and ends it when the demo is gone, however that happened.

`python -m astcti_server.demo.bound MODULE [ARGUMENT...]`: standard input is a pipe that nobody but the demo
holds the other end of. Its end is the demo's, even if that was killed.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading


def _end_with_the_demo() -> None:
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Become the program that the command line names."""
    threading.Thread(target=_end_with_the_demo, name="demo-watch", daemon=True).start()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
