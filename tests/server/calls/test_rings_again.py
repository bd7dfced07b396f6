"""A queue tries the same phone again for the same caller: the seat is told, and no page opens once more."""

import gc
import weakref
from collections.abc import Callable
from dataclasses import replace

import pytest

from astcti_server.ami import vocabulary as ami
from astcti_server.explain.server_marks import CONFIGURATIONS_KEPT
from schemas.configuration.model import Service, Trigger
from tests.fake.story import DEMO, Story, configuration

PAGE = Trigger("browser", on="ring", url="https://crm.example/ring?who={CALLERID}&service={SERVICE}")
OTHER_PAGE = Trigger("browser", on="ring", url="https://crm.example/other?who={CALLERID}")
RINGS = replace(DEMO, triggers=(PAGE,))
SUPPORT = replace(RINGS, name="Support", queue_name="support")
ALWAYS = replace(RINGS, triggers=(replace(PAGE, again=True),))


def rings(story: Story, phone: str = "201") -> list[int]:
    """How many pages each ring of a phone opened, in order."""
    return [len(event.triggers) for event in story.events(phone, "Callerid")]


def try_phone(story: Story, uid: str, phone: str = "201", caller: str = "c") -> Story:
    """The queue rings a phone for a caller and gives up."""
    story.ring(caller, uid, phone)
    if not story.old:
        story.dial_end(caller, uid, "NOANSWER")
    return story.event(ami.RingNoAnswer(uid, story.names[uid])).hangup(uid, 0)


def try_local_member(story: Story, uid: str) -> Story:
    """The same through a member Local/201@agents, whose channels are new at each try."""
    one, two = f"{uid}1", f"{uid}2"
    story.new(one, f"Local/201@agents-{uid};1", "Down", root="c")
    story.new(two, f"Local/201@agents-{uid};2", "Ring", "3331234567", context="agents", exten="201", root="c")
    if not story.old:
        story.dial("c", one)
    story.exten(two, "agents", "201", "Dial")
    story.new(uid, f"PJSIP/201-{uid}", "Down", "201", root="c").dial(two, uid)
    story.state(uid, "Ringing", connected="3331234567")
    return story.hangup(uid, 0).hangup(two, 0).hangup(one, 0)


@pytest.mark.parametrize("old", [False, True], ids=["dialled", "not-dialled"])
@pytest.mark.parametrize("attempt", [try_phone, try_local_member], ids=["device", "local"])
def test_each_ring_is_told_and_its_trigger_comes_once_a_minute(
    attempt: Callable[[Story, str], Story], old: bool
) -> None:
    story = Story(RINGS, old=old).caller().queued()
    for uid, seconds in (("a", 4.0), ("b", 55.0), ("d", 1.5), ("e", 58.0), ("f", 3.0)):
        attempt(story, uid).later(seconds)
    # At 0, 4, 59, 60.5 (more than a minute after the first), 118.5 (less than one after that) seconds.
    assert rings(story) == [1, 0, 0, 1, 0]
    attempt(story, "g")  # at 121.5
    assert rings(story)[-1] == 1


def test_the_minute_is_that_of_the_first_ring_not_of_the_last() -> None:
    story = Story(RINGS).caller().queued()
    for number in range(5):
        try_phone(story, f"a{number}").later(20.0)
    assert rings(story) == [1, 0, 0, 1, 0]


def test_a_trigger_that_is_wanted_again_comes_with_each_ring() -> None:
    story = Story(replace(RINGS, triggers=(replace(PAGE, again=True), OTHER_PAGE))).caller().queued()
    for uid in ("a", "b", "d"):
        try_phone(story, uid).later(4.0)
    assert rings(story) == [2, 1, 1]
    assert {event.triggers[0].url for event in story.events("201", "Callerid")} == {
        "https://crm.example/ring?who=3331234567&service=Demo"
    }


def test_two_triggers_that_are_alike_both_come_with_the_first_ring_only() -> None:
    story = Story(replace(RINGS, triggers=(PAGE, PAGE))).caller().queued()
    try_phone(try_phone(story, "a"), "b")
    assert rings(story) == [2, 0]


def test_ring_all_is_a_first_ring_at_each_seat() -> None:
    story = Story(RINGS).caller().queued()
    for one, two in (("a", "b"), ("d", "e")):
        story.ring("c", one, "201").ring("c", two, "202").hangup(one, 0).hangup(two, 0)
    assert (rings(story), rings(story, "202")) == ([1, 0], [1, 0])


def test_two_channels_of_one_phone_ring_for_one_caller_once() -> None:
    story = Story(RINGS).caller().queued().ring("c", "a", "201").ring("c", "b", "201")
    assert rings(story) == [1, 0]


def test_another_queue_on_the_way_has_triggers_of_its_own() -> None:
    story = Story(RINGS, SUPPORT).caller().queued()
    try_phone(story, "a").unqueued().queued(queue="support")
    try_phone(try_phone(story, "b"), "d").unqueued(queue="support").queued()
    try_phone(story, "e")
    told = [(event.service, len(event.triggers)) for event in story.events("201", "Callerid")]
    assert told == [("Demo", 1), ("Support", 1), ("Support", 0), ("Demo", 0)]


def test_somebody_else_with_the_same_number_is_another_caller() -> None:
    story = Story(RINGS).caller("c").caller("d").queued("c").queued("d")
    for uid, caller in (("a", "c"), ("b", "d"), ("e", "c"), ("f", "d")):
        try_phone(story, uid, caller=caller)
    assert rings(story) == [1, 1, 0, 0]


def test_a_caller_who_calls_anew_is_another_call() -> None:
    story = Story(RINGS).caller().queued()
    try_phone(story, "a").unqueued().hangup("c").caller("d").queued("d")
    try_phone(story, "b", caller="d")
    assert rings(story) == [1, 1]


def test_a_call_that_is_picked_up_elsewhere_does_not_count_for_the_picker() -> None:
    story = Story(replace(RINGS, triggers=(PAGE, *DEMO.triggers[:1]))).caller().queued()
    try_phone(story, "a").ring("c", "b", "201")
    story.new("p", "PJSIP/202-p", "Ring", "202", context="internal", exten="*8").pickup("p", "b")
    story.state("p", "Up").unqueued().link("c", "p")
    assert rings(story) == [1, 0]
    assert [len(event.triggers) for event in story.events("202", "Link")] == [1]


def test_another_operator_at_the_seat_gets_it_and_the_first_one_not_once_more() -> None:
    story = Story(RINGS).caller().queued()
    try_phone(story, "a")
    for uid, name in (("b", "anna"), ("d", "anna"), ("e", "mario")):
        story.operators = {"PJSIP/201": name}
        try_phone(story, uid)
    assert rings(story) == [1, 1, 0, 0]


def test_an_operator_who_changes_the_seat_gets_it_there_too() -> None:
    story = Story(RINGS, operators={"PJSIP/201": "mario"}).caller().queued()
    try_phone(story, "a")
    story.operators = {"PJSIP/202": "mario"}
    try_phone(try_phone(story, "b", "202"), "d", "202")
    assert (rings(story), rings(story, "202")) == ([1], [1, 0])


def test_another_operator_who_sits_down_while_it_rings_gets_it_too() -> None:
    story = Story(RINGS).caller().queued().ring("c", "a", "201")
    for name in ("anna", "anna", "mario"):
        story.operators = {"PJSIP/201": name}
        story.later(100.0).told.extend(story.tracker.seated("PJSIP/201"))
    assert rings(story) == [1, 1, 0, 0]  # one ring is one ring, however long


def test_a_ring_that_nobody_was_told_of_is_not_the_first() -> None:
    story = Story(RINGS, operators={}).caller().queued()
    try_phone(story, "a")
    story.operators = {"PJSIP/201": "mario"}
    try_phone(try_phone(story, "b"), "d")
    assert rings(story) == [1, 0]


@pytest.mark.parametrize(
    ("service", "again"),
    [
        (RINGS, 0),
        (replace(RINGS, name="Hot line", variables=("ticket",)), 0),
        (replace(RINGS, triggers=(OTHER_PAGE, PAGE)), 1),
        (replace(RINGS, triggers=(OTHER_PAGE,)), 1),
        (replace(RINGS, queue_name="ASTCTI"), 0),
        (ALWAYS, 1),
    ],
    ids=["same", "renamed", "moved-down", "edited", "case-of-the-queue", "again"],
)
def test_a_configuration_in_between_is_a_first_ring_for_what_is_new_in_it(
    service: Service, again: int
) -> None:
    story = Story(RINGS).caller().queued()
    try_phone(story, "a")
    story.tracker.configure(configuration(service), all_calls=False)
    try_phone(story, "b")
    assert rings(story) == [1, again]


def test_a_caller_who_was_moved_to_another_channel_is_the_same() -> None:
    """A colleague transfers somebody whom the queue tried already; Asterisk 1.4 to 11 masquerade."""
    story = Story(RINGS, old=True).caller().queued()
    try_phone(story, "a").unqueued()
    story.new("x", "Local/101@internal-1;2", "Ring", "3331234567", context="astctidemo", exten="101")
    story.masquerade("c", "x").hangup("c")
    story.queued("x")
    try_phone(story, "b", caller="x")
    assert rings(story) == [1, 0]


def test_a_caller_whom_only_the_queue_tells_apart_is_rung_for_once() -> None:
    """Two callers show one number: up to Asterisk 11 only AgentCalled tells them apart, after the ring."""
    story = Story(RINGS, old=True).caller("c").caller("d").queued("c").queued("d")
    for uid in ("a", "b"):
        story.new(uid, f"PJSIP/201-{uid}", "Down", "201").state(uid, "Ringing", connected="3331234567")
        story.event(ami.AgentCalled("astcti", "c", story.names["c"], uid, story.names[uid], "PJSIP/201"))
        story.hangup(uid, 0)
    assert rings(story) == [1, 0]


@pytest.mark.parametrize("known_from", [0, 1, 2])
def test_who_is_behind_a_local_channel_may_become_known_between_two_rings(known_from: int) -> None:
    """Originate Local/101@callbacks into a queue: its other half dials the customer meanwhile."""
    story = Story(RINGS)
    story.new("l1", "Local/101@callbacks-1;1", "Down", root="l1").dial("", "l1")
    story.new("l2", "Local/101@callbacks-1;2", "Ring", "101", context="astctidemo", exten="101", root="l1")
    story.exten("l2", "astctidemo", "101", "Queue").queued("l2")
    for number, uid in enumerate(("a", "b")):
        if number == known_from:
            story.new("k", "PJSIP/trunk-k", "Down", "3331234567", root="l1").dial("l1", "k")
        try_phone(story, uid, caller="l2").later(4.0)
    assert rings(story) == [1, 0]


class _Kept(str):
    """A text that says whether it is kept."""


def test_what_is_remembered_goes_with_the_call() -> None:
    program = _Kept("ring.exe")
    kept = weakref.ref(program)
    trigger = Trigger("application", on="ring", application=program)
    story = Story(replace(RINGS, triggers=(trigger,))).caller().queued()
    try_phone(try_phone(story, "a"), "b")
    assert rings(story) == [1, 0]
    story.tracker.configure(configuration(), all_calls=False)
    for _ in range(CONFIGURATIONS_KEPT):  # calls are explained by the configuration of their time
        story.marks.configured(configuration())
    story.told.clear()
    del program, trigger
    gc.collect()
    assert kept() is not None  # the call goes on
    story.hangup("c")
    gc.collect()
    assert kept() is None
