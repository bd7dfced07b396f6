"""What the window shows, without a window."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from astcti_client.net.messages import (
    Command,
    ConnectionState,
    Message,
    OperatorFound,
    SeatUnknown,
    ServerEvent,
    ServerReply,
    Unanswered,
)
from astcti_client.triggers.runner import own_system
from astcti_client.ui.state.changes import (
    CallChanged,
    CallForgotten,
    CallOver,
    Change,
    DialOutcome,
    EventHeard,
    PauseConfirmed,
    Refusal,
    RingBegan,
)
from astcti_client.ui.state.seat_model import CONFIRM_TIME, OVER_TIME, SeatModel
from schemas.events import Action, Call, CallEvent, Cause, Direction, End, EventId, Originate, Party
from schemas.wire import Reply

KEY = "7.1"
UP = ConnectionState("up", "")


@dataclass
class Desk:
    """A model with a clock set by hand, logged in."""

    now: float = 100.0
    model: SeatModel = field(init=False)

    def __post_init__(self) -> None:
        self.model = SeatModel(lambda: self.now)
        self.model.hear(UP)

    def hear(self, message: Message) -> list[Change]:
        return self.model.hear(message)

    def say(self, number: int, token: str = "", text: str = "", answers: str = "") -> list[Change]:
        command = Command(1, answers) if answers else None
        return self.hear(ServerReply("", Reply(number, token, text), command))

    def event(self, kind: EventId, key: str = KEY, **more: object) -> list[Change]:
        return self.hear(ServerEvent("", event(kind, key, **more)))


def event(
    kind: EventId,
    key: str = KEY,
    *,
    end: End | None = None,
    direction: Direction = "inbound",
    number: str = "333",
    name: str = "Anna",
    data: tuple[tuple[str, str], ...] = (),
    other: str = "",
    state: str = "",
    triggers: tuple[Action, ...] = (),
    repeat: bool = False,
    originate: Originate | None = None,
) -> CallEvent:
    call = Call(
        key,
        f"PJSIP/201-{key}",
        number,
        name,
        appdata=data,
        direction=direction,
        state=state,
        connected=Party(other, "PJSIP/9") if other else None,
    )
    cause = Cause(16, end) if end else None
    return CallEvent(kind, call, "Demo", triggers, cause, originate, repeat)


def kinds(changes: list[Change]) -> list[type]:
    return [type(one) for one in changes if not isinstance(one, EventHeard)]


def only_ring(changes: list[Change]) -> RingBegan:
    (found,) = [one for one in changes if isinstance(one, RingBegan)]
    return found


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_new_channel_alone_shows_no_card(desk: Desk) -> None:
    assert kinds(desk.event("Newchannel", state="Down")) == []
    assert desk.model.calls == {}


def test_a_ring_begins_once_however_often_it_is_told(desk: Desk) -> None:
    desk.event("Newchannel", state="Down")
    told = [*desk.event("Dial"), *desk.event("Callerid"), *desk.event("Newstate", state="Ringing")]
    assert only_ring(told).call.number == "333"
    assert desk.model.tray_state == "ringing"


def test_two_calls_ring_beside_each_other_and_the_second_takes_nothing_from_the_first(desk: Desk) -> None:
    desk.event("Callerid", "7.1", number="111", name="Anna")
    desk.event("Link", "7.1", number="111", name="Anna")
    desk.event("Callerid", "8.1", number="222", name="Berta")
    first, second = desk.model.calls["7.1"], desk.model.calls["8.1"]
    assert (first.name, first.phase, second.name, second.phase) == ("Anna", "talking", "Berta", "ringing")


@pytest.mark.parametrize("end", ["answered-elsewhere", "cancelled", "missed", "refused"])
def test_the_end_of_a_ring_says_how_it_ended(desk: Desk, end: End) -> None:
    desk.event("Callerid")
    assert CallOver in kinds(desk.event("Hangup", end=end))
    assert desk.model.calls[KEY].end == end
    assert desk.model.tray_state == "available"


def test_the_end_is_told_once(desk: Desk) -> None:
    desk.event("Callerid")
    desk.event("Hangup", end="missed")
    assert kinds(desk.event("Hangup", end="missed")) == []


def test_the_card_of_a_finished_call_goes_after_a_while(desk: Desk) -> None:
    desk.event("Callerid")
    desk.event("Hangup", end="missed")
    assert desk.model.tick() == []
    desk.now += OVER_TIME
    assert desk.model.tick() == [CallForgotten(KEY)]
    assert desk.model.calls == {}


def test_variables_that_come_later_are_shown_and_kept(desk: Desk) -> None:
    desk.event("Callerid")
    desk.event("Newexten", data=(("calldata", "12345"),))
    desk.event("Link")
    assert desk.model.calls[KEY].variables == (("calldata", "12345"),)


def test_a_transfer_brings_the_new_partys_data(desk: Desk) -> None:
    desk.event("Callerid", data=(("calldata", "1"),))
    desk.event("Link", data=(("calldata", "1"),), other="1.0")
    desk.event("Link", number="444", name="", other="2.0")
    call = desk.model.calls[KEY]
    assert (call.number, call.name, call.variables) == ("444", "", ())


def test_a_call_answered_here_stays_answered_whatever_its_cause_says(desk: Desk) -> None:
    desk.event("Link")
    desk.event("Unlink")
    assert desk.model.calls[KEY].phase == "parted"
    desk.event("Hangup", end="cancelled")
    assert desk.model.calls[KEY].end == "answered"


def test_a_third_party_that_leaves_does_not_part_the_other_two(desk: Desk) -> None:
    desk.event("Link", number="201", name="Mario", other="1.0")
    desk.event("Link", number="333", name="Demo Caller", other="2.0")
    desk.event("Unlink", number="201", name="Mario", other="1.0")
    call = desk.model.calls[KEY]
    assert (call.phase, call.number, call.name) == ("talking", "333", "Demo Caller")
    desk.event("Unlink", number="333", name="Demo Caller", other="2.0")
    assert desk.model.calls[KEY].phase == "parted"


def test_pages_of_a_call_can_be_opened_again(desk: Desk) -> None:
    page = Action("browser", url="https://crm.example/1")
    desk.event("Link", triggers=(page, Action("application", application="crm")))
    desk.event("Link", repeat=True)
    assert desk.model.calls[KEY].pages == (page,)


def test_only_pages_of_this_system_are_opened_again(desk: Desk) -> None:
    own, for_any = (
        Action("browser", system, url=f"https://{system}.example") for system in (own_system(), "any")
    )
    other = Action("internal-browser", "macos" if own.os == "linux" else "linux", url="https://other.example")
    desk.event("Callerid", triggers=(own, for_any, other))
    assert desk.model.calls[KEY].pages == (own,)


def test_a_page_that_the_ring_opened_can_be_opened_again_until_another_party_is_there(desk: Desk) -> None:
    ring, answer, consulted = (Action("browser", url=f"https://crm.example/{one}") for one in "123")
    desk.event("Callerid", triggers=(ring,))
    desk.event("Link", triggers=(answer,), other="1.0")
    assert desk.model.calls[KEY].pages == (ring, answer)
    desk.event("Link", triggers=(consulted,), other="2.0")
    assert desk.model.calls[KEY].pages == (consulted,)


def test_a_lost_connection_changes_each_call_once(desk: Desk) -> None:
    desk.event("Callerid")
    lost = ConnectionState("waiting", "the connection broke")
    (change,) = desk.hear(lost)
    assert isinstance(change, CallChanged)
    assert change.call.unconfirmed
    assert desk.hear(lost) == []


def test_each_event_is_handed_on_for_its_triggers_after_its_change(desk: Desk) -> None:
    changes = desk.event("Callerid")
    assert isinstance(changes[-1], EventHeard)


def test_calls_that_the_server_does_not_tell_of_after_a_reconnect_are_over(desk: Desk) -> None:
    desk.event("Link", "7.1")
    desk.event("Link", "8.1")
    desk.hear(ConnectionState("waiting", "lost", retry_in=1))
    assert desk.model.calls["7.1"].unconfirmed
    desk.hear(ConnectionState("logging-in", ""))
    desk.event("Link", "8.1", repeat=True)
    desk.hear(UP)
    desk.now += CONFIRM_TIME
    assert [one.call.key for one in desk.model.tick() if isinstance(one, CallOver)] == ["7.1"]
    assert desk.model.calls["8.1"].phase == "talking"


def test_a_ring_told_again_after_a_reconnect_makes_no_second_notice(desk: Desk) -> None:
    desk.event("Callerid")
    desk.hear(ConnectionState("logging-in", ""))
    desk.hear(UP)
    assert RingBegan not in kinds(desk.event("Callerid"))
    desk.event("Hangup", end="missed")
    desk.now += OVER_TIME
    desk.model.tick()
    assert RingBegan not in kinds(desk.event("Callerid"))


def test_the_pause_counts_as_requested_until_the_server_confirms(desk: Desk) -> None:
    line = desk.model.ask_pause(True, "Lunch")
    assert (line, desk.model.pause.phase, desk.model.tray_state) == (
        "PAUSE IN Lunch",
        "requested",
        "available",
    )
    assert desk.say(301, "PAUSE", "PENDING", line) == []
    assert desk.model.pause.phase == "requested"
    desk.now += 2
    assert kinds(desk.say(300, "OK")) == [PauseConfirmed]
    assert (desk.model.pause.phase, desk.model.pause.reason, desk.model.pause.since) == ("in", "Lunch", 102.0)
    assert desk.model.tray_state == "paused"


def test_a_refused_pause_leaves_everything_as_it_was(desk: Desk) -> None:
    line = desk.model.ask_pause(True, "Lunch")
    assert desk.say(302, "KO", "no answer from the PBX", line) == [Refusal("PAUSE", "no answer from the PBX")]
    assert desk.model.pause.phase == "out"


def test_a_refused_return_leaves_the_pause_and_its_length(desk: Desk) -> None:
    desk.say(310, "IN", "Lunch")
    desk.now += 60
    desk.model.ask_pause(False)
    desk.say(302, "KO", "no", "PAUSE OUT")
    assert (desk.model.pause.phase, desk.model.pause.since) == ("in", 100.0)


def test_a_pause_told_again_lasts_since_before(desk: Desk) -> None:
    desk.say(310, "IN", "Lunch")
    desk.now += 60
    desk.say(310, "IN", "Lunch")
    assert desk.model.pause.since == 100.0
    desk.say(310, "OUT")
    assert desk.model.pause.phase == "out"


def test_a_pause_lost_with_the_connection_is_said_to_be_unknown(desk: Desk) -> None:
    line = desk.model.ask_pause(True)
    assert desk.hear(Unanswered(Command(1, line))) == [Refusal("PAUSE", "")]
    assert desk.model.pause.phase == "out"


def test_queues_are_marked_as_the_server_tells(desk: Desk) -> None:
    desk.say(200, "astcti")
    desk.say(200, "two", "words")
    desk.say(210, "astcti")
    desk.say(211, "KO", "sales no such queue")
    assert {name: one.state for name, one in desk.model.queues.items()} == {
        "astcti": "left",
        "two words": "joined",
        "sales": "refused",
    }
    assert desk.model.queues["sales"].reason == "no such queue"
    desk.hear(ConnectionState("logging-in", ""))
    assert desk.model.queues == {}


def test_the_pbx_being_down_is_a_state_of_its_own(desk: Desk) -> None:
    desk.say(901, "PBX", "DOWN")
    assert desk.model.tray_state == "pbx-down"
    desk.say(902, "PBX", "UP")
    assert desk.model.tray_state == "available"
    desk.hear(ConnectionState("waiting", ""))
    assert desk.model.tray_state == "offline"


def test_a_missing_seat_is_noticed_only_where_the_server_knows_none(desk: Desk) -> None:
    desk.hear(SeatUnknown((("00:11:22:33:44:55", "unknown seat"),)))
    desk.hear(OperatorFound("mario", "PJSIP/201", "Mario Rossi"))
    assert not desk.model.seat_missing
    desk.hear(OperatorFound("mario", "", "Mario Rossi"))
    assert desk.model.seat_missing


def test_an_outbound_call_makes_no_notice_and_its_outcome_is_reported(desk: Desk) -> None:
    assert RingBegan not in kinds(desk.event("Dial", direction="outbound"))
    assert desk.model.calls[KEY].phase == "calling"
    made = Originate("0551", "Failure", 3)
    assert kinds(desk.event("OriginateResponse", originate=made)) == [DialOutcome]


def test_a_refused_command_is_reported_with_its_reason(desk: Desk) -> None:
    assert desk.say(101, "KO", "PBX down", "HANGUP 7.1") == [Refusal("HANGUP", "PBX down")]
    assert desk.say(101, "KO", "no", "ORIG 1 a 1") == []


def test_a_leg_that_ended_before_anything_was_known_leaves_no_trace(desk: Desk) -> None:
    desk.event("Newchannel", state="Down")
    assert kinds(desk.event("Hangup", end="cancelled")) == []
    assert desk.model.calls == {}
