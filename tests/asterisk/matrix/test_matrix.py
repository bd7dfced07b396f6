"""A sample of the matrix of calls, compared with what is right. `make test-calls` plays all of it."""

import os
import re
import secrets
from pathlib import Path

import pytest

from tests import needed
from tests.asterisk.matrix.known import KnownWrong
from tests.asterisk.matrix.observed import (
    CUSTOMER,
    CalledOut,
    Came,
    Ended,
    Fact,
    Met,
    ObservedCall,
    Queued,
    Rang,
)
from tests.asterisk.matrix.oracle import NO_TRIGGER, expected
from tests.asterisk.matrix.run import play_and_compare, sample, text_of
from tests.asterisk.rig import CACHE, TECHNOLOGIES, installed

SIZE = 20


LESS_PLAIN = Path(__file__).parents[2] / "fixtures/ami/less-plain"


@pytest.mark.asterisk
@pytest.mark.parametrize("version", [22, 16])
def test_each_seat_is_told_the_right_end_number_queue_and_party(version: int, tmp_path: Path) -> None:
    if not installed(version):
        needed.lacking(f"no Asterisk {version} in {CACHE}, or not root: run tests/asterisk/install.sh")
    seed = int(os.environ.get("ASTCTI_CALLS_SEED", secrets.randbelow(1_000_000)))
    print(f"seed {seed}: make test-calls VERSIONS={version} SAMPLE={SIZE} SEED={seed} plays the same")
    results = play_and_compare(version, sample(SIZE, seed), tmp_path / "calls")
    known = KnownWrong.read()
    bad = [
        text_of(result, TECHNOLOGIES[version])
        for result in results
        if result.observed.trouble or (result.faults and not known.kind_of(version, result.combination))
    ]
    assert not bad, "\n\n\n".join(bad)


def a_call(*facts: Fact) -> ObservedCall:
    """With the numbers that the tests below name."""
    return ObservedCall("3330010001", "90015", {"a": "40011", "b": "40012", "c": "40013"}, list(facts))


def test_who_is_rung_by_a_queue_is_the_called_end_also_of_a_call_that_began_outbound() -> None:
    observed = a_call(
        CalledOut("a", "Out plain", "05500101"),
        Met("a", 1, CUSTOMER),
        Ended("a", 1, "answered", CUSTOMER),
        Queued(CUSTOMER, "r001"),
        Rang("b", 2, CUSTOMER),
        Met("b", 2, CUSTOMER),
    )
    links = {
        agent: [expectation for _, expectation in wanted.links]
        for agent, wanted in expected(observed).items()
    }
    assert [link["direction"] for link in links["a"] + links["b"]] == ["outbound", "inbound"]
    assert (links["b"][0]["service"], links["b"][0]["trigger"]) == ("Sr001", "one")
    assert links["c"] == []


def test_who_takes_over_an_outbound_call_gets_its_service_and_no_trigger() -> None:
    observed = a_call(
        CalledOut("a", "Out plain", "05500101"),
        Met("a", 1, CUSTOMER),
        Rang("b", 2, CUSTOMER),
        Met("b", 2, CUSTOMER),
    )
    (_, link) = expected(observed)["b"].links[0]
    assert (link["direction"], link["service"], link["trigger"]) == ("outbound", "Out plain", NO_TRIGGER)


def test_a_hangup_is_told_of_the_call_as_it_was_when_the_two_were_connected() -> None:
    observed = a_call(
        Queued(CUSTOMER, "q001"),
        Met("a", 1, CUSTOMER),
        Queued(CUSTOMER, "r001"),
        Ended("a", 1, "answered", CUSTOMER),
    )
    (_, end) = expected(observed)["a"].ends[0]
    assert (end["service"], end["end"]) == ("Sq001", "answered")


def test_the_ring_trigger_comes_once_for_each_caller_and_seat() -> None:
    observed = a_call(Came("Direct"), Rang("a", 1, CUSTOMER), Ended("a", 1, "missed"), Rang("a", 2, CUSTOMER))
    expectations = [expectation["trigger"] for _, expectation in expected(observed)["a"].rings]
    assert expectations == ["one", NO_TRIGGER]


def test_the_table_of_less_plain_calls_lists_every_recording_and_nothing_else() -> None:
    rows = re.findall(
        r"^\| `([^`]+)` \|", (LESS_PLAIN / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert sorted(rows) == sorted(file.stem for file in LESS_PLAIN.glob("*.ami"))
