"""A colleague who is asked: what is asked of Asterisk, when, and what the seat hears. Asterisk is played."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest

from astcti_server.ami import vocabulary as ami
from astcti_server.ami.actions import AmiAction
from astcti_server.ami.pending import ActionFailure, ActionOutcome, OutcomeCallback
from astcti_server.ami.requests import AmiRequests
from astcti_server.ami.wire.messages import AmiResponse, MessageKind
from astcti_server.clients.ports import Presence
from astcti_server.consultations.consultation import BEGUN_WITHIN
from astcti_server.consultations.consultations import Consultations
from astcti_server.phones.answering import PhoneAnswering
from schemas.configuration.model import Configuration
from tests.fake.clock import TimerWheel, WheelTimer
from tests.fake.story import Story

SEAT, LEG = "PJSIP/201", "a"
ALL = ("Originate", "Bridge", "Hangup", "Atxfer", "Getvar", "GetConfig")
MARIO = Presence(7, "mario", "Mario Rossi", SEAT, SEAT, "", False)
Headers = dict[str, str]


class Link:
    """Answers each action at once, as the test says; all that are asked are in `asked`."""

    def __init__(self) -> None:
        self.wheel = TimerWheel()
        self.asked: list[tuple[str, Headers]] = []
        self.listed: tuple[str, ...] = ALL
        self.features = "T"
        self.code = "#2"
        self.refused: dict[str, str] = {}
        """By the action's name: Asterisk's words."""
        self.unanswered: dict[str, ActionFailure] = {}

    def now(self) -> float:
        return self.wheel.now

    def later(self, seconds: float, work: Callable[[], None]) -> WheelTimer:
        return self.wheel.later(seconds, work)

    def submit(self, action: AmiAction, done: OutcomeCallback, *, timeout: float = 5.0) -> str:
        headers = dict(action.headers)
        self.asked.append((action.name, headers))
        self.wheel.later(0.0, lambda: done(self._outcome(action.name)))
        return str(len(self.asked))

    def _outcome(self, name: str) -> ActionOutcome:
        if name in self.refused:
            return ActionOutcome(False, self.refused[name], failure="refused")
        if name in self.unanswered:
            return ActionOutcome(False, "", failure=self.unanswered[name])
        lines = ["Response: Success"]
        if name == "ListCommands":
            lines += [f"{each}: words" for each in self.listed]
        elif name == "Getvar":
            lines.append(f"Value: {self.features}")
        elif name == "GetConfig" and self.code:
            lines += ["Line-000000-000000: blindxfer=##", f"Line-000000-000001: atxfer={self.code}"]
        return ActionOutcome(True, "", AmiResponse("\r\n".join(lines).encode(), MessageKind("", "utf-8")))

    @property
    def done(self) -> list[tuple[str, str]]:
        """What was done to channels: the action and the channel."""
        questions = ("ListCommands", "Getvar", "GetConfig")
        return [
            (name, headers.get("Channel", headers.get("Channel1", "")))
            for name, headers in self.asked
            if name not in questions
        ]


class WatchedStory(Story):
    """Somebody hears of each event after the tracker took it in."""

    watch: Callable[[ami.TelephoneEvent], object] | None = None

    def event(self, event: ami.TelephoneEvent) -> Story:
        super().event(event)
        if self.watch is not None:
            self.watch(event)
        return self


class Desk:
    """mario at 201 talks to the caller, and the consultations are his."""

    def __init__(self, link: Link | None = None) -> None:
        self.link = link or Link()
        self.story = WatchedStory()
        self.story.caller().queued().ring("c", LEG, "201").state(LEG, "Up").link("c", LEG)
        self.lines: list[str] = []
        requests = cast(AmiRequests, self.link)
        answering = PhoneAnswering(requests, Configuration())
        self.consultations = Consultations(requests, self.story.tracker, self._send, answering)
        self.story.watch = self.consultations.heard
        self.consultations.pbx_ready()
        self.link.wheel.advance()
        self.introduce()

    def introduce(self) -> None:
        self.consultations.introduce(MARIO, lambda lines: self._send(7, lines))

    def _send(self, session: int, lines: bytes) -> bool:
        assert session == 7
        self.lines += lines.decode().splitlines()
        return True

    def ask(self, exten: str = "202") -> str:
        """mario asks; returns why not, or nothing."""
        told: list[str] = []
        table = self.story.tracker.table
        own, customer = table.find(LEG), table.find("c")
        assert own is not None and customer is not None
        self.consultations.begin(SEAT, own.party, customer.party, exten, "phones", told.append)
        self.link.wheel.advance()
        (reason,) = told
        return reason

    def complete(self) -> str:
        return self._command(self.consultations.complete)

    def cancel(self) -> str:
        return self._command(self.consultations.cancel)

    def _command(self, command: Callable[[str, str, Callable[[str], None]], None]) -> str:
        told: list[str] = []
        command(SEAT, LEG, told.append)
        self.link.wheel.advance()
        (reason,) = told
        return reason

    def happens(self, what: Callable[[Story], object]) -> None:
        """It happens on the PBX; the consultations hear of each event."""
        what(self.story)

    @property
    def states(self) -> list[str]:
        """The states that were told, one after the other."""
        return [line.split()[3] for line in self.lines if line.startswith("225 ")]

    def second_call(self) -> str:
        """The id that the second call is to have."""
        (uniqueid,) = [headers["ChannelId"] for name, headers in self.link.asked if name == "Originate"]
        return uniqueid

    def pick_up(self, response: str = "Success") -> str:
        """The own phone rings for the second call, and is picked up or not."""
        uniqueid = self.second_call()
        number = next(str(at) for at, (name, _) in enumerate(self.link.asked, 1) if name == "Originate")
        answer = ami.OriginateResponse(number, response, 4, uniqueid, f"{SEAT}-2", "", "")
        self.happens(lambda story: story.new(uniqueid, f"{SEAT}-2", "Ringing").state(uniqueid, "Up"))
        self.happens(lambda story: story.event(answer))
        return uniqueid


def by_call() -> Desk:
    link = Link()
    link.features = ""
    return Desk(link)


def waits_for_colleague(desk: Desk) -> None:
    """The attended transfer begins: the caller is left, and 202 rings through a Local channel."""

    def begins(story: Story) -> None:
        story.new("l1", "Local/202@phones-1;1", "Down").new("l2", "Local/202@phones-1;2", "Ring")
        story.unlink("c", LEG).link("l1", LEG).ring("l2", "b", "202")

    desk.happens(begins)


def colleague_answers(desk: Desk) -> None:
    desk.happens(lambda story: story.state("b", "Up").link("l2", "b"))


# -- which way ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("features", "code", "exten", "action"),
    [
        ("T", "#2", "202", "Atxfer"),
        ("THW", "#2", "202", "Atxfer"),
        ("T", "*2", "202", "Atxfer"),
        ("THW", "*2", "202", "Originate"),  # `*` would hang up
        ("", "#2", "202", "Originate"),  # the caller would hear the tones
        ("T", "", "202", "Originate"),
        ("T", "#2", "anna", "Originate"),  # no keys for letters
    ],
)
def test_the_way_is_chosen_by_what_the_call_and_features_conf_allow(
    features: str, code: str, exten: str, action: str
) -> None:
    link = Link()
    link.features, link.code = features, code
    desk = Desk(link)
    assert desk.ask(exten) == ""
    assert [name for name, _channel in link.done] == [action]


def test_where_asterisk_refuses_the_transfer_the_phone_is_rung_instead() -> None:
    link = Link()
    link.refused["Atxfer"] = "No attended transfer feature code found"
    desk = Desk(link)
    assert desk.ask() == ""
    assert [name for name, _channel in link.done] == ["Atxfer", "Originate"]
    assert desk.states == ["own-phone"]


@pytest.mark.parametrize(
    ("listed", "able"),
    [
        (ALL, True),
        (("Originate", "Bridge", "Hangup"), True),
        (("Atxfer", "Hangup", "Getvar", "GetConfig"), True),
        (("Bridge", "Hangup", "Atxfer", "Getvar"), False),
        (("Originate", "Hangup"), False),
        ((), False),
    ],
)
def test_colleagues_can_be_asked_only_where_the_manager_user_may(listed: tuple[str, ...], able: bool) -> None:
    link = Link()
    link.listed = listed
    desk = Desk(link)
    assert desk.lines == ["224 PHONE CONSULT" if able else "224 PHONE"]
    assert desk.ask() == ("" if able else "colleagues cannot be asked through this PBX")


def test_a_lost_connection_is_told_and_its_end_too() -> None:
    desk = Desk()
    desk.consultations.pbx_lost()
    assert desk.ask() == "colleagues cannot be asked through this PBX"
    desk.consultations.pbx_ready()
    desk.link.wheel.advance()
    assert desk.lines == ["224 PHONE CONSULT", "224 PHONE", "224 PHONE CONSULT"]


# -- by an attended transfer -------------------------------------------------------------------------------


def test_an_attended_transfer_is_handed_over_by_hanging_up_once_the_colleague_answered() -> None:
    desk = Desk()
    assert desk.ask() == ""
    waits_for_colleague(desk)
    assert desk.complete() == "the colleague has not answered"
    colleague_answers(desk)
    assert desk.complete() == ""
    assert desk.link.done[-1] == ("Hangup", f"{SEAT}-{LEG}")
    desk.happens(lambda story: story.hangup(LEG))
    assert desk.states == ["calling", "talking", "handed-over"]
    assert desk.complete() == "no colleague is asked about this call"


def test_it_is_taken_back_only_once_it_is_seen_under_way_and_never_by_ending_the_first_call() -> None:
    desk = Desk()
    assert desk.ask() == ""
    assert desk.cancel() == "the colleague is only about to be called: try again in a moment"
    desk.happens(lambda story: story.unlink("c", LEG))  # between two bridges
    assert desk.cancel() == "the colleague is only about to be called: try again in a moment"
    desk.happens(lambda story: story.link("c", LEG))
    assert "Hangup" not in [name for name, _channel in desk.link.done]

    desk = Desk()
    assert desk.ask() == ""
    waits_for_colleague(desk)
    assert desk.cancel() == ""
    assert desk.link.done[-1] == ("Hangup", "Local/202@phones-1;1")
    desk.happens(lambda story: story.hangup("l1").link("c", LEG))
    assert desk.states == ["calling", "taken-back"]
    assert desk.cancel() == "no colleague is asked about this call"


def test_a_transfer_that_does_not_begin_has_failed() -> None:
    desk = Desk()
    assert desk.ask() == ""
    desk.link.wheel.advance(BEGUN_WITHIN + 2)
    assert desk.states == ["calling", "failed"]


@pytest.mark.parametrize(("status", "state"), [("BUSY", "busy"), ("NOANSWER", "not-answered")])
def test_a_colleague_who_does_not_come_brings_the_caller_back(status: str, state: str) -> None:
    desk = Desk()
    desk.ask()
    waits_for_colleague(desk)
    desk.happens(lambda story: story.dial_end("l2", "b", status).hangup("b").unlink("l1", LEG).link("c", LEG))
    assert desk.states == ["calling", state]


@pytest.mark.parametrize(("root", "state"), [("c", "busy"), ("another", "not-answered")])
def test_a_colleague_who_refuses_before_the_own_end_moved_is_busy(root: str, state: str) -> None:
    """As Asterisk 16 said it: the own end enters the bridge when the Local channel has left it."""
    desk = Desk()
    desk.ask()
    desk.story.names["b"] = "PJSIP/202-b"

    def refused(story: Story) -> None:
        story.new("l1", "Local/202@phones-1;1", "Down", root="c")
        story.new("l2", "Local/202@phones-1;2", "Ring", root="c")
        story.new("b", "PJSIP/202-b", "Down", "202", root=root)
        story.event(ami.Dial("l2", "Local/202@phones-1;2", "b", "PJSIP/202-b", "", "", root))
        story.dial_end("l2", "b", "BUSY").hangup("b").hangup("l2").hangup("l1")
        story.unlink("c", LEG).link("c", LEG)

    desk.happens(refused)
    assert desk.states == ["calling", state]


def test_whoever_hangs_up_during_it_is_told() -> None:
    desk = Desk()
    desk.ask()
    waits_for_colleague(desk)
    colleague_answers(desk)
    desk.happens(lambda story: story.hangup("b").unlink("l1", LEG).link("c", LEG))
    assert desk.states == ["calling", "talking", "colleague-left"]

    desk = Desk()
    desk.ask()
    waits_for_colleague(desk)
    desk.happens(lambda story: story.hangup("c"))
    assert desk.states == ["calling", "caller-left"]

    desk = Desk()  # the operator, while the colleague's phone rings: it rings on for the caller
    desk.ask()
    waits_for_colleague(desk)
    desk.happens(lambda story: story.hangup(LEG))
    assert desk.states == ["calling", "handed-over"]


# -- by a second call --------------------------------------------------------------------------------------


def rings_colleague(desk: Desk) -> str:
    second = desk.pick_up()
    desk.happens(lambda story: story.ring(second, "b", "202"))
    return second


def test_a_second_call_is_handed_over_by_a_bridge_and_then_ended() -> None:
    desk = by_call()
    assert desk.ask() == ""
    second = rings_colleague(desk)
    assert desk.complete() == "the colleague has not answered"
    desk.happens(lambda story: story.state("b", "Up").link(second, "b"))
    assert desk.complete() == ""
    _name, headers = next(each for each in desk.link.asked if each[0] == "Bridge")
    assert (headers["Channel1"], headers["Channel2"]) == ("PJSIP/trunk-c", "PJSIP/202-b")
    assert desk.link.done[-2:] == [("Hangup", f"{SEAT}-{LEG}"), ("Hangup", f"{SEAT}-2")]
    desk.happens(lambda story: story.unlink("c", LEG).unlink(second, "b").link("c", "b"))
    desk.happens(lambda story: story.hangup(LEG).hangup(second))
    assert desk.states == ["own-phone", "calling", "talking", "handed-over"]


def test_what_became_of_the_second_call_is_no_outcome_of_a_dialled_number() -> None:
    desk = by_call()
    desk.ask()
    rings_colleague(desk)
    assert "OriginateResponse" not in desk.story.ids("201")


@pytest.mark.parametrize("order", [("c", LEG), (LEG, "c")])
def test_a_caller_who_hangs_up_during_a_second_call_is_told_in_whichever_order(
    order: tuple[str, str],
) -> None:
    desk = by_call()
    desk.ask()
    second = rings_colleague(desk)
    desk.happens(lambda story: story.state("b", "Up").link(second, "b"))
    desk.happens(lambda story: story.hangup(order[0]).hangup(order[1]))
    assert desk.states == ["own-phone", "calling", "talking", "caller-left"]


def test_a_bridge_that_asterisk_refuses_leaves_everything_as_it_was() -> None:
    desk = by_call()
    desk.ask()
    second = rings_colleague(desk)
    desk.happens(lambda story: story.state("b", "Up").link(second, "b"))
    desk.link.refused["Bridge"] = "Bridge failed"
    assert desk.complete() == "Bridge failed"
    assert "Hangup" not in [name for name, _channel in desk.link.done]
    desk.happens(lambda story: story.hangup(second).hangup("b"))
    assert desk.states == ["own-phone", "calling", "talking", "colleague-left"]


def test_a_second_call_is_taken_back_also_before_the_own_phone_was_picked_up() -> None:
    desk = by_call()
    desk.ask()
    assert desk.cancel() == ""  # its channel is not known yet
    desk.pick_up()
    assert desk.link.done[-1] == ("Hangup", f"{SEAT}-2")
    desk.happens(lambda story: story.hangup(desk.second_call()))
    assert desk.states[0] == "own-phone"
    assert desk.states[-1] == "taken-back"


def test_an_own_phone_that_does_not_take_the_second_call_is_told() -> None:
    desk = by_call()
    desk.ask()
    desk.pick_up("Failure")
    assert desk.states == ["own-phone", "own-phone-refused"]


def test_a_client_that_comes_back_hears_whom_it_asks() -> None:
    desk = Desk()
    desk.ask()
    waits_for_colleague(desk)
    desk.lines.clear()
    desk.introduce()
    assert desk.lines == ["224 PHONE CONSULT", f"225 CONSULT {LEG} calling 202 phones"]
