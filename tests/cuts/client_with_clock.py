"""The client with a wall clock that can be moved while it runs. `python -m` this instead of it.

A PC that sleeps has a clock that went on, while on Linux and macOS the monotonic one, which programs wait by,
stood still. A process that is only stopped has not: so its time of day is moved.
"""

from __future__ import annotations

import mmap
import os
import struct
import time
from pathlib import Path
from typing import Final

CLOCK: Final = "ASTCTI_CUTS_CLOCK"
"""Names the file that says by how many seconds the clock is ahead: `move_clock` writes it."""
_VALUE: Final = struct.Struct("d")


def move_clock(file: Path, ahead: float) -> None:
    """From now on the clock of whoever took this file over is ahead by so many seconds."""
    with file.open("r+b" if file.exists() else "wb", buffering=0) as opened:
        opened.write(_VALUE.pack(ahead))


def take_over_clock(file: Path) -> None:
    """Have this process read the moved time of day."""
    true_time = time.time
    with file.open("rb") as opened:
        moved = mmap.mmap(opened.fileno(), _VALUE.size, prot=mmap.PROT_READ)
    time.time = lambda: true_time() + float(_VALUE.unpack_from(moved)[0])


if __name__ == "__main__":
    take_over_clock(Path(os.environ[CLOCK]))
    from astcti_client.__main__ import main  # its modules remember the clock that they find

    main()
