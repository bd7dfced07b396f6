"""The connection to Asterisk was lost and came back: what is read again, told and not told."""

from astcti_server.ami import vocabulary as ami
from tests.fake.story import Story


def talking() -> Story:
    story = Story().caller().variable("c", "calldata", "12345").queued()
    return story.ring("c", "a", "201").state("a", "Up").unqueued().link("c", "a")


def channel(story: Story, uid: str, name: str, state: str, number: str, root: str) -> ami.Newchannel:
    story.names[uid] = name
    context = "direct" if uid == root else "phones"
    return ami.Newchannel(uid, name, state, number, "", context, "301", root)


def read(story: Story, *events: ami.TelephoneEvent) -> Story:
    story.told.clear()
    story.told.extend(story.tracker.read_again(events))
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


def test_call_that_ended_meanwhile_is_told_as_over() -> None:
    story = read(talking())
    assert [event.id for event in story.events("201")] == ["Unlink", "Hangup"]
    assert len(story.tracker.table) == 0


def test_conversation_that_began_meanwhile_is_a_repeat_without_triggers() -> None:
    data = ami.VariableSet("c", "PJSIP/trunk-c", "calldata", "777")
    story = read_conversation(Story(), "333", data)
    (link,) = story.events("201", "Link")
    assert link.repeat
    assert link.triggers == ()
    assert link.call.appdata == (("calldata", "777"),)


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
