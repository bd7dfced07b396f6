"""What a seated operator can ask for, and in which order the answers come."""

from __future__ import annotations

import dataclasses

import pytest

from astcti_server.clients.conversation import ANSWER_TIME, MAX_BAD_LINES
from astcti_server.explain.explanations import Explanation
from schemas.configuration.model import Configuration
from schemas.explanation.codes import TrailStep, Verdict
from schemas.explanation.lines import ExplanationLine, verdict
from schemas.protocol import Refusal
from schemas.server.settings import OriginateSettings
from tests.fake.clock import FakeClock
from tests.fake.fake_requests import Request
from tests.fake.line_client import LineClient
from tests.fake.listening_server import CONFIGURATION, SEAT_1, SEAT_2, ListeningServer
from tests.fake.patience import PATIENCE


def asked(server: ListeningServer, client: LineClient, line: str) -> Request:
    client.say(line)
    return server.requests.next_request()


def test_noop_is_answered() -> None:
    with ListeningServer() as server, server.seated() as client:
        assert client.ask("NOOP") == "100 OK"
        assert client.ask("noop ") == "100 OK"


def test_quit_is_answered_and_leaves_for_good() -> None:
    with ListeningServer() as server, server.seated() as client:
        presence = server.requests.next_arrival()
        client.say("QUIT", "NOOP")
        assert client.hear_all() == ["900 OK"]
        assert server.requests.next_departure() == (presence.session_id, True)
        assert server.requests.log_outs.get_nowait() == presence.session_id
        assert server.registry.count == 0


def test_a_client_that_hangs_up_may_come_back() -> None:
    with ListeningServer() as server:
        with server.seated():
            presence = server.requests.next_arrival()
        assert server.requests.next_departure() == (presence.session_id, False)


def test_lines_sent_before_hanging_up_are_still_carried_out() -> None:
    with ListeningServer() as server, server.seated() as client:
        presence = server.requests.next_arrival()
        client.say("NOOP", "QUIT")
        client.close()
        assert server.requests.next_departure() == (presence.session_id, True)


@pytest.mark.parametrize(
    "line", ["ORIG 0551234 outbound 1", "orig 0551234|outbound|1", "ORIG  0551234  outbound\t1"]
)
def test_orig_calls_from_the_operators_phone(line: str) -> None:
    with ListeningServer() as server, server.seated() as client:
        request = asked(server, client, line)
        assert (request.name, request.arguments) == ("originate", ("0551234", "outbound", 1))
        assert request.presence.extension == "PJSIP/201"
        request.answer("")
        assert client.hear() == "100 OK"


def test_orig_begins_at_priority_1_unless_the_settings_allow_any() -> None:
    with ListeningServer() as server, server.seated() as client:
        assert client.ask("ORIG 0551234 outbound 2") == "101 KO only priority 1 may be called"
        settings = server.requests.server_settings
        server.requests.server_settings = dataclasses.replace(
            settings, originate=OriginateSettings(any_priority=True)
        )
        assert asked(server, client, "ORIG 0551234 outbound 2").arguments == ("0551234", "outbound", 2)


def test_orig_tells_why_asterisk_did_not_call() -> None:
    with ListeningServer() as server, server.seated() as client:
        asked(server, client, "ORIG 0551234 outbound 1").answer("Extension does not exist.\r\n100 OK")
        assert client.hear() == "101 KO Extension does not exist.  100 OK"
        assert client.ask("NOOP") == "100 OK"


@pytest.mark.parametrize(
    "line",
    [
        "ORIG",
        "ORIG 1 outbound",
        "ORIG 1 outbound 1 1",
        "ORIG 1|outbound",
        "ORIG 1|outbound|1|2",
        "ORIG |outbound|1",
        "ORIG 1||1",
        "ORIG 05-1234 outbound 1",
        "ORIG " + "1" * 41 + " outbound 1",
        "ORIG ١ outbound 1",
        "ORIG 1 outbound 0",
        "ORIG 1 outbound x",
        "ORIG 1 outbound -1",
        "ORIG 1 outbound 99999",
        "ORIG 1 outbound ١",
        "ORIG 1 astctidemo 1",
        "ORIG 1 closed 1",
        "ORIG 1 other 1",
        "ORIG 1 Outbound 1",
        "ORIG 1 nowhere 1",
        "HANGUP",
        "HANGUP 1 2",
        "HANGUP é",
        "TRANSFER",
        "TRANSFER 1.1 2",
        "TRANSFER 1.1 2 astctidemo 1",
        "TRANSFER 1.1 2;3 astctidemo",
        "TRANSFER 1.1 2 elsewhere",
        "TRANSFER 1.1 2 closed",
        "PAUSE",
        "PAUSE MAYBE",
        "PAUSE OUT lunch",
        "SERVICES x",
        "TARGETS x",
        "REASONS x",
        "NOOP x",
        "CAPA x",
        "QUIT x",
        "DANCE",
    ],
)
def test_what_is_malformed_or_not_allowed_is_refused_and_nothing_else_happens(line: str) -> None:
    with ListeningServer() as server, server.seated() as client:
        assert client.ask(line).startswith("101 KO ")
        assert client.ask("NOOP") == "100 OK"
        assert server.requests.requests.empty()


def test_hangup_asks_for_the_operators_own_leg() -> None:
    with ListeningServer() as server, server.seated() as client:
        request = asked(server, client, "HANGUP pbx-1795430727.1")
        assert (request.name, request.arguments) == ("hangup", ("pbx-1795430727.1",))
        request.answer("not a call of yours")
        assert client.hear() == "101 KO not a call of yours"


@pytest.mark.parametrize("context", ["astctidemo", "backoffice"])
def test_a_call_may_be_transferred_to_own_services_and_to_what_the_server_allows(context: str) -> None:
    with ListeningServer() as server, server.seated() as client:
        settings = server.requests.server_settings
        server.requests.server_settings = dataclasses.replace(settings, transfer=("backoffice",))
        request = asked(server, client, f"TRANSFER 1.1 *203# {context}")
        assert (request.name, request.arguments) == ("transfer", ("1.1", "*203#", context))
        request.answer("")
        assert client.hear() == "100 OK"


@pytest.mark.parametrize(
    ("listed", "offered"),
    [
        ((), ["222 astctidemo Demo"]),
        (("backoffice",), ["222 astctidemo Demo", "222 backoffice backoffice"]),
        (("outbound", "other"), ["222 astctidemo Demo", "222 outbound Outside line", "222 other other"]),
    ],
)
def test_what_is_offered_for_transfers_is_what_a_transfer_takes(
    listed: tuple[str, ...], offered: list[str]
) -> None:
    with ListeningServer() as server, server.seated() as client:
        settings = server.requests.server_settings
        server.requests.server_settings = dataclasses.replace(settings, transfer=listed)
        client.say("TARGETS", "NOOP")
        assert [client.hear() for _ in range(len(offered) + 2)] == [*offered, "222 END", "100 OK"]
        taken = {line.split()[1] for line in offered}
        for context in ("astctidemo", "outbound", "closed", "other", "backoffice"):
            client.say(f"TRANSFER 1.1 203 {context}")
            if context in taken:
                server.requests.requests.get(timeout=PATIENCE).answer("")
            assert client.hear().startswith("100 OK" if context in taken else "101 KO")


def test_a_context_that_another_operator_calls_out_through_is_not_offered() -> None:
    with ListeningServer() as server, server.seated() as client:
        assert client.ask("NOOP") == "100 OK"  # the login is over
        out = dataclasses.replace(server.requests.in_force.services[-1], context="astctidemo")
        services = (*server.requests.in_force.services, out)
        server.requests.in_force = dataclasses.replace(server.requests.in_force, services=services)
        assert client.ask("TARGETS") == "222 END"


@pytest.mark.parametrize("context", ["outbound", "closed", "other"])
def test_a_call_goes_into_an_outbound_service_only_if_the_server_names_it_for_transfers(context: str) -> None:
    with ListeningServer() as server, server.seated() as client:
        line = f"TRANSFER 1.1 0551234 {context}"
        assert client.ask(line) == "101 KO calls may not be transferred into this outbound service"
        settings = server.requests.server_settings
        server.requests.server_settings = dataclasses.replace(settings, transfer=(context,))
        assert asked(server, client, line).arguments == ("1.1", "0551234", context)


def test_a_transfer_whose_target_could_not_be_checked_says_so() -> None:
    with ListeningServer() as server, server.seated() as client:
        asked(server, client, "TRANSFER 1.1 203 astctidemo").answer("", unchecked=True)
        assert client.hear() == "100 OK unchecked"


@pytest.mark.parametrize("place", ["h", "i", "t", "e", "T"])
def test_places_of_the_dialplan_are_no_numbers(place: str) -> None:
    reply = "101 KO h, i, t, e and T are places of the dialplan, not numbers"
    with ListeningServer() as server, server.seated() as client:
        assert client.ask(f"ORIG {place} outbound 1") == reply
        assert client.ask(f"TRANSFER 1.1 {place} astctidemo") == reply
        assert server.requests.requests.empty()


@pytest.mark.parametrize("line", ["ORIG 1 outbound 1", "HANGUP 1.1", "TRANSFER 1.1 2 astctidemo"])
def test_while_the_pbx_is_down_calls_are_refused(line: str) -> None:
    with ListeningServer() as server, server.seated() as client:
        server.requests.up = False
        assert client.ask(line) == "101 KO PBX down"
        assert server.requests.requests.empty()


def test_the_services_of_the_operator_are_listed() -> None:
    with ListeningServer() as server, server.seated() as client:
        client.say("SERVICES", "NOOP")
        assert [client.hear() for _ in range(4)] == [
            "220 inbound astctidemo Demo",
            "220 outbound outbound Outside line",
            "220 END",
            "100 OK",
        ]


def test_the_pause_reasons_are_listed() -> None:
    with ListeningServer() as server, server.seated() as client:
        client.say("REASONS", "NOOP")
        assert [client.hear() for _ in range(4)] == ["230 Lunch break", "230 Training", "230 END", "100 OK"]


def test_a_pause_is_pending_until_asterisk_says_so() -> None:
    with ListeningServer() as server, server.seated() as client:
        request = asked(server, client, "PAUSE IN  Lunch  break ")
        assert (request.name, request.arguments) == ("pause", (True, "Lunch  break"))
        request.answer("pending", "")
        assert client.hear() == "301 PAUSE PENDING"
        request.answer("done", "")
        assert client.hear() == "300 OK"


def test_a_pause_in_no_queue_is_granted_at_once() -> None:
    with ListeningServer() as server, server.seated() as client:
        asked(server, client, "pause in").answer("done", "")
        assert client.hear() == "300 OK"


def test_a_pause_that_fails_says_why() -> None:
    with ListeningServer() as server, server.seated() as client:
        request = asked(server, client, "PAUSE IN")
        request.answer("pending", "")
        request.answer("failed", "Interface not found")
        assert [client.hear(), client.hear()] == ["301 PAUSE PENDING", "302 KO Interface not found"]
        assert client.ask("NOOP") == "100 OK"


def test_coming_back_from_pause_has_no_301() -> None:
    with ListeningServer() as server, server.seated() as client:
        request = asked(server, client, "PAUSE OUT")
        assert request.arguments == (False, "")
        request.answer("pending", "")
        request.answer("done", "")
        assert client.hear() == "300 OK"


@pytest.mark.parametrize(("line", "heard"), [("PAUSE IN", ["301 PAUSE PENDING"]), ("PAUSE OUT", [])])
def test_while_the_pbx_is_down_a_pause_is_pending_and_the_session_goes_on(
    line: str, heard: list[str]
) -> None:
    with ListeningServer() as server, server.seated() as client:
        request = asked(server, client, line)
        client.say("NOOP")
        request.answer("deferred", "")
        assert [client.hear() for _ in range(len(heard) + 1)] == [*heard, "100 OK"]
        request.answer("done", "")
        assert client.hear() == "300 OK"


def test_a_pause_that_waits_for_the_pbx_to_come_back_can_still_fail() -> None:
    with ListeningServer() as server, server.seated() as client:
        request = asked(server, client, "PAUSE IN")
        request.answer("pending", "")
        request.answer("deferred", "")
        request.answer("failed", "another request came after it")
        assert [client.hear(), client.hear()] == ["301 PAUSE PENDING", "302 KO another request came after it"]


def test_the_reason_of_a_pause_loses_its_control_characters_and_is_cut() -> None:
    with ListeningServer() as server, server.seated() as client:
        client.say_bytes(b"PAUSE IN a\x00b\rc\x1b[2J\xc2\x85d " + "é".encode() * 500 + b"\n")
        _wish, reason = server.requests.next_request().arguments
        assert reason.startswith("a b c [2J d éé")
        assert reason.isprintable()
        assert len(reason.encode()) in (199, 200)


def test_replies_come_in_the_order_of_the_commands_while_announcements_pass_them() -> None:
    with ListeningServer() as server, server.seated() as client:
        client.say("ORIG 1 outbound 1", "NOOP", "PAUSE IN", "REASONS")
        first = server.requests.next_request()
        assert server.announce("PJSIP/201", b"200 astcti\n")
        assert client.hear() == "200 astcti"
        assert server.requests.requests.empty()
        first.answer("")
        assert [client.hear(), client.hear()] == ["100 OK", "100 OK"]
        second = server.requests.next_request()
        second.answer("done", "")
        assert [client.hear() for _ in range(4)] == ["300 OK", "230 Lunch break", "230 Training", "230 END"]


def test_an_answer_that_does_not_come_is_given_up_and_what_comes_later_is_dropped() -> None:
    clock = FakeClock()
    with ListeningServer(clock=clock) as server, server.seated() as client:
        request = asked(server, client, "ORIG 1 outbound 1")
        client.say("NOOP")
        clock.go_on(ANSWER_TIME)
        server.listener.limits_changed()
        assert [client.hear(), client.hear()] == ["101 KO no answer from the PBX", "100 OK"]
        request.answer("")
        assert client.ask("CAPA").startswith("110 CAPA")


def test_a_pause_that_works_after_it_was_given_up_is_told_as_the_new_state() -> None:
    clock = FakeClock()
    with ListeningServer(clock=clock) as server, server.seated() as client:
        request = asked(server, client, "PAUSE IN lunch")
        clock.go_on(ANSWER_TIME)
        server.listener.limits_changed()
        assert client.hear() == "302 KO no answer from the PBX"
        request.answer("done", "")
        assert client.hear() == "310 IN lunch"


def test_an_answer_for_a_client_that_is_gone_harms_nobody() -> None:
    with ListeningServer() as server:
        with server.seated() as client:
            call = asked(server, client, "ORIG 1 outbound 1")
        call.answer("")
        assert server.requests.next_departure()[1] is False
        call.answer("")
        with server.seated() as client:
            assert client.ask("NOOP") == "100 OK"


def test_a_client_that_vanishes_while_it_waits_is_noticed() -> None:
    with ListeningServer() as server, server.seated() as client:
        request = asked(server, client, "ORIG 1 outbound 1")
        client.reset()
        assert server.requests.next_departure()[1] is False
        request.answer("")


def test_too_many_bad_lines_end_the_connection() -> None:
    with ListeningServer() as server, server.seated() as client:
        client.say(*["DANCE"] * (MAX_BAD_LINES + 5))
        assert client.hear_all() == ["101 KO unknown command"] * MAX_BAD_LINES


def test_bad_lines_are_forgiven_when_good_ones_come_between() -> None:
    with ListeningServer() as server, server.seated() as client:
        for _ in range(3):
            for _ in range(MAX_BAD_LINES - 1):
                assert client.ask("DANCE") == "101 KO unknown command"
            assert client.ask("NOOP") == "100 OK"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"\xff\xfe\xfd", "not UTF-8"),
        (b"", "empty line"),
        (b"\x00" * 100, "not a command"),
        (b"GET / HTTP/1.1", "unknown command"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", "not UTF-8"),
        (b"NOOP " + b"x" * 5000, "line longer than 4096 bytes"),
        (b"<event id='Link'/>", "not a command"),
        ("PÀSS".encode(), "not a command"),
    ],
)
def test_hostile_lines_are_refused_and_the_next_one_is_read(line: bytes, reason: str) -> None:
    with ListeningServer() as server, server.seated() as client:
        client.say_bytes(line + b"\nNOOP\n")
        assert client.hear() == f"101 KO {reason}"
        assert client.hear() == "100 OK"


def test_half_lines_wait_for_their_end() -> None:
    with ListeningServer() as server, server.seated() as client:
        for byte in b"NOOP\r\nQUIT\n":
            client.say_bytes(bytes([byte]))
        assert client.hear_all() == ["100 OK", "900 OK"]


def test_a_client_that_says_nothing_is_told_so_and_closed() -> None:
    clock = FakeClock()
    with ListeningServer(clock=clock, keep_alive=60.0) as server, server.seated() as client:
        clock.go_on(59)
        assert client.ask("NOOP") == "100 OK"
        clock.go_on(59)
        client.say_bytes(b"NOO")  # half a line is no sign of life
        server.listener.limits_changed()
        clock.go_on(1)
        server.listener.limits_changed()
        assert client.hear_all() == ["100 OK keep-alive expired"]
        assert server.requests.next_departure()[1] is False


def test_a_client_is_not_silent_while_it_waits_for_asterisk() -> None:
    clock = FakeClock()
    with ListeningServer(clock=clock, keep_alive=2.0) as server, server.seated() as client:
        request = asked(server, client, "ORIG 1 outbound 1")
        client.say("NOOP")
        clock.go_on(3)
        server.listener.limits_changed()
        request.answer("")
        assert [client.hear(), client.hear()] == ["100 OK", "100 OK"]


def test_a_shorter_keep_alive_counts_at_once() -> None:
    clock = FakeClock()
    with ListeningServer(clock=clock, keep_alive=600.0) as server, server.seated() as client:
        clock.go_on(100)
        server.limit(keep_alive=30.0)
        server.listener.limits_changed()
        assert client.hear_all() == ["100 OK keep-alive expired"]


def test_an_exception_in_a_command_ends_that_client_only(caplog: pytest.LogCaptureFixture) -> None:
    with ListeningServer() as server, server.seated() as client, server.client() as other:

        def broken() -> Configuration:
            raise RuntimeError("the rest collapsed")

        assert client.ask("NOOP") == "100 OK"
        server.requests.configuration = broken  # type: ignore[method-assign]
        client.say("REASONS")
        assert client.hear_all() == []
        assert other.hear() == "100 WELCOME"
        assert other.ask("NOOP") == "100 OK"
        assert server.requests.next_departure()[1] is False
    assert "the rest collapsed" in caplog.text
    assert "Traceback" in caplog.text


def test_the_commands_follow_the_configuration_in_force() -> None:
    with ListeningServer() as server, server.seated() as client:
        assert client.ask("NOOP") == "100 OK"  # so the login is over
        server.requests.in_force = dataclasses.replace(CONFIGURATION, services=CONFIGURATION.services[:1])
        assert client.ask("ORIG 1 outbound 1").startswith("101 KO ")
        client.say("SERVICES")
        assert [client.hear(), client.hear()] == ["220 inbound astctidemo Demo", "220 END"]


def test_a_seat_is_the_pc_with_its_mac_address_whoever_sits_there() -> None:
    with ListeningServer() as server:
        for mac, extension in ((SEAT_1, "PJSIP/201"), (SEAT_2, "SIP/202")):
            with server.seated("anna", "verde", mac) as client:
                assert client.ask("WHO") == f"240 anna {extension} Anna Verdi"
                assert server.requests.next_arrival().extension == extension


def test_why_is_answered_with_the_verdict_first_and_the_end_last() -> None:
    leg = Explanation(
        "PJSIP/201",
        "1.1",
        verdict(Verdict.NOT_BOUND, 1795430727.12, "PJSIP/201", "mario", "Demo x"),
        (ExplanationLine(TrailStep.JOINED_QUEUE.value, 1795430724.5, "PJSIP/caller", ("astcti",), True),),
        (verdict(Verdict.PBX_DOWN, 0.0, "PJSIP/201", "7"),),
    )
    with ListeningServer() as server, server.seated() as client:
        server.requests.explanations["1.1"] = leg
        client.say("WHY 1.1")
        assert [client.hear() for _ in range(4)] == [
            "250 not-bound 1795430727.120 PJSIP/201 mario Demo%20x",
            "250 .joined-queue 1795430724.500 PJSIP/caller astcti",
            "250 pbx-down - PJSIP/201 7",
            "250 END",
        ]
        assert client.ask("WHY 1.2") == "101 KO no call of yours that is known, or not known any more"
        assert client.ask("WHY") == "101 KO wrong number of parameters for WHY"


def test_why_is_for_seated_operators() -> None:
    with ListeningServer() as server, server.client() as client:
        client.hear()
        assert client.ask("WHY 1.1") == "101 KO log in first"


def test_the_queues_of_ones_services_are_told_with_whether_they_may_be_left() -> None:
    with ListeningServer() as server, server.seated() as client:
        assert client.ask("QUEUES") == "223 stays astcti Demo"
        assert client.hear() == "223 END"


def leavable(server: ListeningServer) -> ListeningServer:
    demo, *others = CONFIGURATION.services
    services = (dataclasses.replace(demo, may_leave=True), *others)
    server.requests.in_force = dataclasses.replace(CONFIGURATION, services=services)
    return server


def test_a_queue_that_may_be_left_is_left_and_joined_again() -> None:
    with ListeningServer() as server, leavable(server).seated() as client:
        for line, inside in (("QUEUE ASTCTI out", False), ("queue astcti IN", True)):
            request = asked(server, client, line)
            assert (request.name, request.arguments) == ("ask_queue", ("astcti", inside))
            request.answer("")
            assert client.hear() == "100 OK"
        asked(server, client, "QUEUE astcti OUT").answer(Refusal.FIXED_MEMBER.text())
        assert client.hear() == "101 KO the phone is a member by Asterisk's own configuration"


def test_a_queue_of_others_and_one_that_may_not_be_left_are_refused() -> None:
    with ListeningServer() as server, server.seated() as client:
        assert client.ask("QUEUE astcti OUT") == "101 KO this queue may not be left"
        assert client.ask("QUEUE other IN") == "101 KO not a queue of your services"
        assert client.ask("QUEUE astcti AWAY") == "101 KO QUEUE takes the name of a queue, then IN or OUT"
        assert client.ask("QUEUE astcti") == "101 KO wrong number of parameters for QUEUE"
        assert server.requests.requests.empty()


def test_who_asks_for_his_colleagues_gets_all_lines_at_once() -> None:
    with ListeningServer() as server, server.seated() as client:
        request = asked(server, client, "COLLEAGUES")
        request.answer(b"242 anna SIP/202 ready Anna Verdi\n242 END\n")
        assert [client.hear(), client.hear()] == ["242 anna SIP/202 ready Anna Verdi", "242 END"]
        assert asked(server, client, "colleagues off").name == "colleagues_no_more"
        assert client.hear() == "100 OK"
        assert client.ask("COLLEAGUES all") == "101 KO COLLEAGUES takes OFF or nothing"


def test_who_has_no_seat_has_no_queue_and_no_colleagues() -> None:
    with ListeningServer() as server, server.seated("anna", "verde") as client:
        for line in ("QUEUE astcti IN", "COLLEAGUES", "COLLEAGUES OFF"):
            assert client.ask(line) == "101 KO no seat: MAC first"
