"""What colleagues are told of one another, with the time and the facts in the test's hands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from astcti_server.colleagues.announcer import ColleagueAnnouncer
from astcti_server.colleagues.team import SeatedFacts, TeamSnapshot, state_of
from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service
from tests.fake.clock import TimerWheel

MAC = "00:11:22:33:44:55"


def operator(name: str, **more: object) -> Operator:
    return replace(Operator(name, name.title(), "md5:0"), **more)  # type: ignore[arg-type]


def service(name: str, *operators: str) -> Service:
    return Service(name, name, "inbound", operators=tuple(Binding(operator) for operator in operators))


OFFICE = Configuration(
    services=(service("sales", "mario", "anna", "luca"), service("support", "luca", "gina")),
    seats=(Seat(MAC, "PJSIP/203", "PJSIP/203"),),
    operators=(operator("mario"), operator("anna"), operator("luca", seat=MAC), operator("gina")),
)


class Office:
    """Everybody's facts, and what was told to whom."""

    def __init__(self) -> None:
        self.wheel = TimerWheel()
        self.seated: dict[str, SeatedFacts] = {}
        self.looks = 0
        self.heard: dict[int, list[str]] = {}
        self.over: set[int] = set()
        self.announcer = ColleagueAnnouncer(OFFICE, self.look, self.tell, self.wheel)

    def look(self) -> TeamSnapshot:
        self.looks += 1
        return TeamSnapshot(True, dict(self.seated))

    def tell(self, session_id: int, lines: bytes) -> bool:
        self.heard.setdefault(session_id, []).append(lines.decode())
        return session_id not in self.over

    def ask(self, session_id: int, username: str) -> list[str]:
        return self.announcer.ask(session_id, username).decode().splitlines()

    def sits(self, username: str, extension: str, **facts: object) -> None:
        self.seated[username] = SeatedFacts(extension, **facts)  # type: ignore[arg-type]


@pytest.fixture
def office() -> Office:
    return Office()


def test_nobody_looks_as_long_as_nobody_asks(office: Office) -> None:
    office.wheel.advance(60.0)
    office.announcer.configure(replace(OFFICE))
    assert (office.looks, office.wheel.waiting) == (0, 0)


def test_who_asks_hears_of_those_who_share_a_service_with_him(office: Office) -> None:
    office.sits("anna", "PJSIP/202")
    assert office.ask(1, "mario") == [
        "242 anna PJSIP/202 ready Anna",
        "242 luca PJSIP/203 offline Luca",
        "242 END",
    ]
    assert [line.split()[1] for line in office.ask(2, "luca")] == ["mario", "anna", "gina", "END"]


def test_what_changes_is_told_once_and_within_a_second_to_those_alone_whom_it_concerns(
    office: Office,
) -> None:
    office.ask(1, "mario")
    office.ask(2, "gina")
    office.sits("anna", "PJSIP/202", paused=True)
    office.wheel.advance(1.0)
    assert office.heard == {1: ["242 anna PJSIP/202 paused Anna\n"]}
    office.wheel.advance(30.0)
    assert office.heard == {1: ["242 anna PJSIP/202 paused Anna\n"]}


def test_a_session_hears_at_most_once_a_second_however_much_happens(office: Office) -> None:
    office.ask(1, "mario")
    for number in range(100):
        office.sits("anna", "PJSIP/202", phone="ringing" if number // 7 % 2 else "talking")
        office.sits("luca", "PJSIP/203", paused=number // 7 % 2 == 0)
        office.wheel.advance(0.1)
    assert 5 <= len(office.heard[1]) <= 10
    assert office.heard[1][-1].count("\n") == 2


def test_who_asked_no_more_or_is_gone_hears_nothing_and_the_looking_ends(office: Office) -> None:
    office.ask(1, "mario")
    office.ask(2, "anna")
    office.announcer.forget(1)
    office.over.add(2)
    office.sits("luca", "PJSIP/203")
    office.wheel.advance(5.0)
    assert set(office.heard) == {2}
    assert len(office.heard[2]) == 1
    looks = office.looks
    office.wheel.advance(60.0)
    assert (office.looks, office.wheel.waiting) == (looks, 0)


def test_a_new_configuration_tells_who_came_and_who_went(office: Office) -> None:
    office.ask(1, "mario")
    office.announcer.configure(
        replace(OFFICE, services=(service("sales", "mario", "anna", "gina"), service("support", "luca")))
    )
    office.wheel.advance(1.0)
    assert sorted("".join(office.heard[1]).splitlines()) == ["242 gina - offline Gina", "243 luca"]


def test_nobody_hears_of_himself(office: Office) -> None:
    office.ask(1, "mario")
    office.ask(2, "anna")
    office.sits("anna", "PJSIP/202")
    office.sits("luca", "PJSIP/203")
    office.wheel.advance(1.0)
    assert office.heard == {
        1: ["242 anna PJSIP/202 ready Anna\n242 luca PJSIP/203 ready Luca\n"],
        2: ["242 luca PJSIP/203 ready Luca\n"],
    }
    office.announcer.configure(replace(OFFICE, services=(service("support", "luca", "gina"),)))
    assert office.heard[1][-1].splitlines() == ["243 anna", "243 luca"]
    assert office.heard[2][-1].splitlines() == ["243 luca", "243 mario"]


def test_a_disabled_operator_is_no_colleague(office: Office) -> None:
    office.ask(1, "mario")
    off = [replace(one, enabled=one.username != "anna") for one in OFFICE.operators]
    office.announcer.configure(replace(OFFICE, operators=tuple(off)))
    office.wheel.advance(1.0)
    assert office.heard[1] == ["243 anna\n"]
    assert [line.split()[1] for line in office.ask(2, "luca")] == ["mario", "gina", "END"]


@pytest.mark.parametrize(
    ("facts", "pbx_up", "state"),
    [
        (None, True, "offline"),
        (None, False, "offline"),
        (SeatedFacts("PJSIP/201"), True, "ready"),
        (SeatedFacts("PJSIP/201"), False, "unreachable"),
        (SeatedFacts(""), True, "unreachable"),
        (SeatedFacts("PJSIP/201", reachable=False), True, "unreachable"),
        (SeatedFacts("PJSIP/201", paused=True, reachable=False), True, "paused"),
        (SeatedFacts("PJSIP/201", paused=True, phone="talking"), True, "talking"),
        (SeatedFacts("PJSIP/201", phone="ringing"), True, "ringing"),
    ],
)
def test_the_state_is_what_matters_most_to_who_wants_to_call(
    facts: SeatedFacts | None, pbx_up: bool, state: str
) -> None:
    assert state_of(facts, pbx_up) == state
