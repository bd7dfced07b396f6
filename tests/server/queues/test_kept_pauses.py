"""A pause outlives lost connections, and kills of client and server; its operator, QUIT or time ends it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from astcti_server.clients.ports import ResumePoint
from tests.fake.queue_link import list_entry
from tests.fake.queue_world import PHONE, World, configuration, service, settings

HOUR = 3600.0


@pytest.fixture
def world(tmp_path):
    """Mario, a member of one queue."""
    world = World(tmp_path)
    world.arrive()
    world.added()
    world.told()
    return world


def ask(world, wish=True, reason="Lunch"):
    """Ask for a pause or its end, without Asterisk's answer."""
    steps = []
    world.reconciler.pause(world.person, wish, reason, lambda step, text: steps.append(step))
    world.wheel.advance()
    return steps


def pause(world, wish=True, reason="Lunch"):
    """A pause or its end that Asterisk takes."""
    steps = ask(world, wish, reason)
    world.link.answer(message="Interface paused successfully")
    world.event("paused", paused=wish, reason=reason)
    world.wheel.advance()
    assert steps[-1] == "done"


def lose(world, seconds=11.0):
    """The connection is lost for so long, which is more than the grace time."""
    world.reconciler.left(world.person.session_id, at_once=False)
    world.wheel.advance(11.0)
    world.link.open = [sent for sent in world.link.open if sent.name != "QueueStatus"]
    world.removed()
    world.wheel.advance(seconds - 11.0)
    world.link.open.clear()  # it may have read the queues


def restarted(world, directory, members=(), **how):
    """The server is killed, and started again at once."""
    return World(directory, now=world.wheel.now, members=members, **how)


def joins(world):
    """The QueueAdd that waits for Asterisk: paused or not, and why."""
    [sent] = [sent for sent in world.link.open if sent.name != "QueueStatus"]
    assert sent.name == "QueueAdd"
    return sent.headers["Paused"], sent.headers.get("Reason", "")


@pytest.mark.parametrize("hours", [0.01, 1, 11.9])
def test_who_was_in_pause_comes_back_in_that_pause_in_the_same_action(world, hours):
    pause(world)
    lose(world, hours * HOUR)
    world.arrive(2)
    assert joins(world) == ("true", "Lunch")
    world.added(paused=True)
    assert world.told(2) == ["310 IN Lunch", "200 astcti"]


def test_who_comes_back_hears_since_when_the_pause_lasts(world, tmp_path):
    pause(world)
    lose(world, 600.0)
    again = restarted(world, tmp_path)
    again.wheel.advance(30.0)
    newest = replace(again.presence(session_id=2, interface="PJSIP/202"), resume=ResumePoint("", 0))
    again.reconciler.arrived(newest)
    assert again.told(2) == ["311 LASTS 630", "310 IN Lunch"]
    [operator] = again.reconciler.overview().operators
    assert operator.since == again.wheel.now - 630.0


def test_a_client_that_did_not_ask_to_resume_hears_what_it_ever_heard(world, tmp_path):
    pause(world)
    lose(world, 600.0)
    again = restarted(world, tmp_path)
    again.arrive(session_id=2)
    assert again.told(2) == ["310 IN Lunch"]


def test_a_pause_that_begins_is_told_alone(world):
    newest = replace(world.presence(session_id=2), resume=ResumePoint("", 0))
    world.reconciler.arrived(newest)
    world.told(2)
    world.event("paused", paused=True, reason="Supervisor")
    assert world.told(2) == ["310 IN Supervisor"]


def test_after_twelve_hours_the_pause_is_over(world):
    pause(world)
    lose(world, 12 * HOUR + 1)
    world.arrive(2)
    assert joins(world) == ("false", "")
    world.wheel.advance(2 * HOUR)
    assert world.pauses_kept == {}


def test_a_pause_that_lasts_longer_than_that_is_kept_as_long_as_the_operator_is_logged_in(world, tmp_path):
    pause(world)
    world.wheel.advance(40 * HOUR)
    assert world.pauses_kept == {"mario": "Lunch"}
    again = restarted(world, tmp_path)
    again.arrive()
    assert joins(again) == ("true", "Lunch")


def test_a_server_that_was_off_for_days_knows_no_pause_any_more(world, tmp_path):
    pause(world)
    again = World(tmp_path, now=world.wheel.now + 50 * HOUR)
    again.arrive()
    assert joins(again) == ("false", "")


def test_who_logs_out_is_in_pause_no_more(world):
    pause(world)
    world.reconciler.logged_out(1)
    world.reconciler.left(1, at_once=True)
    world.wheel.advance(3.0)
    world.removed()
    assert world.pauses_kept == {}
    world.arrive(2)
    assert joins(world) == ("false", "")


def test_what_asterisk_says_after_the_log_out_is_not_kept(world):
    ask(world)
    world.reconciler.logged_out(1)
    world.event("paused", paused=True, reason="Lunch")
    world.reconciler.left(1, at_once=True)
    world.wheel.advance(3.0)
    assert world.pauses_kept == {}


@pytest.mark.parametrize("for_good", [True, False])
def test_who_is_thrown_out_finds_the_pause_again(world, for_good):
    """A new configuration, an administrator, another client at the seat: none of them is a QUIT."""
    pause(world)
    world.reconciler.left(1, at_once=for_good)
    world.wheel.advance(15.0)
    world.removed()
    world.arrive(2)
    assert joins(world) == ("true", "Lunch")


def test_who_came_back_to_work_is_in_pause_no_more(world):
    pause(world)
    pause(world, False, "")
    assert world.pauses_kept == {}
    lose(world)
    world.arrive(2)
    assert joins(world) == ("false", "")


def test_a_pause_is_kept_from_the_wish_on(world, tmp_path):
    ask(world)
    assert world.pauses_kept == {"mario": "Lunch"}
    again = restarted(world, tmp_path)
    again.arrive()
    assert joins(again) == ("true", "Lunch")


def test_a_pause_that_asterisk_refuses_is_not_kept(world):
    ask(world)
    world.link.answer(ok=False, message="Interface not found")
    world.wheel.advance()
    assert world.pauses_kept == {}


def test_the_end_of_a_pause_counts_once_asterisk_took_it(world, tmp_path):
    pause(world)
    ask(world, False, "")
    assert world.pauses_kept == {"mario": "Lunch"}
    again = restarted(world, tmp_path)
    again.arrive()
    assert joins(again) == ("true", "Lunch")


def test_a_supervisors_pause_and_autopause_are_kept_too(world):
    world.event("paused", paused=True, reason="Auto-Pause")
    world.wheel.advance()
    lose(world)
    world.arrive(2)
    assert joins(world) == ("true", "Auto-Pause")


def test_a_pause_that_somebody_ended_is_over(world):
    pause(world)
    world.event("paused", paused=False)
    world.wheel.advance()
    assert world.pauses_kept == {}


def test_after_a_kill_the_member_that_asterisk_kept_is_in_pause_with_the_operators_own_words(world, tmp_path):
    written = "Lunch|out"
    pause(world, reason=written)
    again = restarted(
        world, tmp_path, [list_entry("astcti", PHONE, penalty=1, paused=True, reason="Lunch/out")]
    )
    again.arrive()
    assert again.told() == [f"310 IN {written}", "200 astcti"]
    assert again.link.names == []


def test_another_reason_that_asterisk_has_after_a_kill_is_somebody_elses(world, tmp_path):
    pause(world)
    again = restarted(
        world, tmp_path, [list_entry("astcti", PHONE, penalty=1, paused=True, reason="Training")]
    )
    again.arrive()
    assert again.told() == ["310 IN Training", "200 astcti"]
    again.wheel.advance()
    assert again.pauses_kept == {"mario": "Training"}


def test_a_member_that_a_kill_left_unpaused_is_put_into_pause_again(world, tmp_path):
    ask(world)  # the server is killed before Asterisk reads the action
    again = restarted(world, tmp_path, [list_entry("astcti", PHONE, penalty=1)])
    again.arrive()
    [sent] = again.link.open
    assert (sent.name, sent.headers["Paused"], sent.headers["Reason"]) == ("QueuePause", "true", "Lunch")


def test_the_pause_is_known_before_asterisk_is(world, tmp_path):
    pause(world)
    again = restarted(world, tmp_path, up=False)
    again.arrive()
    assert again.told() == ["310 IN Lunch"]
    again.come_up()
    again.wheel.advance()
    assert joins(again) == ("true", "Lunch")


def test_a_pause_asked_for_just_before_the_connection_was_lost_is_made_real(world):
    ask(world)
    world.link.answer(failure="timeout", ok=False)
    ask(world)
    world.reconciler.left(1, at_once=False)
    sent = world.link.open[-1]
    assert (sent.name, sent.headers["Queue"], sent.headers["Paused"]) == ("QueuePause", "astcti", "true")
    assert world.pauses_kept == {"mario": "Lunch"}
    world.arrive(2)
    assert world.told(2)[0] == "310 IN Lunch"


def test_a_pause_asked_for_without_the_pbx_outlives_the_connection_too(world):
    world.go_down()
    assert ask(world) == ["deferred"]
    lost = world.person.session_id
    world.reconciler.left(lost, at_once=False)
    world.arrive(2)
    assert world.told(2)[0] == "310 IN Lunch"
    world.come_up(list_entry("astcti", PHONE, penalty=1))
    [sent] = world.link.open
    assert (sent.name, sent.headers["Paused"], sent.headers["Reason"]) == ("QueuePause", "true", "Lunch")


def test_an_orderly_stop_ends_no_pause(world, tmp_path):
    pause(world)
    over = []
    world.reconciler.stop(lambda: over.append(True))
    world.removed()
    assert over == [True]
    again = restarted(world, tmp_path)
    again.arrive()
    assert joins(again) == ("true", "Lunch")


def test_a_pause_belongs_to_the_operator_wherever_he_sits(world):
    pause(world)
    lose(world)
    world.arrive(2, interface="PJSIP/202")
    assert joins(world) == ("true", "Lunch")
    world.added(interface="PJSIP/202", paused=True)
    world.arrive(3, "luigi")
    assert joins(world) == ("false", "")


def test_since_when_a_pause_lasts_outlives_everything(world, tmp_path):
    began = world.wheel.now
    pause(world)
    lose(world, HOUR)
    again = restarted(world, tmp_path)
    again.arrive()
    again.added(paused=True)
    again.wheel.advance(HOUR)
    again.arrive(2)
    again.wheel.advance()
    kept = again.state.load().pauses["mario"]
    assert kept.since == began
    assert kept.seen >= began + HOUR


def test_the_pause_is_in_all_queues_that_are_joined_later(world):
    pause(world)
    world.reconciler.configure(
        configuration(service("astcti", ("mario", 1)), service("sales", ("mario", 1))), settings()
    )
    world.wheel.advance()
    assert joins(world) == ("true", "Lunch")
