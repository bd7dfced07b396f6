"""A seat's leg: who is told of it, when, and what events that fit nothing do to it."""

from __future__ import annotations

import pytest

from astcti_server.ami import vocabulary as ami
from astcti_server.calls.originations import ORIGINATIONS_REMEMBERED, Origination, Originations
from astcti_server.calls.state.leg_progress import MOST_HELD_BACK
from tests.fake.story import Story


def ringing(*, old: bool = False) -> Story:
    return Story(old=old).caller().queued().ring("c", "a", "201")


def test_who_sits_down_at_a_ringing_phone_hears_who_rings() -> None:
    story = ringing()
    assert [told.event.id for told in story.tracker.seated("PJSIP/201")] == ["Newstate", "Callerid"]
    assert [told.event.id for told in story.tracker.seated("PJSIP/201")] == ["Newstate", "Callerid"]


def test_who_sits_down_at_a_phone_that_talks_hears_with_whom() -> None:
    story = ringing().state("a", "Up").link("c", "a")
    (told,) = story.tracker.seated("PJSIP/201")
    assert (told.event.id, told.event.repeat, told.event.triggers) == ("Link", True, ())


def test_who_sits_down_at_a_quiet_phone_hears_nothing() -> None:
    assert ringing().tracker.seated("PJSIP/202") == []


def test_a_leg_is_found_by_its_seat_and_the_id_that_its_client_knows() -> None:
    tracker = ringing().tracker
    leg = tracker.leg_of("PJSIP/201", "a")
    assert leg is not None and leg.party.call.channel == "PJSIP/201-a"
    assert tracker.leg_of("PJSIP/202", "a") is None, "another seat's"
    assert tracker.leg_of("PJSIP/201", "c") is None, "the caller's"


def test_a_leg_that_hung_up_is_found_no_more() -> None:
    assert ringing().hangup("a").tracker.leg_of("PJSIP/201", "a") is None


def test_after_a_masquerade_the_client_still_knows_the_leg_by_its_first_id() -> None:
    story = ringing(old=True).state("a", "Up").link("c", "a")
    story.new("x", "Local/201@agents;1", "Up").masquerade("a", "x")
    leg = story.tracker.leg_of("PJSIP/201", "a")
    assert leg is not None and leg.party.call.uniqueid == "x"


def test_events_that_wait_for_a_service_are_bounded_and_told_in_order() -> None:
    story = Story().new("c", "PJSIP/trunk-c", "Ring", "333", "", "nowhere", "1")
    story.ring("c", "a", "201")
    for _ in range(2 * MOST_HELD_BACK):
        story.state("a", "Down").state("a", "Ringing")
    assert story.told == []
    story.exten("c", "direct", "301", "Dial")
    assert story.ids("201")[:3] == ["Newchannel", "Dial", "Newstate"]
    assert len(story.told) == MOST_HELD_BACK


def test_nobody_is_told_where_nobody_sits() -> None:
    story = Story(operators={}).caller().queued().ring("c", "a", "201").state("a", "Up").link("c", "a")
    assert story.hangup("a").told == []


@pytest.mark.parametrize(
    "event",
    [
        ami.Unlink("c", "unknown"),
        ami.Unlink("c", "a"),
        ami.Rename("unknown", "PJSIP/1-1", "PJSIP/1-2"),
        ami.Hangup("unknown", "PJSIP/1-1", 16, ""),
        ami.HangupRequest("unknown"),
        ami.DialEnd("c", "PJSIP/trunk-c", "unknown", "PJSIP/1-1", "CANCEL"),
        ami.RingNoAnswer("unknown", "PJSIP/1-1"),
        ami.Pickup("unknown", "PJSIP/1-1", "a", "PJSIP/201-a"),
        ami.Pickup("a", "PJSIP/201-a", "c", "PJSIP/trunk-c"),
        ami.AgentCalled("astcti", "unknown", "PJSIP/1-1", "a", "PJSIP/201-a", "PJSIP/201"),
        ami.QueueServed("c", "PJSIP/trunk-c", "another"),
        ami.QueueCaller("c", "PJSIP/trunk-c", "astcti", True),
        ami.OriginateResponse("somebody else's", "Success", 4, "a", "PJSIP/201-a", "", ""),
        ami.QueueMember("paused", "astcti", "PJSIP/201", "", "", None, True, "", None),
        ami.Newstate("unknown", "PJSIP/1-1", "", "1", "", "", "", "", "", "", False),
        ami.Newexten("a", "PJSIP/201-a", "agents", "1", "AppQueue", "(Outgoing Line)"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_an_event_that_fits_nothing_changes_nothing(event: ami.TelephoneEvent) -> None:
    story = ringing()
    told, calls = list(story.told), len(story.tracker.table)
    story.event(event)
    assert (story.told, len(story.tracker.table)) == (told, calls)
    assert story.state("a", "Up").link("c", "a").links("201") == [("PJSIP/trunk-c", "3331234567")]


def test_two_channels_that_had_one_name_are_kept_apart() -> None:
    """Up to 1.4.29 a channel's name ends in the address of its memory, and comes again."""
    story = Story().new("c", "SIP/trunk-1", "Up").new("d", "SIP/trunk-1", "Up")
    story.hangup("c")
    found = story.tracker.table.named("SIP/trunk-1")
    assert found is not None and found.uniqueid == "d"
    story.new("d", "SIP/trunk-2", "Up")
    assert story.tracker.table.named("SIP/trunk-1") is None


def test_of_calls_asked_for_that_asterisk_never_answers_the_oldest_are_forgotten() -> None:
    originations = Originations()
    for number in range(ORIGINATIONS_REMEMBERED + 1):
        originations.add(str(number), Origination("PJSIP/201", str(number), "outbound", None))
    assert originations.take("0") is None
    found = originations.take("1")
    assert found is not None and found.exten == "1"
    assert originations.take("1") is None, "a response comes once"
    originations.clear()
    assert originations.take("2") is None


def test_a_phone_is_in_use_while_it_rings_calls_or_talks() -> None:
    story = ringing()
    assert story.tracker.phones_in_use() == {"PJSIP/201": "ringing"}
    story.state("a", "Up").link("c", "a")
    assert story.tracker.phones_in_use() == {"PJSIP/201": "talking"}
    story.unlink("c", "a")
    assert story.tracker.phones_in_use() == {"PJSIP/201": "talking"}, "between two conversations"
    story.new("b", "PJSIP/202-b", "Ring", "202", "", "outbound", "0551234")
    assert story.tracker.phones_in_use()["PJSIP/202"] == "talking", "it calls somebody"
    story.hangup("a").hangup("b")
    assert story.tracker.phones_in_use() == {}
