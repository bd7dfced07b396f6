"""The engine finds what is there: a mistake, a hang, a crash, memory. A seed gives the same again."""

from __future__ import annotations

import faulthandler
import os
import signal
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

import pytest

from tests.fuzz import campaign, findings_kept, shard, summary
from tests.fuzz.campaign import Campaign, Plan, TargetResult
from tests.fuzz.exploration import explore
from tests.fuzz.mutation import Mutator
from tests.fuzz.shard import Stretch
from tests.fuzz.target import Attempt, Broken, FuzzTarget, attempted
from tests.fuzz.targets import TARGETS


def target_of(attempt: Attempt, **more: object) -> FuzzTarget:
    """A parser of the test's own."""
    return FuzzTarget("example", "of a test", lambda: attempt, lambda: [b"abc 123\n"], **more)  # type: ignore[arg-type]


def tried(attempt: Attempt, inputs: int = 400, **more: object) -> TargetResult:
    told: list[str] = []
    (result,) = Campaign([target_of(attempt, **more)], Plan(1, inputs, jobs=2), told.append).run()
    return result


def test_what_a_parser_may_raise_is_an_outcome_and_everything_else_a_finding() -> None:
    def attempt(data: bytes) -> str:
        if b"\0" in data:
            raise KeyError("NUL")
        return str(int(data)) and "number"

    result = tried(attempt, refusals=(ValueError,))
    assert result.tried.kinds["refused: ValueError"] > 50
    (finding,) = result.findings.values()
    assert finding.key.startswith("KeyError")
    assert finding.data == b"\0"  # as small as it gets
    assert finding.alone
    assert "KeyError" in finding.words


def test_a_wrong_result_is_a_finding() -> None:
    def attempt(data: bytes) -> str:
        if len(data) > 20:
            raise Broken("too long")
        return "short"

    (finding,) = tried(attempt).findings.values()
    assert len(finding.data) == 21


def test_an_input_that_takes_too_long_is_a_finding() -> None:
    def attempt(data: bytes) -> str:
        return str(sum(range(3_000_000 if data.startswith(b"x") else 1)))[:0]

    found = tried(attempt, tokens=(b"x",), seconds=0.005, inputs=1500).findings
    assert any(key.startswith("TimeoutError") for key in found)


def test_a_process_that_dies_or_hangs_is_a_finding_and_the_others_are_tried_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def attempt(data: bytes) -> str:
        if data.endswith(b"3"):
            faulthandler.disable()  # pytest's would print a page for each planted end
            os.kill(os.getpid(), signal.SIGSEGV)
        while data.startswith((b"b", b"c")):
            pass
        return "fine"

    monkeypatch.setattr(campaign, "STUCK", 2.0)
    monkeypatch.setattr(campaign, "EXPLORING", 0.0)
    result = tried(attempt, inputs=200)
    assert {key.partition(" ")[0] for key in result.findings} == {"hangs:", "the"}
    assert campaign.MOST_LOST <= result.lost <= campaign.MOST_LOST + 1
    assert result.tried.inputs > 50


def test_a_parser_that_keeps_everything_is_a_finding() -> None:
    kept: list[bytes] = []

    def attempt(data: bytes) -> str:
        kept.append(data + bytes(20_000))
        return "kept"

    found = tried(attempt, inputs=12_000, growth=4 << 20).findings
    assert [key for key in found if key.startswith("MemoryGrowth")]


def test_of_one_seed_the_inputs_are_the_same_in_any_stretch() -> None:
    target = target_of(lambda data: "")
    corpus = [b"abc 123\n", b"<a>"]
    whole = [Stretch(target, 7, 0, 50, corpus, 1.0).input(index) for index in range(50)]
    assert [Stretch(target, 7, 40, 50, corpus, 1.0).input(index) for index in range(40, 50)] == whole[40:]
    assert [Stretch(target, 8, 0, 50, corpus, 1.0).input(index) for index in range(50)] != whole
    assert len(set(whole)) > 40


def test_what_inputs_are_made_of_is_read_once_and_not_in_each_process() -> None:
    @cache
    def read_by() -> int:
        return os.getpid()

    def attempt(data: bytes) -> str:
        return "parent" if read_by() != os.getpid() else "child"

    result = tried(attempt, inputs=200, grow=lambda random: b"%d" % read_by())
    assert set(result.tried.kinds) == {"parent"}


def test_inputs_are_bounded() -> None:
    mutator = Mutator([b"x" * 500], longest=600)
    assert max(len(mutator.make(Random(number))) for number in range(2000)) == 600


def test_inputs_that_lead_somewhere_new_are_material_for_others() -> None:
    (target,) = [target for target in TARGETS if target.name == "refusals"]
    first = explore(target, target.prepare(), 3, 300, 1.0, lambda: 0.0)
    assert first[: len(target.seeds())] == list(target.seeds())
    assert len(first) > len(target.seeds())


def test_targets_have_names_of_their_own_and_inputs_to_begin_with() -> None:
    assert len({target.name for target in TARGETS}) == len(TARGETS)
    assert all(target.seeds() and target.reads for target in TARGETS)


@pytest.mark.parametrize("target", TARGETS, ids=[target.name for target in TARGETS])
def test_a_real_input_gets_well_inside_its_parser(target: FuzzTarget) -> None:
    """Else what is tried is the first check, again and again: seeds grow old when a rule is added."""
    assert outcome_in_a_process(target, target.reaches), f"none of the seeds is {target.reaches!r}"


def outcome_in_a_process(target: FuzzTarget, outcome: str) -> bool:
    """Whether a seed, or one of a hundred that were grown, has this outcome."""
    receiver, sender = shard.processes.Pipe(duplex=False)
    process = shard.processes.Process(target=_tell_outcomes, args=(target, sender))
    process.start()
    sender.close()
    try:
        assert receiver.poll(120)
        return outcome in receiver.recv()
    finally:
        process.kill()
        process.join()
        receiver.close()


def _tell_outcomes(target: FuzzTarget, sender: Connection) -> None:
    shard.begin_process()
    attempt = target.prepare()
    grown = [target.grow(Random(number)) for number in range(100)] if target.grow else []
    assert not target.grow or [target.grow(Random(number)) for number in range(100)] == grown
    sender.send({attempted(target, attempt, data) for data in (*target.seeds(), *grown)})


def test_a_finding_is_kept_under_its_target(tmp_path: Path) -> None:
    path = findings_kept.keep("example", b"x", tmp_path / "new")
    assert list(findings_kept.kept(tmp_path / "new")) == [("example", path)]
    assert path.read_bytes() == b"x"


def test_the_table_says_what_came_of_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    result = tried(lambda data: "one|other" if len(data) > 4 else "short", inputs=300)
    text = summary.table([result.row])
    assert "| `example` | of a test | 300 |" in text
    assert "one\\|other" in text
    assert shard.resident() > 0
