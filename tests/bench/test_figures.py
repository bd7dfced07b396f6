"""What the bench makes of repeated measurements."""

from __future__ import annotations

import random

import pytest

from tests.bench.figures import median_interval, percentile, summarise


def test_a_summary_has_the_median_and_how_far_apart_the_values_are() -> None:
    summary = summarise([10.0, 12.0, 9.0])

    assert (summary.median, summary.lowest, summary.highest) == (10.0, 9.0, 12.0)
    assert summary.spread == pytest.approx(0.3)


def test_a_percentile_is_the_value_below_which_that_part_of_the_values_is() -> None:
    values = [float(number) for number in range(100)]

    assert percentile(values, 0.5) == 50
    assert percentile(values, 0.99) == 99
    assert percentile([7.0], 0.99) == 7


@pytest.mark.parametrize(
    ("count", "lowest", "highest"),
    # The table of the sign test: of 10 values the second lowest and the second highest, and so on.
    [(6, 1, 6), (8, 1, 8), (9, 2, 8), (10, 2, 9), (12, 3, 10), (15, 4, 12), (20, 6, 15)],
)
def test_the_interval_of_a_median_is_that_of_the_sign_test(count: int, lowest: int, highest: int) -> None:
    values = [float(number) for number in range(1, count + 1)]
    random.Random(count).shuffle(values)

    assert median_interval(values) == (lowest, highest)


@pytest.mark.parametrize("count", range(6))
def test_fewer_than_six_values_have_no_interval(count: int) -> None:
    assert median_interval([1.0] * count) is None
