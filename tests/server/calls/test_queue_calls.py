"""A caller in a queue: who is told what, and when."""

from dataclasses import replace

import pytest

from schemas.configuration.model import Binding, Service
from tests.fake.story import DEMO, DIRECT, Story, configuration


def queue_call(story: Story) -> Story:
    story.caller().variable("c", "calldata", "12345").queued()
    return story.ring("c", "a", "201").state("a", "Up").unqueued().link("c", "a")


@pytest.mark.parametrize("old", [False, True], ids=["dialled", "not-dialled"])
def test_answered_queue_call_tells_its_seat_everything_once(old: bool) -> None:
    story = queue_call(Story(old=old))
    expected = ["Newchannel", *([] if old else ["Dial"]), "Newstate", "Callerid", "Newstate", "Link"]
    assert story.ids("201") == expected
    link = story.events("201", "Link")[0]
    assert link.service == "Demo"
    assert link.call.uniqueid == "a"
    assert link.call.channel == "PJSIP/201-a"
    assert link.call.calleridnum == "3331234567"
    assert link.call.calleridname == "Demo Caller"
    assert link.call.context == "astctidemo"
    assert link.call.appdata == (("calldata", "12345"),)
    assert link.call.state == "Up"
    assert link.call.linkedid == "c"
    assert link.call.direction == "inbound"
    assert link.call.queue == "astcti"
    assert link.call.connected is not None
    assert link.call.connected.channel == "PJSIP/trunk-c"
    assert [action.url for action in link.triggers] == ["https://crm.example/ticket?id=12345&from=3331234567"]


def test_ring_trigger_comes_with_the_caller_and_carries_him_as_one_argument() -> None:
    story = Story().caller().queued().ring("c", "a", "201")
    callerid = story.events("201", "Callerid")[0]
    assert [(action.application, action.arguments) for action in callerid.triggers] == [
        ("ring.exe", ("--who", "Demo Caller"))
    ]


def test_hangup_trigger_and_cause_come_at_the_end() -> None:
    story = queue_call(Story()).unlink("c", "a").hangup("a").hangup("c")
    assert story.ids("201")[-2:] == ["Unlink", "Hangup"]
    hangup = story.events("201", "Hangup")[0]
    assert hangup.cause is not None
    assert (hangup.cause.code, hangup.cause.end, hangup.cause.text) == (16, "answered", "Normal Clearing")
    assert [action.url for action in hangup.triggers] == ["https://crm.example/done?id=c"]
    assert len(story.tracker.table) == 0


def test_hangup_trigger_does_not_run_where_nobody_answered() -> None:
    story = Story().caller().queued().ring("c", "a", "201").dial_end("c", "a", "NOANSWER").hangup("a")
    assert story.events("201", "Hangup")[0].triggers == ()


def test_repeated_links_of_one_conversation_are_told_once() -> None:
    story = queue_call(Story())
    for _ in range(3):
        story.unlink("c", "a").link("c", "a").link("a", "c")
    assert len(story.events("201", "Link")) == 1
    assert story.events("201", "Unlink") == []


def test_ring_all_losers_are_told_answered_elsewhere() -> None:
    story = Story().caller().queued().ring("c", "a", "201").ring("c", "b", "202")
    story.state("a", "Up").dial_end("c", "a", "ANSWER").dial_end("c", "b", "CANCEL").hangup("b")
    story.link("c", "a")
    assert story.end("202") == "answered-elsewhere"
    assert story.links("202") == []
    assert len(story.links("201")) == 1


def test_caller_who_gives_up_is_told_as_cancelled() -> None:
    story = Story().caller().queued().ring("c", "a", "201")
    story.leaves("c").dial_end("c", "a", "CANCEL").hangup("a")
    assert story.end("201") == "cancelled"


def test_phone_taken_up_in_the_moment_the_caller_gives_up_is_told_as_cancelled() -> None:
    story = Story().caller().queued().ring("c", "a", "201")
    story.leaves("c").state("a", "Up").dial_end("c", "a", "CANCEL").hangup("a")
    assert story.end("201") == "cancelled"


def test_call_declined_after_the_phone_was_taken_up_is_told_as_refused() -> None:
    story = Story().caller().queued().ring("c", "a", "201").ring("c", "b", "202")
    story.state("a", "Up").dial_end("c", "a", "ANSWER").hangup("a")
    story.state("b", "Up").dial_end("c", "b", "ANSWER").link("c", "b")
    assert story.end("201") == "refused"
    assert len(story.links("202")) == 1


def test_ring_that_times_out_is_told_as_missed_even_if_an_earlier_call_was_answered() -> None:
    story = queue_call(Story()).unlink("c", "a").hangup("a")
    story.queued().ring("c", "b", "202").dial_end("c", "b", "NOANSWER").hangup("b")
    assert story.end("202") == "missed"


@pytest.mark.parametrize(("cause", "status"), [(17, "BUSY"), (21, "CONGESTION"), (16, "BUSY")])
def test_refused_ring_is_told_as_refused(cause: int, status: str) -> None:
    story = Story().caller().queued().ring("c", "a", "201").dial_end("c", "a", status).hangup("a", cause)
    assert story.end("201") == "refused"


def test_hunted_operators_are_told_of_their_own_ring_only() -> None:
    story = Story().caller().queued().ring("c", "a", "201").dial_end("c", "a", "NOANSWER").hangup("a")
    story.ring("c", "b", "202").state("b", "Up").link("c", "b")
    assert story.end("201") == "missed"
    assert story.links("201") == []
    assert story.links("202") == [("PJSIP/trunk-c", "3331234567")]


def test_call_that_left_the_queue_unserved_is_no_longer_the_queues() -> None:
    story = Story().caller().queued().unqueued().exten("c", "direct", "301", "Dial")
    story.ring("c", "a", "201").state("a", "Up").link("c", "a")
    assert story.events("201", "Link")[0].service == "Direct"


def test_of_two_services_in_one_context_the_queue_decides() -> None:
    second = Service(
        "Second", "astctidemo", "inbound", is_queue=True, queue_name="two", operators=(Binding("mario"),)
    )
    story = Story(DEMO, second).caller().queued(queue="two").ring("c", "a", "201")
    assert {event.service for event in story.events("201")} == {"Second"}


def test_ringing_call_keeps_its_service_when_the_configuration_changes_before_the_answer() -> None:
    story = Story().caller().variable("c", "calldata", "12345").queued().ring("c", "a", "201")
    renamed = replace(DEMO, name="Renamed", triggers=())
    story.tracker.configure(configuration(renamed), all_calls=False)
    story.state("a", "Up").unqueued().link("c", "a")
    link = story.events("201", "Link")[0]
    assert link.service == "Demo"
    assert len(link.triggers) == 1


def test_operator_who_is_not_bound_to_the_service_hears_nothing() -> None:
    alone = Service(
        "Alone", "astctidemo", "inbound", is_queue=True, queue_name="astcti", operators=(Binding("luisa"),)
    )
    story = queue_call(Story(alone))
    assert story.told == []


def test_nobody_at_the_seat_hears_nothing_and_a_late_login_gets_a_repeat_without_triggers() -> None:
    story = queue_call(Story(operators={}))
    assert story.told == []
    story.operators = {"PJSIP/201": "mario"}
    (repeat,) = story.tracker.seated("PJSIP/201")
    assert repeat.event.id == "Link"
    assert repeat.event.repeat
    assert repeat.event.triggers == ()
    assert repeat.event.call.appdata == (("calldata", "12345"),)


def test_service_found_late_releases_the_events_that_waited_in_order() -> None:
    story = Story(DEMO, DIRECT)
    story.new("c", "PJSIP/trunk-c", "Ring", "333", "", "elsewhere", "1")
    story.ring("c", "a", "201")
    assert story.told == []
    story.exten("c", "direct", "1")
    assert story.ids("201") == ["Newchannel", "Dial", "Newstate", "Callerid"]


def test_variable_set_during_the_call_is_told_if_the_service_declares_it() -> None:
    story = queue_call(Story())
    story.variable("c", "ticket", "T-9").variable("c", "elsewhere", "x").variable("c", "ticket", "T-9")
    (told,) = story.events("201", "Newexten")
    assert told.call.appdata == (("calldata", "12345"), ("ticket", "T-9"))


def test_all_calls_are_told_when_asked_for_even_without_a_service() -> None:
    story = Story(all_calls=True)
    story.new("x", "PJSIP/203-x", "Ring", "203", "Anna", "internal", "555")
    story.ring("x", "a", "201").state("a", "Up").link("x", "a")
    assert story.ids("201") == ["Newchannel", "Dial", "Newstate", "Callerid", "Newstate", "Link"]
    assert story.events("201", "Link")[0].service == ""
    assert story.events("201", "Link")[0].call.context == "internal"
    assert story.ids("203") == ["Newchannel", "Dial", "Link"]
    assert story.events("203", "Link")[0].call.direction == "outbound"


def test_ring_of_an_old_queue_finds_its_caller_by_the_only_number_shown() -> None:
    story = Story(old=True).caller("c1", number="111").queued("c1").caller("c2", number="222").queued("c2")
    story.new("a", "PJSIP/201-a", "Down").state("a", "Ringing", connected="222")
    callerid = story.events("201", "Callerid")[0]
    assert callerid.call.connected is not None
    assert callerid.call.connected.uniqueid == "c2"


def test_a_queue_named_in_another_case_is_the_services_own_and_told_as_configured() -> None:
    story = queue_call(Story(replace(DEMO, queue_name="AstCti")))
    link = story.events("201", "Link")[0]
    assert (link.service, link.call.queue) == ("Demo", "AstCti")
    assert len(link.triggers) == 1


@pytest.mark.parametrize("declared", [(), ("calldata",), ("calldata", "ticket", "customer")])
def test_a_service_has_as_many_variables_as_it_declares_and_the_dialplan_their_values(
    declared: tuple[str, ...],
) -> None:
    story = Story(replace(DEMO, variables=declared, triggers=())).caller()
    for name in ("calldata", "ticket", "customer", "undeclared"):
        story.variable("c", name, f"{name} of this call")
    story.queued().ring("c", "a", "201").state("a", "Up").unqueued().link("c", "a")
    told = story.events("201", "Link")[0].call.appdata
    assert told == tuple((name, f"{name} of this call") for name in declared)


def test_calls_of_a_disabled_service_are_not_told() -> None:
    assert queue_call(Story(replace(DEMO, enabled=False), DIRECT)).told == []
    assert queue_call(Story(DEMO, replace(DIRECT, enabled=False))).events("201", "Link")
