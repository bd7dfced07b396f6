"""A restart with hundreds of seats: everybody is back soon, and Asterisk was not asked for anything."""

from __future__ import annotations

from tests.bench.processes.measured_server import LOGIN_WITHIN, MeasuredOutage
from tests.bench.workload.call_centre import CallCentre
from tests.bench.workload.modern_calls import ModernCalls

SEATS = 500
WITHIN = 15.0
"""Seconds. Measured in a quiet hour are less than three: `make bench BENCH_ARGS=restart`."""


def test_after_a_restart_hundreds_of_seats_are_back_and_nobody_left_a_queue() -> None:
    with MeasuredOutage(ModernCalls(), CallCentre("PJSIP", SEATS)) as measured:
        measured.log_in()
        back = measured.restart(LOGIN_WITHIN)  # which fails if anybody joins or leaves, or is missing
    assert len(back.away) == SEATS
    assert back.away[SEATS * 99 // 100] < WITHIN
