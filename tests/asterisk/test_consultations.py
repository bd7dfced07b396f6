"""A colleague is asked before a call is handed over: the server on a real Asterisk 22 and 16, real phones.

By an attended transfer where the call allows it, else by a second call of the phone. Both end alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service, Trigger
from schemas.protocol import Refusal
from tests.asterisk import phones
from tests.asterisk.phones import Phone
from tests.asterisk.rig import Asterisk
from tests.fake.line_client import md5
from tests.fake.patience import until
from tests.fake.running_server import RunningServer, SeatClient

pytestmark = [pytest.mark.asterisk, pytest.mark.timeout(180)]

PEOPLE = ("mario", "luisa", "anna")
TRANSFER, SECOND_CALL = "atxfer => #2", ";atxfer => #2"
"""The line in features.conf with which a colleague is asked in the one way or in the other."""
BOTH = pytest.mark.parametrize("feature", [TRANSFER, SECOND_CALL], ids=["transfer", "second-call"])


def configuration(asterisk: Asterisk) -> Configuration:
    """mario sits at 201, luisa at 202, anna at 203; 301 rings 201 through the service Direct."""
    trigger = Trigger("browser", url="https://crm.example/?id={CALLDATA}&from={CALLERID}")
    direct = Service(
        "Direct",
        "direct",
        "inbound",
        variables=("calldata",),
        triggers=(trigger,),
        operators=tuple(Binding(name, 1) for name in PEOPLE),
    )
    seats = [
        Seat(f"00:00:00:00:02:0{number}", asterisk.device(f"20{number}"), asterisk.device(f"20{number}"))
        for number in (1, 2, 3)
    ]
    return Configuration(
        services=(direct,),
        seats=tuple(seats),
        operators=tuple(
            Operator(name, name.title(), f"md5:{md5('secret')}", seat=seat.mac)
            for name, seat in zip(PEOPLE, seats, strict=True)
        ),
    )


class Office(NamedTuple):
    """mario talks to the caller from outside; luisa's client is there, her phone is not yet."""

    asterisk: Asterisk
    server: RunningServer
    mario: SeatClient
    luisa: SeatClient
    agent: Phone
    calling: Phone
    leg: str
    parts: ExitStack

    def ask(self, exten: str = "202", context: str = "phones") -> None:
        """mario asks whoever is at that number."""
        self.mario.say(f"CONSULT {self.leg} {exten} {context}")
        assert self.mario.expect("100 OK")

    def phone(self, phone: Phone) -> Phone:
        """This phone is there until the test is over."""
        return self.parts.enter_context(phone)

    def hang_up(self, phone: str) -> None:
        """Whoever is on this phone hangs up all its calls."""
        for channel in self.asterisk.channels():
            if f"/{phone}-" in channel:
                self.asterisk.control.must("Hangup", Channel=channel)

    def state(self, name: str) -> None:
        """Wait until mario is told that it stands so."""
        line = f"225 CONSULT {self.leg} {name} 202 phones"
        self.mario.expect(line)

    def takes_back(self) -> bool:
        """mario gives the colleague up; False if the server has not heard yet that anybody is called."""
        self.mario.say(f"CANCEL {self.leg}")
        while not (answer := self.mario.hear()).startswith(("100 ", "101 ")):
            assert answer, "the connection is closed"
        assert answer in ("100 OK", f"101 KO {Refusal.CONSULT_BEGINS.text()}")
        return answer == "100 OK"

    def together(self) -> list[str]:
        """Whose phones are in a call now: the names of their channels without the numbers at their end."""
        return sorted(channel.rpartition("-")[0].partition("/")[2] for channel in self.asterisk.channels())


Open = Callable[[str], Office]


@pytest.fixture
def office(asterisk: Asterisk, tmp_path: Path) -> Iterator[Open]:
    """Opens an office with that line in features.conf."""
    features = asterisk.folder / "etc/features.conf"
    before = features.read_text()
    with ExitStack() as parts:

        def opened(feature: str) -> Office:
            features.write_text(before.replace(TRANSFER, feature))
            asterisk.cli("module reload features")
            server = parts.enter_context(
                RunningServer(
                    tmp_path,
                    asterisk.ami_port,
                    configuration(asterisk),
                    sections="<transfer><context>phones</context></transfer>",
                )
            )
            mario = parts.enter_context(server.client("mario"))
            luisa = parts.enter_context(server.client("luisa"))
            agent = parts.enter_context(phones.callee(asterisk, "201", calls=2))
            calling = parts.enter_context(phones.caller(asterisk, "301"))
            leg = mario.event("Link").call.uniqueid
            mario.say("PHONE")
            assert mario.expect("224 ") == "224 PHONE CONSULT"
            return Office(asterisk, server, mario, luisa, agent, calling, leg, parts)

        yield opened
    features.write_text(before)
    asterisk.cli("module reload features")


@BOTH
def test_the_call_is_handed_over_once_the_colleague_answered_and_pops_up_there(
    office: Open, feature: str
) -> None:
    desk = office(feature)
    desk.phone(phones.callee(desk.asterisk, "202", ring=0.5))
    desk.ask()
    desk.state("calling")
    desk.mario.say(f"HANGUP {desk.leg}", f"TRANSFER {desk.leg} 203 phones", f"COMPLETE {desk.leg}")
    asked = "101 KO a colleague is asked: hand the call over or take it back first"
    assert [desk.mario.expect("101 ") for _ in range(2)] == [asked, asked]
    assert desk.mario.expect("101 ") == "101 KO the colleague has not answered"
    desk.state("talking")
    assert not [event for event in desk.luisa.events if event.triggers]
    desk.mario.say(f"COMPLETE {desk.leg}")
    assert desk.mario.expect("100 OK")
    desk.state("handed-over")
    link = desk.luisa.event("Link")
    assert [action.url for action in link.triggers] == ["https://crm.example/?id=direct&from=3331234567"]
    until(lambda: desk.together() == ["202", "caller"], "the two others talk")


@BOTH
@pytest.mark.parametrize("answers", [True, False], ids=["who-answered", "who-rings"])
def test_the_call_is_taken_back_from_a_colleague(office: Open, feature: str, answers: bool) -> None:
    desk = office(feature)
    phone = phones.callee if answers else phones.never_answers
    desk.phone(phone(desk.asterisk, "202"))
    desk.ask()
    desk.state("talking" if answers else "calling")
    until(lambda: "202" in desk.together(), "the colleague's phone rings or talks")
    until(desk.takes_back, "the call is not taken back")
    desk.state("taken-back")
    until(lambda: desk.together() == ["201", "caller"], "the first two talk")
    desk.mario.say(f"CANCEL {desk.leg}")
    assert desk.mario.expect("101 ") == "101 KO no colleague is asked about this call"


@BOTH
def test_a_busy_colleague_brings_the_caller_back(office: Open, feature: str) -> None:
    desk = office(feature)
    desk.phone(phones.refuses(desk.asterisk, "202"))
    desk.ask()
    desk.state("busy")
    until(lambda: desk.together() == ["201", "caller"], "the first two talk")


@BOTH
def test_a_colleague_who_hangs_up_brings_the_caller_back(office: Open, feature: str) -> None:
    desk = office(feature)
    desk.phone(phones.callee(desk.asterisk, "202"))
    desk.ask()
    desk.state("talking")
    desk.hang_up("202")
    desk.state("colleague-left")
    until(lambda: desk.together() == ["201", "caller"], "the first two talk")


@BOTH
def test_if_the_caller_hangs_up_the_two_colleagues_talk_on(office: Open, feature: str) -> None:
    desk = office(feature)
    desk.phone(phones.callee(desk.asterisk, "202"))
    desk.ask()
    desk.state("talking")
    desk.hang_up("caller")
    desk.state("caller-left")
    until(lambda: desk.together() == ["201", "202"], "the colleagues talk")


def test_an_operator_who_hangs_up_hands_the_call_over_as_at_any_phone(office: Open) -> None:
    desk = office(TRANSFER)
    desk.phone(phones.callee(desk.asterisk, "202"))
    desk.ask()
    desk.state("talking")
    desk.hang_up("201")
    desk.state("handed-over")
    until(lambda: desk.together() == ["202", "caller"], "the two others talk")


def test_after_a_lost_connection_the_client_hears_whom_it_asks(office: Open) -> None:
    desk = office(TRANSFER)
    desk.phone(phones.callee(desk.asterisk, "202"))
    desk.ask()
    desk.state("talking")
    desk.mario.reset()
    with desk.server.client("mario") as again:
        again.say("PHONE")
        again.expect("224 PHONE CONSULT")
        again.expect(f"225 CONSULT {desk.leg} talking 202 phones")
        again.say(f"COMPLETE {desk.leg}")
        again.expect(f"225 CONSULT {desk.leg} handed-over 202 phones")
