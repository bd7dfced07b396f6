"""A click answers the phone: the server on real Asterisks 22 and 16, with phones that answer on a NOTIFY."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service
from tests.asterisk import phones
from tests.asterisk.ami_session import AmiSession
from tests.asterisk.rig import Asterisk
from tests.fake.line_client import md5
from tests.fake.patience import until
from tests.fake.running_server import RunningServer, SeatClient

pytestmark = [pytest.mark.asterisk, pytest.mark.timeout(180)]


def configuration(asterisk: Asterisk) -> Configuration:
    """mario sits at 201, whose phone answers on a click, luisa at 202, whose phone does not."""
    people = ("mario", "luisa")
    direct = Service("Direct", "direct", "inbound", operators=tuple(Binding(name, 1) for name in people))
    phone = {"mario": asterisk.device("201"), "luisa": asterisk.device("202")}
    seats = {
        name: Seat(f"00:00:00:00:02:0{number}", phone[name], phone[name])
        for number, name in enumerate(people, 1)
    }
    seats["mario"] = replace(seats["mario"], answer="notify")
    return Configuration(
        services=(direct,),
        seats=tuple(seats.values()),
        operators=tuple(
            Operator(name, name.title(), f"md5:{md5('secret')}", seat=seats[name].mac) for name in people
        ),
    )


def ringing(client: SeatClient) -> str:
    """The id of the leg that rings at the client's phone; waits for it."""
    while (call := client.event("Newstate").call).state != "Ringing":
        pass
    return call.uniqueid


@pytest.fixture
def server(asterisk: Asterisk, tmp_path: Path) -> Iterator[RunningServer]:
    with RunningServer(tmp_path, asterisk.ami_port, configuration(asterisk)) as running:
        yield running


@pytest.fixture
def parts() -> Iterator[ExitStack]:
    """What ends with the test."""
    with ExitStack() as stack:
        yield stack


def test_a_click_answers_the_phone_that_rings(
    asterisk: Asterisk, server: RunningServer, parts: ExitStack
) -> None:
    with server.client("mario") as mario, phones.answers_when_notified(asterisk, "201", talk=0.5) as phone:
        mario.say("PHONE")
        assert mario.expect("224 ") == "224 PHONE CONSULT ANSWER"
        calling = parts.enter_context(phones.caller(asterisk, "301"))
        leg = ringing(mario)
        mario.say(f"ANSWER {leg}")
        assert mario.expect("100 OK")
        assert mario.event("Link").call.uniqueid == leg
        mario.say(f"ANSWER {leg}")
        assert mario.expect("101 ") == "101 KO this call does not ring at your phone"
        phone.wait()
        calling.wait()


def test_a_phone_that_does_not_understand_it_rings_on(asterisk: Asterisk, server: RunningServer) -> None:
    with (
        server.client("mario") as mario,
        phones.answers_when_told(asterisk, "201", talk=0.5) as phone,
        phones.caller(asterisk, "301"),
    ):
        leg = ringing(mario)
        mario.say(f"ANSWER {leg}")
        assert mario.expect("100 OK")
        until(lambda: "Event: talk" in phone.story(), "the phone heard of it")
        phone.answer()
        assert mario.event("Link").call.uniqueid == leg


def test_a_seat_that_does_not_say_so_has_no_such_phone(
    asterisk: Asterisk, server: RunningServer, parts: ExitStack
) -> None:
    with server.client("luisa") as luisa, server.client("mario") as mario:
        luisa.say("PHONE")
        assert luisa.expect("224 ") == "224 PHONE CONSULT"
        phone = parts.enter_context(phones.never_answers(asterisk, "202"))
        parts.enter_context(phones.caller(asterisk, "302"))
        leg = ringing(luisa)
        luisa.say(f"ANSWER {leg}")
        assert luisa.expect("101 ") == "101 KO your phone cannot be told to answer"
        mario.say(f"ANSWER {leg}")
        assert mario.expect("101 ") == "101 KO not a call of yours"
        assert "Event: talk" not in phone.story()


def test_the_class_system_and_no_other_allows_it(asterisk: Asterisk) -> None:
    action = {"PJSIP": "PJSIPNotify", "SIP": "SIPnotify"}[asterisk.technology]
    manager = asterisk.folder / "etc/manager.conf"
    before = manager.read_text()
    rights = "call,agent,originate,reporting"
    manager.write_text(f"{before}\n[unable]\nsecret = unable\nread = call\nwrite = {rights}\n")
    try:
        asterisk.cli("manager reload")
        for user, able in (("astcti", True), ("unable", False)):
            with AmiSession(asterisk.ami_port, user, user) as ami:
                listed = ami.must("ListCommands").keys()
                # By the second one doctor tells a missing class from a module that is not loaded.
                assert [name in listed for name in (action, "ModuleLoad")] == [able, able]
    finally:
        manager.write_text(before)
        asterisk.cli("manager reload")
