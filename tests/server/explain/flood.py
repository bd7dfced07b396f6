"""A flood of calls through the demo PBX and the real server: what the trails cost stays within its bound.

make explain-flood CALLS=100000 MINUTES=30
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from astcti_server.demo.pbx import DemoPbx
from astcti_server.demo.player import Tempo
from astcti_server.explain.kept_trails import MOST_BYTES
from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service, Trigger
from schemas.server.settings import KeptAmiSettings
from tests.fake.running_server import RunningServer, SeatClient

SEATS = 4  # the phones that the demo PBX has
NOOP_EVERY = 20.0  # seconds; a client that is silent for a minute is sent away
BESIDE = 24 * 1024 * 1024
"""Bytes that Python's and the system's memory may take beside what is kept, and the calls of the moment."""
MOST = MOST_BYTES + KeptAmiSettings().bytes + BESIDE


def configuration() -> Configuration:
    """So many operators in the demo's queue."""
    numbers = range(201, 201 + SEATS)
    seats = tuple(
        Seat(f"02:00:00:00:{number // 256:02x}:{number % 256:02x}", f"PJSIP/{number}") for number in numbers
    )
    operators = tuple(
        Operator(f"agent{number}", f"Agent {number}", "md5:5ebe2294ecd0e0f08eab7690d2a6ee69", seat=seat.mac)
        for number, seat in zip(numbers, seats, strict=True)
    )
    demo = Service(
        "Demo",
        "astctidemo",
        "inbound",
        is_queue=True,
        queue_name="astcti",
        variables=("calldata",),
        triggers=(Trigger("browser", url="https://crm.example/?id={CALLDATA}"),),
        operators=tuple(Binding(operator.username) for operator in operators),
    )
    return Configuration((demo,), seats, operators)


def resident(server: RunningServer) -> int:
    """Bytes of memory that the server's process has."""
    process = json.loads(server.status_file.read_text())["pid"]
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def count_calls(client: SeatClient, counted: list[int]) -> None:
    """Hear everything, and count the legs that ended."""
    try:
        while line := client.hear_bytes():
            counted[0] += line.startswith(b'<event id="Hangup"')
    except OSError:
        pass  # the client was closed


def flood(folder: Path, calls: int, seconds: float) -> tuple[int, int]:
    """Play until so many legs ended or the time is over: how many ended, and by how much memory grew."""
    tempo = Tempo(interval=seconds / calls / 2, answer=0.005, talk=0.02, patience=5.0)
    with (
        DemoPbx(tempo=tempo, seed=7) as pbx,
        RunningServer(folder, pbx.address[1], configuration()) as server,
    ):
        server.wait_for_log("Logged in to Asterisk")
        counted = [0]
        clients = [server.client(f"agent{number}") for number in range(201, 201 + SEATS)]
        for client in clients:
            threading.Thread(target=count_calls, args=(client, counted), daemon=True).start()
        time.sleep(2.0)
        before, until = resident(server), time.monotonic() + seconds
        said = before_calls = time.monotonic()
        while counted[0] < calls and time.monotonic() < until:
            time.sleep(0.2)
            if time.monotonic() - said > NOOP_EVERY:
                said = time.monotonic()
                for client in clients:
                    client.say("NOOP")
        print(f"{counted[0] / (time.monotonic() - before_calls):.0f} legs a second")
        grown = resident(server) - before
        command = [
            sys.executable,
            "-m",
            "astcti_server",
            "--status",
            str(server.status_file),
            "explain",
            "last",
        ]
        print(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0])
        return counted[0], grown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--minutes", type=float, default=30.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ended, grown = flood(Path(folder), options.calls, options.minutes * 60)
    print(f"{ended} legs ended, the server grew by {grown / 2**20:.1f} MiB of {MOST / 2**20:.0f} allowed")
    if ended < options.calls or grown > MOST:
        sys.exit("not all calls were played, or memory grew beyond its bound")


if __name__ == "__main__":
    main()
