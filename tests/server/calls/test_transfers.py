"""Transfers, pickup, forwarding, Local channels: one Link per pair, with the original caller's data."""

import pytest

from tests.fake.story import Story

TRUNK = ("PJSIP/trunk-c", "3331234567")


def talking(*, old: bool = False) -> Story:
    """A queue caller with data talks to 201."""
    story = Story(old=old).caller().variable("c", "calldata", "12345").queued()
    return story.ring("c", "a", "201").state("a", "Up").unqueued().link("c", "a")


def consulting(story: Story) -> Story:
    """201 calls 203 on a second line and they talk."""
    story.new("a2", "PJSIP/201-a2", "Ring", "201", "Mario", "internal", "203")
    return story.ring("a2", "b", "203").state("b", "Up").link("a2", "b")


def assert_recipient_got_the_caller(story: Story, phone: str) -> None:
    assert story.links(phone) == [TRUNK]
    link = story.events(phone, "Link")[-1]
    assert link.call.appdata == (("calldata", "12345"),)
    assert [action.url for action in link.triggers] == ["https://crm.example/ticket?id=12345&from=3331234567"]


def test_attended_transfer_by_entering_the_callers_bridge() -> None:
    story = consulting(talking())
    assert story.links("203") == []  # an internal consultation is no call of a service
    story.unlink("a2", "b").unlink("c", "a").link("c", "b")
    assert_recipient_got_the_caller(story, "203")
    assert len(story.events("201", "Link")) == 1
    assert story.ids("201")[-1] == "Unlink"
    story.hangup("a2").hangup("a").hangup("b").hangup("c")
    assert story.end("201") == "answered"
    assert story.end("203") == "answered"


def test_attended_transfer_by_masquerade_moves_the_callers_data_to_another_id() -> None:
    story = consulting(talking(old=True))
    story.masquerade("c", "a2").unlink("c", "a").hangup("c").hangup("a")
    assert_recipient_got_the_caller(story, "203")
    assert len(story.events("201", "Link")) == 1


def test_blind_transfer_is_a_new_ring_of_the_same_caller() -> None:
    story = talking().unlink("c", "a").hangup("a").exten("c", "internal", "203", "Dial")
    story.ring("c", "b", "203").state("b", "Up").link("c", "b")
    assert_recipient_got_the_caller(story, "203")
    assert story.ids("203") == ["Newchannel", "Dial", "Newstate", "Callerid", "Newstate", "Link"]


def test_blonde_transfer_by_masquerade_while_the_target_rings() -> None:
    story = talking(old=True)
    story.new("a2", "PJSIP/201-a2", "Ring", "201", "Mario", "internal", "203").ring("a2", "b", "203")
    story.masquerade("c", "a2").unlink("c", "a").hangup("c").hangup("a")
    story.state("b", "Up").link("a2", "b")
    assert_recipient_got_the_caller(story, "203")


def test_blonde_transfer_by_a_second_dial_of_the_same_leg() -> None:
    story = talking()
    story.new("a2", "PJSIP/201-a2", "Ring", "201", "Mario", "internal", "203").ring("a2", "b", "203")
    story.dial_end("a2", "b", "NOANSWER").dial("c", "b").unlink("c", "a").hangup("a2").hangup("a")
    story.state("b", "Up").link("c", "b")
    assert_recipient_got_the_caller(story, "203")


def test_transferer_who_comes_back_to_the_caller_gets_a_repeat_without_triggers() -> None:
    story = talking().unlink("c", "a")
    story.new("b", "PJSIP/203-b", "Down", "203").dial("a", "b").state("b", "Up").link("a", "b")
    assert story.events("201", "Unlink")[-1].call.connected is not None
    story.unlink("a", "b").hangup("b").link("c", "a")
    again = story.events("201", "Link")[-1]
    assert again.repeat
    assert again.triggers == ()
    assert story.links("201")[0] == TRUNK


def test_consultation_on_the_same_line_runs_no_trigger_of_the_callers_service() -> None:
    story = talking().unlink("c", "a")
    story.new("b", "PJSIP/203-b", "Down", "203").dial("a", "b").state("b", "Up").link("a", "b")
    consultation = story.events("201", "Link")[-1]
    assert consultation.call.direction == "outbound"
    assert consultation.triggers == ()


def local_member(story: Story, *, old: bool = False) -> Story:
    """The queue rings Local/201@agents, which dials the phone."""
    story.caller().variable("c", "calldata", "12345").queued()
    story.new("l1", "Local/201@agents-1;1", "Down", root="c")
    story.new("l2", "Local/201@agents-1;2", "Ring", "3331234567", context="agents", exten="201", root="c")
    if not old:
        story.dial("c", "l1")
    story.exten("l2", "agents", "201", "Dial")
    story.new("a", "PJSIP/201-a", "Down", "201", root="c").dial("l2", "a")
    return story.state("a", "Ringing", connected="3331234567").state("a", "Up")


@pytest.mark.parametrize("order", [("l2 a", "c l1"), ("c l1", "l2 a")])
@pytest.mark.parametrize("old", [False, True])
def test_local_member_that_stays_is_one_link(order: tuple[str, str], old: bool) -> None:
    story = local_member(Story(old=old), old=old)
    for pair in order:
        story.link(*pair.split())
    assert_recipient_got_the_caller(story, "201")


def test_local_member_optimised_by_swapping_bridges_is_one_link() -> None:
    story = local_member(Story()).link("l2", "a").link("c", "l1")
    story.unlink("l2", "a").unlink("c", "l1").link("c", "a").hangup("l1").hangup("l2")
    assert_recipient_got_the_caller(story, "201")
    assert story.events("201", "Unlink") == []


def test_local_member_optimised_by_masquerade_is_one_link_and_keeps_its_first_id() -> None:
    story = local_member(Story(old=True), old=True).link("l2", "a").link("c", "l1")
    story.masquerade("a", "l1").unlink("l2", "a").hangup("a").hangup("l2")
    assert_recipient_got_the_caller(story, "201")
    assert story.events("201", "Unlink", "Hangup") == []
    story.unlink("c", "l1").hangup("l1").hangup("c")
    hangup = story.events("201", "Hangup")[0]
    assert hangup.call.uniqueid == "a"
    assert hangup.call.channel == "PJSIP/201-a"
    assert len(story.tracker.table) == 0


def test_pickup_by_masquerade_pops_up_at_the_picker_only() -> None:
    story = Story(old=True).caller().variable("c", "calldata", "12345").queued()
    story.new("a", "PJSIP/201-a", "Down", "201").dial("c", "a").state("a", "Ringing", connected="3331234567")
    story.new("b", "PJSIP/203-b", "Ring", "203", "Anna", "internal", "*8")
    story.masquerade("b", "a").hangup("b", 16).state("a", "Up").link("c", "a")
    assert_recipient_got_the_caller(story, "203")
    assert story.links("201") == []
    assert story.end("201") == "answered-elsewhere"


def test_pickup_by_a_new_dial_pops_up_at_the_picker_only() -> None:
    story = Story().caller().variable("c", "calldata", "12345").queued().ring("c", "a", "201")
    story.new("b", "PJSIP/203-b", "Ring", "203", "Anna", "internal", "*8")
    story.dial_end("c", "a", "CANCEL").dial("c", "b").dial_end("c", "b", "ANSWER").state("b", "Up")
    story.hangup("a", 26).link("c", "b")
    assert_recipient_got_the_caller(story, "203")
    assert story.end("201") == "answered-elsewhere"


def test_pickup_of_which_only_the_end_of_the_dial_is_told_in_time_pops_up_too() -> None:
    story = Story().caller().variable("c", "calldata", "12345").queued().ring("c", "a", "201")
    story.new("b", "PJSIP/203-b", "Ring", "203", "Anna", "internal", "*8").state("b", "Up")
    story.dial_end("c", "b", "ANSWER").link("b", "c").pickup("b", "a").hangup("a", 26)
    assert_recipient_got_the_caller(story, "203")
    assert len(story.links("203")) == 1
    assert story.end("201") == "answered-elsewhere"


def test_forwarded_ring_reaches_the_new_phone_with_the_callers_data() -> None:
    story = Story().caller().variable("c", "calldata", "12345").queued().ring("c", "a", "201")
    story.dial_end("c", "a", "CANCEL").new("l1", "Local/203@internal-1;1", "Down", root="c")
    story.new("l2", "Local/203@internal-1;2", "Ring", context="internal", root="c").dial("c", "l1")
    story.hangup("a").new("b", "PJSIP/203-b", "Down", "203", root="c").dial("l2", "b")
    story.state("b", "Ringing").state("b", "Up").link("l2", "b").link("c", "l1")
    assert_recipient_got_the_caller(story, "203")


def test_call_between_two_operators_concerns_both_ends() -> None:
    story = Story().new("x", "PJSIP/203-x", "Ring", "203", "Anna", "direct", "201")
    story.ring("x", "a", "201").state("a", "Up").link("x", "a")
    assert story.events("201", "Link")[0].call.direction == "inbound"
    assert story.events("201", "Link")[0].triggers
    assert story.events("203", "Link") == []  # anna is not bound to that service


def click_through_local(story: Story) -> Story:
    """Asterisk 11: a program originates Local/201@agents/n, and its other half dials a number outside."""
    story.new("l1", "Local/201@agents-1;1", "Down").new("l2", "Local/201@agents-1;2", "Ring")
    story.new("a", "PJSIP/201-a", "Down", "201").dial("l2", "a").state("a", "Ringing").state("a", "Up")
    story.state("l1", "Up").state("l2", "Up").link("l2", "a").exten("l1", "outbound", "0551234", "Dial")
    story.new("t", "PJSIP/trunk-t", "Down", "0551234").dial("l1", "t").state("t", "Up").link("l1", "t")
    story.new("a2", "PJSIP/201-a2", "Ring", "201", "Mario", "phones", "202")
    return story.new("b", "PJSIP/202-b", "Down", "202").dial("a2", "b").state("b", "Ringing", "201")


def test_click_to_call_through_a_local_channel_is_outbound_without_a_word_of_asterisk() -> None:
    story = click_through_local(Story(old=True))
    assert story.links("201") == [("PJSIP/trunk-t", "0551234")]
    (link,) = story.events("201", "Link")
    assert (link.call.direction, link.service, len(link.triggers)) == ("outbound", "Outside line", 1)


def test_blonde_transfer_of_a_local_half_rings_for_who_is_behind_it() -> None:
    story = click_through_local(Story(all_calls=True, old=True))
    story.masquerade("l2", "a2").unlink("l2", "a").hangup("a").hangup("l2").state("b", "Up").link("a2", "b")
    assert story.links("202") == [("PJSIP/trunk-t", "0551234")]
    parties = [event.call.connected for event in story.events("202") + story.events("201")]
    assert not any(party.channel.startswith("Local/") for party in parties if party is not None)
