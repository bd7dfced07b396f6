"""The checks themselves: each kind of wrong, planted in a history, is found; what is right is left alone."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace

import pytest

from tests.endurance.checks.calls import CallCheck, CallTally, Limits
from tests.endurance.checks.findings import Finding, Wrong
from tests.endurance.checks.growth import WARM_UP, Sample, check_growth
from tests.endurance.checks.members import check_members
from tests.endurance.checks.rest import check_log, check_rest
from tests.endurance.checks.seat_times import Fault, SeatTimes, Span, follow
from tests.endurance.history import Fact
from tests.endurance.office import Office

OFFICE = Office(10, 2)
PHONE, OTHER = OFFICE.phones[0], OFFICE.phones[1]
OVER = 1000.0


class Story:
    """A history in the making: a seat that is up from 1 on, and what happens at the PBX and there."""

    def __init__(self, *, resumes: bool = False) -> None:
        self.pbx: list[Fact] = []
        self.seats: list[Fact] = [{"at": 0.0, "what": "began", "seats": [PHONE, OTHER]}]
        self.faults: list[Fault] = [Fault("start", 0.0, 1.0, None, 5.0)]
        for phone in (PHONE, OTHER):
            if resumes:
                self.seat(0.5, "resumes", phone)
            self.seat(1.0, "up", phone)

    def seat(self, at: float, what: str, seat: str = PHONE, **more: object) -> None:
        self.seats.append({"at": at, "what": what, "seat": seat, **more})

    def call(self, at: float, until: float, leg: str = "1.1", phone: str = PHONE) -> Fact:
        """A call is answered; returns what a right page of it shows."""
        data = {"other": f"{leg}0", "number": "39", "name": "A & B", "digits": "7", "queue": "team0"}
        self.pbx.append({"at": at, "what": "answered", "leg": leg, "phone": phone, **data})
        self.pbx.append({"at": until, "what": "ended", "leg": leg})
        return {"leg": leg, "phone": phone, "operator": OFFICE.operator(phone), **data}

    def show(self, at: float, page: Fact, moment: str = "answer", seat: str = PHONE) -> None:
        self.seat(at, "shown", seat, moment=moment, **page)

    def right_call(self, at: float, until: float, leg: str = "1.1") -> Fact:
        page = self.call(at, until, leg)
        self.show(at + 0.1, page)
        self.show(until + 0.1, page, "hangup")
        return page

    def check(self) -> tuple[list[Finding], CallTally]:
        seats: dict[str, SeatTimes] = {}
        follow((fact for fact in sorted(self.seats, key=_at) if "shown" not in fact["what"]), seats)
        for times in seats.values():
            times.close(OVER)
        shown = [fact for fact in self.seats if "shown" in fact["what"]]
        check = CallCheck(
            sorted(self.pbx, key=_at), shown, seats, self.faults, over=OVER, limits=Limits(5.0, 15.0)
        )
        findings = list(check.run())
        for times in seats.values():
            findings += [
                Finding(Wrong.AWAY, span.begin, times.seat) for span in times.unexplained(self.faults)
            ]
        return findings, check.tally

    def kinds(self) -> list[Wrong]:
        return [finding.wrong for finding in self.check()[0]]


def _at(fact: Fact) -> float:
    return float(fact["at"])


# -- calls -------------------------------------------------------------------------------------------------


def test_what_is_right_is_not_found_wrong() -> None:
    story = Story()
    story.right_call(100, 110)
    findings, tally = story.check()
    assert findings == []
    assert (tally.answered, tally.shown, tally.wrapped_up) == (1, 1, 1)


def test_a_lost_call_is_found() -> None:
    story = Story()
    page = story.call(100, 110)
    story.show(110.1, page, "hangup")
    assert story.kinds() == [Wrong.LOST]


def test_a_lost_end_of_a_call_is_found() -> None:
    story = Story()
    story.show(100.1, story.call(100, 110))
    assert story.kinds() == [Wrong.LOST]


@pytest.mark.parametrize("moment", ["answer", "hangup"])
def test_a_page_that_opens_twice_is_found(moment: str) -> None:
    story = Story()
    story.show(150, story.right_call(100, 110), moment)
    assert story.kinds() == [Wrong.DOUBLED]


def test_a_page_at_another_seat_is_found() -> None:
    story = Story()
    page = story.call(100, 110)
    story.show(100.1, page, seat=OTHER)
    story.show(110.1, page, "hangup")
    assert story.kinds() == [Wrong.WRONG_SEAT]


@pytest.mark.parametrize("name", ["other", "number", "name", "digits", "queue", "operator", "phone"])
def test_wrong_data_is_found(name: str) -> None:
    story = Story()
    page = story.call(100, 110)
    story.show(100.1, page | {name: "something else"})
    story.show(110.1, page, "hangup")
    assert story.kinds() == [Wrong.WRONG_DATA]


def test_a_call_that_nobody_answered_is_found() -> None:
    story = Story()
    story.right_call(100, 110)
    story.show(120, story.right_call(100, 110, "1.2") | {"leg": "9.9"})
    assert story.kinds() == [Wrong.INVENTED]


def test_a_late_page_is_found() -> None:
    story = Story()
    page = story.call(100, 130)
    story.show(106, page)
    story.show(130.1, page, "hangup")
    assert story.kinds() == [Wrong.LATE]


# -- calls and faults --------------------------------------------------------------------------------------


def away(*, until: float = 120.0, resumes: bool = False, seats: Iterable[str] | None = None) -> Story:
    """The seat's connection is lost at 100 by a fault, and it is back at `until`."""
    story = Story(resumes=resumes)
    story.faults.append(Fault("cut", 100, 110, None if seats is None else frozenset(seats), 45))
    story.seat(100, "down")
    story.seat(until, "up")
    return story


def test_a_call_that_was_over_before_the_seat_was_back_is_excused_by_the_fault() -> None:
    story = away(resumes=True)
    story.call(105, 115)
    findings, tally = story.check()
    assert (findings, dict(tally.excused)) == ([], {"cut": 1})


def test_a_call_that_goes_on_when_the_seat_is_back_is_excused_only_without_resuming() -> None:
    story = away()
    story.call(105, 160)
    assert story.check()[1].excused == {"cut": 1}
    story = away(resumes=True)
    story.call(105, 160)
    assert story.kinds() == [Wrong.LOST]


def test_a_call_that_was_caught_up_with_is_right() -> None:
    story = away(resumes=True)
    page = story.call(105, 160)
    story.show(121, page)
    story.show(160.1, page, "hangup")
    findings, tally = story.check()
    assert (findings, tally.caught_up) == ([], 1)


def test_a_call_that_was_caught_up_with_too_late_is_found() -> None:
    story = away(resumes=True)
    page = story.call(105, 160)
    story.show(136, page)
    story.show(160.1, page, "hangup")
    assert story.kinds() == [Wrong.LATE]


@pytest.mark.parametrize(("killed", "kinds"), [(105.2, []), (90.0, [Wrong.LOST])])
def test_a_page_that_was_interrupted_is_excused_by_the_end_of_its_client(
    killed: float, kinds: list[Wrong]
) -> None:
    story = Story(resumes=True)
    story.faults.append(Fault("client killed", killed, killed + 2, None, 45))
    story.seat(killed, "killed")
    story.seat(killed + 3, "up")
    page = story.call(105, 160)
    story.seat(109, "not-shown", moment="answer", leg="1.1", why="interrupted")
    story.show(160.1, page, "hangup")
    assert story.kinds() == kinds


def test_after_three_minutes_nothing_is_kept_for_a_seat() -> None:
    story = Story(resumes=True)
    story.faults.append(Fault("cut", 100, 300, None, 45))
    story.seat(100, "down")
    story.seat(300, "up")
    story.call(110, 400)
    assert story.check()[1].excused == {"cut": 1}


def test_a_fault_elsewhere_excuses_nothing() -> None:
    story = Story()
    story.faults.append(Fault("cut", 100, 110, frozenset([OTHER]), 45))
    page = story.call(105, 115)
    story.show(115.1, page, "hangup")
    assert story.kinds() == [Wrong.LOST]


def test_a_call_that_goes_on_when_the_pbx_is_back_must_be_shown_to_everybody() -> None:
    story = Story()
    story.faults.append(Fault("link cut", 100, 105, None, 45))
    story.seat(100.1, "pbx", up=False)
    story.seat(106, "pbx", up=True)
    story.call(103, 130)
    assert story.kinds() == [Wrong.LOST]


def test_what_a_killed_pbx_had_is_over() -> None:
    story = Story(resumes=True)
    story.faults.append(Fault("PBX killed", 104, 106, None, 45))
    story.seat(104.1, "pbx", up=False)
    story.seat(107, "pbx", up=True)
    story.call(103.5, 900)
    del story.pbx[-1]
    story.pbx.append({"at": 104.0, "what": "killed"})
    assert story.check()[1].excused == {"PBX killed": 1}


def test_a_seat_that_is_away_without_a_fault_is_found() -> None:
    story = Story()
    story.seat(100, "down")
    story.seat(101, "up")
    assert story.kinds() == [Wrong.AWAY]


def test_a_seat_that_is_away_for_longer_than_its_fault_has_it_is_found() -> None:
    assert away(until=154).kinds() == []
    assert away(until=156).kinds() == [Wrong.AWAY]


def test_times_of_trouble_that_touch_are_one() -> None:
    story = away()
    seats: dict[str, SeatTimes] = {}
    follow(story.seats, seats)
    assert seats[PHONE].broken(story.faults) == [Span(-1.0, 1.0), Span(99.0, 120.0)]


# -- members -----------------------------------------------------------------------------------------------


def logged_in() -> tuple[dict[str, SeatTimes], dict[str, dict[str, tuple[int, bool]]]]:
    """Everybody is there, and a member as the configuration has it; one has a break."""
    seats: dict[str, SeatTimes] = {}
    members: dict[str, dict[str, tuple[int, bool]]] = {}
    for phone in OFFICE.phones:
        facts = [{"at": 1.0, "what": "up", "seat": phone}]
        facts += [{"at": 1.0, "what": "joined", "seat": phone, "queue": q} for q in OFFICE.queues_of(phone)]
        follow([*facts, {"at": 2.0, "what": "paused", "seat": phone, "paused": phone == PHONE}], seats)
        for queue, penalty in OFFICE.queues_of(phone).items():
            members.setdefault(queue, {})[phone] = (penalty, phone == PHONE)
    return seats, members


def kinds_of(findings: Iterable[Finding]) -> list[Wrong]:
    return [finding.wrong for finding in findings]


def test_members_that_are_right_are_not_found_wrong() -> None:
    seats, members = logged_in()
    assert kinds_of(check_members(members, seats, OFFICE, 5.0)) == []


def test_a_stuck_member_is_found() -> None:
    seats, members = logged_in()
    seats[PHONE].take({"at": 3.0, "what": "down"})
    assert kinds_of(check_members(members, seats, OFFICE, 5.0)) == [Wrong.STUCK_MEMBER] * 2


def test_a_missing_member_is_found() -> None:
    seats, members = logged_in()
    del members["team0"][PHONE]
    assert kinds_of(check_members(members, seats, OFFICE, 5.0)) == [Wrong.MISSING_MEMBER]


@pytest.mark.parametrize("how", [(4, True), (0, False)], ids=["penalty", "pause"])
def test_a_member_with_another_penalty_or_pause_is_found(how: tuple[int, bool]) -> None:
    seats, members = logged_in()
    members["team0"][PHONE] = how
    assert kinds_of(check_members(members, seats, OFFICE, 5.0)) == [Wrong.WRONG_MEMBER]


def test_a_seat_that_was_not_told_of_its_queue_is_found() -> None:
    seats, members = logged_in()
    seats[PHONE].take({"at": 3.0, "what": "left", "queue": "team0"})
    assert kinds_of(check_members(members, seats, OFFICE, 5.0)) == [Wrong.WRONG_MEMBER]


# -- rest --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("calls", "kinds"), [(0.0, []), (1.0, [Wrong.STUCK_CALL])])
def test_a_call_that_the_server_still_knows_is_found(calls: float, kinds: list[Wrong]) -> None:
    assert kinds_of(check_rest(Sample(5.0, 7, FLAT | {"calls": calls}), 5.0)) == kinds


def test_a_server_that_does_not_say_what_it_knows_is_not_taken_for_one_at_rest() -> None:
    assert kinds_of(check_rest(None, 5.0)) == [Wrong.BROKEN_PROMISE]


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        ("12:00:00 WARNING The link to Asterisk is lost", []),
        ("Traceback (most recent call last):", [Wrong.BROKEN_PROMISE]),
        ("12:00:00 CRITICAL A thread died", [Wrong.BROKEN_PROMISE]),
    ],
)
def test_a_mistake_in_the_log_of_the_server_is_found(line: str, kinds: list[Wrong]) -> None:
    log = f"12:00:00 INFO Listening on port 5000\n{line}\n12:00:01 INFO Listening on port 5000\n"
    assert kinds_of(check_log(log, 5.0)) == kinds


# -- growth ------------------------------------------------------------------------------------------------

FLAT = {"memory": 80 * 2.0**20, "threads": 520.0, "descriptors": 700.0, "calls": 40.0}
RISE = {"memory": 40 * 2.0**20, "threads": 12.0, "descriptors": 20.0, "calls": 100.0}


def samples(growing: str = "") -> list[Sample]:
    """An hour of a process: everything goes up and down a little, one thing grows as well."""
    chance = random.Random(1)
    return [
        Sample(
            at,
            7,
            {
                name: value * chance.uniform(0.98, 1.02) + (RISE[name] * at / 3600 if name == growing else 0)
                for name, value in FLAT.items()
            },
        )
        for at in range(0, 3600, 20)
    ]


def test_what_only_goes_up_and_down_has_not_grown() -> None:
    assert kinds_of(check_growth(samples())) == []


@pytest.mark.parametrize("name", sorted(FLAT))
def test_what_grows_is_found(name: str) -> None:
    found = list(check_growth(samples(name)))
    assert kinds_of(found) == [Wrong.GROWTH]
    assert found[0].text.startswith(name)


def test_a_process_is_compared_with_itself_only() -> None:
    other = [
        replace(sample, pid=8, at=sample.at + 4000, values={name: 2 * value for name, value in FLAT.items()})
        for sample in samples()
    ]
    assert kinds_of(check_growth([*samples(), *other])) == []


def test_growth_in_the_warm_up_does_not_count() -> None:
    early = [sample for sample in samples("memory") if sample.at < WARM_UP]
    assert kinds_of(check_growth(early)) == []
