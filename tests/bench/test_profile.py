"""The table of `make profile`: every event of the traffic is in it, and its cost where it was caused."""

from __future__ import annotations

from tests.bench.profile import measure
from tests.bench.workload.old_calls import OldCalls


def test_what_is_dropped_costs_the_parser_alone_and_what_is_kept_costs_every_part() -> None:
    kinds = measure(OldCalls(), calls=10, rounds=1)

    dropped, kept = kinds["PeerStatus"], kinds["Hangup"]
    assert dropped.count > 0
    assert dropped.kept == 0
    assert dropped.costs[0] > 0
    assert dropped.costs[1:] == [0, 0, 0]
    assert kept.kept == kept.count >= 20
    assert all(cost > 0 for cost in kept.costs)
