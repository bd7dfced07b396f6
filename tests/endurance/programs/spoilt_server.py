"""The server with a clock and a name server that can be spoilt while it runs. `python -m` this instead of it.

A library that gives a whole process another time (libfaketime) also breaks what sleeps on the monotonic
clock, which no administrator can set. So what changes here is what a program reads as the time of day.
"""

from __future__ import annotations

import mmap
import os
import socket
import struct
import time
from pathlib import Path
from typing import Any

from astcti_server.__main__ import main
from astcti_server.explain.kept_trails import LONGEST, KeptTrails

SPOILT = "ASTCTI_SOAK_SPOILT"
"""Names the file that says by how many seconds the clock is wrong, and how long a name takes: `VALUES`."""
VALUES = struct.Struct("dd")
FEW_BYTES = 1024 * 1024


def spoil(file: Path) -> None:
    """Take over the time of day and the look-up of names."""
    true_time, true_look_up = time.time, socket.getaddrinfo
    with file.open("rb") as opened:  # once: the server's descriptors are counted
        spoilt = mmap.mmap(opened.fileno(), VALUES.size, prot=mmap.PROT_READ)

    def wrong_time() -> float:
        return true_time() + float(VALUES.unpack_from(spoilt)[0])

    def slow_look_up(*arguments: Any, **more: Any) -> Any:
        time.sleep(VALUES.unpack_from(spoilt)[1])
        return true_look_up(*arguments, **more)

    time.time = wrong_time
    socket.getaddrinfo = slow_look_up


def keep_less() -> None:
    """Keep less of ended calls: what has a bound reaches it in minutes, and what goes on growing has none."""
    KeptTrails.__init__.__defaults__ = (FEW_BYTES, LONGEST)


if __name__ == "__main__":
    keep_less()
    spoil(Path(os.environ[SPOILT]))
    main()
