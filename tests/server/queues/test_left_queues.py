"""One queue is left and joined again while the operator stays logged in."""

from __future__ import annotations

from dataclasses import replace

from astcti_server.clients.ports import Presence
from schemas.configuration.model import Configuration
from schemas.protocol import Refusal
from tests.fake.queue_link import list_entry
from tests.fake.queue_world import PHONE, World, configuration, service, settings

SALES = replace(service("sales", ("mario", 0)), may_leave=True)
SUPPORT = service("support", ("mario", 0))
BOTH = configuration(SALES, SUPPORT)


class Team(World):
    """An operator in a queue that may be left and in one that may not."""

    def __init__(self, in_force: Configuration = BOTH, *members: object) -> None:
        super().__init__(up=False)
        self.reconciler.configure(in_force, settings())
        self.come_up(*members)
        self.answers: list[str] = []

    def ask(self, key: str, inside: bool, presence: Presence | None = None) -> str:
        """What a client hears of its wish."""
        self.reconciler.ask_queue(presence or self.person, key, inside, self.answer)
        self.wheel.advance()
        return self.answers.pop()

    def answer(self, reason: str, *, unchecked: bool = False) -> None:
        self.answers.append(reason)

    def sit_down(self) -> Team:
        self.arrive()
        self.added("sales", penalty=0)
        self.added("support", penalty=0)
        assert self.told() == ["310 OUT", "200 sales", "200 support"]
        return self


def test_who_wants_out_of_a_queue_is_out_and_stays_out_until_he_wants_in_again() -> None:
    team = Team().sit_down()
    assert team.ask("sales", False) == ""
    team.removed("sales")
    assert team.told() == ["210 sales"]
    team.go_down()
    team.come_up()  # Asterisk was restarted and knows nobody: only the queue that is wanted is joined
    assert team.told() == ["210 support"]
    team.added("support", penalty=0)
    assert team.told() == ["200 support"]
    assert not team.link.open
    assert team.ask("sales", True) == ""
    team.added("sales", penalty=0)
    assert team.told() == ["200 sales"]


def test_what_is_asked_while_the_pbx_is_down_is_done_once_it_is_back() -> None:
    team = Team().sit_down()
    team.go_down()
    assert team.ask("sales", False) == ""
    team.come_up()
    team.added("support", penalty=0)
    assert "200 sales" not in team.told()
    assert not team.link.open


def test_a_queue_stays_left_over_a_lost_connection_however_long() -> None:
    for grace_over in (False, True):
        team = Team().sit_down()
        team.ask("sales", False)
        team.removed("sales")
        team.told()
        team.reconciler.left(1, at_once=False)
        if grace_over:
            team.wheel.advance(11.0)
            team.removed("support")
        team.arrive(session_id=2)
        if grace_over:
            team.added("support", penalty=0)
        assert sorted(team.told(2)) == ["200 support", "210 sales", "310 OUT"], grace_over
        assert not team.link.open


def test_a_queue_stays_left_over_a_restart_of_the_server() -> None:
    team = Team().sit_down()
    team.ask("sales", False)
    team.removed("sales")
    team.kill_server(BOTH)
    team.come_up(list_entry("support", PHONE, penalty=0))
    team.arrive(session_id=2)
    assert sorted(team.told(2)) == ["200 support", "210 sales", "310 OUT"]
    assert not team.link.open, "he was never in it, not even for a moment"
    assert team.ask("sales", True) == ""
    team.added("sales", penalty=0)
    team.kill_server(BOTH)
    team.come_up(list_entry("support", PHONE, penalty=0), list_entry("sales", PHONE, penalty=0))
    team.arrive(session_id=3)
    assert sorted(team.told(3)) == ["200 sales", "200 support", "310 OUT"]


def test_a_queue_that_was_left_is_forgotten_half_a_day_after_its_operator_was_there_last() -> None:
    team = Team().sit_down()
    team.ask("sales", False)
    team.removed("sales")
    for _hour in range(20):  # a long shift
        team.wheel.advance(3600.0)
    team.kill_server(BOTH)
    assert team.state.load().left["mario"].keys == {"sales"}
    team.wheel.advance(13 * 3600.0)
    team.come_up()
    team.wheel.advance(5.0)
    assert not team.state.load().left


def test_logging_out_ends_it_in_the_state_file() -> None:
    team = Team().sit_down()
    team.ask("sales", False)
    assert team.state.load().left
    team.reconciler.logged_out(1)
    team.wheel.advance()
    assert not team.state.load().left


def test_who_logs_out_and_in_again_is_in_again() -> None:
    team = Team().sit_down()
    team.ask("sales", False)
    team.removed("sales")
    team.reconciler.logged_out(1)
    team.reconciler.left(1, at_once=True)
    team.removed("support")
    team.arrive(session_id=2)
    team.added("sales", penalty=0)
    team.added("support", penalty=0)
    assert team.told(2) == ["310 OUT", "200 sales", "200 support"]


def test_a_session_that_ends_before_the_one_that_takes_it_over_begins_keeps_the_wish() -> None:
    team = Team().sit_down()
    team.ask("sales", False)
    team.removed("sales")
    team.reconciler.left(1, at_once=True)
    team.removed("support")
    team.arrive(session_id=2)
    team.added("support", penalty=0)
    assert team.told(2) == ["310 OUT", "210 sales", "200 support"]


def test_after_half_a_day_nobody_is_out_of_a_queue_that_he_left() -> None:
    team = Team().sit_down()
    team.ask("sales", False)
    team.removed("sales")
    team.reconciler.left(1, at_once=False)
    team.wheel.advance(11.0)
    team.removed("support")
    team.wheel.advance(13 * 3600.0)
    team.link.open.clear()  # the state was read again each quarter of an hour
    team.arrive(session_id=2)
    assert team.link.names == ["QueueAdd", "QueueAdd"]


def test_a_configuration_that_allows_it_no_more_puts_everybody_in_again() -> None:
    team = Team().sit_down()
    team.ask("sales", False)
    team.removed("sales")
    team.told()
    team.reconciler.configure(configuration(replace(SALES, may_leave=False), SUPPORT), settings())
    team.wheel.advance()
    team.added("sales", penalty=0)
    assert team.told() == ["200 sales"]
    team.reconciler.configure(BOTH, settings())  # allowed again: nobody is thrown out
    assert not team.link.open


def test_who_joins_again_in_a_pause_joins_in_pause() -> None:
    team = Team().sit_down()
    team.ask("sales", False)
    team.removed("sales")
    team.reconciler.pause(team.person, True, "Lunch", lambda step, text: None)
    team.link.answer()
    team.event("paused", "support", paused=True, reason="Lunch")
    team.ask("sales", True)
    sent = team.added("sales", penalty=0, paused=True)
    assert sent.headers["Paused"] == "true"


def test_a_member_of_asterisks_own_configuration_cannot_leave() -> None:
    team = Team()
    team.event("added", "sales", membership="static", paused=False)
    team.arrive()
    team.event("added", "sales", membership="static", paused=False, penalty=0)
    assert team.ask("sales", False) == Refusal.FIXED_MEMBER.text()


def test_a_session_that_was_taken_over_changes_nothing() -> None:
    team = Team().sit_down()
    old = team.person
    team.arrive(session_id=2)
    assert team.ask("sales", False, old) == Refusal.NOT_AT_A_SEAT.text()
    assert not team.link.open


def test_a_queue_of_two_services_may_be_left_only_where_both_allow_it() -> None:
    for both in (False, True):
        second = replace(SALES, name="Sales abroad", context="abroad", may_leave=both)
        queue = configuration(SALES, second).queues_of("mario")["sales"]
        assert (queue.may_leave, queue.services) == (both, ("sales", "Sales abroad"))
