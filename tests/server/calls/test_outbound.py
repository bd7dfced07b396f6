"""Calls that a client asked for with ORIG: its phone rings, and then dials."""

from __future__ import annotations

from dataclasses import replace

import pytest

from astcti_server.calls.originations import Origination, Originations
from astcti_server.calls.state.call_ends import phone_end
from schemas.configuration.model import Binding, Service
from tests.fake.story import DEMO, OUTSIDE, Story, configuration

NAMESAKE = Service("Outside line", "elsewhere", "inbound", operators=(Binding("luisa"),))


def test_a_call_is_told_as_one_of_the_service_it_was_asked_through() -> None:
    story = Story().ask("a", OUTSIDE).originated("a")
    told = story.events("201", "OriginateResponse")[0]
    assert (told.service, told.call.context, told.call.direction) == ("Outside line", "outbound", "outbound")
    assert told.originate is not None
    assert (told.originate.exten, told.originate.response) == ("0551234", "Success")


def test_a_service_of_the_same_name_has_no_part_in_it() -> None:
    story = Story(NAMESAKE, DEMO, OUTSIDE).ask("a", OUTSIDE).originated("a")
    assert {event.call.context for event in story.events("201")} == {"outbound"}


def test_a_call_keeps_the_service_that_was_disabled_while_the_phone_rang() -> None:
    story = Story().ask("a", OUTSIDE)
    story.tracker.configure(configuration(DEMO, replace(OUTSIDE, enabled=False)), all_calls=False)
    told = story.originated("a").events("201", "OriginateResponse")[0]
    assert (told.service, told.call.context) == ("Outside line", "outbound")


@pytest.mark.parametrize("step_first", [True, False], ids=["step-first", "answer-first"])
def test_every_event_of_it_shows_the_number_that_is_dialled(step_first: bool) -> None:
    story = Story().ask("a", OUTSIDE)
    if step_first:  # Asterisk says the two in either order
        story.exten("a", "outbound", "0551234", "Dial").originated("a")
    else:
        story.originated("a").exten("a", "outbound", "0551234", "Dial")
    told = story.events("201")
    assert [event.id for event in told] == ["Newchannel", "Newstate", "Newstate", "OriginateResponse"]
    assert {event.call.calleridnum for event in told} == {"0551234"}


def test_a_failure_says_what_was_dialled() -> None:
    story = Story(NAMESAKE, OUTSIDE).ask("a", OUTSIDE).hangup("a").originated("a", "Failure")
    told = story.events("201", "OriginateResponse")[0]
    assert (told.call.calleridnum, told.call.context) == ("0551234", "outbound")
    assert told.originate is not None
    assert told.originate.response == "Failure"


# -- whose fault it was that nothing came of it -------------------------------------------------------------


@pytest.mark.parametrize(
    ("cause", "status", "called"),
    [
        (17, "BUSY", "busy"),
        (21, "NOANSWER", "refused"),  # 603 from PJSIP
        (1, "NOANSWER", "unknown"),  # 404 from PJSIP
        (34, "CONGESTION", "congested"),
        (0, "NOANSWER", "no-answer"),  # Dial's own time was over
        (0, "CANCEL", ""),  # the operator gave up
        (16, "", ""),
    ],
)
def test_why_the_number_was_not_reached_is_told_at_the_end(cause: int, status: str, called: str) -> None:
    story = Story().ask("a", OUTSIDE).originated("a").new("b", "PJSIP/trunk-b", "Down").dial("a", "b")
    if status:
        story.dial_end("a", "b", status)
    story.hangup("b", cause).hangup("a", 16)
    told = story.events("201", "Hangup")[0].cause
    assert told is not None
    assert told.called == called


def test_a_number_that_has_no_channel_is_judged_by_the_own_leg() -> None:
    told = Story().ask("a", OUTSIDE).originated("a").hangup("a", 20).events("201", "Hangup")[0].cause
    assert told is not None
    assert told.called == "unreachable"


def test_the_own_leg_has_the_cause_where_the_end_of_the_attempt_is_told_late() -> None:
    story = Story().ask("a", OUTSIDE).originated("a").new("b", "PJSIP/trunk-b", "Down").dial("a", "b")
    told = story.dial_end("a", "b", "NOANSWER").hangup("a", 21).events("201", "Hangup")[0].cause
    assert told is not None
    assert told.called == "refused"


def test_of_several_attempts_the_last_one_counts() -> None:
    story = Story().ask("a", OUTSIDE).originated("a")
    for trunk, status, cause in (("b", "CONGESTION", 34), ("c", "BUSY", 17)):
        story.new(trunk, f"PJSIP/trunk-{trunk}", "Down").dial("a", trunk).dial_end("a", trunk, status)
        story.hangup(trunk, cause)
    told = story.hangup("a").events("201", "Hangup")[0].cause
    assert told is not None
    assert told.called == "busy"


def test_a_call_that_was_answered_has_no_fault() -> None:
    story = Story().ask("a", OUTSIDE).originated("a").new("b", "PJSIP/trunk-b", "Down").dial("a", "b")
    story.dial_end("a", "b", "ANSWER").link("a", "b").unlink("a", "b").hangup("b", 17).hangup("a", 17)
    told = story.events("201", "Hangup")[0].cause
    assert told is not None
    assert (told.end, told.called) == ("answered", "")


def test_a_phone_that_never_had_a_channel_is_told_as_unreachable() -> None:
    originations = Originations()
    originations.add("1", Origination("PJSIP/201", "1", "outbound", None))
    assert originations.end_at_phone("1", 0) == "unreachable"
    assert originations.end_at_phone("1", 5) == "refused"  # 1.4 to 11 say so in the reason
    assert originations.end_at_phone("2", 0) == ""


@pytest.mark.parametrize(
    ("reason", "state", "status", "phone"),
    [
        (0, "Down", "BUSY", "refused"),
        (0, "Down", "", "refused"),  # 22 may say DialEnd later
        (0, "Ringing", "NOANSWER", "refused"),
        (5, "Ringing", "", "refused"),
        (3, "Ringing", "", "no-answer"),
        (3, "Down", "", "unreachable"),
        (8, "Down", "", "unreachable"),
        (0, "Down", "CHANUNAVAIL", "unreachable"),
    ],
)
def test_why_the_own_phone_took_no_part(reason: int, state: str, status: str, phone: str) -> None:
    assert phone_end(reason, state, status) == phone


def test_the_phone_that_a_caller_rings_is_not_the_one_to_cancel() -> None:
    story = Story().caller()
    originations = story.tracker.originations
    originations.add("7", Origination("PJSIP/201", "0551234", "outbound", OUTSIDE))
    assert originations.cancel("PJSIP/201") is None, "no channel yet"
    story.ring("c", "a", "201").new("b", "PJSIP/201-b", "Down").dial("", "b")
    found = originations.cancel("PJSIP/201")
    assert found is not None
    assert found.call.uniqueid == "b"
    story.hangup("b").originated("b", "Failure")
    told = story.events("201", "OriginateResponse")[0].originate
    assert told is not None
    assert told.phone == "cancelled"
    assert not originations.waits_at("PJSIP/201")
