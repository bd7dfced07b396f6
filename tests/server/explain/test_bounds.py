"""What is kept has a bound, whatever the dialplan or a flood of calls does."""

from __future__ import annotations

import pytest

from astcti_server.explain.call_trails import CallTrails
from astcti_server.explain.kept_trails import ENTRY_COST, KeptTrails
from astcti_server.explain.packed_trails import pack, unpack
from astcti_server.explain.server_marks import MOST_MARKS, ServerMarks
from astcti_server.explain.trail import FIRST_KEPT, LAST_KEPT, Trail
from schemas.explanation.codes import TrailStep, Verdict
from tests.fake.story import Story

STEPS_KEPT = FIRST_KEPT + LAST_KEPT


@pytest.mark.parametrize("old", [False, True])
def test_a_dialplan_loop_keeps_its_first_and_last_steps(old: bool) -> None:
    story = Story(old=old).caller().queued().ring("c", "a", "201").state("a", "Up").link("c", "a")
    for turn in range(10_000):
        story.exten("c", ("astctidemo", "direct")[turn % 2], "101").variable("c", "calldata", str(turn))
    running = {record.facts.uniqueid: record for record in story.tracker.running_trails()}
    assert len(running["c"].steps) == STEPS_KEPT
    assert running["c"].left_out > 10_000
    assert running["c"].steps[0][1] == TrailStep.ENTERED
    assert running["c"].steps[-1][2:4] == ("calldata", "9999")
    found = story.hangup("a").hangup("c").explained("201")
    assert found.verdict.code == Verdict.POPPED_UP
    assert Verdict.STEPS_LEFT_OUT in {line.code for line in found.odd}
    assert story.trails.kept.bytes < 30_000


def test_a_value_of_any_length_is_kept_short() -> None:
    story = Story().caller()
    story.variable("c", "calldata", "x" * 1_000_000).hangup("c")
    assert story.trails.kept.bytes < 2_000


def test_a_flood_of_calls_lets_the_oldest_go() -> None:
    story = Story()
    story.trails.kept = KeptTrails(most_bytes=200_000)
    for number in range(1_000):
        caller, phone = f"c{number}", f"a{number}"
        story.caller(caller).queued(caller).ring(caller, phone, "201").state(phone, "Up").link(caller, phone)
        story.hangup(phone).hangup(caller)
        assert story.trails.kept.bytes <= 200_000
    kept = story.trails.kept
    assert 100 < len(kept) < 1_000
    assert story.explained("a0").verdict.code == Verdict.NO_CALL
    assert story.explained("a999").verdict.code == Verdict.POPPED_UP
    assert sum(map(len, kept.all().values())) + ENTRY_COST * len(kept) == kept.bytes
    assert all(unpack(packed).ended for packed in kept.all().values())


def test_after_an_hour_a_call_is_forgotten() -> None:
    story = Story().caller().hangup("c")
    assert story.explained("c").verdict.code != Verdict.NO_CALL
    story.later(3_700).caller("d").hangup("d")
    assert story.explained("c").verdict.code == Verdict.NO_CALL
    assert len(story.trails.kept) == 1


def test_the_same_id_twice_is_counted_once_it_is_gone() -> None:
    kept = KeptTrails(most_bytes=10 * (ENTRY_COST + 100))
    for number in range(200):
        now = float(number)
        kept.keep(str(number % 3), pack(["x" * (50 + number % 50)], Trail(float), now), now)
    assert set(kept.all()) == {"0", "1", "2"}
    kept.forget_old(100_000.0)
    assert (kept.bytes, len(kept), kept.all()) == (0, 0, {})


def test_the_marks_of_the_server_are_bounded() -> None:
    marks = ServerMarks()
    for number in range(MOST_MARKS + 10):
        marks.logged_in(f"operator-{number}", "PJSIP/201")
    view = marks.view()
    assert len(view.marks) == MOST_MARKS
    assert view.marks[-1].arguments[0] == f"operator-{MOST_MARKS + 9}"


def test_a_call_of_nobodys_leaves_nothing() -> None:
    story = Story()
    story.new("x", "PJSIP/trunk-x", "Ring", "0551", "", "elsewhere", "1")
    story.new("y", "PJSIP/301-y", "Down").dial("x", "y").state("y", "Up").link("x", "y").hangup("y").hangup(
        "x"
    )
    assert len(story.trails.kept) == 0


def test_what_is_kept_is_plain_bytes() -> None:
    trails = CallTrails(lambda: 5.0)
    story = Story()
    story.trails.kept = trails.kept
    story.caller().queued().hangup("c")
    (packed,) = trails.kept.all().values()
    assert type(packed) is bytes
    assert unpack(packed).facts.uniqueid == "c"
