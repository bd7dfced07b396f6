"""The call that the seat asked for: how far it is, whose fault it was, one at a time. Without a display."""

from __future__ import annotations

from dataclasses import replace

import pytest

from astcti_client.ui.state.calls.dialling import PUT_AWAY_AFTER, UNKNOWN_AFTER, Dialling
from astcti_client.ui.state.seat_call import SeatCall
from astcti_client.ui.text import words
from schemas.events import Call, CalledEnd, CallEvent, Cause, Originate, PhoneEnd

NUMBER, KEY = "0551234", "7.1"


class Clock:
    """Says what time it is."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def response(
    response: str = "Success", reason: int = 4, phone: PhoneEnd | str = "", exten: str = NUMBER
) -> CallEvent:
    made = Originate(exten, response, reason, phone)  # type: ignore[arg-type]
    return CallEvent("OriginateResponse", Call(KEY, "PJSIP/201-7"), originate=made)


LEG = SeatCall(KEY, "calling", "outbound", 1001.0)
OVER = replace(LEG, phase="over", over_since=1009.0, end="missed")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def dialling(clock: Clock) -> Dialling:
    """The own phone rings for a call."""
    made = Dialling(clock)
    made.cancels = True
    made.begin(NUMBER, "Outside line")
    made.accepted()
    return made


def said(dialling: Dialling) -> str:
    assert dialling.call is not None
    return words.dialled_text(dialling.call)[0]


def test_from_the_click_to_the_answer(dialling: Dialling) -> None:
    assert said(dialling) == "Pick up your phone"
    assert dialling.busy
    assert dialling.may_cancel
    assert dialling.responded(response())
    assert said(dialling) == "Calling …"
    assert dialling.shows(KEY)
    assert not dialling.follow(LEG, None)
    assert dialling.follow(replace(LEG, phase="talking", talking_since=1005.0), None)
    assert dialling.call is None


@pytest.mark.parametrize(
    ("phone", "text"),
    [
        ("refused", "Your phone refused the call"),
        ("unreachable", "Your phone cannot be reached"),
        ("no-answer", "Your phone was not picked up"),
        ("", "The call was not made"),  # an older server
    ],
)
def test_the_own_phones_fault_is_said(dialling: Dialling, phone: PhoneEnd, text: str) -> None:
    dialling.responded(response("Failure", 0, phone))
    assert said(dialling) == text
    assert not dialling.busy
    dialling.put_away()
    assert dialling.call is None


@pytest.mark.parametrize(
    ("called", "text"),
    [
        ("busy", "The number is busy"),
        ("refused", "The call was declined"),
        ("no-answer", "Nobody answered"),
        ("unreachable", "The number cannot be reached"),
        ("unknown", "This number does not exist"),
        ("congested", "All lines are busy"),
    ],
)
def test_why_the_number_was_not_reached_is_said(dialling: Dialling, called: CalledEnd, text: str) -> None:
    dialling.responded(response())
    dialling.follow(OVER, Cause(16, "missed", "", called))
    assert said(dialling) == text


def test_an_older_server_has_the_cause_alone(dialling: Dialling) -> None:
    dialling.cancels = False
    assert not dialling.may_cancel, "it cannot end what has no name yet"
    dialling.responded(response())
    assert dialling.may_cancel
    dialling.follow(OVER, Cause(17, "refused"))
    assert said(dialling) == "The number is busy"


def test_a_number_that_the_dialplan_does_not_have_is_said(dialling: Dialling) -> None:
    dialling.begin(NUMBER, "")
    dialling.refused("Extension does not exist.")
    assert said(dialling) == "This number does not exist"
    dialling.begin(NUMBER, "")
    dialling.refused("PBX down")
    assert said(dialling) == "The call was not made"


def test_who_cancels_is_told_nothing_more(dialling: Dialling) -> None:
    dialling.cancel()
    assert said(dialling) == "Cancelling …"
    assert not dialling.may_cancel, "a command under way is not given again"
    dialling.responded(response("Failure", 0, "cancelled"))
    assert dialling.call is None


def test_what_cannot_be_cancelled_goes_on(dialling: Dialling) -> None:
    dialling.cancel()
    dialling.not_cancelled()
    assert dialling.may_cancel
    assert said(dialling) == "Pick up your phone"


def test_who_hangs_up_while_it_rings_there_is_told_nothing_more(dialling: Dialling) -> None:
    dialling.responded(response())
    dialling.follow(OVER, Cause(16, "cancelled"))
    assert dialling.call is None


def test_the_answer_to_another_call_is_not_taken_for_its_own(dialling: Dialling) -> None:
    assert not dialling.responded(response(exten="999"))
    assert said(dialling) == "Pick up your phone"
    assert not dialling.follow(replace(LEG, key="8.1", since=900.0, phase="talking"), None)
    assert dialling.busy


def test_a_leg_that_is_told_while_the_phone_still_rings_is_its_own(dialling: Dialling) -> None:
    dialling.follow(LEG, None)
    assert dialling.shows(KEY)
    assert said(dialling) == "Pick up your phone"


def test_nothing_stays_for_ever(dialling: Dialling, clock: Clock) -> None:
    clock.now += UNKNOWN_AFTER
    dialling.tick()
    assert said(dialling) == "Nobody knows what became of the call"
    clock.now += PUT_AWAY_AFTER
    dialling.tick()
    assert dialling.call is None
