"""The server on a real Asterisk 22 and 16, with real SIP phones: the main job, as a seat's client sees it."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from astcti_server.ami import actions
from astcti_server.queues.status_reader import AllMembers, QueueStatusReader
from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service, Trigger
from schemas.events import CallEvent
from schemas.explanation.codes import Verdict
from tests import needed
from tests.asterisk import phones
from tests.asterisk.ami_session import AmiSession
from tests.asterisk.rig import Asterisk, installed
from tests.fake.line_client import md5
from tests.fake.link_listener import Answers, FakeListener
from tests.fake.patience import PATIENCE, until
from tests.fake.running_link import running
from tests.fake.running_server import RunningServer, SeatClient
from tests.fake.wire_cutter import WireCutter

pytestmark = [pytest.mark.asterisk, pytest.mark.timeout(180)]

PEOPLE = ("mario", "luisa", "anna")
NUMBER, NAME = "3331234567", "Demo Caller"
EVERYBODY = tuple(Binding(name, penalty=1) for name in PEOPLE)
QUEUES = {
    "Demo": "astcti",
    "Second": "astcti2",
    "Nervous": "nervous",
    "Hunt": "hunt",
    "Insistent": "insistent",
}
TRIGGER = Trigger("browser", url="https://crm.example/?id={CALLDATA}&from={CALLERID}")


def queue_service(name: str, *people: str) -> Service:
    return Service(
        name,
        "astctidemo",
        "inbound",
        is_queue=True,
        queue_name=QUEUES[name],
        variables=("calldata",),
        triggers=(TRIGGER,),
        operators=tuple(Binding(person, 1) for person in people or PEOPLE),
    )


DIRECT = Service(
    "Direct", "direct", "inbound", variables=("calldata",), triggers=(TRIGGER,), operators=EVERYBODY
)
OUTSIDE = Service("Outside line", "outbound", "outbound", operators=tuple(Binding(name) for name in PEOPLE))


def configuration(
    asterisk: Asterisk, *services: Service, interface: str = "", begin_in_pause: bool = False
) -> Configuration:
    """mario sits at 201, luisa at 202, anna at 203. `interface` is 201's in queues."""
    macs = [f"00:00:00:00:02:0{number}" for number in (1, 2, 3)]
    devices = [asterisk.device(f"20{number}") for number in (1, 2, 3)]
    return Configuration(
        services=services or (queue_service("Demo"), DIRECT, OUTSIDE),
        seats=tuple(
            Seat(mac, device, interface, device)
            if interface and device == devices[0]
            else Seat(mac, device, device)
            for mac, device in zip(macs, devices, strict=True)
        ),
        operators=tuple(
            Operator(
                name, name.title(), f"md5:{md5('secret')}", seat=macs[index], begin_in_pause=begin_in_pause
            )
            for index, name in enumerate(PEOPLE)
        ),
    )


Serve = Callable[..., RunningServer]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts servers; they are stopped in the end, and must then not have met an error of their own."""
    running: list[RunningServer] = []

    def start(
        asterisk: Asterisk,
        *services: Service,
        port: int = 0,
        interface: str = "",
        begin_in_pause: bool = False,
        **options: Any,
    ) -> RunningServer:
        server = RunningServer(
            tmp_path / str(len(running)),
            port or asterisk.ami_port,
            configuration(asterisk, *services, interface=interface, begin_in_pause=begin_in_pause),
            **options,
        )
        running.append(server.__enter__())
        return server

    yield start
    for server in running:
        server.__exit__(None, None, None)
        assert "Traceback" not in server.log, server.log


def opened(client: SeatClient) -> list[str]:
    """The pages that the client was told to open."""
    return [action.url for event in client.events for action in event.triggers]


def ended(client: SeatClient) -> str:
    cause = client.event("Hangup").cause
    assert cause is not None
    return cause.end


def assert_is_the_caller(link: CallEvent, calldata: str = "12345") -> None:
    assert (link.call.calleridnum, link.call.calleridname) == (NUMBER, NAME)
    assert link.call.appdata == (("calldata", calldata),)
    assert [action.url for action in link.triggers] == [f"https://crm.example/?id={calldata}&from={NUMBER}"]


# -- calls -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("interface", ["", "Local/201@agents", "Local/201@agents/n"])
def test_a_queue_that_rings_the_same_phone_again_opens_its_ring_page_once(
    asterisk: Asterisk, serve: Serve, interface: str
) -> None:
    page = Trigger("browser", on="ring", url="https://crm.example/who?number={CALLERID}&data={CALLDATA}")
    always = replace(page, url="https://crm.example/each?number={CALLERID}", again=True)
    service = replace(queue_service("Insistent"), triggers=(TRIGGER, page, always))
    server = serve(asterisk, service, interface=interface)
    with (
        server.client("mario") as mario,
        phones.answers_when_told(asterisk, "201", talk=0.5, calls=2) as phone,
    ):
        mario.expect("200 insistent")
        with phones.caller(asterisk, "105") as calling:
            first = mario.event("Callerid")
            assert ended(mario) == "missed"
            second = mario.event("Callerid")
            phone.answer()
            assert_is_the_caller(mario.event("Link"), "insistent")
            calling.wait()
    assert second.call.uniqueid != first.call.uniqueid
    assert [[action.url for action in ring.triggers] for ring in (first, second)] == [
        [
            f"https://crm.example/who?number={NUMBER}&data=insistent",
            f"https://crm.example/each?number={NUMBER}",
        ],
        [f"https://crm.example/each?number={NUMBER}"],
    ]
    for ring in (first, second):
        assert (ring.call.calleridnum, ring.call.queue) == (NUMBER, "insistent")


def test_queue_call_pops_up_with_what_the_caller_typed(asterisk: Asterisk, serve: Serve) -> None:
    server = serve(asterisk)
    with server.client("mario") as mario, phones.callee(asterisk, "201", talk=1.0):
        mario.expect("200 astcti")
        with phones.caller(asterisk, "101", "12345") as calling:
            callerid = mario.event("Callerid")
            link = mario.event("Link")
            assert ended(mario) == "answered"
            calling.wait()
        assert callerid.call.calleridnum == NUMBER
        assert_is_the_caller(link)
        assert link.call.channel.startswith(asterisk.device("201") + "-")
        assert (link.service, link.call.queue, link.call.context) == ("Demo", "astcti", "astctidemo")
        assert link.call.connected is not None
        assert link.call.linkedid == link.call.connected.uniqueid
        mario.settle()
        assert len(mario.links()) == 1


def explained(server: RunningServer, what: str, told: set[str]) -> tuple[str, list[str]]:
    """The verdict on the next call that ended: code and arguments. `told` has the calls before it."""
    command = [
        sys.executable,
        "-m",
        "astcti_server",
        "--status",
        str(server.status_file),
        "explain",
        "--json",
    ]
    deadline = time.monotonic() + PATIENCE
    while True:
        done = subprocess.run([*command, what], capture_output=True, text=True, timeout=PATIENCE, check=True)
        call = json.loads(done.stdout)["calls"][0]
        over = any(step["code"] == "hung-up" and step["phone"] == call["phone"] for step in call["story"])
        if over and call["uniqueid"] not in told:
            told.add(call["uniqueid"])
            return call["verdict"]["code"], call["verdict"]["arguments"]
        assert time.monotonic() < deadline, call
        time.sleep(0.1)


def test_why_a_call_popped_up_or_not_is_said(asterisk: Asterisk, serve: Serve) -> None:
    server = serve(asterisk, queue_service("Demo", "mario"), replace(DIRECT, enabled=False), OUTSIDE)
    device, told = asterisk.device("201"), set[str]()
    with server.client("mario") as mario, phones.callee(asterisk, "201", talk=0.5, calls=2):
        mario.expect("200 astcti")
        with phones.caller(asterisk, "101", "12345") as calling:
            calling.wait()
        assert explained(server, "201", told) == (Verdict.POPPED_UP, [device, "mario", "Demo", "answer"])
        with phones.caller(asterisk, "301") as calling:
            calling.wait()
        assert explained(server, "201", told) == (Verdict.SERVICE_DISABLED, ["Direct"])
    with phones.callee(asterisk, "201", talk=0.5):
        with phones.caller(asterisk, "301") as calling:
            calling.wait()
        assert explained(server, device, told) == (Verdict.NOBODY_LOGGED_IN, [device])


def test_a_report_of_calls_played_tells_what_their_seats_heard(asterisk: Asterisk, serve: Serve) -> None:
    server = serve(asterisk)
    with (
        server.client("mario") as mario,
        server.client("luisa") as luisa,
        phones.callee(asterisk, "201", talk=1.0),
    ):
        mario.expect("200 astcti")
        luisa.expect("200 astcti")
        with phones.caller(asterisk, "101", "12345") as calling:
            assert_is_the_caller(mario.event("Link"))
            assert ended(mario) == "answered"
            calling.wait()
        for client in (mario, luisa):
            client.settle()
        heard = {
            asterisk.device(phone): [line for line in client.lines if line.startswith("<")]
            for phone, client in (("201", mario), ("202", luisa))
        }
        linkedid = mario.events[-1].call.linkedid
        for name, what, *mask in (
            ("all", "00:00-23:59:59"),
            ("one", linkedid),
            ("masked", linkedid, "--mask"),
        ):
            path = server.folder / f"{name}.tar.gz"
            asked = ("--status", str(server.status_file), "report", what, "--out", str(path), *mask)
            for words in (asked, ("replay", str(path))):
                command = [sys.executable, "-W", "error", "-m", "astcti_server", *words]
                said = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
            told = said.stdout.splitlines()
            if mask:
                assert len(told) == sum(map(len, heard.values())) and NUMBER not in said.stdout
                continue
            for phone, lines in heard.items():
                assert [line.partition("\t")[2] for line in told if line.startswith(f"{phone}\t")] == lines


def test_two_queues_in_one_context_are_told_apart(asterisk: Asterisk, serve: Serve) -> None:
    server = serve(asterisk, queue_service("Demo", "mario"), queue_service("Second", "luisa"))
    with (
        server.client("mario") as mario,
        server.client("luisa") as luisa,
        phones.callee(asterisk, "201", talk=1.5),
        phones.callee(asterisk, "202", talk=1.5),
    ):
        mario.expect("200 astcti")
        luisa.expect("200 astcti2")
        with (
            phones.caller(asterisk, "101", "11111") as first,
            phones.caller(asterisk, "102", "22222", name="caller2") as second,
        ):
            at_mario, at_luisa = mario.event("Link"), luisa.event("Link")
            first.wait()
            second.wait()
        assert (at_mario.service, at_mario.call.appdata) == ("Demo", (("calldata", "11111"),))
        assert (at_luisa.service, at_luisa.call.appdata) == ("Second", (("calldata", "22222"),))


def test_direct_call_pops_up_too(asterisk: Asterisk, serve: Serve) -> None:
    server = serve(asterisk)
    with server.client("mario") as mario, phones.callee(asterisk, "201", talk=0.5):
        with phones.caller(asterisk, "301") as calling:
            link = mario.event("Link")
            calling.wait()
        assert link.service == "Direct"
        assert_is_the_caller(link, "direct")


@pytest.mark.parametrize("member", ["Local/201@agents/n", "Local/201@agents"])
def test_queue_member_that_is_a_local_channel_pops_up_once(
    asterisk: Asterisk, serve: Serve, member: str
) -> None:
    server = serve(asterisk, interface=member)
    with server.client("mario") as mario, phones.callee(asterisk, "201", talk=1.0):
        mario.expect("200 astcti")
        assert ("astcti", member) in asterisk.members()
        with phones.caller(asterisk, "101", "12345") as calling:
            link = mario.event("Link")
            assert ended(mario) == "answered"
            calling.wait()
        assert_is_the_caller(link)
        mario.settle()
        assert len(mario.links()) == 1


def test_ring_all_loser_is_told_that_another_answered(asterisk: Asterisk, serve: Serve) -> None:
    server = serve(asterisk)
    with (
        server.client("mario") as mario,
        server.client("luisa") as luisa,
        phones.answers_when_told(asterisk, "201", talk=0.5) as quicker,
        phones.never_answers(asterisk, "202"),
    ):
        mario.expect("200 astcti")
        luisa.expect("200 astcti")
        with phones.caller(asterisk, "101", "12345") as calling:
            mario.event("Callerid")
            luisa.event("Callerid")
            quicker.answer()
            assert ended(luisa) == "answered-elsewhere"
            assert_is_the_caller(mario.event("Link"))
            calling.wait()
        luisa.settle()
        assert luisa.links() == []
        assert opened(luisa) == []


def test_caller_who_gives_up_is_told_as_cancelled(asterisk: Asterisk, serve: Serve) -> None:
    server = serve(asterisk)
    with (
        server.client("mario") as mario,
        phones.never_answers(asterisk, "201"),
        phones.caller(asterisk, "301", patience=3.0) as calling,
    ):
        mario.event("Callerid")
        assert ended(mario) == "cancelled"
        calling.wait()


def test_pickup_pops_up_at_the_picker(asterisk: Asterisk, serve: Serve) -> None:
    server = serve(asterisk)
    with (
        server.client("mario") as mario,
        server.client("anna") as anna,
        phones.never_answers(asterisk, "201"),
        phones.caller(asterisk, "301") as calling,
    ):
        mario.event("Callerid")
        with phones.dials(asterisk, "203", "*8", talk=0.5) as picking:
            assert_is_the_caller(anna.event("Link"), "direct")
            assert ended(mario) == "answered-elsewhere"
            picking.wait()
        calling.wait()


def test_forwarded_call_pops_up_where_it_is_answered(asterisk: Asterisk, serve: Serve) -> None:
    server = serve(asterisk)
    with (
        server.client("luisa") as luisa,
        phones.forwards(asterisk, "201", "202"),
        phones.callee(asterisk, "202", talk=1.0),
        phones.caller(asterisk, "301") as calling,
    ):
        assert_is_the_caller(luisa.event("Link"), "direct")
        calling.wait()


# -- transfers ---------------------------------------------------------------------------------------------


def test_attended_transfer_brings_the_caller_and_his_data_to_the_last_phone(
    asterisk: Asterisk, serve: Serve
) -> None:
    server = serve(asterisk, queue_service("Demo"))
    with server.client("mario") as mario, phones.callee(asterisk, "201") as first:
        mario.expect("200 astcti")
        with phones.caller(asterisk, "101", "12345") as calling:
            assert_is_the_caller(mario.event("Link"))
            with server.client("luisa") as luisa, phones.callee(asterisk, "202", talk=2.0):
                steps = [*phones.pause(0.5), *phones.refer("201", first.dialog())]
                with phones.dials(asterisk, "201", "202", then=steps, talk=1.0) as consulting:
                    assert_is_the_caller(luisa.event("Link"))
                    consulting.wait()
                    first.wait()
                assert ended(luisa) == "answered"
                assert len(luisa.links()) == 1
            calling.wait()
        mario.settle()
        assert len(mario.links()) == 1


def test_attended_transfer_by_keys_does_too(asterisk: Asterisk, serve: Serve) -> None:
    server = serve(asterisk, queue_service("Demo"))
    steps = [
        *phones.pause(0.5),
        *phones.digits("#2"),
        *phones.pause(0.3),
        *phones.digits("202"),
        *phones.pause(2.0),
    ]
    with (
        server.client("mario") as mario,
        phones.callee(asterisk, "201", then=steps, talk=0.5),
        phones.callee(asterisk, "202", talk=3.0),
    ):
        mario.expect("200 astcti")
        with phones.caller(asterisk, "101", "12345") as calling:
            assert_is_the_caller(mario.event("Link"))
            with server.client("luisa") as luisa:
                assert_is_the_caller(luisa.event("Link"))
                calling.wait()
                assert ended(luisa) == "answered"
                assert len(luisa.links()) == 1


@pytest.mark.parametrize("by_keys", [False, True], ids=["REFER", "keys"])
def test_blind_transfer_brings_the_caller_and_his_data_to_the_last_phone(
    asterisk: Asterisk, serve: Serve, by_keys: bool
) -> None:
    server = serve(asterisk)
    keys = [*phones.digits("##"), *phones.pause(0.3), *phones.digits("202")]
    steps = [*phones.pause(0.5), *(keys if by_keys else phones.refer("202"))]
    with (
        server.client("mario") as mario,
        server.client("luisa") as luisa,
        phones.callee(asterisk, "201", then=steps, talk=3.0 if by_keys else 1.0),
        phones.callee(asterisk, "202", talk=1.0),
        phones.caller(asterisk, "301") as calling,
    ):
        assert_is_the_caller(mario.event("Link"), "direct")
        assert_is_the_caller(luisa.event("Link"), "direct")
        calling.wait()
        assert ended(luisa) == "answered"
        assert (len(mario.links()), len(luisa.links())) == (1, 1)


def test_client_transfers_its_own_call_and_hangs_up_its_own_leg(asterisk: Asterisk, serve: Serve) -> None:
    server = serve(asterisk, sections="<transfer><context>phones</context></transfer>")
    with (
        server.client("mario") as mario,
        server.client("luisa") as luisa,
        phones.callee(asterisk, "201"),
        phones.callee(asterisk, "202"),
        phones.caller(asterisk, "301") as calling,
    ):
        leg = mario.event("Link").call.uniqueid
        luisa.say(f"HANGUP {leg}", f"TRANSFER {leg} 203 phones")
        assert luisa.expect("101 KO")
        assert luisa.expect("101 KO")
        mario.say("TARGETS")
        offered = [mario.expect("222 ") for _ in range(3)]
        assert offered == ["222 astctidemo Demo", "222 direct Direct", "222 phones phones"]
        mario.expect("222 END")
        mario.say(f"TRANSFER {leg} 202 elsewhere")
        assert mario.expect("101 KO")
        mario.say(f"TRANSFER {leg} 202 phones")
        mario.expect("100 OK")
        link = luisa.event("Link")
        assert_is_the_caller(link, "direct")
        luisa.say(f"HANGUP {link.call.uniqueid}")
        luisa.expect("100 OK")
        assert ended(luisa) == "answered"
        calling.wait()


def test_a_transfer_to_a_number_that_does_not_exist_is_refused_and_the_call_goes_on(
    asterisk: Asterisk, serve: Serve
) -> None:
    contexts = "<context>phones</context><context>nowhere</context><context>direct</context>"
    server = serve(asterisk, sections=f"<transfer>{contexts}</transfer>")
    with (
        server.client("mario") as mario,
        server.client("luisa") as luisa,
        phones.callee(asterisk, "201"),
        phones.callee(asterisk, "202", talk=0.5),
        phones.caller(asterisk, "301") as calling,
    ):
        leg = mario.event("Link").call.uniqueid
        mario.say(f"TRANSFER {leg} 777 phones")
        assert mario.expect("101 KO") == "101 KO there is no extension 777 in phones"
        mario.say(f"TRANSFER {leg} 202 nowhere")
        assert mario.expect("101 KO") == "101 KO there is no extension 202 in nowhere"
        mario.settle()
        assert not [event for event in mario.events if event.id in ("Unlink", "Hangup")]
        mario.say(f"TRANSFER {leg} 302 direct")  # a pattern
        assert mario.expect("100 OK") == "100 OK"
        assert luisa.event("Link").service == "Direct"
        calling.wait()


@pytest.mark.parametrize("context", ["elsewhere", "towards_elsewhere"])
def test_a_transfer_whose_target_cannot_be_known_is_done_and_told_as_unchecked(
    asterisk: Asterisk, serve: Serve, context: str
) -> None:
    server = serve(asterisk, sections=f"<transfer><context>{context}</context></transfer>")
    with (
        server.client("mario") as mario,
        server.client("luisa") as luisa,
        phones.callee(asterisk, "201"),
        phones.callee(asterisk, "202", talk=0.5),
        phones.caller(asterisk, "301") as calling,
    ):
        mario.say(f"TRANSFER {mario.event('Link').call.uniqueid} 202 {context}")
        assert mario.expect("100 OK") == "100 OK unchecked"
        luisa.event("Link")
        calling.wait()


# -- dialling ----------------------------------------------------------------------------------------------


def test_orig_rings_the_own_phone_and_then_calls(asterisk: Asterisk, serve: Serve) -> None:
    server = serve(asterisk)
    with server.client("mario") as mario:
        mario.say("ORIG 0551234 astctidemo 1")
        assert mario.expect("101 KO")
        with phones.callee(asterisk, "201"), phones.callee(asterisk, "caller", talk=0.5):
            mario.say("ORIG 0551234 outbound 1")
            mario.expect("100 OK")
            result, link = mario.event("OriginateResponse"), mario.event("Link")
            assert ended(mario) == "answered"
        assert result.originate is not None
        assert (result.originate.exten, result.originate.response) == ("0551234", "Success")
        assert (result.service, result.call.direction) == ("Outside line", "outbound")
        assert (link.service, link.call.direction, link.call.calleridnum) == (
            "Outside line",
            "outbound",
            "0551234",
        )


def test_orig_whose_phone_does_not_want_is_told_as_failed(asterisk: Asterisk, serve: Serve) -> None:
    server = serve(asterisk)
    with server.client("mario") as mario, phones.refuses(asterisk, "201"):
        mario.say("ORIG 0551234|outbound|1")
        mario.expect("100 OK")
        result = mario.event("OriginateResponse")
        assert result.originate is not None
        assert result.originate.response == "Failure"


# -- queues and pauses -------------------------------------------------------------------------------------


def test_members_come_with_the_login_and_go_with_quit(asterisk: Asterisk, serve: Serve) -> None:
    server = serve(asterisk, queue_service("Demo"), queue_service("Second"))
    with server.client("mario") as mario:
        mario.expect_all("310 OUT", "200 astcti", "200 astcti2")
        device = asterisk.device("201")
        assert sorted(asterisk.members()) == [("astcti", device), ("astcti2", device)]
        assert "Mario" in asterisk.cli("queue show astcti")
        mario.say("QUIT")
        mario.expect("900 OK")
        until(lambda: asterisk.members() == [], "no members")


def test_one_queue_is_left_and_joined_again_while_the_others_stay(asterisk: Asterisk, serve: Serve) -> None:
    server = serve(asterisk, replace(queue_service("Demo"), may_leave=True), queue_service("Second"))
    device = asterisk.device("201")
    with server.client("mario") as mario:
        mario.expect_all("310 OUT", "200 astcti", "200 astcti2")
        mario.say("QUEUE astcti OUT")
        mario.expect_all("100 OK", "210 astcti")
        assert asterisk.members() == [("astcti2", device)]
        mario.say("QUEUE astcti2 OUT")
        mario.expect("101 KO this queue may not be left")
        mario.say("PAUSE IN Lunch")
        mario.expect("300 OK")
        mario.say("QUEUE astcti IN")
        mario.expect_all("100 OK", "200 astcti")
        assert sorted(asterisk.members()) == [("astcti", device), ("astcti2", device)]
        assert "paused" in asterisk.cli("queue show astcti")


def test_a_colleague_is_seen_to_ring_and_to_talk(asterisk: Asterisk, serve: Serve) -> None:
    server = serve(asterisk, queue_service("Demo", "mario", "luisa"))
    with server.client("luisa") as luisa:
        luisa.expect("200 astcti")
        luisa.say("PAUSE IN")
        luisa.expect("300 OK")
        with server.client("mario") as mario, phones.callee(asterisk, "201", ring=2.5, talk=2.5):
            mario.expect("200 astcti")
            luisa.say("COLLEAGUES")
            luisa.expect(f"242 mario {asterisk.device('201')} ready")
            with phones.caller(asterisk, "101", "12345") as calling:
                luisa.expect(f"242 mario {asterisk.device('201')} ringing")
                luisa.expect(f"242 mario {asterisk.device('201')} talking")
                calling.wait()
            luisa.expect(f"242 mario {asterisk.device('201')} ready")
        luisa.expect(f"242 mario {asterisk.device('201')} offline")


def test_queue_whose_name_the_configuration_writes_in_another_case(asterisk: Asterisk, serve: Serve) -> None:
    server = serve(asterisk, replace(queue_service("Demo"), queue_name="AstCti"))
    with server.client("mario") as mario, phones.callee(asterisk, "201", talk=0.5):
        mario.expect("200 AstCti")
        with phones.caller(asterisk, "101", "12345") as calling:
            link = mario.event("Link")
            calling.wait()
        assert_is_the_caller(link)
        assert (link.service, link.call.queue) == ("Demo", "AstCti")
        mario.say("QUIT")
        until(lambda: asterisk.members() == [], "no members")
    with server.client("mario") as mario:
        mario.expect("200 AstCti")
        assert asterisk.members() == [("astcti", asterisk.device("201"))]
        assert server.stop() == 0
        assert asterisk.members() == []


def test_pause_with_a_reason_and_back(asterisk: Asterisk, serve: Serve) -> None:
    server = serve(asterisk, queue_service("Demo"), queue_service("Second"))
    with AmiSession(asterisk.ami_port) as ami, server.client("mario") as mario:
        mario.expect_all("200 astcti", "200 astcti2")
        start = len(ami.messages)
        mario.say("PAUSE IN Coffee break")
        mario.expect("301 PAUSE PENDING")
        mario.expect("300 OK")
        for queue in QUEUES["Demo"], QUEUES["Second"]:
            event = ami.wait_for("QueueMemberPause", since=start, Queue=queue, Paused="1")
            assert event["PausedReason"] == "Coffee break"
        mario.say("PAUSE OUT")
        mario.expect("300 OK")
        assert asterisk.cli("queue show").count("(paused") == 0
        mario.say("PAUSE IN")
        mario.expect("301 PAUSE PENDING")
        mario.expect("300 OK")


def test_operator_who_begins_in_pause_joins_in_pause(asterisk: Asterisk, serve: Serve) -> None:
    server = serve(asterisk, begin_in_pause=True)
    with server.client("mario") as mario:
        mario.expect_all("310 IN", "200 astcti")
        assert "(paused" in asterisk.cli("queue show astcti")


def test_autopause_and_a_supervisors_pause_are_told_and_not_undone(asterisk: Asterisk, serve: Serve) -> None:
    server = serve(asterisk, queue_service("Nervous"))
    with server.client("mario") as mario, phones.never_answers(asterisk, "201"):
        mario.expect("200 nervous")
        with phones.caller(asterisk, "104"):
            mario.expect_all("310 IN", '<event id="Hangup"')
            assert [event.cause.end for event in mario.events if event.cause] == ["missed"]
        assert "(paused" in asterisk.cli("queue show nervous")
        device = asterisk.device("201")
        asterisk.control.must("QueuePause", Interface=device, Paused="false")
        mario.expect("310 OUT")
        asterisk.control.must("QueuePause", Interface=device, Paused="true", Reason="Feedback talk")
        mario.expect("310 IN Feedback talk")


@pytest.fixture
def keeps_members(asterisk: Asterisk) -> Iterator[None]:
    """Asterisk keeps the members of its queues over a restart, as with FreePBX."""
    file = asterisk.folder / "etc/queues.conf"
    before = file.read_text()
    file.write_text(before.replace("persistentmembers = no", "persistentmembers = yes"))
    asterisk.restart()
    yield
    asterisk.reset()
    file.write_text(before)
    asterisk.restart()


@pytest.mark.parametrize(
    ("full_name", "reason"),
    [
        ("Mario Rossi", "Lunch|{other};0;0;Ghost"),
        ("Rossi; Mario", "Lunch"),
        ("Rossi, Mario", "Lunch"),
        ("Rossi | Sales", "x|{other};0;0;G;{other}"),
    ],
)
def test_names_and_reasons_that_asterisk_stores_make_no_other_member(
    asterisk: Asterisk, serve: Serve, keeps_members: None, full_name: str, reason: str
) -> None:
    reason = reason.format(other=asterisk.device("203"))
    stored = reason.replace("|", "/").replace(";", " ")
    server = serve(asterisk, queue_service("Demo"))
    named = configuration(asterisk, queue_service("Demo"))
    named_mario = replace(named.operators[0], full_name=full_name)
    server.configure(replace(named, operators=(named_mario, *named.operators[1:])))
    server.wait_for_log("is in force now", 2)
    member = ("astcti", asterisk.device("201"))
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        mario.say(f"PAUSE IN {reason}")
        mario.expect("300 OK")
        asterisk.restart()
        mario.expect("902 PBX UP")
        server.wait_for_log("Channels in Asterisk", 2)
        assert asterisk.members() == [member]
        shown = asterisk.cli("queue show astcti")
        assert full_name.replace(";", "").replace(",", "").replace("|", "/") in shown
        assert f"(paused:{stored}" in shown
        assert "Invalid" not in shown
        mario.settle()
        assert not [line for line in mario.lines if line.startswith(("310 IN", "210"))]
        mario.say("QUIT")
        mario.expect("900 OK")
    until(lambda: asterisk.members() == [], "no members")


def test_a_member_with_a_wrong_state_interface_is_mended(asterisk: Asterisk, serve: Serve) -> None:
    device, other = asterisk.device("201"), asterisk.device("203")
    asterisk.control.must("QueueAdd", Queue="astcti", Interface=device, StateInterface=other)
    server = serve(asterisk)
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        found = asterisk.control.entries("QueueStatus", "QueueMember", "QueueStatusComplete")
        assert [(entry["Location"], entry["StateInterface"]) for entry in found] == [(device, device)]


def test_unknown_queue_is_told_with_asterisks_reason(asterisk: Asterisk, serve: Serve) -> None:
    service = Service(
        "Ghost", "astctidemo", "inbound", is_queue=True, queue_name="ghost", operators=EVERYBODY
    )
    server = serve(asterisk, service)
    with server.client("mario") as mario:
        assert "No such queue" in mario.expect("211 KO ghost")


def test_new_configuration_moves_members_at_once(asterisk: Asterisk, serve: Serve) -> None:
    server = serve(asterisk, queue_service("Demo"))
    with server.client("mario") as mario, server.client("anna") as anna:
        mario.expect("200 astcti")
        anna.expect("200 astcti")
        server.configure(
            configuration(asterisk, queue_service("Demo", "anna"), queue_service("Second", "mario"))
        )
        mario.expect_all("221 SERVICES", "210 astcti", "200 astcti2")
        members = [("astcti", asterisk.device("203")), ("astcti2", asterisk.device("201"))]
        assert sorted(asterisk.members()) == members
        anna.settle()
        assert not [line for line in anna.lines if line.startswith(("210", "221"))]


# -- faults ------------------------------------------------------------------------------------------------


def test_member_that_somebody_removes_is_back_within_seconds_ever_more_slowly(
    asterisk: Asterisk, serve: Serve
) -> None:
    server = serve(asterisk)
    device = asterisk.device("201")
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        assert "Removed" in asterisk.cli(f"queue remove member {device} from astcti")
        mario.expect("210 astcti")
        mario.expect("200 astcti")
        assert "Mario" in asterisk.cli("queue show astcti")
        began = time.monotonic()
        asterisk.control.must("QueueRemove", Queue="astcti", Interface=device)  # another manager
        mario.expect("210 astcti")
        mario.expect("200 astcti")
        assert time.monotonic() - began >= 4.0
        assert f"another program removes {device} (mario), 2 times" in server.log
        asterisk.cli("module reload app_queue.so")  # that keeps dynamic members
        mario.settle()
        assert asterisk.members() == [("astcti", device)]
        asterisk.control.must("QueueRemove", Queue="astcti", Interface=device)
        mario.expect("210 astcti")
        mario.say("QUIT")
        mario.expect("900 OK")
    time.sleep(9.0)  # the third pause is 8 seconds: it has to be over to show that nothing comes
    assert asterisk.members() == []


def test_asterisk_restarted_in_the_middle_of_the_day(asterisk: Asterisk, serve: Serve) -> None:
    server = serve(asterisk)
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        mario.say("PAUSE IN Lunch")
        mario.expect("300 OK")
        asterisk.restart()
        mario.expect("901 PBX DOWN")
        mario.expect("902 PBX UP")
        until(lambda: asterisk.members() == [("astcti", asterisk.device("201"))], "a member again")
        paused = "(paused:Lunch" if asterisk.version == 22 else "(paused"  # 16 takes no reason with a member
        assert paused in asterisk.cli("queue show astcti")
        mario.say("PAUSE OUT")
        mario.expect("300 OK")
        with phones.callee(asterisk, "201", talk=0.5), phones.caller(asterisk, "101", "12345") as calling:
            assert_is_the_caller(mario.event("Link"))
            calling.wait()


class EarlyReader(FakeListener):
    """Reads the queues as the server does, from the first moment on in which Asterisk accepts a login."""

    def __init__(self) -> None:
        super().__init__()
        self.read: queue.Queue[AllMembers] = queue.Queue()
        self.reader: QueueStatusReader | None = None

    def link_up(self, banner_version: str) -> None:
        super().link_up(banner_version)
        assert self.reader is not None
        self.reader.link_up()

    def fully_booted(self) -> None:
        super().fully_booted()
        assert self.reader is not None
        self.reader.fully_booted()


def test_login_while_asterisk_is_starting_brings_no_false_advice(
    asterisk: Asterisk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    asterisk.stop()
    listener = EarlyReader()
    with running(asterisk.ami_port, listener, secret="astcti", pause=0.01) as ami:
        listener.reader = QueueStatusReader(ami.requests, 300.0, listener.read.put)
        asterisk.start()
        listener.booted.get(timeout=PATIENCE)
        listener.read.get(timeout=PATIENCE)
        answers = Answers()
        ami.requests.submit(actions.ping(), answers)  # answered after the list of commands
        assert answers.next().ok
    assert "it is still starting" in caplog.text
    assert "may not ask for" not in caplog.text
    assert "cannot be read" not in caplog.text


def test_server_killed_and_started_again_finds_its_members(asterisk: Asterisk, serve: Serve) -> None:
    server = serve(asterisk, sections='<queues leftover-grace="2"/>')
    mario, luisa = server.client("mario"), server.client("luisa")
    mario.expect("200 astcti")
    luisa.expect("200 astcti")
    server.kill()
    assert len(asterisk.members()) == 2
    mario.close()
    luisa.close()
    server.start()
    server.wait_for_log("Logged in to Asterisk", 2)
    with server.client("mario") as again:
        again.expect("200 astcti")
        until(
            lambda: asterisk.members() == [("astcti", asterisk.device("201"))], "luisa's leftover is removed"
        )
        again.say("QUIT")
        again.expect("900 OK")
        until(lambda: asterisk.members() == [], "no members")


def test_pause_outlives_client_server_and_asterisk_and_its_member_is_never_there_without_it(
    asterisk: Asterisk, serve: Serve
) -> None:
    server = serve(asterisk, sections='<clients grace="0"/>')
    member = [("astcti", asterisk.device("201"))]

    def comes_back_paused() -> None:
        with AmiSession(asterisk.ami_port) as ami:
            again = server.client("mario")
            again.expect_all("310 IN Lunch", "200 astcti")
            added = ami.wait_for("QueueMemberAdded", Interface=asterisk.device("201"))
            assert added["Paused"] == "1"
            ami.action("Ping")
            told = [*ami.events("QueueMemberStatus"), *ami.events("QueueMemberPause")]
            assert {message["Paused"] for message in told} <= {"1"}
            again.close()
        until(lambda: asterisk.members() == [], "the lost client's member is gone")

    with server.client("mario") as mario:
        mario.expect("200 astcti")
        mario.say("PAUSE IN Lunch")
        mario.expect("300 OK")
    until(lambda: asterisk.members() == [], "the lost client's member is gone")
    comes_back_paused()
    server.kill()
    server.start()
    server.wait_for_log("Listening on", 2)
    comes_back_paused()
    with server.client("mario") as mario:
        mario.expect_all("310 IN Lunch", "200 astcti")
        server.kill()
    assert asterisk.members() == member
    asterisk.restart()
    server.start()
    server.wait_for_log("Listening on", 3)
    comes_back_paused()
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        mario.say("QUIT")
        mario.expect("900 OK")
    until(lambda: asterisk.members() == [], "no members")
    with server.client("mario") as mario:
        mario.expect_all("310 OUT", "200 astcti")


def test_call_that_the_killed_server_had_is_on_the_screen_again_without_a_pop_up(
    asterisk: Asterisk, serve: Serve
) -> None:
    server = serve(asterisk)
    mario = server.client("mario")
    mario.expect("200 astcti")
    with phones.callee(asterisk, "201") as phone, phones.caller(asterisk, "101", "12345"):
        assert_is_the_caller(mario.event("Link"))
        server.kill()
        mario.close()
        server.start()
        server.wait_for_log("Logged in to Asterisk", 2)
        with server.client("mario") as again:
            link = again.event("Link")
            assert (link.repeat, link.triggers, link.service) == (True, (), "Demo")
            assert (link.call.calleridnum, link.call.queue) == (NUMBER, "astcti")
            assert link.call.appdata == (("calldata", "12345"),)
            phone.stop()
            asterisk.control.must("Hangup", Channel=link.call.channel)
            assert ended(again) == "answered"


@pytest.mark.parametrize("shown", [False, True])
def test_call_answered_while_the_client_was_away_pops_up_when_the_server_was_killed_too(
    asterisk: Asterisk, serve: Serve, shown: bool
) -> None:
    """Nobody knows then whether it was on the screen but the client, by the trigger's key."""
    server = serve(asterisk)
    mario = server.client("mario", resume="NEW")
    mario.expect("200 astcti")
    with (
        phones.answers_when_told(asterisk, "201", talk=60.0) as phone,
        phones.caller(asterisk, "101", "12345", talk=60.0) as calling,
    ):
        mario.event("Callerid")
        if not shown:
            mario.reset()
        phone.answer()
        until(lambda: in_conversation(asterisk) == 2, "they talk")
        keys = [action.key for action in mario.event("Link").triggers] if shown else []
        server.kill()
        mario.close()
        server.start()
        server.wait_for_log("Logged in to Asterisk", 2)
        with server.client("mario", resume="NEW") as again:
            link = again.event("Link")
            assert not link.repeat
            assert_is_the_caller(link)
            assert not shown or [action.key for action in link.triggers] == keys
            again.say(f"SHOWN {link.seq} 150")
            with server.client("mario", resume="NEW") as once_more:
                assert once_more.event("Link").repeat
                asterisk.control.must("Hangup", Channel=link.call.channel)
                assert ended(once_more) == "answered"
        calling.wait()


@pytest.mark.parametrize("mode", ["from", "state"])
def test_pop_up_that_a_client_missed_comes_when_it_is_back_and_is_explained(
    asterisk: Asterisk, serve: Serve, mode: str
) -> None:
    server = serve(asterisk)
    mario = server.client("mario", resume="NEW")
    mario.expect("200 astcti")
    epoch = next(line for line in mario.lines if line.startswith("104 ")).split()[2]
    with (
        phones.answers_when_told(asterisk, "201", talk=60.0) as phone,
        phones.caller(asterisk, "101", "12345", talk=60.0) as calling,
    ):
        ring = mario.event("Callerid")
        mario.reset()
        server.wait_for_log("connection lost")
        phone.answer()
        until(lambda: in_conversation(asterisk) == 2, "they talk")
        known = f"{epoch} {ring.seq}" if mode == "from" else "NEW"
        with server.client("mario", resume=known) as again:
            assert again.expect("104 RESUME").split()[-1] == mode
            link = again.event("Link")
            assert_is_the_caller(link)
            for said, verdict in (("NOOP", "popped-up"), (f"SHOWN {link.seq} 150", "shown")):
                again.say(said, f"WHY {link.call.uniqueid}")
                assert again.expect("250").split()[1] == verdict
                again.expect("250 .resumed")
                again.expect("250 told-later")
                again.expect("250 END")
            asterisk.control.must("Hangup", Channel=link.call.channel)
            assert ended(again) == "answered"
        calling.wait()


def test_a_restart_while_a_caller_waits_takes_nobody_out_of_the_queue_and_the_call_pops_up(
    asterisk: Asterisk, serve: Serve
) -> None:
    server = serve(asterisk)
    command = [sys.executable, "-m", "astcti_server", "--status", str(server.status_file)]
    with AmiSession(asterisk.ami_port) as ami:
        with server.client("mario") as mario:
            mario.expect("200 astcti")
            mario.say("PAUSE IN Lunch")
            mario.expect("300 OK")
            ami.wait_for("QueueMemberPause", Paused="1")
            start = len(ami.messages)
            with phones.callee(asterisk, "201", talk=1.0), phones.caller(asterisk, "101", "12345") as calling:
                ami.wait_for("QueueCallerJoin", since=start)
                subprocess.run([*command, "stop", "--keep-members"], timeout=PATIENCE, check=True)
                assert server.wait() == 0
                server.start()
                server.wait_for_log("Logged in to Asterisk", 2)
                with server.client("mario") as again:
                    again.expect_all("200 astcti", "310 IN")
                    again.say("PAUSE OUT")
                    again.expect("300 OK")
                    assert_is_the_caller(again.event("Link"))
                    calling.wait()
                    again.settle()
                    assert len(again.links()) == 1
        ami.wait_for("QueueMemberPause", since=start, Paused="0")
        changed = [ami.messages.index(m) for m in ami.events("QueueMemberRemoved")]
        changed += [ami.messages.index(m) for m in ami.events("QueueMemberAdded")]
        assert [index for index in changed if index >= start] == []


def test_member_that_is_not_ours_is_never_removed(asterisk: Asterisk, serve: Serve) -> None:
    device = asterisk.device("203")
    asterisk.control.must("QueueAdd", Queue="astcti", Interface=device)
    server = serve(asterisk, sections='<queues leftover-grace="1" reconcile="60"/>')
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        mario.say("QUIT")
        mario.expect("900 OK")
    until(lambda: asterisk.members() == [("astcti", device)], "only the foreign member is left")
    assert server.stop() == 0
    assert asterisk.members() == [("astcti", device)]


def test_orderly_stop_takes_everybody_out_of_the_queues(asterisk: Asterisk, serve: Serve) -> None:
    server = serve(asterisk)
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        assert server.stop() == 0
        mario.expect("910 BYE SHUTDOWN")
        assert asterisk.members() == []


def test_connection_lost_during_a_call_pops_up_nothing_twice(asterisk: Asterisk, serve: Serve) -> None:
    with WireCutter(asterisk.ami_port) as wire:
        server = serve(asterisk, port=wire.port)
        with (
            server.client("mario") as mario,
            server.client("luisa") as luisa,
            phones.callee(asterisk, "201", talk=90.0),
            phones.answers_when_told(asterisk, "202", talk=1.0) as second_phone,
        ):
            mario.expect("200 astcti")
            with phones.caller(asterisk, "301", talk=90.0) as first:
                talking = mario.event("Link")
                assert_is_the_caller(talking, "direct")
                wire.cut()
                mario.expect("901 PBX DOWN")
                mario.say("ORIG 0551234 outbound 1")
                mario.expect("101 KO PBX down")
                with phones.caller(asterisk, "302", name="caller2") as second:  # begins while nobody listens
                    until(lambda: len(asterisk.channels()) == 4, "the second call rings")
                    wire.mend()
                    mario.expect("902 PBX UP")
                    server.wait_for_log("Channels in Asterisk", 2)
                    second_phone.answer()
                    link = luisa.event("Link")
                    assert link.call.appdata == (("calldata", "direct"),)
                    assert not link.repeat
                    second.wait()
                asterisk.control.must("Hangup", Channel=talking.call.channel)
                assert ended(mario) == "answered"
                first.wait()
            assert len(mario.links()) == 1


@pytest.mark.parametrize("begins", ["before the cut", "during it"])
def test_call_answered_while_the_connection_is_lost_pops_up_when_it_is_back(
    asterisk: Asterisk, serve: Serve, begins: str
) -> None:
    with WireCutter(asterisk.ami_port) as wire:
        server = serve(asterisk, port=wire.port)
        with server.client("mario") as mario, phones.answers_when_told(asterisk, "201", talk=60.0) as phone:
            mario.expect("200 astcti")
            if begins == "during it":
                wire.cut()
                mario.expect("901 PBX DOWN")
            with phones.caller(asterisk, "101", "12345", talk=60.0) as calling:
                if begins == "before the cut":
                    mario.event("Callerid")
                    wire.cut()
                    mario.expect("901 PBX DOWN")
                until(lambda: len(asterisk.channels()) == 2, "the phone rings")
                phone.answer()
                until(lambda: in_conversation(asterisk) == 2, "they talk")
                wire.mend()
                mario.expect("902 PBX UP")
                link = mario.event("Link")
                assert not link.repeat
                assert_is_the_caller(link)
                assert link.service == "Demo"
                asterisk.control.must("Hangup", Channel=link.call.channel)
                assert ended(mario) == "answered"
                calling.wait()
            mario.settle()
            assert len(mario.links()) == 1


def in_conversation(asterisk: Asterisk) -> int:
    """How many channels are in a bridge."""
    found = asterisk.control.entries("Status", "Status", "StatusComplete")
    return sum(bool(message.get("BridgeID")) for message in found)


def test_ordinary_calls_are_not_hurt_when_they_are_compared_with_asterisks_own_list_all_the_time(
    asterisk: Asterisk, serve: Serve
) -> None:
    server = serve(asterisk, sections='<calls compare="0.2"/>')
    with (
        server.client("mario") as mario,
        server.client("luisa") as luisa,
        phones.callee(asterisk, "201", talk=60.0),
        phones.callee(asterisk, "202", talk=1.0, calls=4),
        phones.caller(asterisk, "321", talk=14.0) as long,
    ):
        assert_is_the_caller(mario.event("Link"), "local")
        for _ in range(4):
            with phones.caller(asterisk, "312", name="caller2") as short:
                luisa.event("Link")
                assert ended(luisa) == "answered"
                short.wait()
        long.wait()
        assert ended(mario) == "answered"
    assert "did not tell that they hung up" not in server.log


@pytest.mark.parametrize("version", [22, 16])
def test_call_whose_hangup_asterisk_never_tells_is_ended_all_the_same(version: int, serve: Serve) -> None:
    if not installed(version):
        needed.lacking(f"no Asterisk {version}")
    asterisk = Asterisk(version)
    manager = asterisk.folder / "etc/manager.conf"
    manager.write_text(manager.read_text().replace("[astcti]\n", "[astcti]\neventfilter = !Event: Hangup\n"))
    with asterisk:
        server = serve(asterisk, sections='<calls compare="1"/>')
        with server.client("mario") as mario, phones.callee(asterisk, "201", talk=0.5):
            with phones.caller(asterisk, "301") as calling:
                assert_is_the_caller(mario.event("Link"), "direct")
                calling.wait()
            mario.event("Hangup")
            server.wait_for_log("did not tell that they hung up")
        server.stop()


def test_late_pop_up_can_be_switched_off(asterisk22: Asterisk, serve: Serve) -> None:
    with WireCutter(asterisk22.ami_port) as wire:
        server = serve(asterisk22, port=wire.port, sections='<clients late-pop-up="0"/>')
        with (
            server.client("mario") as mario,
            phones.answers_when_told(asterisk22, "201", talk=60.0) as phone,
            phones.caller(asterisk22, "301", talk=60.0) as calling,
        ):
            mario.event("Callerid")
            wire.cut()
            mario.expect("901 PBX DOWN")
            phone.answer()
            until(lambda: in_conversation(asterisk22) == 2, "they talk")
            wire.mend()
            link = mario.event("Link")
            assert (link.repeat, link.triggers) == (True, ())
            asterisk22.control.must("Hangup", Channel=link.call.channel)
            calling.wait()


def test_global_variables_are_not_taken_for_a_calls_after_the_connection_was_lost(
    asterisk: Asterisk, serve: Serve
) -> None:
    direct = replace(DIRECT, variables=("calldata", "unset", "never"))
    with WireCutter(asterisk.ami_port) as wire:
        server = serve(asterisk, direct, port=wire.port)
        with (
            server.client("mario") as mario,
            phones.callee(asterisk, "201", talk=90.0),
            phones.caller(asterisk, "301", talk=90.0) as calling,
        ):
            talking = mario.event("Link").call
            assert talking.connected is not None
            channel = talking.connected.channel
            asterisk.control.must("Setvar", Channel=channel, Variable="unset", Value="here")
            assert mario.event("Newexten").call.appdata == (("calldata", "direct"), ("unset", "here"))
            wire.cut()
            mario.expect("901 PBX DOWN")
            for name in direct.variables:
                asterisk.control.must("Setvar", Variable=name, Value="of all")
            asterisk.control.must("Setvar", Channel=channel, Variable="unset", Value="")
            wire.mend()
            mario.expect("902 PBX UP")
            server.wait_for_log("Channels in Asterisk", 2)
            asterisk.control.must("Hangup", Channel=talking.channel)
            assert mario.event("Hangup").call.appdata == (("calldata", "direct"),)
            calling.wait()


def test_every_declared_variable_is_read_however_many_there_are(asterisk: Asterisk, serve: Serve) -> None:
    """Asterisk takes the 100th name of a list for all the rest of it."""
    names = tuple(f"v{number}" for number in range(150))
    with WireCutter(asterisk.ami_port) as wire:
        server = serve(asterisk, replace(DIRECT, variables=names, triggers=()), port=wire.port)
        with (
            server.client("mario") as mario,
            phones.callee(asterisk, "201", talk=90.0),
            phones.caller(asterisk, "301", talk=90.0) as calling,
        ):
            talking = mario.event("Link").call
            assert talking.connected is not None
            wire.cut()
            mario.expect("901 PBX DOWN")
            for name in names:
                asterisk.control.must(
                    "Setvar", Channel=talking.connected.channel, Variable=name, Value=f"value of {name}"
                )
            wire.mend()
            mario.expect("902 PBX UP")
            server.wait_for_log("Channels in Asterisk", 2)
            asterisk.control.must("Hangup", Channel=talking.channel)
            assert dict(mario.event("Hangup").call.appdata) == {name: f"value of {name}" for name in names}
            calling.wait()


@pytest.mark.parametrize(
    ("username", "secret", "said"), [("astcti", "wrong", "secret"), ("nobody", "astcti", "secret")]
)
def test_wrong_secret_is_said_in_words_and_tried_again(
    asterisk22: Asterisk, serve: Serve, username: str, secret: str, said: str
) -> None:
    server = serve(asterisk22, username=username, secret=secret)
    server.wait_for_log("manager.conf")
    assert said in server.log


def test_missing_privileges_are_named(asterisk22: Asterisk, serve: Serve) -> None:
    server = serve(asterisk22, username="weak", secret="weak")
    server.wait_for_log("manager.conf")
    assert "read" in server.log or "write" in server.log


def test_retries_used_up_end_with_exit_code_1(asterisk22: Asterisk, serve: Serve) -> None:
    server = serve(asterisk22, secret="wrong", ami='retries="0"')
    assert server.wait() == 1


def test_manager_interface_over_tls(asterisk: Asterisk, serve: Serve) -> None:
    tls = f'tls="yes" ca-file="{asterisk.ca_file}"'
    server = serve(asterisk, port=asterisk.ami_tls_port, ami=tls)
    with server.client("mario") as mario:
        mario.expect("200 astcti")


def test_hostile_caller_name_arrives_as_data(asterisk: Asterisk, serve: Serve) -> None:
    name = "'\"><b>&amp; $(reboot) `id` \u00e8\u4e16 {CALLDATA} 900 OK"
    server = serve(asterisk)
    with server.client("mario") as mario, phones.callee(asterisk, "201", talk=0.5):
        with phones.caller(asterisk, "301", display=name) as calling:
            link = mario.event("Link")
            calling.wait()
        assert "><b>&amp; $(reboot) `id` \u00e8" in link.call.calleridname
        assert not [line for line in mario.lines if line.startswith("900")]
