"""What is kept for who comes back: how much, how long, for whom, and what is said of what is given up."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from astcti_server.clients.ports import Presence, ResumePoint, ShownReport
from astcti_server.clients.registry import Registry
from astcti_server.clients.resume.seat_log import MOST_EVENTS, TOLD_FOR, SeatLog
from astcti_server.clients.resume.seat_logs import SeatLogs
from astcti_server.clients.session import Session
from schemas.configuration.model import Configuration, Operator, Seat
from schemas.events import Action, Call, CallEvent
from schemas.protocol import KEPT_FOR
from tests.fake.clock import FakeClock
from tests.fake.fake_requests import seat_logs
from tests.fake.line_client import TakingTransport

PHONE = "PJSIP/201"
SEAT = Seat("00:00:00:00:02:01", PHONE)
MARIO = Operator("mario", "Mario", "md5:x", seat=SEAT.mac)
OFFICE = Configuration(seats=(SEAT,), operators=(MARIO,))
EVENT = CallEvent("Newstate", Call("1.1", f"{PHONE}-1"))
LINK = CallEvent("Link", EVENT.call, triggers=(Action("browser", url="http://crm/", key="0123456789abcdef"),))


class Office:
    """Mario, who is told things at his phone."""

    def __init__(self, most_characters: int = 1 << 20) -> None:
        self.clock = FakeClock()
        self.registry = Registry()
        self.seconds: list[float] = []
        self.logs: SeatLogs = seat_logs(self.registry, self.clock, self.seconds.append, most_characters)
        self.logs.configure(OFFICE)
        self.session = Session("client-1", TakingTransport(), "127.0.0.1", 100_000)
        self.session.logged_in(MARIO, SEAT)
        self.registry.take(self.session)
        self.log: SeatLog = self.logs.make("mario", PHONE)
        self.logs.begin(self.log, self.session)
        self.presence = Presence(self.session.id, "mario", "Mario", PHONE, PHONE, "", False)

    def tell(self, event: CallEvent = EVENT, *, read: bool = True) -> CallEvent:
        told = self.logs.add(self.log, event)
        if read:
            self.log.handed([told], self.clock())
        return told

    def lose(self) -> bool:
        self.registry.drop(self.session)
        return self.logs.left(self.session.id, False)

    @property
    def undelivered(self) -> list[int]:
        return [told.event.seq for told in self.logs.take_undelivered()]


@pytest.fixture
def office() -> Iterator[Office]:
    made = Office()
    yield made
    made.session.close("over", at_once=True)
    made.session.finish()


def test_of_too_many_events_the_oldest_fall_out_and_who_missed_one_cannot_go_on(office: Office) -> None:
    for _ in range(MOST_EVENTS + 3):
        office.tell()
    epoch = office.log.epoch
    assert office.log.goes_on_from(ResumePoint(epoch, 3))
    assert [event.seq for event in office.log.since(3)] == list(range(4, MOST_EVENTS + 4))
    assert not office.log.goes_on_from(ResumePoint(epoch, 2))
    assert not office.log.goes_on_from(ResumePoint(epoch, MOST_EVENTS + 4))
    assert not office.log.goes_on_from(ResumePoint("", 3))
    assert office.undelivered == []


def test_what_fell_out_before_anybody_read_it_is_said_to_be_undelivered(office: Office) -> None:
    office.lose()
    for _ in range(MOST_EVENTS + 2):
        office.tell(read=False)
    assert office.undelivered == [1, 2]


def test_what_was_told_long_ago_is_forgotten_and_what_nobody_read_is_not(office: Office) -> None:
    for _ in range(5):
        office.tell()
    cost = office.logs.cost
    office.clock.go_on(TOLD_FOR + 1)
    office.tell()
    assert office.logs.cost == cost // 5
    point = ResumePoint(office.log.epoch, 5)
    assert office.log.goes_on_from(point) and [event.seq for event in office.log.since(5)] == [6]
    assert not office.log.goes_on_from(ResumePoint(office.log.epoch, 4))
    for _ in range(2):
        office.tell(read=False)
    office.clock.go_on(TOLD_FOR + 1)
    office.tell(read=False)
    assert [event.seq for event in office.log.since(6)] == [7, 8, 9]
    assert office.undelivered == []


def test_all_logs_together_are_bounded_and_who_has_most_loses_the_oldest(office: Office) -> None:
    small = Office(most_characters=64_000)
    other = small.logs.make("luisa", "PJSIP/202")
    for _ in range(10):
        small.logs.add(other, EVENT)
    for _ in range(200):
        small.tell()
        assert small.logs.cost <= 64_000
    assert small.log.last == 200 and not small.log.goes_on_from(ResumePoint(small.log.epoch, 0))
    assert small.log.goes_on_from(ResumePoint(small.log.epoch, 190))
    assert len(other.since(0)) == 10
    small.session.close("over", at_once=True)
    small.session.finish()


def test_who_is_lost_is_awaited_for_three_minutes_and_then_told_of(office: Office) -> None:
    office.tell()
    assert office.logs.operators is office.registry.seated_operators
    assert office.lose()
    assert office.registry.seated_operators == {} and office.logs.operators == {PHONE: "mario"}
    office.tell(read=False)
    office.clock.go_on(KEPT_FOR - 1)
    assert office.logs.forget_expired() == office.clock() + 1
    assert office.undelivered == []
    office.clock.go_on(1)
    assert office.logs.forget_expired() is None
    assert office.undelivered == [2]
    assert office.logs.operators is office.registry.seated_operators
    assert office.logs.cost == 0 == office.logs.count


def test_a_pop_up_of_which_nothing_was_heard_is_undelivered_when_its_client_does_not_come_back(
    office: Office,
) -> None:
    shown, failed, silent = office.tell(LINK), office.tell(LINK), office.tell(LINK)
    assert office.logs.shown(office.presence, ShownReport(shown.seq), office.clock()) == shown
    key = LINK.triggers[0].key
    report = ShownReport(failed.seq, None, key, "not-found")
    assert office.logs.shown(office.presence, report, office.clock()) == failed
    assert office.logs.shown(office.presence, report, office.clock()) is None, "once"
    office.lose()
    office.clock.go_on(KEPT_FOR)
    office.logs.forget_expired()
    assert office.undelivered == [silent.seq]


def test_how_long_it_took_is_told_once_of_what_was_told_as_it_happened(office: Office) -> None:
    link = office.tell(LINK)
    at = office.clock() + 0.25
    office.clock.go_on(5)
    stranger = dataclasses.replace(office.presence, session_id=99)
    assert office.logs.shown(stranger, ShownReport(link.seq), at) is None
    assert office.logs.shown(office.presence, ShownReport(link.seq), at) == link
    assert office.logs.shown(office.presence, ShownReport(link.seq), at) is None
    assert office.logs.shown(office.presence, ShownReport(office.tell().seq), at) is None
    assert office.logs.shown(office.presence, ShownReport(1000), at) is None
    assert office.seconds == [0.25]


@pytest.mark.parametrize("for_good", [True, False])
def test_who_leaves_for_good_is_not_awaited(office: Office, for_good: bool) -> None:
    office.registry.drop(office.session)
    assert office.logs.left(office.session.id, for_good) is not for_good
    assert office.logs.count == (0 if for_good else 1)


@pytest.mark.parametrize(
    "configuration",
    [
        dataclasses.replace(OFFICE, operators=()),
        dataclasses.replace(OFFICE, operators=(dataclasses.replace(MARIO, enabled=False),)),
        dataclasses.replace(OFFICE, operators=(dataclasses.replace(MARIO, password="md5:y"),)),
        dataclasses.replace(OFFICE, operators=(dataclasses.replace(MARIO, seat="00:00:00:00:02:02"),)),
        dataclasses.replace(OFFICE, seats=()),
        dataclasses.replace(OFFICE, seats=(dataclasses.replace(SEAT, extension="PJSIP/999"),)),
    ],
)
def test_nobody_is_awaited_whom_the_configuration_would_not_let_go_on(
    office: Office, configuration: Configuration
) -> None:
    office.lose()
    office.tell(read=False)
    office.logs.configure(dataclasses.replace(OFFICE, pause_reasons=("Lunch",)))
    assert office.logs.count == 1
    office.logs.configure(configuration)
    assert office.logs.count == 0 and office.undelivered == [1]


def test_a_configuration_that_came_before_the_loss_was_noticed_counts_too(office: Office) -> None:
    office.logs.configure(dataclasses.replace(OFFICE, operators=()))
    assert office.logs.count == 1, "who is connected is ended by others"
    assert not office.lose()
    assert office.logs.count == 0


def test_who_sits_elsewhere_is_not_awaited_and_nobody_is_where_somebody_else_sits(office: Office) -> None:
    office.lose()
    office.logs.sits_at("mario", PHONE)
    assert office.logs.count == 1
    office.logs.sits_at("mario", "PJSIP/202")
    assert office.logs.count == 0
    office.logs.make("mario", PHONE)
    office.logs.sits_at("luisa", PHONE)
    assert office.logs.count == 0
