"""Who is in which queue: joining, leaving, repairing, taking over, leftovers, stopping."""

from dataclasses import replace

import pytest

from astcti_server.ami.pending import ActionOutcome
from astcti_server.clients.ports import Presence
from astcti_server.queues.state_file import SavedQueues, StateFile
from schemas.server.settings import QueueSettings
from tests.fake.queue_link import list_entry
from tests.fake.queue_world import PHONE, World, configuration, service, settings


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


@pytest.fixture
def mario(world):
    """Mario on his phone, member of the queue."""
    world.arrive()
    world.added()
    world.told()
    return world


def test_a_member_is_added_with_name_penalty_and_pause_in_one_action(world):
    world.arrive(begin_in_pause=True)
    sent = world.link.open[0]
    assert sent.name == "QueueAdd"
    assert sent.headers["Queue"] == "astcti"
    assert sent.headers["Interface"] == PHONE
    assert sent.headers["MemberName"] == "Mario"
    assert sent.headers["Penalty"] == "1"
    assert sent.headers["Paused"] == "true"


def test_a_local_member_is_added_with_its_state_interface(world):
    presence = Presence(1, "mario", "Mario", PHONE, "Local/201@agents/n", PHONE, False)
    world.reconciler.arrived(presence)
    world.wheel.advance()
    assert world.link.open[0].headers["Interface"] == "Local/201@agents/n"
    assert world.link.open[0].headers["StateInterface"] == PHONE
    world.added(interface="Local/201@agents/n")
    assert "200 astcti" in world.told()


def test_a_members_name_has_none_of_the_separators_of_asterisks_database(world):
    presence = Presence(1, "mario", "Rossi, Mario;Jr | Sales", PHONE, PHONE, "", False)
    world.reconciler.arrived(presence)
    world.wheel.advance()
    assert world.link.open[0].headers["MemberName"] == "Rossi Mario Jr / Sales"


LOCAL = "Local/201@agents/n"


@pytest.mark.parametrize(
    ("interface", "state_interface", "found"),
    [(LOCAL, PHONE, LOCAL), (LOCAL, "hint:201@phones", " Mario"), (PHONE, "", "PJSIP/203")],
)
def test_a_member_whose_state_interface_is_another_one_is_added_again(
    world, interface, state_interface, found
):
    world.reconciler.arrived(Presence(1, "mario", "Mario", PHONE, interface, state_interface, False))
    world.wheel.advance()
    world.added(interface=interface)
    world.told()
    world.wheel.advance(300.0)
    world.status(list_entry("astcti", interface, penalty=1, state_interface=found))
    world.removed(interface=interface)
    assert world.link.open[0].headers.get("StateInterface", "") == state_interface
    world.added(interface=interface)
    assert world.told() == []
    world.wheel.advance(300.0)  # whatever Asterisk makes of it: it is not done again and again
    world.status(list_entry("astcti", interface, penalty=1, state_interface=found))
    assert world.link.names == []


@pytest.mark.parametrize(
    ("wanted", "found"), [(PHONE, PHONE), ("", LOCAL), (PHONE, ""), ("hint:" + 90 * "2", "hint:" + 74 * "2")]
)
def test_a_member_whose_state_interface_is_right_or_not_told_stays(world, wanted, found):
    world.reconciler.arrived(Presence(1, "mario", "Mario", PHONE, LOCAL, wanted, False))
    world.wheel.advance()
    world.added(interface=LOCAL)
    world.wheel.advance(300.0)
    world.status(list_entry("astcti", LOCAL, penalty=1, state_interface=found))
    assert world.link.names == []


def test_200_waits_for_the_event_and_not_only_for_the_response(world):
    world.arrive()
    assert world.told() == ["310 OUT"]
    world.link.answer(message="Added interface to queue")
    assert world.told() == []
    world.event("added", penalty=1, paused=False)
    assert world.told() == ["200 astcti"]


def test_an_event_that_a_filter_hides_is_replaced_by_reading_the_queue(world):
    world.arrive()
    world.link.answer(message="Added interface to queue")
    world.wheel.advance(5.0)
    world.told()
    world.status(list_entry("astcti", PHONE, penalty=1))
    assert world.told() == ["200 astcti"]


def test_the_state_file_lists_a_member_before_it_is_added(world):
    world.reconciler.arrived(world.presence())
    assert world.link.names == []
    world.wheel.advance()
    assert world.members_kept == {("astcti", PHONE): "mario"}
    assert world.link.names == ["QueueAdd"]


def test_many_logins_of_one_turn_are_one_writing_of_the_state_file(world, monkeypatch):
    writings = []
    save = world.state.save

    def record(saved, done):
        writings.append(saved)
        save(saved, done)

    monkeypatch.setattr(world.state, "save", record)
    world.reconciler.arrived(world.presence())
    world.reconciler.arrived(world.presence(2, "luigi", "PJSIP/202"))
    world.wheel.advance()
    assert len(writings) == 1
    assert set(writings[0].members) == {("astcti", PHONE), ("astcti", "PJSIP/202")}
    assert world.link.names == ["QueueAdd", "QueueAdd"]


def test_of_two_services_with_one_queue_the_lowest_penalty_wins(world):
    world.reconciler.configure(
        configuration(service("astcti", ("mario", 5), name="a"), service("astcti", ("mario", 3), name="b")),
        settings(),
    )
    world.arrive()
    assert world.link.open[0].headers["Penalty"] == "3"


def test_services_that_are_disabled_or_outbound_or_of_others_are_not_joined(world):
    world.reconciler.configure(
        configuration(
            service("off", ("mario", 0), enabled=False),
            service("out", ("mario", 0), kind="outbound"),
            service("other", ("luigi", 0)),
        ),
        settings(),
    )
    world.arrive()
    assert world.link.sent[1:] == []


def test_a_queue_that_does_not_exist_is_told_once_and_tried_again_at_the_reconciliation(world):
    world.arrive()
    world.link.answer(ok=False, message="Unable to add interface to queue: No such queue", failure="refused")
    assert world.told() == ["310 OUT", "211 KO astcti No such queue"]
    world.wheel.advance(2.0)
    assert world.members_kept == {}
    world.wheel.advance(298.0)
    world.status()
    world.wheel.advance()
    world.link.answer(ok=False, message="Unable to add interface to queue: No such queue", failure="refused")
    assert world.told() == []
    world.wheel.advance(300.0)
    world.status()
    world.wheel.advance()
    world.added()
    assert world.told() == ["200 astcti"]


def test_an_asterisk_that_does_not_answer_is_a_211(world):
    world.arrive()
    world.link.answer(ok=False, failure="timeout")
    assert world.told()[-1] == "211 KO astcti Asterisk did not answer"
    assert world.members_kept == {("astcti", PHONE): "mario"}, "it may have been added all the same"


def test_already_there_reads_the_state_and_repairs_pause_and_penalty_before_200(world):
    world.arrive(begin_in_pause=True)
    world.told()
    world.link.answer(ok=False, message="Unable to add interface: Already there", failure="refused")
    world.status(list_entry("astcti", PHONE, penalty=7, paused=False))
    sent = world.link.answer(message="Interface penalty set successfully")
    assert (sent.name, sent.headers["Penalty"], sent.headers["Queue"]) == ("QueuePenalty", "1", "astcti")
    assert world.told() == []
    sent = world.link.answer(message="Interface paused successfully")
    assert (sent.name, sent.headers["Paused"], sent.headers["Queue"]) == ("QueuePause", "true", "astcti")
    world.event("paused", paused=True, penalty=1)
    assert world.told() == ["200 astcti"]
    assert world.link.names == []


def test_one_action_at_a_time_for_a_queue_and_interface(world):
    world.arrive()
    world.reconciler.left(1, at_once=True)
    world.wheel.advance(1.0)
    assert world.link.names == ["QueueAdd"], "the removal waits until the addition is over"
    world.added()
    assert world.link.names == ["QueueRemove"]
    world.removed()
    world.wheel.advance(2.0)
    assert world.members_kept == {}


def test_quit_removes_at_once(mario):
    mario.reconciler.left(1, at_once=True)
    assert mario.link.names == ["QueueRemove"]
    mario.removed()
    mario.wheel.advance(2.0)
    assert mario.members_kept == {}


def test_a_lost_connection_removes_when_grace_is_over(mario):
    mario.reconciler.left(1, at_once=False)
    mario.wheel.advance(9.9)
    assert mario.link.names == []
    mario.wheel.advance(0.1)
    assert mario.link.names == ["QueueRemove"]


def test_grace_0_removes_at_once(tmp_path):
    world = World(tmp_path, grace=0.0)
    world.arrive()
    world.added()
    world.reconciler.left(1, at_once=False)
    assert world.link.names == ["QueueRemove"]


def test_coming_back_within_grace_keeps_the_place_without_leaving_the_queue(mario):
    mario.reconciler.left(1, at_once=False)
    mario.arrive(2)
    mario.wheel.advance(60.0)
    assert mario.link.names == []
    assert mario.told(2) == ["310 OUT", "200 astcti"]


def test_the_clean_up_of_a_session_that_was_taken_over_is_ignored(mario):
    mario.arrive(2)
    mario.reconciler.left(1, at_once=True)
    mario.wheel.advance(60.0)
    assert mario.link.names == []
    assert mario.told(2) == ["310 OUT", "200 astcti"]


def test_an_arrival_that_comes_after_a_newer_one_is_ignored(mario):
    mario.arrive(5)
    mario.told(5)
    mario.arrive(4)
    assert mario.told(4) == []
    assert mario.told(5) == []


def test_an_operator_who_sits_down_elsewhere_is_moved(mario):
    mario.arrive(2, interface="PJSIP/202")
    assert sorted((sent.name, sent.headers["Interface"]) for sent in mario.link.open) == [
        ("QueueAdd", "PJSIP/202"),
        ("QueueRemove", PHONE),
    ]


def test_another_operator_on_the_seat_is_added_anew_under_his_own_name(mario):
    mario.arrive(2, "luigi")
    mario.removed()
    mario.wheel.advance()
    sent = mario.added(penalty=2)
    assert (sent.headers["MemberName"], sent.headers["Penalty"]) == ("Luigi", "2")
    assert mario.told(2) == ["310 OUT", "200 astcti"]
    assert mario.members_kept == {("astcti", PHONE): "luigi"}


def test_a_restarted_asterisk_gets_its_members_back(mario):
    mario.go_down()
    mario.come_up()
    assert mario.told() == ["210 astcti"]
    mario.wheel.advance()
    mario.added()
    assert mario.told() == ["200 astcti"]


def test_a_link_that_was_only_interrupted_changes_nothing(mario):
    mario.go_down()
    mario.come_up(list_entry("astcti", PHONE, penalty=1))
    mario.wheel.advance()
    assert mario.told() == []
    assert mario.link.names == []


def test_an_addition_that_the_lost_link_swallowed_is_repeated(world):
    world.arrive()
    world.go_down()
    world.come_up()
    world.wheel.advance()
    world.added()
    assert world.told() == ["310 OUT", "200 astcti"]


def test_a_login_while_the_pbx_is_down_joins_when_it_is_back(tmp_path):
    world = World(tmp_path, up=False)
    world.link.up = False
    world.arrive()
    assert world.told() == ["310 OUT"]
    world.come_up()
    world.wheel.advance()
    world.added()
    assert world.told() == ["200 astcti"]


def test_a_penalty_changed_by_somebody_is_repaired(mario):
    mario.wheel.advance(300.0)
    mario.status(list_entry("astcti", PHONE, penalty=9))
    sent = mario.link.answer(message="Interface penalty set successfully")
    assert (sent.name, sent.headers["Penalty"]) == ("QueuePenalty", "1")
    assert mario.link.names == []


def test_without_queuepenalty_a_member_is_removed_and_added_with_its_pause_and_nothing_is_told(mario):
    mario.event("paused", paused=True)
    mario.told()
    mario.reconciler.configure(configuration(service("astcti", ("mario", 4))), settings())
    mario.link.answer(ok=False, message="Invalid/unknown command", failure="refused")
    mario.removed()
    mario.wheel.advance()
    sent = mario.added(penalty=4, paused=True)
    assert (sent.headers["Penalty"], sent.headers["Paused"]) == ("4", "true")
    assert mario.told() == []
    mario.reconciler.configure(configuration(service("astcti", ("mario", 6))), settings())
    assert mario.link.names == ["QueueRemove"], "it is not asked for again"


def test_a_changed_configuration_joins_leaves_and_weighs_by_the_difference(mario):
    mario.reconciler.configure(
        configuration(service("astcti", ("mario", 1)), service("sales", ("mario", 3))), settings()
    )
    mario.wheel.advance()
    mario.added("sales", penalty=3)
    assert mario.told() == ["200 sales"]
    mario.reconciler.configure(
        configuration(service("astcti", ("luigi", 1)), service("sales", ("mario", 2))), settings()
    )
    assert sorted(mario.link.names) == ["QueuePenalty", "QueueRemove"]
    while mario.link.open:
        if mario.link.answer().name == "QueueRemove":
            mario.event("removed")
    assert mario.told() == ["210 astcti"]


def test_a_queue_that_no_service_names_any_more_is_left(mario):
    mario.reconciler.configure(configuration(service("sales", ("luigi", 1))), settings())
    mario.removed()
    assert mario.told() == ["210 astcti"]


def test_a_disabled_operator_is_removed(mario):
    mario.reconciler.configure(configuration(disabled=("mario",)), settings())
    mario.removed()
    assert mario.told() == ["210 astcti"]


def test_a_static_member_is_told_as_member_and_never_removed(world):
    world.arrive()
    world.link.answer(ok=False, message="Unable to add interface: Already there", failure="refused")
    world.status(list_entry("astcti", PHONE, membership="static"))
    assert world.told()[-1] == "200 astcti"
    world.reconciler.left(1, at_once=True)
    world.wheel.advance(2.0)
    assert world.link.names == []
    assert world.members_kept == {}


def test_members_that_are_not_ours_are_left_alone(tmp_path):
    world = World(tmp_path, members=(list_entry("astcti", "PJSIP/299"), list_entry("other", PHONE)))
    world.wheel.advance(1000.0)
    assert {sent.name for sent in world.link.sent} == {"QueueStatus"}


def test_leftovers_of_a_crash_are_removed_when_their_time_is_over(tmp_path):
    StateFile(tmp_path).save(SavedQueues({("astcti", PHONE): "mario", ("astcti", "PJSIP/202"): "luigi"}, {}))
    world = World(tmp_path, members=(list_entry("astcti", PHONE), list_entry("astcti", "PJSIP/202")))
    world.wheel.advance(59.9)
    assert world.link.names == []
    world.wheel.advance(0.1)
    assert world.link.names == ["QueueRemove", "QueueRemove"]


def test_a_leftover_stays_when_its_operator_logs_in_again(tmp_path):
    StateFile(tmp_path).save(SavedQueues({("astcti", PHONE): "mario"}, {}))
    world = World(tmp_path, members=(list_entry("astcti", PHONE, penalty=1),))
    world.arrive()
    world.wheel.advance(100.0)
    assert world.link.names == []
    assert world.told() == ["310 OUT", "200 astcti"]


def test_a_leftover_goes_at_once_when_its_operator_logs_in_elsewhere(tmp_path):
    StateFile(tmp_path).save(SavedQueues({("astcti", PHONE): "mario"}, {}))
    world = World(tmp_path, members=(list_entry("astcti", PHONE, penalty=1),))
    world.arrive(interface="PJSIP/202")
    assert ("QueueRemove", PHONE) in [(sent.name, sent.headers["Interface"]) for sent in world.link.open]


def test_a_pause_survives_a_crash_of_the_server(tmp_path):
    StateFile(tmp_path).save(SavedQueues({("astcti", PHONE): "mario"}, {}))
    world = World(tmp_path, members=(list_entry("astcti", PHONE, penalty=1, paused=True, reason="Lunch"),))
    world.arrive()
    assert world.told() == ["310 IN Lunch", "200 astcti"]
    assert world.link.names == []


def test_a_leftover_that_asterisk_forgot_leaves_the_state_file(tmp_path):
    StateFile(tmp_path).save(SavedQueues({("astcti", PHONE): "mario"}, {}))
    world = World(tmp_path)
    world.wheel.advance(2.0)
    assert world.members_kept == {}


def test_a_leftover_in_a_queue_that_no_service_names_is_kept_and_warned_about(tmp_path, caplog):
    StateFile(tmp_path).save(SavedQueues({("gone", PHONE): "mario"}, {}))
    world = World(tmp_path, members=(list_entry("gone", PHONE),))
    world.wheel.advance(60.0)
    assert world.link.names == []
    assert "no service names" in caplog.text


def test_orderly_stop_removes_everybody_and_then_says_so(mario):
    mario.arrive(2, "luigi", "PJSIP/202")
    mario.added(interface="PJSIP/202", penalty=2)
    over = []
    mario.reconciler.stop(lambda: over.append(True))
    mario.removed()
    assert over == []
    mario.removed(interface="PJSIP/202")
    assert over == [True]
    assert mario.members_kept == {}


def test_orderly_stop_can_keep_the_members(tmp_path):
    world = World(tmp_path, on_stop="keep")
    world.arrive()
    world.added()
    over = []
    world.reconciler.stop(lambda: over.append(True))
    assert over == [True]
    assert world.link.names == []
    assert world.members_kept == {("astcti", PHONE): "mario"}


def test_whoever_stops_the_server_can_keep_the_members_whatever_is_configured(mario):
    over = []
    before = list(mario.link.names)
    mario.reconciler.stop(lambda: over.append(True), keep_members=True)
    assert over == [True]
    assert mario.link.names == before
    assert mario.members_kept == {("astcti", PHONE): "mario"}


def test_who_is_about_to_join_when_the_server_stops_stays_a_member_too(world):
    world.arrive()
    over = []
    world.reconciler.stop(lambda: over.append(True), keep_members=True)
    assert over == [], "what Asterisk is about to do has to be known before the end"
    world.added()
    assert over == [True]
    assert world.link.names == []
    assert world.members_kept == {("astcti", PHONE): "mario"}


def test_the_overview_says_what_is_wanted_and_what_is_not_as_it_should_be(tmp_path):
    world = World(tmp_path)
    world.arrive()
    [queue] = world.reconciler.overview().queues
    assert (queue.wanted, queue.members) == (1, 0)
    assert queue.differing == ((PHONE, "mario", "missing", "", True),)
    world.added()
    assert world.reconciler.overview().queues == (("astcti", "astcti", 1, 1, 0, (), 0),)
    [operator] = world.reconciler.overview().operators
    assert (operator.session_id, operator.paused) == (1, False)
    world.go_down()
    [queue] = world.reconciler.overview().queues
    assert [member.differs for member in queue.differing] == ["unknown"]


def test_the_overview_says_who_was_left_behind(tmp_path):
    StateFile(tmp_path).save(SavedQueues({("astcti", PHONE): "mario"}, {}))
    world = World(tmp_path, members=(list_entry("astcti", PHONE),))
    [queue] = world.reconciler.overview().queues
    assert (queue.wanted, queue.members) == (0, 1)
    assert queue.differing == ((PHONE, "", "left-behind", "", False),)


@pytest.mark.parametrize("by", ["static", "realtime"])
def test_the_penalty_that_a_file_gives_a_member_is_not_shown_as_differing(tmp_path, by):
    world = World(tmp_path)
    world.arrive()
    world.go_down()
    world.come_up(list_entry("astcti", PHONE, membership=by, penalty=7))
    [queue] = world.reconciler.overview().queues
    assert (queue.wanted, queue.members, queue.differing) == (1, 1, ())
    [member] = world.reconciler.members_of("astcti")
    assert member is not None
    assert (member.membership, member.penalty, member.wanted_penalty, member.differs) == (by, 7, 1, "")


def test_the_members_of_one_queue_are_told_and_not_those_of_others(tmp_path):
    StateFile(tmp_path).save(SavedQueues({("astcti", PHONE): "mario", ("sales", PHONE): "mario"}, {}))
    world = World(tmp_path, up=False)
    [member] = [member for member in world.reconciler.members_of("sales") if member is not None]
    assert (member.interface, member.wanted, member.differs) == (PHONE, False, "unknown")


def test_the_overview_tells_many_that_differ_by_their_number(tmp_path):
    StateFile(tmp_path).save(
        SavedQueues({("astcti", f"PJSIP/{number}"): "mario" for number in range(300, 360)}, {})
    )
    world = World(tmp_path, up=False)
    [queue] = world.reconciler.overview().queues
    assert (len(queue.differing), queue.more) == (50, 10)


def test_orderly_stop_without_a_link_is_over_at_once_and_leaves_the_list(mario):
    mario.go_down()
    over = []
    mario.reconciler.stop(lambda: over.append(True))
    assert over == [True]
    assert mario.members_kept == {("astcti", PHONE): "mario"}


def test_a_link_that_dies_during_the_stop_does_not_hold_it_up(mario):
    over = []
    mario.reconciler.stop(lambda: over.append(True))
    assert over == []
    mario.go_down()
    assert over == [True]


def test_a_status_that_cannot_be_read_is_asked_for_again(tmp_path, caplog):
    world = World(tmp_path, up=False)
    world.reconciler.link_up()
    world.link.answer(ok=False, failure="timeout")
    assert "cannot be read" in caplog.text
    world.wheel.advance(5.0)
    world.status()
    world.arrive()
    assert world.link.names == ["QueueAdd"]


NOT_LOADED = "Invalid/unknown command: QueueStatus. Use Action: ListCommands to show available commands."


def test_queues_that_asterisk_does_not_know_at_its_start_are_read_when_it_has_started(tmp_path, caplog):
    world = World(tmp_path, up=False)
    world.reconciler.link_up()
    world.link.answer(ok=False, message=NOT_LOADED, failure="refused")
    world.arrive()
    assert world.link.names == []
    world.reconciler.fully_booted()
    world.status()
    world.wheel.advance()
    assert world.link.names == ["QueueAdd"]
    assert "cannot be read" not in caplog.text


def test_an_asterisk_that_has_started_before_its_answer_came_is_asked_again_at_once(tmp_path, caplog):
    world = World(tmp_path, up=False)
    world.reconciler.link_up()
    world.reconciler.fully_booted()
    assert world.link.names == ["QueueStatus"], "as a rule it is read once"
    world.link.answer(ok=False, message=NOT_LOADED, failure="refused")
    assert world.link.names == ["QueueStatus"]
    assert "cannot be read" not in caplog.text
    world.link.answer(ok=False, message=NOT_LOADED, failure="refused")
    assert world.link.names == []
    assert "cannot be read" in caplog.text, "it has no app_queue"


def test_a_queue_name_that_ami_cannot_carry_is_refused_and_disturbs_nobody(world, monkeypatch):
    real = world.link.submit

    def submit(action, done, **how):
        if dict(action.headers).get("Queue") == "bad":
            raise ValueError("a value cannot hold a line end")
        return real(action, done, **how)

    monkeypatch.setattr(world.link, "submit", submit)
    world.reconciler.configure(
        configuration(service("bad", ("mario", 0)), service("good", ("mario", 0))), settings()
    )
    world.arrive()
    world.added("good", penalty=0)
    assert world.told() == ["310 OUT", "211 KO bad a value cannot hold a line end", "200 good"]


# -- the case of a queue's name, which Asterisk does not mind ----------------------------------------------


def test_a_queue_that_asterisk_spells_otherwise_is_joined_and_left(tmp_path):
    world = World(tmp_path)
    world.reconciler.configure(configuration(service("AstCti", ("mario", 1))), settings())
    world.arrive()
    assert world.link.answer(message="Added interface to queue").headers["Queue"] == "AstCti"
    world.event("added", "astcti", penalty=1, paused=False)
    assert world.told() == ["310 OUT", "200 AstCti"]
    world.reconciler.left(1, at_once=True)
    assert world.link.answer(message="Removed interface from queue").name == "QueueRemove"
    world.event("removed", "astcti")
    world.wheel.advance(2.0)
    assert StateFile(tmp_path).load().members == {}


def test_a_list_that_spells_the_queue_otherwise_confirms_the_member(tmp_path):
    world = World(tmp_path)
    world.reconciler.configure(configuration(service("AstCti", ("mario", 1))), settings())
    world.arrive()
    world.link.answer(message="Added interface to queue")
    world.wheel.advance(5.0)
    world.link.answer(events=[list_entry("astcti", PHONE, penalty=1)])
    assert "200 AstCti" in world.told()
    world.wheel.advance(300.0)
    world.status(list_entry("astcti", PHONE, penalty=1))
    assert world.told() == []
    assert world.link.open == []


def test_two_spellings_of_one_queue_are_one_membership_with_the_lowest_penalty(tmp_path):
    world = World(tmp_path)
    services = (service("Sales", ("mario", 5)), service("sales", ("mario", 2)))
    world.reconciler.configure(configuration(*services), settings())
    world.arrive()
    assert world.added("Sales", penalty=2).headers["Penalty"] == "2"
    assert world.told() == ["310 OUT", "200 Sales"]
    assert world.link.open == []


def test_another_spelling_in_the_configuration_changes_nothing_for_its_members(mario):
    mario.reconciler.configure(configuration(service("ASTCTI", ("mario", 1))), settings())
    assert mario.link.open == []
    assert mario.told() == []
    mario.event("removed")
    assert mario.told() == ["210 astcti"]


def test_a_member_of_an_earlier_run_is_found_in_whichever_case_the_state_file_has_it(tmp_path):
    StateFile(tmp_path).save(SavedQueues({("ASTCTI", PHONE): "mario"}, {}))
    world = World(tmp_path, members=[list_entry("AstCti", PHONE, penalty=1)])
    world.wheel.advance(60.0)
    world.removed("astcti")


def test_a_pause_is_granted_by_events_that_spell_the_queue_otherwise(tmp_path):
    world = World(tmp_path)
    world.reconciler.configure(configuration(service("AstCti", ("mario", 1))), settings())
    presence = world.arrive()
    world.link.answer(message="Added interface to queue")
    world.event("added", "astcti", penalty=1, paused=False)
    steps = []
    world.reconciler.pause(presence, True, "Lunch", lambda step, text: steps.append(step))
    world.link.answer(message="Interface paused successfully")
    world.event("paused", "astcti", paused=True, reason="Lunch")
    assert steps == ["pending", "done"]


def test_a_member_that_asterisk_added_but_does_not_list_is_removed_all_the_same(world, tmp_path):
    world.arrive()
    world.link.answer(message="Added interface to queue")
    world.wheel.advance(5.0)
    world.link.answer(events=[])
    assert "211 KO astcti not a member after all" in world.told()
    world.reconciler.left(1, at_once=True)
    world.link.answer(message="Removed interface from queue")
    assert world.link.sent[-1].name == "QueueRemove"
    world.event("removed")
    world.wheel.advance(2.0)
    assert world.link.open == []
    assert StateFile(tmp_path).load().members == {}


def test_a_reconciliation_does_not_forget_the_owner_of_an_add_that_succeeded(world):
    world.arrive()
    world.link.answer(message="Added interface to queue")
    world.reconciler.left(1, at_once=True)
    world.wheel.advance(5.0)
    world.link.answer(events=[])
    assert world.link.answer(False, "Unable to remove interface: Not there").name == "QueueRemove"
    assert world.link.open == []


# -- what goes wrong ---------------------------------------------------------------------------------------


def test_an_operator_who_leaves_the_service_while_added_anew_is_told_that_he_is_out(mario):
    mario.reconciler.configure(configuration(service("astcti", ("mario", 4))), settings())
    mario.link.answer(ok=False, message="Invalid/unknown command", failure="refused")
    assert mario.link.names == ["QueueRemove"], "an Asterisk 1.4 is told the penalty by adding anew"
    mario.reconciler.configure(configuration(service("astcti", ("luigi", 1))), settings())
    mario.removed()
    assert mario.told() == ["210 astcti"]
    assert mario.link.open == []


def test_a_member_that_is_still_listed_after_its_removal_is_removed_at_the_reconciliation(mario):
    mario.reconciler.left(1, at_once=True)
    mario.link.answer(message="Removed interface from queue")
    mario.wheel.advance(5.0)
    mario.status(list_entry("astcti", PHONE, penalty=1))
    assert mario.link.names == []
    mario.wheel.advance(295.0)
    mario.status(list_entry("astcti", PHONE, penalty=1))
    mario.removed()
    mario.wheel.advance(2.0)
    assert mario.members_kept == {}


def test_a_removal_that_found_nobody_is_over(mario):
    mario.reconciler.left(1, at_once=True)
    mario.link.answer(ok=False, message="Unable to remove interface: Not there", failure="refused")
    mario.wheel.advance(2.0)
    assert mario.members_kept == {}
    assert mario.link.open == []


def test_a_member_that_turns_out_to_be_static_is_given_up(mario):
    mario.reconciler.left(1, at_once=True)
    mario.link.answer(ok=False, message="Member not dynamic", failure="refused")
    mario.wheel.advance(2.0)
    assert mario.members_kept == {}
    assert mario.link.open == []


def test_a_dynamic_member_that_was_there_before_is_taken_over_and_removed_at_quit(world):
    world.arrive()
    world.link.answer(ok=False, message="Unable to add interface to queue: Permission", failure="refused")
    world.wheel.advance(300.0)
    world.status(list_entry("astcti", PHONE, penalty=1))
    world.wheel.advance()
    assert world.members_kept == {("astcti", PHONE): "mario"}
    assert world.told()[-1] == "200 astcti"
    world.reconciler.left(1, at_once=True)
    world.removed()


def test_an_operator_who_leaves_while_the_state_file_is_written_is_not_added(world):
    world.reconciler.arrived(world.presence())
    world.reconciler.left(1, at_once=True)
    world.wheel.advance(2.0)
    assert world.link.sent[1:] == []
    assert world.members_kept == {}


def test_a_member_that_a_slow_asterisk_may_have_added_is_removed_all_the_same(world):
    world.arrive()
    world.link.answer(ok=False, failure="timeout")
    world.reconciler.left(1, at_once=True)
    world.removed()
    world.wheel.advance(2.0)
    assert world.members_kept == {}


def test_a_link_lost_while_the_state_file_is_written_adds_nobody(world):
    world.reconciler.arrived(world.presence())
    world.go_down()
    world.wheel.advance()
    assert world.link.open == []
    world.come_up()
    world.added()


def test_an_event_before_the_response_counts(world):
    world.arrive()
    world.event("added", penalty=1, paused=False)
    assert world.told() == ["310 OUT"]
    world.link.answer(message="Added interface to queue")
    assert world.told() == ["200 astcti"]


def test_a_pause_of_a_new_member_that_had_no_effect_is_tried_again_at_the_reconciliation(world):
    world.arrive(begin_in_pause=True)
    world.link.answer(ok=False, message="Unable to add interface: Already there", failure="refused")
    world.status(list_entry("astcti", PHONE, penalty=1))
    world.link.answer(message="Interface paused successfully")
    world.wheel.advance(5.0)
    world.status(list_entry("astcti", PHONE, penalty=1))
    assert world.link.names == []
    world.wheel.advance(295.0)
    world.status(list_entry("astcti", PHONE, penalty=1))
    assert world.link.answer(message="Interface paused successfully").name == "QueuePause"
    world.event("paused", paused=True)
    assert world.link.open == []


def test_a_pause_of_a_new_member_whose_event_is_hidden_is_found_by_reading(world):
    world.arrive(begin_in_pause=True)
    world.link.answer(ok=False, message="Unable to add interface: Already there", failure="refused")
    world.status(list_entry("astcti", PHONE, penalty=1))
    world.link.answer(message="Interface paused successfully")
    world.wheel.advance(5.0)
    world.status(list_entry("astcti", PHONE, penalty=1, paused=True))
    assert world.told() == ["310 IN", "200 astcti"]
    assert world.link.open == []


def test_an_addition_that_asterisk_did_not_show_is_still_ours_at_the_reconciliation(world):
    world.arrive()
    world.link.answer(message="Added interface to queue")
    world.wheel.advance(5.0)
    world.status()
    world.reconciler.left(1, at_once=True)
    world.link.answer(ok=False, failure="timeout")
    world.wheel.advance(295.0)
    world.status()
    assert world.link.names == ["QueueRemove"], "Asterisk said that it added it"
    assert world.members_kept == {("astcti", PHONE): "mario"}


def test_an_arrival_after_the_stop_is_ignored(mario):
    mario.reconciler.stop(lambda: None)
    mario.arrive(2, "luigi", "PJSIP/202")
    assert mario.told(2) == []
    assert mario.link.names == ["QueueRemove"]


def test_an_event_while_the_link_is_down_is_not_believed(mario):
    mario.go_down()
    mario.event("removed")
    mario.come_up(list_entry("astcti", PHONE, penalty=1))
    assert mario.told() == []


def test_who_ends_his_session_for_a_second_time_has_ended_it(mario):
    mario.reconciler.left(1, at_once=False)
    mario.reconciler.left(1, at_once=False)
    mario.wheel.advance(9.9)
    mario.reconciler.left(1, at_once=True)
    mario.removed()
    mario.wheel.advance(60.0)
    assert mario.link.open == []


def test_the_interval_of_the_reconciliation_changes_with_the_configuration(mario):
    often = replace(settings(), queues=QueueSettings(reconcile=20.0))
    mario.reconciler.configure(configuration(), often)
    for _ in range(2):
        mario.wheel.advance(20.0)
        mario.status(list_entry("astcti", PHONE, penalty=1))


def test_an_answer_to_a_reading_of_a_lost_link_does_not_count(tmp_path):
    world = World(tmp_path, up=False)
    world.reconciler.link_up()
    late = world.link.open[0]
    world.reconciler.link_down()
    world.arrive()
    late.done(ActionOutcome(True, "", events=(list_entry("astcti", PHONE),)))
    assert world.told() == ["310 OUT"]
    assert world.link.names == ["QueueStatus"]


def test_a_member_found_in_a_queue_that_the_configuration_names_anew_keeps_its_pause(mario):
    mario.go_down()
    both = configuration(service("astcti", ("mario", 1)), service("sales", ("mario", 1)))
    mario.reconciler.configure(both, settings())
    mario.come_up(list_entry("astcti", PHONE, penalty=1), list_entry("sales", PHONE, penalty=1, paused=True))
    mario.wheel.advance()
    assert mario.told() == ["310 IN", "200 sales"]
    assert mario.link.open == []
