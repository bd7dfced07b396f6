"""What a person names, and which call is meant by it, known or not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from astcti_server.explain.explanations import CallsOfAMoment
from schemas.configuration.model import Trigger
from schemas.explanation.codes import Verdict
from tests.fake.story import DEMO, Story

ANSWERED_ONLY = replace(DEMO, triggers=DEMO.triggers[:1])


def told(story: Story, what: str) -> list[tuple[str, str]]:
    """The phone and the verdict of each answer."""
    kept, running = story.trails.kept.all(), story.tracker.running_trails()
    answers = CallsOfAMoment(kept, running, story.marks.view()).explain(what)
    return [(answer.phone, answer.verdict.code) for answer in answers]


def logged_in(*services: object, **more: object) -> Story:
    story = Story(*services, **more)  # type: ignore[arg-type]
    for extension, operator in story.operators.items():
        story.marks.logged_in(operator, extension)
    return story


def at_a_phone(story: Story, device: str) -> Story:
    """A caller in the queue, a phone that answers him, and both are gone."""
    story.caller().queued().new("a", f"{device}-a", "Down", root="c").dial("c", "a")
    return story.state("a", "Ringing").state("a", "Up").link("c", "a").hangup("a").hangup("c")


@pytest.mark.parametrize("what", ["3331234567", "+3331234567", "333 123 4567", "(333) 123-4567"])
def test_the_number_of_an_ended_call_is_found_however_it_is_written(what: str) -> None:
    story = at_a_phone(logged_in(ANSWERED_ONLY), "PJSIP/201")
    assert told(story, what) == [("PJSIP/201", Verdict.POPPED_UP)]


def test_a_number_that_came_with_its_signs_is_found_without_them() -> None:
    story = logged_in(ANSWERED_ONLY).caller(number="+39 (333) 123-4567").queued()
    story.ring("c", "a", "201").state("a", "Up").link("c", "a").hangup("a").hangup("c")
    assert told(story, "393331234567") == [("PJSIP/201", Verdict.POPPED_UP)]


@pytest.mark.parametrize(
    ("came", "asked"),
    [
        ("+39055123", "055123"),
        ("055123", "+39055123"),
        ("+39055123", "0039055123"),
        ("0049 30 1234", "030 1234"),
        ("0551234567", "1234567"),
    ],
)
def test_a_number_is_found_with_and_without_what_is_dialled_before(came: str, asked: str) -> None:
    story = logged_in(ANSWERED_ONLY).caller(number=came).queued()
    story.ring("c", "a", "201").state("a", "Up").link("c", "a")
    assert told(story, asked) == [("PJSIP/201", Verdict.POPPED_UP)]
    assert told(story.hangup("a").hangup("c"), asked) == [("PJSIP/201", Verdict.POPPED_UP)]
    assert story.explained(asked).odd == story.explained("201").odd, "one number alone fits"


def two_numbers() -> Story:
    story = logged_in(ANSWERED_ONLY)
    for uid, number in (("c", "+39055123"), ("d", "+41055123")):
        story.caller(uid, number).queued(uid).ring(uid, f"{uid}1", "201").state(f"{uid}1", "Up")
        story.link(uid, f"{uid}1").hangup(f"{uid}1").hangup(uid).later(10)
    return story


def test_of_several_numbers_that_end_alike_the_latest_call_is_meant_and_the_others_are_named() -> None:
    story = two_numbers()
    found = story.explained("055123")
    assert found.story[0].arguments[0] == "+41055123"
    line = found.odd[-1]
    assert (line.code, line.arguments) == (Verdict.OTHER_NUMBERS, ("+41055123", "055123", "+39055123"))
    for whole in ("+39055123", "+41055123", "0041 055123"):
        assert Verdict.OTHER_NUMBERS not in {line.code for line in story.explained(whole).odd}
    assert story.explained("+39055123").story[0].arguments[0] == "+39055123"


@pytest.mark.parametrize("asked", ["5123", "12345", "+39 000", "000000", "9055124"])
def test_few_digits_mean_no_number_that_ends_so(asked: str) -> None:
    assert told(two_numbers(), asked) == [(asked, Verdict.NO_CALL)]


@pytest.mark.parametrize("what", ["201", "PJSIP/201", "SIP/201", "mario", "3331234567", "last"])
def test_a_phone_of_another_technology_is_named_whoever_is_asked_for(what: str) -> None:
    story = at_a_phone(logged_in(ANSWERED_ONLY), "SIP/201")
    assert told(story, what) == [("PJSIP/trunk", Verdict.PHONE_NEARLY_A_SEAT)]


@pytest.mark.parametrize("what", ["300", "PJSIP/300", "last"])
def test_a_phone_that_is_no_seat_is_named(what: str) -> None:
    story = at_a_phone(logged_in(ANSWERED_ONLY), "PJSIP/300")
    assert told(story, what) == [("PJSIP/trunk", Verdict.PHONE_IS_NO_SEAT)]


def test_a_seat_named_by_a_wrong_technology_is_explained() -> None:
    story = at_a_phone(logged_in(ANSWERED_ONLY), "PJSIP/201")
    assert told(story, "SIP/201") == [("PJSIP/201", Verdict.POPPED_UP)]


def test_of_the_last_call_every_phone_is_explained() -> None:
    story = logged_in(ANSWERED_ONLY).caller().queued().ring("c", "a", "201").ring("c", "b", "202")
    story.state("a", "Up").link("c", "a").hangup("b", 26).hangup("a").hangup("c")
    answers = [("PJSIP/201", Verdict.POPPED_UP), ("PJSIP/202", Verdict.ANSWERED_ELSEWHERE)]
    assert told(story, "last") == answers


def test_the_last_call_is_the_one_that_began_last_not_the_one_that_ended_last() -> None:
    story = logged_in(ANSWERED_ONLY).caller().queued().ring("c", "a", "201").state("a", "Up").link("c", "a")
    story.later(60).caller("d", "0551234").queued("d").ring("d", "b", "202").state("b", "Up").link("d", "b")
    story.hangup("b").hangup("d").later(60).hangup("a").hangup("c")
    assert told(story, "last") == [("PJSIP/202", Verdict.POPPED_UP)]


def test_of_an_operator_also_the_calls_are_meant_of_which_nobody_was_told() -> None:
    story = at_a_phone(logged_in(ANSWERED_ONLY), "PJSIP/201").later(60)
    story.marks.logged_out("mario", "PJSIP/201", "connection lost")
    del story.operators["PJSIP/201"]
    story.caller("d").queued("d").ring("d", "b", "201").state("b", "Up").link("d", "b").hangup("b")
    assert told(story, "mario") == [("PJSIP/201", Verdict.NOBODY_LOGGED_IN)]


def test_an_operator_who_is_not_logged_in_is_told_so() -> None:
    assert told(Story(operators={}), "mario") == [("mario", Verdict.OPERATOR_NOT_LOGGED_IN)]


def test_an_operator_without_a_seat_is_told_so() -> None:
    story = Story(operators={})
    story.marks.logged_in("mario", "")
    assert told(story, "mario") == [("mario", Verdict.OPERATOR_WITHOUT_SEAT)]


def test_an_operator_who_logged_in_elsewhere_is_logged_in() -> None:
    story = logged_in()
    story.marks.taken_over("mario", "PJSIP/201", "mario")
    story.marks.logged_in("mario", "PJSIP/203")
    assert told(story, "mario") == [("mario", Verdict.NO_CALL)]


def test_a_lost_link_is_no_reason_for_what_is_unknown_for_ever() -> None:
    story = logged_in()
    story.marks.link(up=False)
    story.later(3).marks.link(up=True)
    found = story.explained("nonsense")
    assert (found.verdict.code, found.verdict.arguments) == (Verdict.PBX_DOWN, ("3",))
    assert story.later(3700).explained("nonsense").verdict.code == Verdict.NO_CALL


def test_a_link_that_is_lost_is_the_first_reason_for_what_is_unknown() -> None:
    story = logged_in()
    story.marks.link(up=False)
    found = story.later(20).explained("3331234567")
    assert (found.verdict.code, found.verdict.arguments) == (Verdict.PBX_DOWN, ("20",))


def test_a_pop_up_when_the_call_is_over_leaves_the_agent_without_one_when_it_is_answered() -> None:
    at_the_end = replace(DEMO, triggers=(Trigger("browser", on="hangup", url="https://crm/"),))
    found = at_a_phone(logged_in(at_the_end), "PJSIP/201").explained("201")
    assert found.verdict.code == Verdict.POPPED_UP
    assert (Verdict.OTHER_MOMENT, ("Demo", "hangup")) in [(line.code, line.arguments) for line in found.odd]
