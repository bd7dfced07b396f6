"""Calls that a client asked for with ORIG: its phone rings, and then dials."""

from __future__ import annotations

from dataclasses import replace

import pytest

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
