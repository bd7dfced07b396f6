"""What the AMI thread counts for Prometheus."""

from __future__ import annotations

import pytest

from astcti_server.metrics.figures import AmiFigures, SecondsHistogram
from tests.fake.clock import FakeClock


def test_a_histogram_counts_what_took_at_most_so_long() -> None:
    histogram = SecondsHistogram((0.1, 1.0))
    for seconds in (0.05, 0.1, 0.5, 7.0):
        histogram.observe(seconds)
    assert histogram.buckets() == [("0.1", 2.0), ("1.0", 3.0), ("+Inf", 4.0)]
    assert histogram.sum == pytest.approx(7.65)


def test_a_notification_is_timed_from_the_read_that_brought_it() -> None:
    clock = FakeClock()
    figures = AmiFigures(clock)
    figures.read(1000)
    clock.go_on(0.002)
    figures.delivered(3)
    clock.go_on(5)
    figures.read(24)
    figures.delivered(1)
    assert figures.notified == 4
    assert figures.read_bytes == 1024
    assert figures.notifications.sum == pytest.approx(0.006)
    assert figures.notifications.buckets()[-1] == ("+Inf", 4.0)


def test_only_what_asterisk_answered_is_timed() -> None:
    figures = AmiFigures(FakeClock())
    figures.answered("", 0.01)
    figures.answered("refused", 0.02)
    figures.answered("timeout", 5.0)
    figures.answered("down", 0.0)
    assert figures.outcomes == {"ok": 1, "refused": 1, "timeout": 1, "down": 1}
    assert figures.actions.sum == pytest.approx(0.03)


def test_what_is_shown_within_a_quarter_of_a_second_can_be_told_from_the_rest() -> None:
    figures = AmiFigures(FakeClock())
    for seconds in (0.09, 0.25, 0.26):
        figures.shown(seconds)
    found = dict(figures.shown_after.buckets())
    assert (found["0.1"], found["0.25"], found["0.3"]) == (1.0, 2.0, 3.0)
    assert figures.shown_after.sum == pytest.approx(0.6)
