"""What the bench makes of repeated measurements."""

from __future__ import annotations

import random

import pytest

from tests.bench.figures import Rounds, median_interval, percentile, summarise


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


def test_of_many_values_the_spread_is_that_of_the_median_and_not_of_the_outliers() -> None:
    summary = summarise([100.0, 101.0, 99.0, 102.0, 98.0, 100.0, 500.0, 100.5, 99.5, 20.0])

    assert summary.spread < 0.1


def measured(rounds: Rounds, values: list[float], *, settles: bool = True) -> int:
    taken = iter(values)
    numbers = []
    for number in rounds:
        numbers.append(number)
        rounds.add("what", next(taken), settles=settles)
    assert numbers == list(range(len(numbers)))
    return len(numbers)


def test_rounds_end_as_soon_as_the_median_is_known_well() -> None:
    rounds = Rounds(3, 20)

    assert measured(rounds, [100.0, 150.0, 101.0] + [100.0] * 17) == 9
    assert rounds.settled


def test_quiet_rounds_are_as_few_as_they_may_be() -> None:
    assert measured(Rounds(3, 20), [100.0, 101.0, 102.0]) == 3


def test_rounds_that_do_not_settle_end_at_their_bound() -> None:
    rounds = Rounds(3, 5)

    assert measured(rounds, [1.0, 2.0, 3.0, 4.0, 5.0]) == 5
    assert not rounds.settled


def test_what_need_not_settle_asks_for_no_further_round() -> None:
    assert measured(Rounds(3, 20), [1.0, 9.0, 3.0], settles=False) == 3


def test_ratios_are_those_of_each_round() -> None:
    rounds = Rounds(2, 2)
    for number in rounds:
        rounds.add("ours", 10.0 * (number + 1))
        rounds.add("theirs", 5.0 * (number + 1))

    assert rounds.ratios("ours", "theirs") == [2.0, 2.0]
