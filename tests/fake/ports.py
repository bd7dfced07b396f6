"""Ports of loopback for programs that cannot be given port 0.

A port that the system has handed out and got back it may hand out again, to anybody, before the program binds
it. These are below the range that it hands out from by itself, and each is given once only; the processes of
one test run (pytest-xdist) give different ones.
"""

from __future__ import annotations

import os
import random
import socket
from pathlib import Path
from typing import Final

FIRST: Final = 10_000
RTP: Final = range(20_000, 30_000)  # of tests/asterisk/etc/rtp.conf
_given: set[int] = set()


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port that nobody uses now, and that nobody gets without asking for this very port."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    own = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    candidates = [port for port in range(FIRST, _first_of_the_system()) if port not in RTP]
    candidates = [port for port in candidates if port % workers == own]
    random.SystemRandom().shuffle(candidates)  # other test runs on this machine choose too
    for port in candidates:
        if port not in _given and _is_free(port, kind):
            _given.add(port)
            return port
    raise AssertionError("there is no free port")


def _first_of_the_system() -> int:
    """The lowest port that the system hands out by itself."""
    file = Path("/proc/sys/net/ipv4/ip_local_port_range")
    lowest = int(file.read_text().split()[0]) if file.exists() else 49_152
    return max(lowest, FIRST + 2_000)  # on machines with a wider range the risk of meeting is small


def _is_free(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
