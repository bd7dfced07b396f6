"""The connection to Asterisk was lost and came back: what is read again, told and not told."""

import pytest

from astcti_server.ami import vocabulary as ami
from tests.fake.story import Story


def talking() -> Story:
    story = Story().caller().variable("c", "calldata", "12345").queued()
    return story.ring("c", "a", "201").state("a", "Up").unqueued().link("c", "a")


def channel(
    story: Story, uid: str, name: str, state: str, number: str, root: str, age: int | None = None
) -> ami.Newchannel:
    story.names[uid] = name
    context = "direct" if uid == root else "phones"
    return ami.Newchannel(uid, name, state, number, "", context, "301", root, age)


def read(
    story: Story, *events: ami.TelephoneEvent, unheard: float | None = None, late_pop_up: float = 30.0
) -> Story:
    story.told.clear()
    story.told.extend(story.tracker.read_again(events, unheard=unheard, late_pop_up=late_pop_up))
    return story


def read_conversation(story: Story, number: str, *more: ami.TelephoneEvent) -> Story:
    """The list of channels has the trunk, who shows this number, in conversation with 201."""
    caller = channel(story, "c", "PJSIP/trunk-c", "Up", number, "c")
    phone = channel(story, "a", "PJSIP/201-a", "Up", "201", "c")
    return read(story, caller, phone, *more, ami.Link("c", "PJSIP/trunk-c", "a", "PJSIP/201-a"))


def test_call_that_goes_on_is_not_told_again_and_keeps_its_data() -> None:
    story = read_conversation(talking(), "3331234567")
    assert story.told == []
    story.unlink("c", "a").link("c", "a")
    assert story.told == []
    story.hangup("a")
    assert [event.id for event in story.events("201")] == ["Unlink", "Hangup"]
    assert story.events("201", "Hangup")[0].call.appdata == (("calldata", "12345"),)


def answered_before_the_list() -> Story:
    """Somebody called while nothing was heard, with data; the first that is heard of it is the answer."""
    story = Story()
    story.tracker.link_lost()
    story.tracker.await_channels()
    story.names |= {"c": "PJSIP/trunk-c", "a": "PJSIP/201-a"}
    return story.link("c", "a")


def test_call_answered_before_the_channels_are_read_is_told_once_with_its_data() -> None:
    story = answered_before_the_list()
    assert story.events("201", "Link") == []
    data = ami.VariableSet("c", "PJSIP/trunk-c", "calldata", "12345")
    (link,) = read_conversation(story, "3331234567", data).events("201", "Link")
    assert link.call.appdata == (("calldata", "12345"),)
    assert link.triggers
    assert not link.repeat
    assert story.unlink("c", "a").link("c", "a").events("201", "Link") == [link]


def test_call_answered_before_channels_that_cannot_be_read_is_told_as_far_as_it_is_known() -> None:
    story = answered_before_the_list()
    story.told.clear()
    assert story.tracker.awaits_channels
    story.told.extend(story.tracker.channels_unread())
    assert not story.tracker.awaits_channels
    story.caller("d", number="333").exten("d", "direct", "301", "Dial").ring("d", "b", "202")
    story.state("b", "Up").link("d", "b")
    assert len(story.events("202", "Link")) == 1


def test_call_that_is_over_again_before_the_channels_are_read_is_told_as_one_that_nobody_took() -> None:
    story = answered_before_the_list()
    story.unlink("c", "a").hangup("a").hangup("c")
    assert read(story).told == []


def test_call_that_ended_meanwhile_is_told_as_over() -> None:
    story = read(talking())
    assert [event.id for event in story.events("201")] == ["Unlink", "Hangup"]
    assert len(story.tracker.table) == 0


def data_after(unset: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """What the end of a call with data tells, if meanwhile its caller's channel was without these."""
    story = talking()
    read_conversation(story, "3331234567", ami.VariablesUnset("c", "PJSIP/trunk-c", unset))
    story.hangup("a")
    return story.events("201", "Hangup")[0].call.appdata


def test_variable_that_is_unset_meanwhile_has_no_value() -> None:
    assert data_after((("calldata", ""), ("ticket", ""))) == ()
    assert data_after((("ticket", ""),)) == (("calldata", "12345"),)


def test_value_hidden_by_an_equal_global_variable_stays() -> None:
    assert data_after((("calldata", "of all"),)) == ()
    assert data_after((("calldata", "12345"),)) == (("calldata", "12345"),)


def test_what_a_local_channel_left_to_its_caller_stays() -> None:
    """The caller's own channel never had it."""
    story = Story().caller().queued()
    story.new("l1", "Local/201@agents-1;1", "Down", root="c").new(
        "l2", "Local/201@agents-1;2", "Ring", root="c"
    )
    story.variable("l2", "calldata", "777").dial("c", "l1")
    story.new("a", "PJSIP/201-a", "Down", root="c").dial("l2", "a").state("a", "Ringing").state("a", "Up")
    story.link("l2", "a").link("c", "l1").unlink("l2", "a").unlink("c", "l1").link("c", "a")
    story.hangup("l1").hangup("l2")
    missing = ami.VariablesUnset("c", "PJSIP/trunk-c", (("calldata", ""),))
    read_conversation(story, "3331234567", missing)
    story.hangup("a")
    assert story.events("201", "Hangup")[0].call.appdata == (("calldata", "777"),)


def test_conversation_that_began_meanwhile_is_a_repeat_without_triggers() -> None:
    data = ami.VariableSet("c", "PJSIP/trunk-c", "calldata", "777")
    story = read_conversation(Story(), "333", data)
    (link,) = story.events("201", "Link")
    assert link.repeat
    assert link.triggers == ()
    assert link.call.appdata == (("calldata", "777"),)


def found_talking(
    story: Story, caller: int | None, phone: int | None, *, unheard: float | None, late_pop_up: float = 30.0
) -> list[str]:
    """What the trunk and 201, found connected, open: channels of such ages in seconds, after such a gap."""
    read(
        story,
        channel(story, "c", "PJSIP/trunk-c", "Up", "333", "c", caller),
        channel(story, "a", "PJSIP/201-a", "Up", "201", "c", phone),
        ami.Link("c", "PJSIP/trunk-c", "a", "PJSIP/201-a"),
        unheard=unheard,
        late_pop_up=late_pop_up,
    )
    (link,) = story.events("201", "Link")
    assert link.repeat is not bool(link.triggers)
    return [action.url for action in link.triggers]


OPENED = ["https://crm.example/direct?from=333"]


@pytest.mark.parametrize(
    ("caller", "phone", "opens"),
    [(12, 4, True), (500, 4, True), (4, 500, True), (500, 14, True), (500, 15, False), (500, 500, False)],
)
def test_conversation_that_can_only_have_begun_while_nothing_was_heard_pops_up(
    caller: int, phone: int, opens: bool
) -> None:
    assert found_talking(Story(), caller, phone, unheard=10.0) == (OPENED if opens else [])


def test_conversation_of_unknown_age_is_old() -> None:
    assert found_talking(Story(), None, None, unheard=10.0) == []


def test_before_asterisk_12_the_age_of_the_caller_has_to_do() -> None:
    assert found_talking(Story(old=True), 8, None, unheard=10.0) == OPENED
    assert found_talking(Story(old=True), 80, None, unheard=10.0) == []


def test_at_the_start_every_conversation_is_old() -> None:
    assert found_talking(Story(), 1, 1, unheard=None) == []


@pytest.mark.parametrize(("late_pop_up", "opens"), [(0.0, False), (9.0, False), (10.0, True), (30.0, True)])
def test_conversation_may_be_as_old_as_late_pop_up_says(late_pop_up: float, opens: bool) -> None:
    found = found_talking(Story(), 500, 10, unheard=60.0, late_pop_up=late_pop_up)
    assert found == (OPENED if opens else [])


def ringing() -> Story:
    story = Story().caller(number="333").exten("c", "direct", "301", "Dial")
    return story.ring("c", "a", "201")


def test_phone_that_rang_when_the_link_was_lost_pops_up_if_it_was_answered_meanwhile() -> None:
    story = ringing()
    story.tracker.link_lost()
    assert found_talking(story, 500, 400, unheard=20.0) == OPENED
    assert found_talking(ringing(), 500, 400, unheard=None) == OPENED  # as in a recording


def test_phone_that_rang_when_the_link_was_lost_does_not_pop_up_when_that_is_too_long_ago() -> None:
    story = ringing()
    story.tracker.link_lost()
    assert found_talking(story, 500, 400, unheard=31.0) == []
    story = ringing()
    story.tracker.link_lost()
    assert found_talking(story, 500, 25, unheard=500.0) == OPENED  # it cannot be older than its channel


def test_answer_that_is_told_between_the_login_and_the_list_takes_no_pop_up_away() -> None:
    story = ringing()
    story.tracker.link_lost()
    story.state("a", "Up")
    assert found_talking(story, 500, 400, unheard=6.0) == OPENED


def test_conversation_that_was_there_before_the_loss_is_not_told_again_however_young() -> None:
    story = ringing().state("a", "Up").link("c", "a")
    story.tracker.link_lost()
    read(
        story,
        channel(story, "c", "PJSIP/trunk-c", "Up", "333", "c", 3),
        channel(story, "a", "PJSIP/201-a", "Up", "201", "c", 2),
        ami.Link("c", "PJSIP/trunk-c", "a", "PJSIP/201-a"),
        unheard=6.0,
    )
    assert story.told == []


def test_phone_that_rang_at_an_earlier_loss_is_no_news_after_a_later_one() -> None:
    story = ringing()
    story.tracker.link_lost()
    assert found_talking(story, 500, 400, unheard=6.0) == OPENED
    story.hangup("c").new("d", "PJSIP/trunk-d", "Up", "444")
    story.tracker.link_lost()
    read(
        story,
        channel(story, "d", "PJSIP/trunk-d", "Up", "444", "d", 900),
        channel(story, "a", "PJSIP/201-a", "Up", "201", "c", 800),
        ami.Link("d", "PJSIP/trunk-d", "a", "PJSIP/201-a"),
        unheard=6.0,
    )
    assert [link.repeat for link in story.events("201", "Link")] == [True]


def test_phone_that_began_to_ring_meanwhile_pops_up_when_it_is_answered() -> None:
    story = Story()
    read(
        story,
        channel(story, "c", "PJSIP/trunk-c", "Up", "333", "c"),
        channel(story, "a", "PJSIP/201-a", "Ringing", "201", "c"),
        ami.VariableSet("c", "PJSIP/trunk-c", "calldata", "777"),
    )
    assert story.ids("201") == ["Newchannel", "Newstate", "Callerid"]
    story.state("a", "Up").link("c", "a")
    link = story.events("201", "Link")[0]
    assert not link.repeat
    assert [action.url for action in link.triggers] == ["https://crm.example/direct?from=333"]


def test_caller_found_waiting_in_a_queue_belongs_to_it() -> None:
    story = Story()
    read(story, channel(story, "c", "PJSIP/trunk-c", "Up", "333", "c"))
    story.queued().ring("c", "a", "201").state("a", "Up").link("c", "a")
    assert story.events("201", "Link")[0].service == "Demo"


def test_caller_found_served_by_a_queue_belongs_to_it() -> None:
    data = ami.VariableSet("c", "PJSIP/trunk-c", "calldata", "777")
    story = read_conversation(Story(), "333", data, ami.QueueServed("c", "PJSIP/trunk-c", "astcti"))
    link = story.events("201", "Link")[0]
    assert (link.service, link.repeat, link.triggers) == ("Demo", True, ())
    assert link.call.appdata == (("calldata", "777"),)


def waiting(story: Story, *callers: str) -> Story:
    """The list of queues says that these wait in the queue."""
    entries = [ami.QueueCaller(uid, story.names[uid], "astcti", True) for uid in callers]
    story.told.extend(story.tracker.queues_read(entries))
    return story


def test_caller_who_left_the_queue_meanwhile_for_a_direct_call_belongs_to_that() -> None:
    story = Story().caller().queued()
    ringing = channel(story, "a", "PJSIP/201-a", "Ringing", "201", "c")
    read(story, channel(story, "c", "PJSIP/trunk-c", "Up", "3331234567", "c"), ringing)
    waiting(story).state("a", "Up").link("c", "a")
    assert [event.service for event in story.events("201", "Callerid", "Link")] == ["Direct", "Direct"]


def test_caller_who_left_the_queue_meanwhile_is_no_longer_the_queues_after_the_next_step() -> None:
    story = Story().caller().queued()
    still = ami.Newchannel("c", "PJSIP/trunk-c", "Up", "3331234567", "", "astctidemo", "101", "c")
    waiting(read(story, still)).exten("c", "direct", "301", "Dial")
    story.ring("c", "a", "201").state("a", "Up").link("c", "a")
    assert story.events("201", "Link")[0].service == "Direct"


def test_caller_who_still_waits_stays_the_queues() -> None:
    story = Story().caller().queued()
    still = ami.Newchannel("c", "PJSIP/trunk-c", "Up", "3331234567", "", "astctidemo", "101", "c")
    waiting(read(story, still), "c").exten("c", "astctidemo", "101", "Queue", "astcti")
    story.ring("c", "a", "201").state("a", "Up").link("c", "a")
    assert story.events("201", "Link")[0].service == "Demo"


def test_old_asterisk_lists_queue_callers_by_name() -> None:
    story = Story(old=True).caller()
    story.event(ami.QueueCaller("", "PJSIP/trunk-c", "astcti", True))
    story.event(ami.QueueCaller("", "PJSIP/unknown-1", "astcti", True))
    story.ring("c", "a", "201")
    assert story.events("201", "Callerid")[0].service == "Demo"
    assert len(story.tracker.table) == 2


def test_event_of_a_channel_that_hung_up_makes_no_ghost() -> None:
    story = talking().unlink("c", "a").hangup("a").hangup("c")
    told = len(story.told)
    story.state("a", "Ringing").variable("c", "calldata", "9").link("c", "a")
    assert len(story.tracker.table) == 0
    assert len(story.told) == told


def test_removed_seat_hears_no_more_and_a_new_one_hears_of_running_calls() -> None:
    from dataclasses import replace

    from tests.fake.story import configuration

    story = talking()
    full = configuration()
    story.told.clear()
    story.tracker.configure(replace(full, seats=full.seats[1:]), all_calls=False)
    story.unlink("c", "a").hangup("a")
    assert story.told == []
    story.ring("c", "b", "201").state("b", "Up").link("c", "b")
    assert story.told == []
    story.tracker.configure(full, all_calls=False)
    (repeat,) = story.tracker.seated("PJSIP/201")
    assert repeat.event.repeat
