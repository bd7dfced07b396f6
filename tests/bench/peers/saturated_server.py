"""The real server, but its AMI thread never runs out of work: for measuring a notification under saturation.

In a socket that is full a notification waits for what was sent before it, which says nothing of the server.
So here the bytes of other calls come from memory, without end, and those of the measured ones in between,
each timed when the AMI thread gets it. Everything behind the read is the unchanged server.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from astcti_server.ami import connection, link
from astcti_server.cli import program as cli
from tests.bench.workload.event_script import END
from tests.bench.workload.modern_calls import ModernCalls
from tests.bench.workload.traffic import CallerQueue, make_traffic

COLLECT = b"Event: BenchCollect" + END
BEGIN = b"Event: BenchBegin" + END
KEEP_READABLE = b"Event: BenchKeep" + END
READY = "ready.json"
MOMENTS = "moments.json"
_CHUNK = 65536
_CONNECTS = (b"BridgeNumChannels: 2", b"Event: Link\r\n")


class EndlessConnection(connection.AmiConnection):
    """After `BEGIN` every read finds something; the socket is left readable so that the loop spins."""

    _collected: bytearray | None = None
    _plan: Iterator[bytes] | None = None

    def read(self) -> bytes | None:
        """From the socket until the measured calls are there, then from memory, then from it again."""
        if self._plan is not None:
            data = next(self._plan, None)
            if data is not None:
                return data
            self._plan = None
        data = super().read()
        if not data or (self._collected is None and not data.startswith(COLLECT)):
            return data
        if self._collected is None:
            self._collected = bytearray()
        self._collected += data
        if self._collected.endswith(BEGIN):
            calls = bytes(self._collected[len(COLLECT) : -len(BEGIN)])
            self._collected = None
            self._plan = _plan(calls)
            _write(READY, True)
        return None


def _plan(calls: bytes) -> Iterator[bytes]:
    """The measured calls' events among those of others; writes when each connecting event was handed out."""
    noise = _noise()
    moments = []
    before: list[bytes] = []
    for block in calls.split(END)[:-1]:
        if not any(mark in block for mark in _CONNECTS):
            before.append(block + END)
            continue
        yield b"".join(before)
        before.clear()
        yield from itertools.islice(noise, 2)
        moments.append(time.perf_counter_ns())
        yield block + END
        yield from itertools.islice(noise, 2)
    yield b"".join(before)
    yield from itertools.islice(noise, 20)
    _write(MOMENTS, moments)


def _write(name: str, value: object) -> None:
    """Leave a file in the state directory for the bench to find."""
    path = Path(sys.argv[sys.argv.index("--state") + 1]) / name
    path.with_suffix(".part").write_text(json.dumps(value))
    path.with_suffix(".part").rename(path)


def _noise() -> Iterator[bytes]:
    """Calls of phones that are no seats, in chunks of whole events."""
    phones = [f"PJSIP/7{number:03d}" for number in range(200)]
    for first in itertools.count(6_000_000, 60):
        traffic = make_traffic(
            ModernCalls(), phones, CallerQueue("other", "other"), calls=60, concurrent=50, first=first
        )
        begin = 0
        while begin < len(traffic.data):
            end = traffic.data.rfind(END, begin, begin + _CHUNK) + len(END)
            yield traffic.data[begin:end]
            begin = end


if __name__ == "__main__":
    vars(link)["AmiConnection"] = EndlessConnection  # the one part that is not the server's own
    cli.main()
