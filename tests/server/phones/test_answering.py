"""A phone is told to answer: which can be, what is asked of Asterisk, and why not. Asterisk is played."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest

from astcti_server.ami.actions import AmiAction
from astcti_server.ami.pending import ActionFailure, ActionOutcome, OutcomeCallback
from astcti_server.ami.requests import AmiRequests
from astcti_server.ami.wire.messages import AmiResponse, MessageKind
from astcti_server.clients.ports import Presence
from astcti_server.consultations.consultations import Consultations
from astcti_server.phones.answering import PhoneAnswering
from schemas.configuration.model import AnswerWay, Configuration, Seat
from tests.fake.story import Story

LEG = "a"
LISTED = ("PJSIPNotify", "SIPnotify", "Getvar")


class AnsweringAsterisk:
    """Answers each action at once."""

    def __init__(self) -> None:
        self.listed: tuple[str, ...] = LISTED
        self.call_id = "0a09@pbx"
        self.refusal = ""
        self.failure: ActionFailure = ""
        self.asked: list[AmiAction] = []

    def submit(self, action: AmiAction, done: OutcomeCallback, *, timeout: float = 5.0) -> str:
        self.asked.append(action)
        lines = ["Response: Success"]
        if action.name == "ListCommands":
            lines += [f"{name}: words" for name in self.listed]
        elif action.name == "Getvar":
            lines.append(f"Value: {self.call_id}")
        elif self.failure:
            done(ActionOutcome(False, self.refusal, failure=self.failure))
            return "1"
        done(ActionOutcome(True, "", AmiResponse("\r\n".join(lines).encode(), MessageKind("", "utf-8"))))
        return "1"


class RingingPhone:
    """A call rings at the phone of a seat."""

    def __init__(self, extension: str = "PJSIP/201", way: AnswerWay = "notify") -> None:
        self.asterisk = AnsweringAsterisk()
        self.extension = extension
        self.seat = Seat("00:00:00:00:02:01", extension, extension, answer=way)
        self.story = Story().caller().queued()
        self.story.new(LEG, f"{extension}-0000001a", "Ringing")
        requests = cast(AmiRequests, self.asterisk)
        self.answering = PhoneAnswering(requests, Configuration(seats=(self.seat,)))
        self.lines: list[str] = []
        self.abilities = Consultations(requests, self.story.tracker, self._hear, self.answering)
        self.abilities.pbx_ready()

    def _hear(self, _session: int, lines: bytes) -> bool:
        self.lines += lines.decode().splitlines()
        return True

    def say_phone(self) -> None:
        presence = Presence(7, "mario", "Mario Rossi", self.extension, self.extension, "", False)
        self.abilities.introduce(presence, lambda lines: self._hear(7, lines))

    def answer(self) -> str:
        """Tell it; returns why not, or nothing."""
        told: list[str] = []
        entry = self.story.tracker.table.find(LEG)
        assert entry is not None
        self.answering.answer(self.extension, entry.party, told.append)
        (reason,) = told
        return reason

    @property
    def sent(self) -> list[tuple[str, dict[str, str]]]:
        """What was asked of Asterisk, without the list of its actions."""
        asked = [(action.name, dict(action.headers)) for action in self.asterisk.asked]
        return [(name, headers) for name, headers in asked if name != "ListCommands"]


def test_a_phone_of_pjsip_hears_it_in_its_ringing_call() -> None:
    phone = RingingPhone()
    assert phone.answer() == ""
    assert phone.sent == [("PJSIPNotify", {"Channel": "PJSIP/201-0000001a", "Variable": "Event=talk"})]


def test_a_phone_of_chan_sip_hears_it_in_the_call_with_its_call_id() -> None:
    phone = RingingPhone("SIP/desk-7")
    assert phone.answer() == ""
    assert phone.sent == [
        ("Getvar", {"Channel": "SIP/desk-7-0000001a", "Variable": "SIPCALLID"}),
        ("SIPnotify", {"Channel": "desk-7", "Call-ID": "0a09@pbx", "Variable": "Event=talk"}),
    ]


def test_where_the_channel_is_gone_meanwhile_nothing_rings() -> None:
    phone = RingingPhone("SIP/201")
    phone.asterisk.call_id = ""
    assert phone.answer() == "this call does not ring at your phone"
    assert [name for name, _headers in phone.sent] == ["Getvar"]


def test_a_call_that_was_answered_is_not_told_again() -> None:
    phone = RingingPhone()
    phone.story.state(LEG, "Up")
    assert phone.answer() == "this call does not ring at your phone"
    assert phone.sent == []


@pytest.mark.parametrize(
    ("refusal", "failure", "reason"),
    [
        ("Permission denied", "refused", "Permission denied"),
        ("", "refused", "the PBX refused"),
        ("", "timeout", "no answer from the PBX"),
        ("", "down", "PBX down"),
    ],
)
def test_what_asterisk_says_is_told(refusal: str, failure: ActionFailure, reason: str) -> None:
    phone = RingingPhone()
    phone.asterisk.refusal, phone.asterisk.failure = refusal, failure
    assert phone.answer() == reason


@pytest.mark.parametrize(
    ("extension", "way", "listed", "able"),
    [
        ("PJSIP/201", "notify", LISTED, True),
        ("PJSIP/201", "none", LISTED, False),
        ("PJSIP/201", "notify", ("SIPnotify", "Getvar"), False),
        ("SIP/201", "notify", ("PJSIPNotify", "Getvar"), False),
        ("SIP/201", "notify", ("SIPnotify",), False),
        ("SIP/201", "notify", LISTED, True),
        ("DAHDI/1", "notify", LISTED, False),
    ],
)
def test_a_client_hears_whether_its_phone_can(
    extension: str, way: AnswerWay, listed: tuple[str, ...], able: bool
) -> None:
    phone = RingingPhone(extension, way)
    phone.asterisk.listed = listed
    phone.abilities.pbx_ready()
    phone.say_phone()
    assert phone.lines == ["224 PHONE ANSWER" if able else "224 PHONE"]
    assert (phone.answer() == "") is able


def test_a_client_hears_when_that_changes() -> None:
    phone = RingingPhone(way="none")
    phone.say_phone()
    told = Configuration(seats=(replace(phone.seat, answer="notify"),))
    phone.abilities.configure(told)
    phone.abilities.configure(told)
    phone.abilities.pbx_lost()
    phone.abilities.pbx_ready()
    assert phone.lines == ["224 PHONE", "224 PHONE ANSWER", "224 PHONE", "224 PHONE ANSWER"]


def test_a_phone_that_cannot_is_not_told() -> None:
    phone = RingingPhone(way="none")
    assert phone.answer() == "your phone cannot be told to answer"
    assert phone.sent == []
