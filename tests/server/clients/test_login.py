"""The handshake and the login, over a real socket."""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Callable

import pytest

from astcti_server.clients.conversation import Conversation
from astcti_server.clients.session import Session
from astcti_server.logs import name_thread
from schemas import passwords
from schemas.configuration.model import Configuration, Operator
from tests.fake.clock import FakeClock
from tests.fake.line_client import LineClient, md5
from tests.fake.listening_server import ANNA, CONFIGURATION, MARIO, SEAT_1, SEAT_2, SEAT_3, ListeningServer
from tests.fake.patience import PATIENCE

WRONG = "101 KO unknown user or wrong password"


def changed(**parts: object) -> Configuration:
    return dataclasses.replace(CONFIGURATION, **parts)  # type: ignore[arg-type]


def welcomed(server: ListeningServer) -> LineClient:
    client = server.client()
    assert client.hear() == "100 WELCOME"
    return client


def test_the_handshake_of_the_specification_seats_an_operator_who_has_a_seat() -> None:
    with ListeningServer() as server, server.client() as client:
        assert client.hear() == "100 WELCOME"
        assert client.ask("USER mario") == "100 OK"
        assert client.ask(f"PASS {md5('rosso')}") == "102 OK"
        presence = server.requests.next_arrival()
        assert (presence.username, presence.full_name) == ("mario", "Mario Rossi")
        assert presence.extension == "PJSIP/201"
        assert (presence.queue_interface, presence.state_interface) == ("PJSIP/201", "")
        assert server.registry.seated_operators == {"PJSIP/201": "mario"}


def test_the_password_may_be_written_in_capitals_and_lines_may_end_like_on_windows() -> None:
    with ListeningServer() as server, welcomed(server) as client:
        client.say_bytes(b"user mario\r\n")
        assert client.hear() == "100 OK"
        client.say_bytes(f"pass {md5('rosso').upper()}\r\n".encode())
        assert client.hear() == "102 OK"


def test_a_scrypt_password_logs_in_with_the_same_md5() -> None:
    with ListeningServer() as server, welcomed(server) as client:
        mario = dataclasses.replace(MARIO, password=passwords.make_stored_password("rosso"))
        server.requests.in_force = changed(operators=(mario, ANNA))
        client.ask("USER mario")
        assert client.ask(f"PASS {md5('rosso')}") == "102 OK"


@pytest.mark.parametrize("before", [True, False])
def test_an_operator_without_a_seat_gets_the_one_of_his_pc_before_or_after_the_login(before: bool) -> None:
    with ListeningServer() as server, welcomed(server) as client:
        lines = ["USER anna", f"PASS {md5('verde')}"]
        lines.insert(0 if before else 2, f"MAC {SEAT_2.upper().replace(':', '-')}")
        answers = [client.ask(line) for line in lines]
        assert answers == (
            ["100 OK SIP/202", "100 OK", "102 OK"] if before else ["100 OK", "102 OK", "100 OK SIP/202"]
        )
        presence = server.requests.next_arrival()
        assert (presence.extension, presence.queue_interface) == ("SIP/202", "Local/202@agents/n")
        assert (presence.state_interface, presence.begin_in_pause) == ("SIP/202", True)
        assert server.registry.with_id(presence.session_id) in server.registry.sessions()


def test_an_operator_without_a_seat_is_logged_in_but_nowhere_until_the_seat_is_known() -> None:
    with ListeningServer() as server, welcomed(server) as client:
        assert client.ask("USER anna") == "100 OK"
        assert client.ask(f"PASS {md5('verde')}") == "102 OK"
        assert client.ask("ORIG 1 other 1") == "101 KO no seat: MAC first"
        assert client.ask("PAUSE IN") == "101 KO no seat: MAC first"
        assert client.ask("REASONS") == "230 Lunch break"
        assert server.registry.seated_operators == {}
        assert server.registry.count == 1
        assert server.requests.arrivals.empty()


@pytest.mark.parametrize(
    "mac", ["00:11:22:33:44:99", "00:11:22:33:44", "hello", "00:11:22-33:44:01", "", "a b"]
)
def test_an_unknown_or_malformed_mac_is_refused_and_another_one_may_follow(mac: str) -> None:
    with ListeningServer() as server, welcomed(server) as client:
        assert client.ask(f"MAC {mac}").startswith("101 KO ")
        assert client.ask(f"MAC {SEAT_2}") == "100 OK SIP/202"


def test_an_operator_bound_to_a_seat_is_refused_at_another_pc_whenever_it_says_so() -> None:
    with ListeningServer() as server:
        with welcomed(server) as client:
            assert client.ask(f"MAC {SEAT_2}") == "100 OK SIP/202"
            assert client.ask("USER mario") == "100 OK"
            assert client.ask(f"PASS {md5('rosso')}") == "101 KO this is not your seat"
            assert client.ask(f"MAC {SEAT_1}") == "100 OK PJSIP/201"
        with server.seated() as client:
            assert client.ask(f"MAC {SEAT_2}") == "101 KO already at PJSIP/201"
            assert client.ask(f"MAC {SEAT_1}") == "100 OK PJSIP/201"


def test_an_operator_whose_seat_was_fixed_meanwhile_is_refused_at_another_one() -> None:
    with ListeningServer() as server, server.client() as client:
        assert client.log_in("anna", "verde") == "102 OK"
        assert client.ask("NOOP") == "100 OK"  # the login is over: it looks at the configuration once more
        server.requests.in_force = changed(operators=(MARIO, dataclasses.replace(ANNA, seat=SEAT_2)))
        assert client.ask(f"MAC {SEAT_1}") == "101 KO this is not your seat"
        assert client.ask(f"MAC {SEAT_2}") == "100 OK SIP/202"


def test_a_seat_with_an_address_is_refused_from_another_one_and_given_from_its_own() -> None:
    with ListeningServer() as server, welcomed(server) as client:
        assert client.ask(f"MAC {SEAT_3}") == "101 KO this seat has another address"
        *others, seat = CONFIGURATION.seats
        here = dataclasses.replace(seat, address="127.0.0.1")
        server.requests.in_force = changed(seats=(*others, here))
        assert client.ask(f"MAC {SEAT_3}") == "100 OK SIP/203"


def test_an_operator_bound_to_a_seat_with_an_address_cannot_log_in_from_another_one() -> None:
    with ListeningServer() as server, welcomed(server) as client:
        server.requests.in_force = changed(operators=(dataclasses.replace(MARIO, seat=SEAT_3),))
        client.ask("USER mario")
        assert client.ask(f"PASS {md5('rosso')}") == "101 KO this seat has another address"
        assert server.registry.count == 0


@pytest.mark.parametrize(
    ("username", "password"),
    [("mario", "verde"), ("nobody", "rosso"), ("luca", "bianco"), ("MARIO", "rosso")],
)
def test_unknown_disabled_and_wrong_password_are_refused_in_the_same_words(
    username: str, password: str
) -> None:
    with ListeningServer() as server, welcomed(server) as client:
        assert client.ask(f"USER {username}") == "100 OK"
        assert client.ask(f"PASS {md5(password)}") == WRONG
        assert server.requests.arrivals.empty()


def test_an_unknown_user_costs_as_much_computing_as_a_known_one() -> None:
    """Counts the scrypt computations instead of measuring time, which a busy machine would spoil."""
    with ListeningServer() as server:
        operators = tuple(
            Operator(f"agent{number}", "", passwords.make_stored_password("x"), seat="")
            for number in range(2)
        )
        server.requests.in_force = changed(operators=operators)
        computed = []

        class Counting(passwords.PasswordChecker):
            def matches(self, stored: str, md5_hex: str) -> bool:
                computed.append(passwords.parse_stored_password(stored))
                return super().matches(stored, md5_hex)

        object.__setattr__(server.context, "passwords", Counting())
        for username in ("agent0", "nobody"):
            with welcomed(server) as client:
                client.ask(f"USER {username}")
                assert client.ask(f"PASS {md5('wrong')}") == WRONG
        known, unknown = computed
        assert isinstance(known, passwords.Scrypt)
        assert isinstance(unknown, passwords.Scrypt)
        assert known[:3] == unknown[:3]
        of_operators = [passwords.parse_stored_password(operator.password) for operator in operators]
        assert unknown.digest not in {
            stored.digest for stored in of_operators if isinstance(stored, passwords.Scrypt)
        }


@pytest.mark.parametrize(
    "line",
    ["PASS", "PASS x", "PASS " + "g" * 32, "PASS " + "a" * 33, f"PASS {md5('a')} b", "USER", "USER a b"],
)
def test_malformed_logins_are_refused(line: str) -> None:
    with ListeningServer() as server, welcomed(server) as client:
        assert client.ask("USER mario") == "100 OK"
        assert client.ask(line).startswith("101 KO ")
        assert client.ask(f"PASS {md5('rosso')}") == "102 OK"


def test_commands_in_the_wrong_order_are_refused() -> None:
    with ListeningServer() as server, welcomed(server) as client:
        assert client.ask(f"PASS {md5('rosso')}") == "101 KO USER first"
        for line in ("PAUSE IN", "ORIG 1 outbound 1", "SERVICES", "REASONS", "HANGUP 1", "TRANSFER 1 2 x"):
            assert client.ask(line) == "101 KO log in first"
        assert client.ask("USER mario") == "100 OK"
        assert client.ask(f"PASS {md5('rosso')}") == "102 OK"
        assert client.ask("USER mario") == "101 KO already logged in"
        assert client.ask(f"PASS {md5('rosso')}") == "101 KO already logged in"


def test_the_capabilities_are_told_before_and_after_the_login() -> None:
    with ListeningServer(keep_alive=60.0) as server, welcomed(server) as client:
        expected = (
            "110 CAPA MAC SERVICES REASONS HANGUP TRANSFER WHO TARGETS QUEUES COLLEAGUES CONSULT"
            " WHY DIALLING RESUME SCRAM KEEPALIVE=60"
        )
        assert client.ask("CAPA") == expected
        client.ask("USER mario")
        client.ask(f"PASS {md5('rosso')}")
        assert client.ask("capa") == expected


def test_while_the_pbx_is_down_the_login_works_and_says_so_after_102() -> None:
    with ListeningServer() as server, welcomed(server) as client:
        server.requests.up = False
        client.ask("USER mario")
        assert client.ask(f"PASS {md5('rosso')}") == "102 OK"
        assert client.hear() == "901 PBX DOWN"
        assert client.ask("NOOP") == "100 OK"


def test_the_seat_after_the_login_does_not_say_again_that_the_pbx_is_down() -> None:
    with ListeningServer() as server, welcomed(server) as client:
        server.requests.up = False
        client.ask("USER anna")
        assert client.ask(f"PASS {md5('verde')}") == "102 OK"
        assert client.hear() == "901 PBX DOWN"
        assert client.ask(f"MAC {SEAT_2}") == "100 OK SIP/202"
        assert client.ask("NOOP") == "100 OK"


def test_too_many_failed_logins_end_the_connection() -> None:
    clock = FakeClock()
    with ListeningServer(clock=clock, login_failures=2) as server, welcomed(server) as client:
        client.ask("USER mario")
        assert client.ask(f"PASS {md5('wrong')}") == WRONG
        client.ask("USER luigi")
        client.say(f"PASS {md5('wrong')}")
        assert client.hear_all() == [WRONG]


def test_a_failure_slows_the_next_attempt_for_that_user_and_address_and_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, slowed = FakeClock(), threading.Event()
    later = Conversation.later

    def wait_as_usual(conversation: Conversation, seconds: float, work: Callable[[], bytes | None]) -> None:
        later(conversation, seconds, work)
        slowed.set()

    monkeypatch.setattr(Conversation, "later", wait_as_usual)
    with ListeningServer(clock=clock) as server, welcomed(server) as client, welcomed(server) as other:
        client.ask("USER mario")
        assert client.ask(f"PASS {md5('wrong')}") == WRONG
        client.say(f"PASS {md5('rosso')}", "NOOP")
        assert slowed.wait(PATIENCE)
        assert other.ask("USER anna") == "100 OK"
        assert other.ask(f"PASS {md5('verde')}") == "102 OK"
        assert [session.username for session in server.registry.sessions()] == ["anna"]
        client.socket.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.hear()
        client.socket.settimeout(PATIENCE)
        clock.go_on(0.6)
        server.listener.limits_changed()
        assert client.hear() == "102 OK"
        assert client.hear() == "100 OK"


def test_a_client_that_does_not_log_in_in_time_is_cut() -> None:
    clock = FakeClock()
    with ListeningServer(clock=clock, login_time=15.0) as server, welcomed(server) as client:
        clock.go_on(14)
        assert client.ask("NOOP") == "100 OK"
        clock.go_on(1)
        server.listener.limits_changed()
        assert client.hear_all() == ["101 KO login time expired"]


def test_the_time_to_log_in_does_not_bother_those_who_did() -> None:
    clock = FakeClock()
    with ListeningServer(clock=clock, login_time=15.0, keep_alive=60.0) as server, server.seated() as client:
        clock.go_on(20)
        assert client.ask("NOOP") == "100 OK"


def test_a_second_login_of_an_operator_takes_the_first_over_once_its_password_is_right() -> None:
    with ListeningServer() as server, server.seated() as first, welcomed(server) as second:
        old = server.requests.next_arrival()
        second.ask("USER mario")
        assert second.ask(f"PASS {md5('wrong')}") == WRONG
        assert first.ask("NOOP") == "100 OK"
        assert second.ask(f"PASS {md5('rosso')}") == "102 OK"
        assert first.hear_all() == ["910 BYE TAKEOVER mario logged in at 127.0.0.1"]
        new = server.requests.next_arrival()
        assert new.session_id > old.session_id
        assert server.requests.next_departure() == (old.session_id, True)
        assert server.requests.log_outs.empty(), "the pause goes on"
        assert server.registry.seated_operators == {"PJSIP/201": "mario"}
        assert second.ask("NOOP") == "100 OK"


def test_the_later_login_has_the_larger_id_although_it_was_connected_first() -> None:
    with ListeningServer() as server, welcomed(server) as patient, server.seated() as quick:
        first = server.requests.next_arrival()
        patient.ask("USER mario")
        assert patient.ask(f"PASS {md5('rosso')}") == "102 OK"
        assert quick.hear_all()[0].startswith("910 BYE TAKEOVER")
        assert server.requests.next_arrival().session_id > first.session_id


def test_a_seat_is_taken_over_by_the_operator_who_sits_down_there_later() -> None:
    with ListeningServer() as server, welcomed(server) as anna:
        anna.ask("USER anna")
        assert anna.ask(f"PASS {md5('verde')}") == "102 OK"
        with server.seated() as mario:
            first = server.requests.next_arrival()
            assert anna.ask(f"MAC {SEAT_1}") == "100 OK PJSIP/201"
            assert mario.hear_all() == ["910 BYE TAKEOVER anna logged in at 127.0.0.1"]
            assert server.requests.next_arrival().session_id > first.session_id
        assert server.registry.seated_operators == {"PJSIP/201": "anna"}


def test_the_password_never_reaches_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with ListeningServer() as server, welcomed(server) as client:
        client.ask("USER mario")
        for line in (f"PASS {md5('wrong')}", f"PASSWORD {md5('rosso')}", f"PASS  x {md5('rosso')}"):
            client.ask(line)
        server.context.login_throttle.succeeded("127.0.0.1", "mario")
        assert client.ask(f"PASS {md5('rosso')}") == "102 OK"
    assert "USER 'mario'" in caplog.text
    assert md5("rosso") not in caplog.text
    assert md5("wrong") not in caplog.text


def test_a_session_is_logged_once_when_it_opens_and_once_when_it_closes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    with ListeningServer(clock=FakeClock()) as server:
        with server.seated() as client:
            client.ask("QUIT")
        server.requests.next_departure()
    lines = [record.getMessage() for record in caplog.records]
    assert lines == [
        "client-1: connected from 127.0.0.1",
        "client-1: closed mario at PJSIP/201 after 0 s: quit",
    ]


def test_each_line_of_the_log_names_the_thread_that_speaks(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    caplog.handler.addFilter(name_thread)
    try:
        with ListeningServer() as server, server.seated() as client:
            client.ask("QUIT")
            server.requests.next_departure()
        logging.info("Everybody is gone")
    finally:
        caplog.handler.removeFilter(name_thread)
    names = [(record.getMessage().partition(":")[0], record.threadName) for record in caplog.records]
    here = threading.current_thread().name
    assert names == [("client-1", "client-1"), ("client-1", "client-1"), ("Everybody is gone", here)]


def test_a_login_that_met_a_new_configuration_half_way_is_judged_by_that() -> None:
    with ListeningServer() as server, welcomed(server) as client:
        disabled = changed(operators=(dataclasses.replace(MARIO, enabled=False), ANNA))
        take = server.registry.take

        def take_and_reload(session: Session) -> list[Session]:
            server.requests.in_force = disabled
            return take(session)

        server.registry.take = take_and_reload  # type: ignore[method-assign]
        client.ask("USER mario")
        assert client.ask(f"PASS {md5('rosso')}") == "102 OK"
        assert client.hear_all() == ["910 BYE DISABLED this operator was disabled"]
