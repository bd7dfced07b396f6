"""Pause: asked for by the client, seen from Asterisk, carried by later joins."""

import pytest

from tests.fake.queue_link import list_entry
from tests.fake.queue_world import PHONE, World, configuration, service, settings


@pytest.fixture
def mario(tmp_path):
    """Mario, a member of two queues."""
    world = World(tmp_path)
    world.reconciler.configure(
        configuration(service("astcti", ("mario", 1)), service("sales", ("mario", 1))), settings()
    )
    world.arrive()
    world.added("astcti")
    world.added("sales")
    world.told()
    return world


def ask(world, wish, reason=""):
    """Ask for a pause or its end; returns the list that the answers appear in."""
    steps = []
    world.reconciler.pause(world.person, wish, reason, lambda step, text: steps.append((step, text)))
    world.wheel.advance()  # the state file is written
    return steps


def paused(world, wish=True, reason=""):
    """Asterisk does what the oldest action asks for, in both queues."""
    sent = world.link.answer(message="Interface paused successfully")
    for queue in ("astcti", "sales"):
        world.event("paused", queue, paused=wish, reason=reason)
    return sent


def test_a_pause_is_pending_when_written_and_granted_after_the_event_of_each_queue(mario):
    steps = ask(mario, True, "Lunch")
    assert steps == [("pending", "")]
    sent = mario.link.answer(message="Interface paused successfully")
    assert sent.name == "QueuePause"
    assert (sent.headers["Interface"], sent.headers["Paused"]) == (PHONE, "true")
    assert sent.headers["Reason"] == "Lunch"
    assert not sent.headers.get("Queue")
    mario.event("paused", "astcti", paused=True, reason="Lunch")
    assert steps == [("pending", "")]
    mario.event("paused", "sales", paused=True, reason="Lunch")
    assert steps == [("pending", ""), ("done", "")]
    assert mario.told() == [], "what the client asked for itself is not announced"


def ask_for_others(world, wish, reason=""):
    """As `ask`, but somebody else asks."""
    steps = []
    world.reconciler.pause(
        world.person, wish, reason, lambda step, text: steps.append((step, text)), by_client=False
    )
    return steps


def test_a_pause_that_somebody_else_asks_for_is_announced_once_asterisk_did_it(mario):
    steps = ask_for_others(mario, True, "Meeting")
    assert mario.told() == []
    paused(mario, reason="Meeting")
    assert steps[-1] == ("done", "")
    assert mario.told() == ["310 IN Meeting"]
    ask_for_others(mario, True, "Meeting")
    paused(mario, reason="Meeting")
    assert mario.told() == [], "it is as the client knows it"


def test_a_pause_that_somebody_else_asks_for_takes_the_place_of_the_clients_own_request(mario):
    own = ask(mario, True, "Lunch")
    others = ask_for_others(mario, True, "Meeting")
    assert own[-1] == ("failed", "another request came after it")
    mario.link.answer(message="Interface paused successfully")
    paused(mario, reason="Meeting")
    assert others[-1] == ("done", "")
    assert mario.told() == ["310 IN Meeting"]


def test_a_reason_is_sent_without_the_separators_of_asterisks_database_and_told_as_it_was_written(mario):
    written, stored = "Lunch|PJSIP/203;0;0;Ghost", "Lunch/PJSIP/203 0 0 Ghost"
    ask(mario, True, written)
    assert paused(mario, reason=stored).headers["Reason"] == stored
    mario.go_down()
    mario.come_up(list_entry("astcti", PHONE, penalty=1, paused=True, reason=stored))
    assert mario.link.open[0].headers["Reason"] == stored, "the queue that lost its member"
    assert mario.told() == ["210 sales"]
    mario.added("sales")
    mario.arrive(2)
    assert f"310 IN {written}" in mario.told(2)


def test_an_end_of_the_pause_is_granted_likewise(mario):
    ask(mario, True)
    paused(mario)
    steps = ask(mario, False)
    paused(mario, False)
    assert steps[-1] == ("done", "")
    assert mario.told() == []


def test_asterisk_has_5_seconds(mario):
    steps = ask(mario, True)
    mario.link.answer(message="Interface paused successfully")
    mario.event("paused", "astcti", paused=True)
    mario.wheel.advance(5.0)
    assert steps[-1] == ("failed", "Asterisk did not answer")


def test_a_pause_whose_word_was_lost_is_found_by_reading_and_told(mario):
    ask(mario, True)
    mario.link.answer(message="Interface paused successfully")
    mario.wheel.advance(5.0)
    mario.status(*(list_entry(queue, PHONE, penalty=1, paused=True) for queue in ("astcti", "sales")))
    assert mario.told() == ["310 IN"]
    assert mario.link.names == []


def test_a_refusal_is_told_with_asterisks_reason_and_the_wish_is_dropped(mario):
    steps = ask(mario, True)
    mario.link.answer(ok=False, message="Interface not found", failure="refused")
    assert steps[-1] == ("failed", "Interface not found")
    mario.status(*(list_entry(queue, PHONE, penalty=1) for queue in ("astcti", "sales")))
    assert mario.told() == []
    assert mario.link.names == []


def test_in_no_queue_a_pause_is_granted_at_once_and_later_joins_carry_it(tmp_path):
    world = World(tmp_path)
    world.reconciler.configure(configuration(service("astcti", ("luigi", 1))), settings())
    world.arrive()
    assert ask(world, True, "Lunch") == [("done", "")]
    world.reconciler.configure(configuration(), settings())
    world.wheel.advance()
    assert world.link.open[0].headers["Paused"] == "true"


def test_while_the_pbx_is_down_a_pause_is_deferred_until_it_is_back(mario):
    mario.go_down()
    steps = ask(mario, True)
    assert steps == [("deferred", "")]
    mario.wheel.advance(100.0)
    mario.come_up(*(list_entry(queue, PHONE, penalty=1) for queue in ("astcti", "sales")))
    assert mario.link.names == ["QueuePause"]
    paused(mario)
    assert steps == [("deferred", ""), ("done", "")]
    assert mario.told() == []


def test_a_pause_that_the_lost_link_swallowed_is_repeated_after_the_members_are_back(mario):
    steps = ask(mario, True)
    mario.go_down()
    mario.come_up()
    mario.wheel.advance()
    assert mario.link.names == ["QueueAdd", "QueueAdd"]
    assert mario.added("astcti", paused=True).headers["Paused"] == "true"
    mario.added("sales", paused=True)
    assert mario.link.names == ["QueuePause"]
    paused(mario)
    assert steps == [("pending", ""), ("deferred", ""), ("done", "")]


def test_a_pause_waits_for_an_addition_that_is_under_way(tmp_path):
    world = World(tmp_path)
    world.arrive()
    steps = ask(world, True)
    assert steps == []
    assert world.link.names == ["QueueAdd"]
    world.added()
    assert world.link.names == ["QueuePause"]
    world.link.answer(message="Interface paused successfully")
    world.event("paused", paused=True)
    assert steps == [("pending", ""), ("done", "")]


def test_a_second_request_ends_the_first(mario):
    first = ask(mario, True)
    second = ask(mario, False)
    assert first[-1] == ("failed", "another request came after it")
    paused(mario, True)
    assert second == [("pending", "")]
    paused(mario, False)
    assert second[-1] == ("done", "")


def test_a_pause_by_a_supervisor_is_told_with_its_reason_and_never_undone(mario):
    mario.event("paused", "astcti", paused=True, reason="Meeting")
    assert mario.told() == ["310 IN Meeting"]
    mario.event("paused", "sales", paused=True, reason="Meeting")
    assert mario.told() == []
    mario.wheel.advance(300.0)
    mario.status(*(list_entry(queue, PHONE, penalty=1, paused=True) for queue in ("astcti", "sales")))
    assert mario.told() == []
    assert mario.link.names == []


def test_an_autopause_in_one_queue_is_told_and_its_end_too(mario):
    mario.event("paused", "sales", paused=True)
    assert mario.told() == ["310 IN"]
    mario.event("paused", "astcti", paused=False)
    assert mario.told() == [], "still paused in the other queue"
    mario.event("paused", "sales", paused=False)
    assert mario.told() == ["310 OUT"]


def test_the_reason_is_kept_where_asterisk_does_not_say_one(mario):
    ask(mario, True, "Lunch")
    paused(mario, reason="")
    mario.wheel.advance(300.0)
    mario.status(*(list_entry(queue, PHONE, penalty=1, paused=True) for queue in ("astcti", "sales")))
    assert mario.told() == []
    mario.arrive(2)
    assert mario.told(2)[0] == "310 IN Lunch"


def test_a_reason_that_asterisk_cut_is_not_taken_for_another(mario):
    reason = "è" * 60
    ask(mario, True, reason)
    sent = paused(mario, reason="")
    assert len(sent.headers["Reason"].encode()) <= 79
    assert reason.startswith(sent.headers["Reason"])


def test_a_pause_ended_while_the_link_was_down_is_taken_over_and_told(mario):
    mario.event("paused", "astcti", paused=True)
    mario.event("paused", "sales", paused=True)
    mario.told()
    mario.go_down()
    mario.come_up(*(list_entry(queue, PHONE, penalty=1) for queue in ("astcti", "sales")))
    assert mario.told() == ["310 OUT"]
    assert mario.link.names == []


def test_a_pause_survives_a_takeover_of_the_same_operator(mario):
    ask(mario, True, "Lunch")
    paused(mario, reason="Lunch")
    mario.arrive(2)
    assert mario.told(2) == ["310 IN Lunch", "200 astcti", "200 sales"]
    assert mario.link.names == []


def test_a_pause_does_not_pass_to_another_operator_on_the_seat(mario):
    ask(mario, True)
    paused(mario)
    both = service("astcti", ("mario", 1), ("luigi", 1))
    mario.reconciler.configure(configuration(both, service("sales", ("mario", 1))), settings())
    mario.arrive(2, "luigi")
    mario.removed("astcti")
    mario.removed("sales")
    mario.wheel.advance()
    assert mario.added("astcti").headers["Paused"] == "false"
    assert mario.told(2) == ["310 OUT", "200 astcti"]


def test_beginning_in_pause_is_told_after_the_login(tmp_path):
    world = World(tmp_path)
    world.arrive(begin_in_pause=True)
    assert world.told() == ["310 IN"]


def test_a_session_without_a_seat_cannot_pause(tmp_path):
    world = World(tmp_path)
    assert ask(world, True) == [("failed", "not at a seat")]
