"""What one operator may ask of Asterisk is bounded; what is going on stays."""

from __future__ import annotations

import pytest

from astcti_server.clients import command_allowance
from astcti_server.clients.command_allowance import CommandAllowance
from astcti_server.clients.ports import NotCarriedOut
from schemas.server.settings import ClientSettings
from tests.fake.clock import FakeClock
from tests.fake.listening_server import SEAT_2, ListeningServer

LIMITS = ClientSettings(command_burst=3, command_rate=0.5)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def allowance(clock: FakeClock) -> CommandAllowance:
    return CommandAllowance(clock)


def taken(allowance: CommandAllowance, username: str, times: int) -> int:
    """How many of so many commands are allowed."""
    for number in range(times):
        try:
            allowance.take(username, LIMITS)
        except NotCarriedOut:
            return number
    return times


def test_so_many_at_once_and_then_so_many_a_second(allowance: CommandAllowance, clock: FakeClock) -> None:
    assert taken(allowance, "mario", 10) == 3
    clock.go_on(4.0)
    assert taken(allowance, "mario", 10) == 2
    clock.go_on(1000.0)
    assert taken(allowance, "mario", 10) == 3


def test_the_refusal_says_when_to_try_again(allowance: CommandAllowance) -> None:
    taken(allowance, "mario", 3)
    with pytest.raises(NotCarriedOut, match="too many commands: try again in 2 s"):
        allowance.take("mario", LIMITS)


def test_operators_do_not_share_it(allowance: CommandAllowance) -> None:
    assert taken(allowance, "mario", 10) == 3
    assert taken(allowance, "anna", 10) == 3


def test_what_is_remembered_of_operators_is_bounded(
    allowance: CommandAllowance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_allowance, "REMEMBERED", 2)
    assert [taken(allowance, name, 10) for name in ("mario", "anna", "luca", "mario")] == [3, 3, 3, 3]
    assert taken(allowance, "luca", 10) == 0


def test_a_flood_of_commands_is_refused_also_over_a_new_connection() -> None:
    with ListeningServer(clock=FakeClock()) as server:
        server.limit(command_burst=3)
        with server.seated() as client:
            for line in ("ORIG 0551234 outbound 1", "HANGUP 1.1", "TRANSFER 1.1 200 astctidemo"):
                client.say(line)
                server.requests.next_request().answer("")
                assert client.hear() == "100 OK"
            client.say("ORIG 0551234 outbound 1", "HANGUP 1.1", "TRANSFER 1.1 200 astctidemo", "PAUSE OUT")
            refused = "KO too many commands: try again in 1 s"
            assert [client.hear() for _ in range(4)] == [f"101 {refused}"] * 3 + [f"302 {refused}"]
            assert client.ask("NOOP") == "100 OK"
        with server.seated() as client, server.seated("anna", "verde", SEAT_2) as other:
            assert client.ask("PAUSE IN Lunch") == f"302 {refused}"
            other.say("PAUSE IN Lunch")
            server.requests.next_request().answer("done", "")
            assert other.hear() == "300 OK"
            assert server.requests.requests.empty()
