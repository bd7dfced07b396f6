"""Processor times are those of the processes that were asked for."""

from __future__ import annotations

import os
import time

import pytest

from tests.bench.processor_time import (
    TICK,
    ProcessorMeter,
    ProcessorReading,
    ProcessorTime,
    Usage,
    processor_time,
)


def compute(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def test_the_processor_time_of_a_process_is_what_its_own_clock_says() -> None:
    compute(0.05)

    before = time.process_time()
    found = processor_time(os.getpid())
    after = time.process_time()

    assert before <= found.total <= after
    assert found.user + found.system == pytest.approx(found.total, abs=3 * TICK)


def test_a_meter_says_what_was_used_between_two_readings() -> None:
    meter = ProcessorMeter({"this": os.getpid()})

    before = meter.read()
    compute(0.05)
    usage = before.until(meter.read())

    assert usage.processes["this"].total >= 0.05
    assert usage.seconds >= 0.05
    assert usage.load >= 0


def reading(at: float, own: float, busy: float, idle: float, stolen: float) -> ProcessorReading:
    return ProcessorReading(at, {"server": ProcessorTime(own, own, 0.0)}, busy, idle, stolen, load=1.0)


def test_what_others_used_is_the_rest_of_what_the_machine_was_busy_with() -> None:
    usage = reading(0, 1.0, 10.0, 20.0, 0.0).until(reading(1, 1.5, 11.1, 20.8, 0.1))

    assert usage.others == pytest.approx(0.3)
    assert usage.stolen == pytest.approx(0.05)
    assert usage.noisy


@pytest.mark.parametrize(
    ("busy", "idle", "stolen", "noisy"),
    [(1.0, 1.0, 0.0, False), (1.3, 0.7, 0.0, True), (1.0, 0.9, 0.1, True), (1.1, 0.88, 0.02, False)],
)
def test_a_measurement_is_noisy_if_others_used_the_cores_or_the_host_took_them(
    busy: float, idle: float, stolen: float, noisy: bool
) -> None:
    usage = reading(0, 0.0, 0.0, 0.0, 0.0).until(reading(1, 1.0, busy, idle, stolen))

    assert usage.noisy is noisy


@pytest.mark.parametrize(
    ("server", "clients", "others", "limit"),
    [
        (0.95, 0.2, 0.0, "server"),
        (0.3, 0.97, 0.0, "clients"),
        (0.7, 0.6, 0.3, "the cores"),
        (0.3, 0.2, 0.1, "none"),
    ],
)
def test_the_limit_is_who_had_no_time_to_wait(
    server: float, clients: float, others: float, limit: str
) -> None:
    used = {
        name: ProcessorTime(2 * share, 0, 0) for name, share in (("server", server), ("clients", clients))
    }
    usage = Usage(2.0, used, others, 0.0, 0.0)

    assert usage.share("server") == pytest.approx(server)
    assert usage.limit(2) == limit
