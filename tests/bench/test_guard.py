"""The server's speed, so roughly that it fails on no machine, and yet if somebody slows the way of an event.

Processor time in units of plain parsing by a few lines of Python in the same run, never a time. What is
asserted is some three times what was measured when it was written.
"""

from __future__ import annotations

import time
from statistics import median

import pytest

from tests.bench.processes.measured_server import MeasuredServer
from tests.bench.workload.call_centre import CallCentre
from tests.bench.workload.event_script import END, EventScript
from tests.bench.workload.modern_calls import ModernCalls
from tests.bench.workload.old_calls import OldCalls
from tests.bench.workload.traffic import Traffic

ROUNDS = 3


def parse_plainly(data: bytes) -> int:
    """Every field of every event into a dictionary: what a program needs that knows nothing better."""
    found = 0
    for block in data.split(END):
        fields = {}
        for line in block.decode().split("\r\n"):
            key, _, value = line.partition(": ")
            fields[key.lower()] = value
        found += "event" in fields
    return found


def cost_of_plain_parsing(traffic: Traffic) -> float:
    """Microseconds of processor time an event."""
    begun = time.process_time()
    assert parse_plainly(traffic.data) == traffic.events
    return (time.process_time() - begun) / traffic.events * 1e6


# Measured: 0.57 (modern) and 2.3 (1.4).
@pytest.mark.parametrize(
    ("script", "calls", "bound"), [(ModernCalls(), 40, 1.8), (OldCalls(), 120, 7.0)], ids=["modern", "1.4"]
)
def test_an_event_costs_the_server_little_more_than_plain_parsing(
    script: EventScript, calls: int, bound: float
) -> None:
    call_centre = CallCentre(script.technology, seats=100)
    ratios = []
    with MeasuredServer(script, call_centre) as measured:
        measured.log_in()
        measured.deliver(call_centre.traffic(script, calls=10, concurrent=10, first=1_000_000))
        for number in range(ROUNDS):
            traffic = call_centre.traffic(script, calls=calls, concurrent=50, first=1 + number * calls)
            own = measured.deliver(traffic).processor_time(traffic)
            ratios.append(own / cost_of_plain_parsing(traffic))

    assert median(ratios) < bound, ratios
