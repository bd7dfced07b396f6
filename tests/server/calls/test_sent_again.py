"""A client that resumes sits down during a call: whether it gets the pop-up of the answer, and once only."""

from __future__ import annotations

from dataclasses import replace

import pytest

from astcti_server.ami import vocabulary as ami
from astcti_server.calls.notification import Notification
from schemas.configuration.model import Trigger
from schemas.configuration.trigger_keys import trigger_key
from schemas.events import CallEvent
from schemas.protocol import KEPT_FOR
from tests.fake.story import DEMO, DIRECT, Story, configuration

PHONE = "PJSIP/201"
OPENED = ["https://crm.example/direct?from=333"]
CALLER, AGENT = ("c", "PJSIP/trunk-c"), ("a", "PJSIP/201-a")


def answered(story: Story) -> Notification:
    """Somebody calls 201 directly and is answered; the Link as it was told."""
    story.caller(number="333").exten("c", "direct", "301", "Dial")
    story.ring("c", "a", "201").state("a", "Up").link("c", "a")
    (link,) = [told for told in story.told if told.extension == PHONE and told.event.id == "Link"]
    return link


def seated(story: Story, *, resumes: bool = True, phone: str = PHONE) -> CallEvent:
    """The Link that somebody is told who sits down."""
    (told,) = story.tracker.seated(phone, resumes=resumes)
    assert told.event.id == "Link"
    assert told.event.repeat is not bool(told.event.triggers)
    return told.event


def urls(event: CallEvent) -> list[str]:
    return [action.url for action in event.triggers]


def test_each_trigger_says_which_one_of_its_service_it_is() -> None:
    (action,) = answered(Story()).event.triggers
    assert action.key == trigger_key("Direct", DIRECT.triggers[0])


def test_pop_up_that_nobody_is_known_to_have_had_is_sent_again_as_it_was() -> None:
    story = Story()
    link = answered(story)
    story.later(KEPT_FOR - 1)
    again = seated(story)
    assert again == link.event
    assert again.triggers


def test_client_that_does_not_resume_is_told_that_it_is_a_repeat() -> None:
    story = Story()
    answered(story)
    assert seated(story, resumes=False).repeat


def test_pop_up_is_not_sent_again_after_three_minutes() -> None:
    story = Story()
    answered(story)
    story.later(KEPT_FOR)
    assert seated(story).repeat


@pytest.mark.parametrize("milliseconds", [None, 212.0])
def test_pop_up_that_is_on_the_screen_is_not_sent_again(milliseconds: float | None) -> None:
    story = Story()
    link = answered(story)
    story.tracker.shown(PHONE, link.event, milliseconds)
    assert seated(story).repeat


def test_pop_up_whose_trigger_was_not_carried_out_is_not_sent_again() -> None:
    story = Story()
    link = answered(story)
    story.tracker.trigger_failed(PHONE, link.event, link.event.triggers[0].key, "not-found")
    assert seated(story).repeat
    assert story.tracker.triggers_failed["not-found"] == 1


def test_failure_that_is_not_known_counts_as_one_that_says_no_more() -> None:
    story = Story()
    link = answered(story)
    story.tracker.trigger_failed(PHONE, link.event, "0" * 16, "spilt-coffee")
    assert story.tracker.triggers_failed["failed"] == 1
    assert sum(story.tracker.triggers_failed.values()) == 1


def test_pop_up_that_was_written_to_a_client_which_never_says_more_is_not_sent_again() -> None:
    story = Story()
    story.tracker.written(answered(story))
    assert seated(story).repeat


def test_what_another_client_says_of_its_own_call_changes_nothing() -> None:
    story = Story()
    link = answered(story)
    story.tracker.shown("PJSIP/202", link.event, 1.0)
    other = link.event.call._replace(uniqueid="b")
    story.tracker.shown(PHONE, link.event._replace(call=other), 1.0)
    assert urls(seated(story)) == OPENED


def test_what_is_said_of_the_ring_says_nothing_of_the_answer() -> None:
    both = replace(
        DIRECT, triggers=(*DIRECT.triggers, Trigger("browser", on="ring", url="https://r.example"))
    )
    story = Story(both)
    answered(story)
    (ring,) = story.events("201", "Callerid")
    story.tracker.shown(PHONE, ring, 1.0)
    assert urls(seated(story)) == OPENED


def test_another_operator_who_takes_the_seat_is_told_that_it_is_a_repeat() -> None:
    story = Story()
    answered(story)
    story.operators = {PHONE: "luisa"}
    assert seated(story).repeat
    story.operators = {PHONE: "mario"}
    assert urls(seated(story)) == OPENED


def test_who_was_not_there_when_it_was_answered_gets_no_pop_up() -> None:
    story = Story(operators={})
    story.caller(number="333").exten("c", "direct", "301", "Dial")
    story.ring("c", "a", "201").state("a", "Up").link("c", "a")
    story.operators = {PHONE: "mario"}
    assert seated(story).repeat


def test_conversation_that_was_parted_and_goes_on_is_sent_again_while_it_goes_on() -> None:
    story = Story()
    answered(story)
    story.ring("a", "b", "203").state("b", "Up").unlink("c", "a").link("a", "b")
    assert [told.event.repeat for told in story.tracker.seated(PHONE, resumes=True)] == [True]
    story.unlink("a", "b").hangup("b").link("c", "a")
    assert urls(seated(story)) == OPENED


def test_both_seats_of_a_call_between_operators_get_their_own_pop_up_again() -> None:
    caller = replace(DIRECT, name="Colleagues", type="outbound")
    story = Story(DIRECT, caller)
    story.new("a", "PJSIP/201-a", "Ring", "201", "", "direct", "202")
    story.exten("a", "direct", "202", "Dial").state("a", "Up")
    story.ring("a", "b", "202").state("b", "Up").link("a", "b")
    (link,) = [told for told in story.told if told.extension == "PJSIP/202" and told.event.id == "Link"]
    story.tracker.shown("PJSIP/202", link.event, 5.0)
    assert seated(story, phone="PJSIP/202").repeat


def test_service_of_the_pop_up_is_told_after_a_configuration_without_it_came() -> None:
    story = Story()
    link = answered(story)
    story.tracker.configure(configuration(DEMO), all_calls=False)
    assert seated(story) == link.event


def test_who_tells_the_story_again_is_told_once_that_a_pop_up_was_had() -> None:
    had: list[tuple[str, str, str]] = []
    story = Story(had=lambda *pair: had.append(pair))
    link = answered(story)
    story.tracker.trigger_failed(PHONE, link.event, link.event.triggers[0].key, "failed")
    story.tracker.shown(PHONE, link.event, 9.0)
    assert had == [(PHONE, "a", "c")]


# -- found when the channels are read ------------------------------------------------------------------------


def channels(caller: int | None, phone: int | None, *, old: bool = False) -> list[ami.TelephoneEvent]:
    """The list of channels has the trunk in conversation with 201; so old are they, in seconds."""
    root = "" if old else "c"
    return [
        ami.Newchannel(*CALLER, "Up", "333", "", "direct", "301", root, caller),
        ami.Newchannel(*AGENT, "Up", "201", "", "phones" if not old else "", "", root, phone),
        ami.Link(*CALLER, *AGENT),
    ]


def links(told: list[Notification]) -> list[CallEvent]:
    return [each.event for each in told if each.event.id == "Link"]


@pytest.mark.parametrize(("caller", "phone", "full"), [(9, 5, True), (900, 179, True), (900, 180, False)])
def test_after_a_start_of_the_server_a_young_conversation_is_told_in_full(
    caller: int, phone: int, full: bool
) -> None:
    story = Story(operators={})
    story.tracker.read_again(channels(caller, phone))
    story.operators = {PHONE: "mario"}
    assert urls(seated(story)) == (OPENED if full else [])


def test_after_a_start_it_becomes_old_while_nobody_sits_there() -> None:
    story = Story(operators={})
    story.tracker.read_again(channels(50, 40))
    story.later(KEPT_FOR - 40)
    story.operators = {PHONE: "mario"}
    assert seated(story).repeat


def test_after_a_start_a_conversation_of_unknown_age_is_a_repeat() -> None:
    story = Story(operators={})
    story.tracker.read_again(channels(None, None))
    story.operators = {PHONE: "mario"}
    assert seated(story).repeat


def test_after_a_start_before_asterisk_12_what_was_not_seen_to_begin_is_a_repeat() -> None:
    story = Story(old=True, operators={})
    story.tracker.read_again(channels(9, None, old=True))
    story.operators = {PHONE: "mario"}
    assert seated(story).repeat


def test_who_sat_there_when_the_server_had_read_the_channels_first_is_told_in_full() -> None:
    story = Story()
    assert story.tracker.seated(PHONE, resumes=True) == []
    (link,) = links(story.tracker.read_again(channels(9, 5)))
    assert urls(link) == OPENED
    assert not link.repeat
    story.tracker.shown(PHONE, link, 3.0)
    assert seated(story).repeat


def test_who_does_not_resume_is_told_of_a_repeat_then() -> None:
    story = Story()
    assert story.tracker.seated(PHONE) == []
    (link,) = links(story.tracker.read_again(channels(9, 5)))
    assert link.repeat
    assert seated(story, resumes=False).repeat
    assert urls(seated(story)) == OPENED  # once he has a client that resumes


def test_after_a_start_a_conversation_that_opens_nothing_is_a_repeat() -> None:
    story = Story(replace(DIRECT, triggers=()), operators={})
    story.tracker.read_again(channels(9, 5))
    story.operators = {PHONE: "mario"}
    assert seated(story).repeat


def test_after_a_start_one_operator_only_gets_the_pop_up() -> None:
    story = Story(operators={})
    story.tracker.read_again(channels(9, 5))
    story.operators = {PHONE: "mario"}
    assert urls(seated(story)) == OPENED
    story.operators = {PHONE: "luisa"}
    assert seated(story).repeat


def answered_after_a_start(story: Story) -> None:
    """The server began, saw the call answered, and its client is not back yet."""
    story.operators = {}
    story.tracker.read_again([])
    story.caller(number="333").exten("c", "direct", "301", "Dial")
    story.ring("c", "a", "201").state("a", "Up").link("c", "a")


def test_after_a_start_what_is_answered_before_the_clients_are_back_is_told_in_full() -> None:
    story = Story()
    answered_after_a_start(story)
    story.later(KEPT_FOR - 1)
    story.operators = {PHONE: "mario"}
    link = seated(story)
    assert urls(link) == OPENED
    story.tracker.shown(PHONE, link, 3.0)
    assert seated(story).repeat


def test_after_a_start_what_was_answered_at_an_empty_seat_becomes_old() -> None:
    story = Story()
    answered_after_a_start(story)
    story.later(KEPT_FOR)
    story.operators = {PHONE: "mario"}
    assert seated(story).repeat


def test_after_a_start_who_does_not_resume_is_told_of_a_repeat_of_it() -> None:
    story = Story()
    answered_after_a_start(story)
    story.operators = {PHONE: "mario"}
    assert seated(story, resumes=False).repeat


def test_after_a_start_what_was_found_after_a_gap_is_told_in_full() -> None:
    story = Story(operators={})
    story.tracker.read_again([])
    story.tracker.link_lost()
    story.later(4)
    story.tracker.read_again(channels(6, 3), unheard=4.0)
    story.operators = {PHONE: "mario"}
    assert urls(seated(story)) == OPENED


def test_who_sits_down_later_where_nobody_sat_is_told_of_a_repeat() -> None:
    story = Story()
    story.operators = {}
    story.tracker.read_again([])
    story.later(KEPT_FOR)
    story.caller(number="333").exten("c", "direct", "301", "Dial")
    story.ring("c", "a", "201").state("a", "Up").link("c", "a")
    story.operators = {PHONE: "mario"}
    assert seated(story).repeat


def after_a_gap(story: Story, *, caller: int = 500, phone: int = 100, late_pop_up: float = 30.0) -> CallEvent:
    story.tracker.link_lost()
    story.later(120)
    told = story.tracker.read_again(channels(caller, phone), unheard=120.0, late_pop_up=late_pop_up)
    (link,) = links(told)
    return link


def test_after_a_loss_what_is_news_is_told_in_full_however_late_if_the_client_resumes() -> None:
    story = Story()
    story.tracker.seated(PHONE, resumes=True)
    link = after_a_gap(story)
    assert (urls(link), link.repeat) == (OPENED, False)


@pytest.mark.parametrize(("late_pop_up", "full"), [(0.0, False), (99.0, False), (100.0, True)])
def test_after_a_loss_late_pop_up_decides_for_other_clients(late_pop_up: float, full: bool) -> None:
    story = Story()
    story.tracker.seated(PHONE, resumes=False)
    link = after_a_gap(story, late_pop_up=late_pop_up)
    assert urls(link) == (OPENED if full else [])


def test_after_a_loss_what_is_no_news_is_a_repeat_for_everybody() -> None:
    story = Story()
    story.tracker.seated(PHONE, resumes=True)
    link = after_a_gap(story, phone=400)
    assert link.repeat
    assert seated(story).repeat


def test_who_logged_in_anew_with_another_client_does_not_resume() -> None:
    story = Story()
    story.tracker.seated(PHONE, resumes=True)
    story.tracker.seated(PHONE)
    assert after_a_gap(story).repeat


def test_seat_that_another_operator_took_meanwhile_does_not_resume() -> None:
    story = Story()
    story.tracker.seated(PHONE, resumes=True)
    story.operators = {PHONE: "luisa"}
    assert after_a_gap(story).repeat


def test_what_was_told_after_a_loss_is_as_old_as_it_can_be() -> None:
    story = Story()
    story.tracker.seated(PHONE, resumes=True)
    after_a_gap(story)
    story.later(KEPT_FOR - 101)
    assert urls(seated(story)) == OPENED
    story.later(1)
    assert seated(story).repeat


def test_call_is_over_when_its_phone_hung_up() -> None:
    story = Story()
    answered(story)
    assert not story.tracker.is_over(PHONE, "a")
    assert story.tracker.is_over(PHONE, "c")
    assert story.tracker.is_over("PJSIP/202", "a")
    story.hangup("a")
    assert story.tracker.is_over(PHONE, "a")


def test_what_is_said_of_a_call_that_is_over_is_no_fault() -> None:
    story = Story()
    link = answered(story)
    story.hangup("a").hangup("c")
    story.tracker.written(link)
    story.tracker.shown(PHONE, link.event, 10.0)
    story.tracker.trigger_failed(PHONE, link.event, "", "failed")
    assert story.tracker.seated(PHONE, resumes=True) == []
