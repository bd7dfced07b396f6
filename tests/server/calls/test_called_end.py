"""Which end called, which number, queue and party an event speaks of, where the plain signs are missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from astcti_server.ami.vocabulary import AgentCalled, Parked, Unparked
from tests.fake.story import DEMO, OUTSIDE, Story


def dialled_out(story: Story, callers_number: str = "0559999") -> Story:
    """mario dials 0551234 through the service, and the trunk shows a number of its own."""
    story.new("a", "PJSIP/201-a", "Ring", "201", "Mario", "outbound", "0551234")
    story.new("t", "PJSIP/trunk-t", "Down", callers_number, "Our Company", root="a").dial("a", "t")
    return story.state("t", "Up").state("a", "Up").link("a", "t")


def test_a_trunks_own_number_is_not_the_customers() -> None:
    call = dialled_out(Story()).events("201", "Link")[0].call
    assert (call.direction, call.calleridnum, call.calleridname) == ("outbound", "0551234", "")


def test_the_caller_id_that_a_click_to_call_shows_is_not_the_number_it_dials() -> None:
    story = Story().new("a", "PJSIP/201-a", "Down", "201", "Mario").dial("", "a")
    story.state("a", "Ringing", connected="999").state(
        "a", "Up", connected="999"
    )  # its CallerID: Click <999>
    story.exten("a", "outbound", "0551234", "Dial")
    story.new("t", "PJSIP/trunk-t", "Down", "s", root="a").dial("a", "t").state("t", "Up").link("a", "t")
    assert story.links("201") == [("PJSIP/trunk-t", "0551234")]


def test_the_first_trunks_own_number_is_not_taken_for_the_customers_when_the_second_is_tried() -> None:
    story = Story().new("a", "PJSIP/201-a", "Ring", "201", "Mario", "outbound", "0551234")
    story.new("t", "PJSIP/trunk-t", "Down", "0559999", "Our Company", root="a").dial("a", "t")
    story.state("a", "Ring", connected="0559999").dial_end("a", "t", "CONGESTION").hangup("t")
    story.new("u", "PJSIP/other-u", "Down", "0558888", root="a").dial("a", "u")
    story.state("u", "Up").link("a", "u")
    assert story.links("201") == [("PJSIP/other-u", "0551234")]


def test_a_trunks_own_number_shown_before_its_dial_is_told_is_not_the_customers() -> None:
    story = Story().new("a", "PJSIP/201-a", "Ring", "201", "Mario", "outbound", "0551234")
    story.new("t", "PJSIP/trunk-t", "Down", "0559999", "Our Company", root="a")
    story.state("a", "Ring", connected="0559999").dial("a", "t").state("t", "Up").link("a", "t")
    assert story.links("201") == [("PJSIP/trunk-t", "0551234")]


def test_what_a_local_half_is_told_of_who_dialled_it_is_not_the_number_it_dials() -> None:
    story = Story().new("a", "PJSIP/201-a", "Ring", "201", "Mario", "phones", "90551234")
    story.new("l1", "Local/0551234@outbound-1;1", "Down", root="a")
    story.new("l2", "Local/0551234@outbound-1;2", "Ring", context="outbound", exten="0551234", root="a")
    story.state("l2", "Ring", connected="90551234").dial("a", "l1").exten("l2", "outbound", "0551234", "Dial")
    story.new("t", "PJSIP/trunk-t", "Down", "0551234", root="a").dial("l2", "t").state("t", "Up")
    story.link("l2", "t").link("a", "l1")
    assert story.links("201") == [("PJSIP/trunk-t", "0551234")]


def test_the_connected_line_that_the_dialplan_set_is_the_number_until_another_is_dialled() -> None:
    story = Story().new("a", "PJSIP/201-a", "Ring", "201", "Mario", "outbound", "90551234")
    story.exten("a", "sub-dialout", "s", "Set").state("a", "Ring", connected="0551234")
    story.new("t", "PJSIP/trunk-t", "Down", "s", root="a").dial("a", "t").state("t", "Up").link("a", "t")
    story.unlink("a", "t").hangup("t").exten("a", "outbound", "0557777", "Dial")
    story.new("u", "PJSIP/trunk-u", "Down", "s", root="a").dial("a", "u").state("u", "Up").link("a", "u")
    assert story.links("201") == [("PJSIP/trunk-t", "0551234"), ("PJSIP/trunk-u", "0557777")]


@pytest.mark.parametrize("first_rung", ["m1", "p"])
def test_whom_a_queue_rings_through_branching_local_channels_is_known_whichever_was_rung_last(
    first_rung: str,
) -> None:
    story = Story().caller().queued()
    for half, channel in (("l", "Local/9@members-1"), ("m", "Local/8@members-2")):
        story.new(f"{half}1", f"{channel};1", "Down", root="c").new(
            f"{half}2", f"{channel};2", "Ring", root="c"
        )
    story.new("p", "PJSIP/202-p", "Down", root="c").new("q", "PJSIP/201-q", "Down", root="c").dial("m2", "q")
    for rung in (first_rung, "p" if first_rung == "m1" else "m1"):
        story.dial("l2", rung)
    story.dial("c", "l1")  # that the queue rings is told last
    called = {uid: story.tracker.table.find(uid) for uid in ("p", "q")}
    assert all(call is not None and call.party.from_queue for call in called.values())


def test_a_place_of_the_dialplan_is_no_number() -> None:
    story = Story().new("a", "PJSIP/201-a", "Ring", "201", "Mario", "outbound", "0551234")
    story.exten("a", "sub-dialout", "s", "Dial")
    story.new("t", "PJSIP/trunk-t", "Down", "s", root="a").dial("a", "t").state("t", "Up").link("a", "t")
    assert story.events("201", "Link")[0].call.calleridnum == "0551234"


def test_whoever_fetches_a_parked_caller_is_the_called_end() -> None:
    story = Story().caller().variable("c", "calldata", "12345").queued()
    story.ring("c", "a", "201").state("a", "Up").unqueued().link("c", "a").unlink("c", "a").hangup("a")
    story.new("b", "PJSIP/202-b", "Ring", "202", "Luisa", "phones", "701").state("b", "Up").link("b", "c")
    (link,) = story.events("202", "Link")
    assert (link.call.direction, link.service, link.call.queue) == ("inbound", "Demo", "astcti")
    assert len(link.triggers) == 1


def test_who_came_through_a_service_is_the_caller_though_he_came_later() -> None:
    story = Story().new("a", "PJSIP/201-a", "Ring", "201", "Mario", "phones", "moh").state("a", "Up")
    story.caller().exten("c", "direct", "301").link("a", "c")
    (link,) = story.events("201", "Link")
    assert (link.call.direction, link.service) == ("inbound", "Direct")


def test_whoever_fetches_a_customer_that_was_called_stays_in_that_call_without_triggers() -> None:
    outside = replace(OUTSIDE, operators=DEMO.operators)
    story = dialled_out(Story(DEMO, outside)).unlink("a", "t").hangup("a")
    story.new("b", "PJSIP/202-b", "Ring", "202", "Luisa", "phones", "701").state("b", "Up").link("b", "t")
    (link,) = story.events("202", "Link")
    assert (link.call.direction, link.service, link.call.calleridnum) == (
        "outbound",
        "Outside line",
        "0551234",
    )
    assert link.triggers == ()


def test_a_queue_that_is_only_named_when_it_rings_is_the_callers() -> None:
    second = replace(DEMO, name="Second", queue_name="second", context="second")
    story = Story(DEMO, second).caller().queued()
    story.ring("c", "a", "201").state("a", "Up").unqueued().link("c", "a").unlink("c", "a").hangup("a")
    story.new("b", "PJSIP/202-b", "Down", "202", root="c")
    story.event(AgentCalled("second", "c", "PJSIP/trunk-c", "b", "PJSIP/202-b", "PJSIP/202"))
    story.dial("c", "b").state("b", "Ringing", connected="3331234567").state("b", "Up").link("c", "b")
    (link,) = story.events("202", "Link")
    assert (link.service, link.call.queue) == ("Second", "second")


def test_of_services_with_one_queue_the_context_entered_last_tells() -> None:
    morning, evening = (
        replace(DEMO, name="Morning", context="morning"),
        replace(DEMO, name="Evening", context="evening"),
    )
    story = Story(morning, evening).caller().exten("c", "morning", "1").exten("c", "evening", "1").queued()
    story.ring("c", "a", "201").state("a", "Up").link("c", "a")
    assert story.events("201", "Link")[0].service == "Evening"


def test_a_channel_that_streams_or_records_is_no_party() -> None:
    story = Story().caller().queued().ring("c", "a", "201").state("a", "Up").link("c", "a")
    story.new("m", "UnicastRTP/127.0.0.1:9999-0x1", "Up").link("m", "c").link("m", "a").hangup("m")
    assert len(story.events("201", "Link")) == 1
    assert story.events("201", "Unlink") == []


def test_a_caller_who_had_hung_up_before_the_two_were_joined_opens_nothing() -> None:
    story = Story().caller().queued().ring("c", "a", "201").state("a", "Up").leaves("c").link("c", "a")
    story.hangup("a")
    assert story.events("201", "Link")[0].triggers == ()
    assert story.events("201", "Hangup")[0].triggers == ()
    assert story.end("201") == "cancelled"


def test_who_still_talks_after_a_three_way_call_is_told_of_the_customer() -> None:
    story = Story().caller().variable("c", "calldata", "12345").queued()
    story.ring("c", "a", "201").state("a", "Up").link("c", "a")
    story.new("b", "PJSIP/202-b", "Down", "202").dial("a", "b").state("b", "Up").link("a", "b").link("c", "b")
    story.unlink("c", "b").unlink("a", "b").hangup("b").hangup("a")
    last = story.events("201", "Hangup")[-1]
    assert last.call.connected is not None and last.call.connected.uniqueid == "c"
    assert (last.call.calleridnum, last.call.appdata) == ("3331234567", (("calldata", "12345"),))


def parked(story: Story) -> Story:
    """A colleague's call came first, then a caller whom nothing but his parking place tells from him."""
    story.new("b", "PJSIP/202-b", "Ring", "202", "Luisa", "direct", "600").exten("b", "direct", "600")
    story.state("b", "Up").new("c", "PJSIP/trunk-c", "Ring", "3331234567", "Demo Caller", "incoming", "101")
    return story.state("c", "Up").event(Parked("c", "PJSIP/trunk-c"))


def test_whoever_fetches_is_the_called_end_though_he_came_first_and_through_a_service() -> None:
    story = parked(Story(all_calls=True)).event(Unparked("c", "PJSIP/trunk-c", "b", "PJSIP/202-b"))
    story.link("b", "c").hangup("c")
    assert {event.call.direction for event in story.events("202", "Link", "Unlink")} == {"inbound"}
    assert story.links("202") == [("PJSIP/trunk-c", "3331234567")]


def test_that_a_call_was_fetched_may_be_told_after_the_two_hear_each_other() -> None:
    in_time, late = (parked(Story(all_calls=True)) for _ in range(2))
    fetched = Unparked("c", "PJSIP/trunk-c", "b", "PJSIP/202-b")
    in_time.event(fetched).link("b", "c").hangup("c")
    late.link("b", "c").event(fetched).hangup("c")
    assert late.events("202") == in_time.events("202")


def test_asterisks_before_12_say_by_name_who_fetched() -> None:
    story = Story(all_calls=True, old=True)
    story.new("b", "PJSIP/202-b", "Ring", "202", "Luisa", "phones", "701").state("b", "Up")
    story.new("c", "PJSIP/trunk-c", "Ring", "3331234567").event(Parked("", "PJSIP/trunk-c"))
    story.event(Unparked("", "PJSIP/trunk-c", "", "PJSIP/202-b")).link("b", "c")
    assert story.events("202", "Link")[0].call.direction == "inbound"


def test_who_left_the_parking_place_by_himself_is_not_fetched() -> None:
    story = parked(Story(all_calls=True)).event(Unparked("c", "PJSIP/trunk-c", "", ""))
    story.new("a", "PJSIP/201-a", "Ring", "201", "Mario", "direct", "600").exten("a", "direct", "600")
    story.link("b", "c")
    assert story.events("202", "Link")[0].call.direction == "outbound"


def test_who_fetches_the_customer_that_he_called_himself_still_called_him() -> None:
    story = dialled_out(Story(all_calls=True)).unlink("a", "t").event(Parked("t", "PJSIP/trunk-t"))
    story.event(Unparked("t", "PJSIP/trunk-t", "a", "PJSIP/201-a")).link("a", "t").hangup("t")
    assert {event.call.direction for event in story.events("201", "Link", "Unlink")} == {"outbound"}


def test_our_own_number_is_not_shown_while_who_rings_is_still_to_be_told() -> None:
    story = dialled_out(Story(all_calls=True)).unlink("a", "t").hangup("a")
    story.new("b", "PJSIP/202-b", "Down", "202", root="a").state("b", "Ringing", connected="0559999")
    story.dial("t", "b").state("b", "Up").link("t", "b")
    shown = [(event.id, event.call.calleridnum) for event in story.events("202", "Newstate", "Callerid")]
    assert shown == [("Newstate", ""), ("Callerid", "0551234"), ("Newstate", "0551234")]
