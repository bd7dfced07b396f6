"""A member that somebody else removes is put back within seconds, again and again but ever more slowly."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from astcti_server.queues.removals import FIRST_PAUSE, LONGEST_PAUSE, QUIET
from schemas.configuration.model import Configuration, Operator
from tests.fake.queue_link import list_entry
from tests.fake.queue_world import PHONE, World, configuration, service, settings


@pytest.fixture
def mario():
    """Mario on his phone, member of the queue."""
    return mario_in_his_queue()


def mario_in_his_queue():
    world = World()
    world.arrive()
    world.added()
    world.told()
    return world


def fights(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_member_removed_by_somebody_is_told_and_put_back_within_seconds(mario):
    mario.event("removed")
    assert mario.told() == ["210 astcti"]
    assert mario.link.names == []
    mario.wheel.advance(FIRST_PAUSE)
    mario.added()
    assert mario.told() == ["200 astcti"]
    assert mario.members_kept == {("astcti", PHONE): "mario"}


@given(gaps=st.lists(st.floats(0.0, 2 * QUIET), min_size=1, max_size=20))
@hypothesis_settings(deadline=None, max_examples=100)
def test_the_pause_doubles_with_each_removal_to_a_minute_until_it_was_quiet(gaps):
    world = mario_in_his_queue()
    times, last = 0, float("-inf")
    for gap in gaps:
        world.wheel.advance(gap)
        for _ in range(len(world.link.open)):  # the comparison at intervals goes on beside it
            world.status(list_entry("astcti", PHONE, penalty=1))
        times = 1 if world.wheel.now - last > QUIET else times + 1
        last = world.wheel.now
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (times - 1))
        world.event("removed")
        world.wheel.advance(pause - 0.5)
        while world.link.open:
            world.status()  # nor does a list without it put it back earlier
        assert "QueueAdd" not in [sent.name for sent in world.link.open]
        world.wheel.advance(0.5)
        for _ in range(len(world.link.open) - 1):
            world.status()
        world.added()
        assert world.told() == ["210 astcti", "200 astcti"]


def test_who_fights_is_warned_about_once_by_queue_and_told_again_after_a_quiet_time(mario, caplog):
    caplog.set_level(logging.INFO)
    mario.arrive(2, "luigi", "PJSIP/202")
    mario.added(interface="PJSIP/202", penalty=2)
    remove_and_put_back(mario, FIRST_PAUSE)
    assert fights(caplog) == []
    remove_and_put_back(mario, 2 * FIRST_PAUSE)
    (fight,) = fights(caplog)
    assert "queue astcti: another program removes PJSIP/201 (mario), 2 times" in fight
    remove_and_put_back(mario, 4 * FIRST_PAUSE)
    for pause in (FIRST_PAUSE, 2 * FIRST_PAUSE):
        remove_and_put_back(mario, pause, "PJSIP/202")
    assert len(fights(caplog)) == 1
    mario.wheel.advance(QUIET - 1)
    while mario.link.open:
        mario.status(list_entry("astcti", PHONE, penalty=1), list_entry("astcti", "PJSIP/202", penalty=2))
    mario.wheel.advance(2.0)
    remove_and_put_back(mario, FIRST_PAUSE)
    assert len(fights(caplog)) == 1
    remove_and_put_back(mario, 2 * FIRST_PAUSE)
    assert len(fights(caplog)) == 2


def remove_and_put_back(world, pause, interface=PHONE):
    world.event("removed", interface=interface)
    world.wheel.advance(pause)
    world.added(interface=interface, penalty=1 if interface == PHONE else 2)


def test_who_logs_out_while_removed_is_not_put_back(mario):
    mario.event("removed")
    mario.reconciler.left(1, at_once=True)
    mario.wheel.advance(LONGEST_PAUSE)
    assert mario.link.names == []
    assert mario.members_kept == {}


def test_the_word_of_our_own_removal_puts_nobody_back(mario):
    mario.reconciler.left(1, at_once=True)
    mario.event("removed")  # before its response, and once more after it
    assert mario.link.answer(message="Removed interface from queue").name == "QueueRemove"
    mario.event("removed")
    mario.wheel.advance(LONGEST_PAUSE)
    assert mario.link.names == []


def test_who_moved_to_another_seat_is_put_back_there_alone(mario):
    mario.event("removed")
    mario.arrive(2, "mario", "PJSIP/202")
    mario.added(interface="PJSIP/202")
    mario.wheel.advance(LONGEST_PAUSE)
    assert mario.link.names == []


def test_who_sits_down_anew_joins_at_once(mario):
    mario.event("removed")
    mario.arrive(2)
    mario.added()
    assert "200 astcti" in mario.told(2)
    mario.wheel.advance(LONGEST_PAUSE)
    assert mario.link.names == []


def test_a_queue_that_the_operator_lost_meanwhile_is_not_joined_again(mario):
    mario.event("removed")
    mario.reconciler.configure(configuration(service("sales", ("luigi", 1))), settings())
    mario.wheel.advance(LONGEST_PAUSE)
    assert mario.link.names == []


def test_another_configuration_does_not_shorten_the_pause(mario):
    mario.event("removed")
    mario.reconciler.configure(configuration(service("astcti", ("mario", 3))), settings())
    assert mario.link.names == []
    mario.wheel.advance(FIRST_PAUSE)
    assert mario.added(penalty=3).headers["Penalty"] == "3"


def test_who_is_in_pause_is_put_back_in_pause(mario):
    mario.event("paused", paused=True, reason="Lunch")
    mario.event("removed")
    mario.wheel.advance(FIRST_PAUSE)
    sent = mario.added(paused=True)
    assert (sent.headers["Paused"], sent.headers["Reason"]) == ("true", "Lunch")
    assert mario.told() == ["310 IN Lunch", "210 astcti", "200 astcti"]


def test_who_asks_for_a_pause_while_removed_is_put_back_only_after_it_and_in_pause(mario):
    steps = []
    mario.reconciler.pause(mario.person, True, "Lunch", lambda step, _text: steps.append(step))
    mario.event("removed")
    mario.wheel.advance(FIRST_PAUSE)
    assert mario.link.names == ["QueuePause"]
    mario.link.answer(ok=False, message="Interface not found", failure="refused")
    while mario.link.open and mario.link.names[0] == "QueueStatus":
        mario.status()
    mario.wheel.advance(FIRST_PAUSE)
    sent = mario.link.sent[-1]
    assert sent.name == "QueueAdd"
    assert sent.headers["Paused"] == ("true" if steps[-1] == "done" else "false")


def test_somebody_who_adds_it_again_saves_us_the_work(mario):
    mario.event("removed")
    mario.event("added", penalty=1, paused=False)
    assert mario.told() == ["210 astcti", "200 astcti"]
    mario.wheel.advance(LONGEST_PAUSE)
    assert mario.link.names == []


def test_a_removal_while_another_action_is_under_way_is_noticed(mario):
    mario.reconciler.configure(configuration(service("astcti", ("mario", 4))), settings())
    assert mario.link.names == ["QueuePenalty"]
    mario.event("removed")
    message = "Invalid interface, queuename or penalty"
    mario.link.answer(ok=False, message=message, failure="refused")
    assert mario.link.names == []
    mario.wheel.advance(FIRST_PAUSE)
    mario.added(penalty=4)
    assert mario.told()[-1] == "200 astcti"


def test_a_lost_link_ends_the_pause_and_what_is_missing_then_is_put_back_at_once(mario):
    mario.event("removed")
    mario.go_down()
    mario.wheel.advance(FIRST_PAUSE)
    assert mario.link.names == []
    mario.come_up()
    mario.wheel.advance()
    mario.added()


def test_a_queue_that_is_gone_is_not_asked_for_again_and_again(mario):
    mario.event("removed")
    mario.wheel.advance(FIRST_PAUSE)
    message = "Unable to add interface to queue: No such queue"
    assert mario.link.answer(ok=False, message=message, failure="refused").name == "QueueAdd"
    mario.wheel.advance(LONGEST_PAUSE)
    assert mario.link.names == []
    assert mario.told() == ["210 astcti", "211 KO astcti No such queue"]


def test_all_members_that_a_second_server_removed_at_its_end_are_back_together(caplog):
    agents = [f"agent{number}" for number in range(300)]
    world = World()
    operators = tuple(Operator(agent, agent, "md5:0") for agent in agents)
    demo = service("astcti", *((agent, 1) for agent in agents))
    world.reconciler.configure(Configuration((demo,), (), operators), settings())
    phones = [world.arrive(number, agent, f"PJSIP/{agent}") for number, agent in enumerate(agents)]
    for phone in phones:
        world.added(interface=phone.queue_interface)
    world.lines.clear()
    for phone in phones:
        world.event("removed", interface=phone.queue_interface)
    world.wheel.advance(FIRST_PAUSE)
    for phone in phones:
        world.added(interface=phone.queue_interface)
    assert sorted(world.lines) == sorted(
        (number, line) for number in range(300) for line in ("210 astcti", "200 astcti")
    )
    assert fights(caplog) == []
