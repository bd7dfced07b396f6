"""What the window shows, without a window."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from astcti_client.net.messages import (
    ConnectionMessage,
    ConnectionState,
    Ending,
    IssuedCommand,
    OperatorFound,
    Resumed,
    ResumeOver,
    SeatUnknown,
    ServerEvent,
    ServerReply,
    Unanswered,
)
from astcti_client.triggers.runner import own_system
from astcti_client.ui.state.calls.seat_calls import CONFIRM_TIME, INTERRUPTED_TIME, OVER_TIME
from astcti_client.ui.state.seat_changes import (
    CallOver,
    CommandRefused,
    DialOutcome,
    DialOver,
    EventHeard,
    JoinedAgainstWish,
    PauseLost,
    RingBegan,
    SeatChange,
    TransferUnchecked,
)
from astcti_client.ui.state.seat_model import SeatModel
from astcti_client.ui.state.seat_state import Pause
from astcti_client.ui.state.verdicts import own_verdict
from schemas.events import Action, Call, CallEvent, Cause, ConnectedParty, Direction, End, EventId, Originate
from schemas.explanation.lines import decode, known
from schemas.explanation.words import told_at
from schemas.protocol import ResumeMode, TriggerFailure
from schemas.wire import Reply

KEY = "7.1"
EPOCH = "0123456789abcdef"
UP = ConnectionState("up", "")


@dataclass
class SeatUnderTest:
    """A model with a clock set by hand, logged in."""

    now: float = 100.0
    model: SeatModel = field(init=False)

    def __post_init__(self) -> None:
        self.model = SeatModel(lambda: self.now)
        self.model.hear(OperatorFound("mario", "PJSIP/201", "Mario"))
        self.model.hear(UP)

    def hear(self, message: ConnectionMessage) -> list[SeatChange]:
        return self.model.hear(message)

    def say(self, number: int, token: str = "", text: str = "", answers: str = "") -> list[SeatChange]:
        command = IssuedCommand(1, answers) if answers else None
        return self.hear(ServerReply("", Reply(number, token, text), command))

    def event(self, kind: EventId, key: str = KEY, *, known: bool = False, **more: Any) -> list[SeatChange]:
        return self.hear(ServerEvent("", event(kind, key, **more), epoch=EPOCH, known=known))

    def resumed(self, mode: ResumeMode) -> None:
        """A new log-in, and the server begins to tell."""
        self.hear(ConnectionState("waiting", "lost", retry_in=1))
        self.hear(ConnectionState("logging-in", ""))
        self.say(100, "OK", answers="RESUME NEW")
        self.hear(OperatorFound("mario", "PJSIP/201", "Mario"))
        self.hear(UP)
        self.hear(Resumed(mode, EPOCH, 0))


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
    seq: int = 0,
    late: bool = False,
) -> CallEvent:
    call = Call(
        key,
        f"PJSIP/201-{key}",
        number,
        name,
        appdata=data,
        direction=direction,
        state=state,
        connected=ConnectedParty(other, "PJSIP/9") if other else None,
    )
    cause = Cause(16, end) if end else None
    return CallEvent(kind, call, "Demo", triggers, cause, originate, repeat, seq, late)


def kinds(changes: list[SeatChange]) -> list[type]:
    return [type(change) for change in changes if not isinstance(change, EventHeard)]


def only_ring(changes: list[SeatChange]) -> RingBegan:
    (found,) = [change for change in changes if isinstance(change, RingBegan)]
    return found


@pytest.fixture
def seat() -> SeatUnderTest:
    return SeatUnderTest()


def test_a_new_channel_alone_shows_no_card(seat: SeatUnderTest) -> None:
    assert kinds(seat.event("Newchannel", state="Down")) == []
    assert seat.model.calls == {}


def test_a_ring_begins_once_however_often_it_is_told(seat: SeatUnderTest) -> None:
    seat.event("Newchannel", state="Down")
    told = [*seat.event("Dial"), *seat.event("Callerid"), *seat.event("Newstate", state="Ringing")]
    assert only_ring(told).call.number == "333"
    assert seat.model.tray_state == "ringing"


def test_two_calls_ring_beside_each_other_and_the_second_takes_nothing_from_the_first(
    seat: SeatUnderTest,
) -> None:
    seat.event("Callerid", "7.1", number="111", name="Anna")
    seat.event("Link", "7.1", number="111", name="Anna")
    seat.event("Callerid", "8.1", number="222", name="Berta")
    first, second = seat.model.calls["7.1"], seat.model.calls["8.1"]
    assert (first.name, first.phase, second.name, second.phase) == ("Anna", "talking", "Berta", "ringing")


@pytest.mark.parametrize("end", ["answered-elsewhere", "cancelled", "missed", "refused"])
def test_the_end_of_a_ring_says_how_it_ended(seat: SeatUnderTest, end: End) -> None:
    seat.say(200, "astcti")
    seat.event("Callerid")
    assert CallOver in kinds(seat.event("Hangup", end=end))
    assert seat.model.calls[KEY].end == end
    assert seat.model.tray_state == "available"


def test_the_end_is_told_once(seat: SeatUnderTest) -> None:
    seat.event("Callerid")
    seat.event("Hangup", end="missed")
    assert kinds(seat.event("Hangup", end="missed")) == []


def test_the_card_of_a_finished_call_goes_after_a_while(seat: SeatUnderTest) -> None:
    seat.event("Callerid")
    seat.event("Hangup", end="missed")
    assert seat.model.tick() == []
    seat.now += OVER_TIME
    assert seat.model.tick() == []
    assert KEY not in seat.model.calls
    assert seat.model.calls == {}


def test_variables_that_come_later_are_shown_and_kept(seat: SeatUnderTest) -> None:
    seat.event("Callerid")
    seat.event("Newexten", data=(("calldata", "12345"),))
    seat.event("Link")
    assert seat.model.calls[KEY].variables == (("calldata", "12345"),)


def test_a_transfer_brings_the_new_partys_data(seat: SeatUnderTest) -> None:
    seat.event("Callerid", data=(("calldata", "1"),))
    seat.event("Link", data=(("calldata", "1"),), other="1.0")
    seat.event("Link", number="444", name="", other="2.0")
    call = seat.model.calls[KEY]
    assert (call.number, call.name, call.variables) == ("444", "", ())


def test_a_call_answered_here_stays_answered_whatever_its_cause_says(seat: SeatUnderTest) -> None:
    seat.event("Link")
    seat.event("Unlink")
    assert seat.model.calls[KEY].phase == "parted"
    seat.event("Hangup", end="cancelled")
    assert seat.model.calls[KEY].end == "answered"


def test_a_third_party_that_leaves_does_not_part_the_other_two(seat: SeatUnderTest) -> None:
    seat.event("Link", number="201", name="Mario", other="1.0")
    seat.event("Link", number="333", name="Demo Caller", other="2.0")
    seat.event("Unlink", number="201", name="Mario", other="1.0")
    call = seat.model.calls[KEY]
    assert (call.phase, call.number, call.name) == ("talking", "333", "Demo Caller")
    seat.event("Unlink", number="333", name="Demo Caller", other="2.0")
    assert seat.model.calls[KEY].phase == "parted"


def test_pages_of_a_call_can_be_opened_again(seat: SeatUnderTest) -> None:
    page = Action("browser", url="https://crm.example/1")
    seat.event("Link", triggers=(page, Action("application", application="crm")))
    seat.event("Link", repeat=True)
    assert seat.model.calls[KEY].pages == (page,)


def test_only_pages_of_this_system_are_opened_again(seat: SeatUnderTest) -> None:
    own, for_any = (
        Action("browser", system, url=f"https://{system}.example") for system in (own_system(), "any")
    )
    other = Action("internal-browser", "macos" if own.os == "linux" else "linux", url="https://other.example")
    seat.event("Callerid", triggers=(own, for_any, other))
    assert seat.model.calls[KEY].pages == (own,)


def test_a_page_that_the_ring_opened_can_be_opened_again_until_another_party_is_there(
    seat: SeatUnderTest,
) -> None:
    ring, answer, consulted = (Action("browser", url=f"https://crm.example/{page}") for page in "123")
    seat.event("Callerid", triggers=(ring,))
    seat.event("Link", triggers=(answer,), other="1.0")
    assert seat.model.calls[KEY].pages == (ring, answer)
    seat.event("Link", triggers=(consulted,), other="2.0")
    assert seat.model.calls[KEY].pages == (consulted,)


def test_of_a_call_nobody_knows_what_became_once_the_connection_is_lost(seat: SeatUnderTest) -> None:
    seat.event("Callerid")
    assert seat.hear(ConnectionState("waiting", "the connection broke")) == []
    assert seat.model.calls[KEY].unconfirmed


def test_each_event_is_handed_on_for_its_triggers_after_its_change(seat: SeatUnderTest) -> None:
    changes = seat.event("Callerid")
    assert isinstance(changes[-1], EventHeard)


def test_calls_that_the_server_does_not_tell_of_after_a_reconnect_are_over(seat: SeatUnderTest) -> None:
    seat.event("Link", "7.1")
    seat.event("Link", "8.1")
    seat.hear(ConnectionState("waiting", "lost", retry_in=1))
    assert seat.model.calls["7.1"].unconfirmed
    seat.hear(ConnectionState("logging-in", ""))
    seat.event("Link", "8.1", repeat=True)
    seat.hear(UP)
    seat.now += CONFIRM_TIME
    assert [change.call.key for change in seat.model.tick() if isinstance(change, CallOver)] == ["7.1"]
    assert seat.model.calls["8.1"].phase == "talking"


# --- a server that resumes ---


def over(changes: list[SeatChange]) -> list[str]:
    return [change.call.key for change in changes if isinstance(change, CallOver)]


def test_what_the_server_does_not_name_is_over_as_soon_as_it_told_all(seat: SeatUnderTest) -> None:
    for key in ("7.1", "8.1"):
        seat.event("Link", key)
    seat.resumed(ResumeMode.STATE)
    seat.event("Link", "8.1", repeat=True)
    assert over(seat.hear(ResumeOver())) == ["7.1"]
    assert seat.model.calls["8.1"].phase == "talking"


def test_a_list_that_was_cut_goes_on_where_it_was(seat: SeatUnderTest) -> None:
    for key in ("7.1", "8.1", "9.1"):
        seat.event("Link", key)
    seat.resumed(ResumeMode.STATE)
    seat.event("Link", "8.1", repeat=True, seq=1)
    seat.resumed(ResumeMode.FROM)
    seat.event("Link", "9.1", repeat=True, seq=2)
    assert over(seat.hear(ResumeOver())) == ["7.1"]


def test_where_the_server_tells_what_was_missed_all_other_calls_stay(seat: SeatUnderTest) -> None:
    for key in ("7.1", "8.1"):
        seat.event("Link", key)
    seat.resumed(ResumeMode.FROM)
    assert seat.model.calls["7.1"].unconfirmed
    seat.event("Hangup", "8.1", end="answered", late=True)
    changes = seat.hear(ResumeOver())
    assert over(changes) == []
    assert not seat.model.calls["7.1"].unconfirmed


def test_a_server_that_resumes_late_is_waited_for(seat: SeatUnderTest) -> None:
    seat.event("Link")
    seat.resumed(ResumeMode.FROM)
    seat.now += 10 * CONFIRM_TIME
    assert seat.model.tick() == []
    seat.hear(ResumeOver())
    assert seat.model.calls[KEY].phase == "talking"


def test_a_call_that_came_and_went_meanwhile_is_for_the_history_alone(seat: SeatUnderTest) -> None:
    seat.resumed(ResumeMode.FROM)
    seat.say(200, "astcti")
    for kind in ("Newchannel", "Callerid", "Link"):
        changes = seat.event(kind, late=True)
        assert kinds(changes) == []
        assert seat.model.tray_state == "available"
        assert seat.model.calls == {}
    changes = seat.event("Hangup", end="answered", late=True)
    assert kinds(changes) == [CallOver]
    assert seat.model.calls[KEY].was_answered


def test_a_card_that_was_there_does_not_ring_or_talk_when_it_is_told_too_late(seat: SeatUnderTest) -> None:
    seat.event("Callerid")
    seat.event("Link", late=True)
    assert seat.model.calls[KEY].phase == "ringing"
    assert over(seat.event("Hangup", end="answered", late=True)) == [KEY]
    assert seat.model.calls[KEY].was_answered


def test_what_an_earlier_run_showed_comes_back_without_notice_or_history(seat: SeatUnderTest) -> None:
    seat.resumed(ResumeMode.FROM)
    assert kinds(seat.event("Callerid", known=True, seq=5)) == []
    assert KEY in seat.model.calls
    assert seat.model.first_event == 5
    for kind in ("Callerid", "Link", "Hangup"):
        assert kinds(seat.event(kind, "8.1", known=True, late=True, seq=6)) == []
    assert list(seat.model.calls) == [KEY]


def test_numbers_of_an_earlier_epoch_do_not_say_where_to_go_on(seat: SeatUnderTest) -> None:
    seat.event("Link", seq=50)
    seat.resumed(ResumeMode.STATE)
    assert seat.model.first_event == 0
    seat.event("Link", repeat=True, seq=2)
    assert seat.model.first_event == 2


@pytest.mark.parametrize("failure", TriggerFailure)
def test_the_history_says_why_a_trigger_was_not_carried_out(
    seat: SeatUnderTest, failure: TriggerFailure
) -> None:
    seat.event("Link", triggers=(Action("browser", url="https://crm.example/"),))
    seat.model.seat_calls.trigger_failed(KEY, failure)
    why = own_verdict(seat.model.calls[KEY], "PJSIP/201", "mario", triggers=True, now=1.0, wall=1.0)
    code = known(decode(why))
    assert code is not None
    assert str(failure).removeprefix("trigger-") in code
    named = "Demo" if failure is TriggerFailure.OTHER_SYSTEM else "mario"
    assert told_at(decode(why)).count(named) == 1


def test_a_card_that_offers_to_open_what_was_interrupted_stays_longer(seat: SeatUnderTest) -> None:
    action = Action("application", application="crm")
    for kind in ("Callerid", "Link"):
        seat.event(kind, late=True)
    seat.model.seat_calls.interrupted(KEY, action)
    seat.event("Hangup", end="answered", late=True)
    assert seat.model.calls[KEY].interrupted == (action,)
    seat.now += OVER_TIME
    seat.model.tick()
    assert KEY in seat.model.calls
    seat.now += INTERRUPTED_TIME
    seat.model.tick()
    assert KEY not in seat.model.calls


def test_a_ring_told_again_after_a_reconnect_makes_no_second_notice(seat: SeatUnderTest) -> None:
    seat.event("Callerid")
    seat.hear(ConnectionState("logging-in", ""))
    seat.hear(UP)
    assert RingBegan not in kinds(seat.event("Callerid"))
    seat.event("Hangup", end="missed")
    seat.now += OVER_TIME
    seat.model.tick()
    assert RingBegan not in kinds(seat.event("Callerid"))


def test_the_pause_counts_as_requested_until_the_server_confirms(seat: SeatUnderTest) -> None:
    seat.say(200, "astcti")
    seat.model.pause_requested("Lunch")
    assert (seat.model.pause.phase, seat.model.tray_state) == ("requested", "available")
    assert seat.say(301, "PAUSE", "PENDING", "PAUSE IN Lunch") == []
    assert seat.model.pause.phase == "requested"
    seat.now += 2
    assert seat.say(300, "OK") == []
    assert (seat.model.pause.phase, seat.model.pause.reason, seat.model.pause.since) == ("in", "Lunch", 102.0)
    assert seat.model.tray_state == "paused"


def test_a_refused_pause_leaves_everything_as_it_was(seat: SeatUnderTest) -> None:
    seat.model.pause_requested("Lunch")
    assert seat.say(302, "KO", "no answer from the PBX", "PAUSE IN Lunch") == [
        CommandRefused("PAUSE", "no answer from the PBX")
    ]
    assert seat.model.pause.phase == "out"


def test_a_refused_return_leaves_the_pause_and_its_length(seat: SeatUnderTest) -> None:
    seat.say(310, "IN", "Lunch")
    seat.now += 60
    seat.model.return_requested()
    seat.say(302, "KO", "no", "PAUSE OUT")
    assert (seat.model.pause.phase, seat.model.pause.since) == ("in", 100.0)


def test_a_pause_told_again_lasts_since_before(seat: SeatUnderTest) -> None:
    seat.say(310, "IN", "Lunch")
    seat.now += 60
    seat.say(310, "IN", "Lunch")
    assert seat.model.pause.since == 100.0
    seat.say(310, "OUT")
    assert seat.model.pause.phase == "out"


def come_back(seat: SeatUnderTest, *state: str) -> list[SeatChange]:
    """The connection was lost and is back; then the server tells of the pause."""
    seat.hear(ConnectionState("waiting", "lost", retry_in=1))
    seat.hear(ConnectionState("connecting", ""))
    seat.hear(ConnectionState("logging-in", ""))
    seat.hear(UP)
    return seat.say(310, *state)


def test_a_pause_that_the_server_kept_lasts_since_before(seat: SeatUnderTest) -> None:
    seat.say(310, "IN", "Lunch")
    seat.now += 600
    assert come_back(seat, "IN", "Lunch") == []
    assert seat.model.pause == Pause("in", "Lunch", 100.0)


def test_a_pause_that_began_at_another_seat_lasts_since_then(seat: SeatUnderTest) -> None:
    seat.say(311, "LASTS", "90")
    seat.say(310, "IN", "Lunch")
    assert seat.model.pause == Pause("in", "Lunch", seat.now - 90.0)
    seat.say(310, "OUT")
    seat.now += 600
    seat.say(310, "IN", "Lunch")
    assert seat.model.pause == Pause("in", "Lunch", seat.now), "that was said of the pause before"


def test_the_server_knows_better_since_when_a_pause_lasts(seat: SeatUnderTest) -> None:
    seat.say(310, "IN", "Lunch")
    seat.now += 600
    come_back(seat, "IN", "Lunch")
    seat.say(311, "LASTS", "3600")
    seat.say(310, "IN", "Lunch")
    assert seat.model.pause == Pause("in", "Lunch", seat.now - 3600.0)


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "9" * 400, "\N{ARABIC-INDIC DIGIT THREE}"])
def test_what_is_no_time_does_not_say_since_when(seat: SeatUnderTest, text: str) -> None:
    seat.say(311, "LASTS", text)
    seat.say(310, "IN", "Lunch")
    assert seat.model.pause == Pause("in", "Lunch", seat.now)


def test_a_pause_that_the_server_lost_is_asked_for_again(seat: SeatUnderTest) -> None:
    seat.say(310, "IN", "Lunch")
    seat.now += 600
    assert come_back(seat, "OUT") == [PauseLost("Lunch")]
    assert seat.model.pause == Pause("requested", "Lunch", 100.0)
    assert seat.say(300, "OK") == []
    assert seat.model.pause == Pause("in", "Lunch", 100.0)


def test_it_is_asked_for_once_the_log_in_is_over(seat: SeatUnderTest) -> None:
    """The server tells of the pause as soon as it knows the seat; commands are welcome later."""
    seat.say(310, "IN", "Lunch")
    seat.hear(ConnectionState("logging-in", ""))
    assert seat.say(310, "OUT") == []
    assert seat.hear(UP) == [PauseLost("Lunch")]
    assert seat.hear(UP) == []


def test_a_pause_that_was_asked_for_when_the_connection_broke_stays_the_wish(seat: SeatUnderTest) -> None:
    seat.model.pause_requested("Lunch")
    assert seat.hear(Unanswered(IssuedCommand(1, "PAUSE IN Lunch"))) == []
    assert seat.model.pause.phase == "requested"
    assert come_back(seat, "OUT") == [PauseLost("Lunch")]


def test_it_is_asked_for_again_however_often_the_connection_breaks(seat: SeatUnderTest) -> None:
    seat.say(310, "IN", "Lunch")
    for _ in range(3):
        assert come_back(seat, "OUT") == [PauseLost("Lunch")]
        assert seat.hear(Unanswered(IssuedCommand(1, "PAUSE IN Lunch"))) == []
    assert come_back(seat, "IN", "Lunch") == []
    assert seat.model.pause == Pause("in", "Lunch", 100.0)


def test_a_pause_that_somebody_ends_while_we_are_connected_is_over(seat: SeatUnderTest) -> None:
    come_back(seat, "IN", "Lunch")
    assert seat.say(310, "OUT") == []
    assert seat.model.pause.phase == "out"
    assert come_back(seat, "OUT") == []


def test_who_came_back_or_was_refused_is_not_put_into_pause_again(seat: SeatUnderTest) -> None:
    seat.model.pause_requested("Lunch")
    seat.say(302, "KO", "no", "PAUSE IN Lunch")
    assert come_back(seat, "OUT") == []
    seat.say(310, "IN", "Lunch")
    seat.model.return_requested()
    seat.say(300, "OK")
    assert come_back(seat, "OUT") == []


def test_a_return_lost_with_the_connection_is_said_to_be_unknown_and_not_undone(seat: SeatUnderTest) -> None:
    seat.say(310, "IN", "Lunch")
    seat.model.return_requested()
    assert seat.hear(Unanswered(IssuedCommand(1, "PAUSE OUT"))) == [CommandRefused("PAUSE", "")]
    assert seat.model.pause.phase == "in"
    assert come_back(seat, "OUT") == []
    assert seat.model.pause.phase == "out"


def test_a_pause_asked_for_again_and_refused_is_told(seat: SeatUnderTest) -> None:
    seat.say(310, "IN", "Lunch")
    come_back(seat, "OUT")
    assert seat.say(302, "KO", "refused", "PAUSE IN Lunch") == [CommandRefused("PAUSE", "refused")]
    assert seat.model.pause.phase == "out"


@pytest.mark.parametrize("ending", ["taken-over", "disabled"])
def test_who_was_sent_away_does_not_ask_for_a_pause_again(seat: SeatUnderTest, ending: Ending) -> None:
    seat.say(310, "IN", "Lunch")
    seat.hear(ConnectionState("ended", "", ending=ending))
    assert seat.model.kept_pause is None
    assert come_back(seat, "OUT") == []


def test_who_logs_in_as_somebody_else_has_no_pause(seat: SeatUnderTest) -> None:
    seat.say(310, "IN", "Lunch")
    seat.model.forget()
    assert come_back(seat, "OUT") == []


def test_queues_are_marked_as_the_server_tells(seat: SeatUnderTest) -> None:
    seat.say(200, "astcti")
    seat.say(200, "two", "words")
    seat.say(210, "astcti")
    seat.say(211, "KO", "sales no such queue")
    assert {name: one.state for name, one in seat.model.queues.items()} == {
        "astcti": "left",
        "two words": "joined",
        "sales": "refused",
    }
    assert seat.model.queues["sales"].reason == "no such queue"
    seat.hear(ConnectionState("logging-in", ""))
    assert seat.model.queues == {}


def test_the_pbx_being_down_is_a_state_of_its_own(seat: SeatUnderTest) -> None:
    seat.say(901, "PBX", "DOWN")
    assert seat.model.tray_state == "pbx-down"
    seat.say(902, "PBX", "UP")
    assert seat.model.tray_state == "no-queue"
    seat.say(200, "astcti")
    assert seat.model.tray_state == "available"
    seat.hear(ConnectionState("waiting", ""))
    assert seat.model.tray_state == "offline"


def test_a_missing_seat_is_noticed_only_where_the_server_knows_none(seat: SeatUnderTest) -> None:
    seat.hear(SeatUnknown((("00:11:22:33:44:55", "unknown seat"),)))
    seat.hear(OperatorFound("mario", "PJSIP/201", "Mario Rossi"))
    assert not seat.model.seat_missing
    seat.hear(OperatorFound("mario", "", "Mario Rossi"))
    assert seat.model.seat_missing


def test_an_outbound_call_makes_no_notice_and_its_outcome_is_reported(seat: SeatUnderTest) -> None:
    assert RingBegan not in kinds(seat.event("Dial", direction="outbound"))
    assert seat.model.calls[KEY].phase == "calling"
    made = Originate("0551", "Failure", 3)
    assert kinds(seat.event("OriginateResponse", originate=made)) == [DialOutcome]


def test_a_refused_command_is_reported_with_its_reason(seat: SeatUnderTest) -> None:
    assert seat.say(101, "KO", "PBX down", "HANGUP 7.1") == [CommandRefused("HANGUP", "PBX down")]
    assert seat.say(101, "KO", "no", "ORIG 1 a 1") == []


def test_a_leg_that_ended_before_anything_was_known_leaves_no_trace(seat: SeatUnderTest) -> None:
    seat.event("Newchannel", state="Down")
    assert kinds(seat.event("Hangup", end="cancelled")) == []
    assert seat.model.calls == {}


def test_a_transfer_that_nobody_could_check_is_told() -> None:
    seat = SeatUnderTest()
    assert seat.say(100, "OK", "unchecked", "TRANSFER 7.1 202 astctidemo") == [TransferUnchecked()]
    assert seat.say(100, "OK", "", "TRANSFER 7.1 202 astctidemo") == []


def test_a_queue_that_was_left_is_left_again_where_the_server_forgot_it() -> None:
    seat = SeatUnderTest()
    seat.say(200, "q1")
    assert seat.say(100, "OK", answers="QUEUE q1 OUT") == []
    assert seat.say(210, "q1") == []
    assert seat.say(200, "Q1") == [JoinedAgainstWish("Q1")], "the server was started anew"
    assert seat.say(101, "KO", "this queue may not be left", answers="QUEUE Q1 OUT") == [
        CommandRefused("QUEUE", "this queue may not be left")
    ]
    assert seat.say(200, "q1") == [], "it may not be left any more"
    seat.say(100, "OK", answers="QUEUE q1 OUT")
    seat.model.queue_wanted("Q1")
    assert seat.say(200, "q1") == [], "the user wants to be in"
    seat.say(100, "OK", answers="QUEUE q1 OUT")
    seat.model.forget()
    seat.hear(UP)
    assert seat.say(200, "q1") == [], "who logs in is in"


# --- a call that this seat asked for ---


def calling(seat: SeatUnderTest) -> None:
    """The own phone was taken, and the number is called."""
    seat.model.dialling.begin("0551", "Outside line")
    seat.model.dialling.accepted()
    seat.event("Dial", direction="outbound")
    seat.event("OriginateResponse", originate=Originate("0551", "Success", 4))
    assert seat.model.dialling.shows(KEY)


def dialled(seat: SeatUnderTest) -> tuple[str, str]:
    call = seat.model.dialling.call
    return ("", "") if call is None else (call.phase, call.phone)


def test_a_dialled_call_that_went_while_the_connection_was_lost_locks_nothing(seat: SeatUnderTest) -> None:
    calling(seat)
    seat.resumed(ResumeMode.STATE)
    assert kinds(seat.hear(ResumeOver())) == [CallOver, DialOver]
    assert dialled(seat) == ("failed", "unknown")
    assert not seat.model.dialling.busy, "the next one can be made"


def test_that_holds_where_the_server_only_stays_silent(seat: SeatUnderTest) -> None:
    calling(seat)
    seat.hear(ConnectionState("waiting", "lost", retry_in=1))
    seat.hear(ConnectionState("logging-in", ""))
    seat.hear(UP)
    seat.now += CONFIRM_TIME
    assert kinds(seat.model.tick()) == [CallOver, DialOver]
    assert dialled(seat) == ("failed", "unknown")


def test_a_dialled_call_that_the_server_names_again_goes_on(seat: SeatUnderTest) -> None:
    calling(seat)
    seat.resumed(ResumeMode.STATE)
    seat.event("Dial", direction="outbound", repeat=True)
    assert DialOver not in kinds(seat.hear(ResumeOver()))
    assert dialled(seat) == ("calling", "")


def test_a_dialled_call_that_is_over_before_asterisk_says_that_it_was_taken_is_over(
    seat: SeatUnderTest,
) -> None:
    seat.model.dialling.begin("0551", "Outside line")
    seat.model.dialling.accepted()
    seat.event("Dial", direction="outbound")
    seat.event("Hangup", direction="outbound", end="cancelled")
    seat.event("OriginateResponse", originate=Originate("0551", "Success", 4))
    assert kinds(seat.model.tick()) == [DialOver]
    assert not seat.model.dialling.busy


def test_a_dialled_call_that_could_not_be_ended_can_be_asked_to_end_again(seat: SeatUnderTest) -> None:
    calling(seat)
    hang_up = f"HANGUP {KEY}"
    seat.model.dialling.cancel()
    assert seat.say(101, "KO", "PBX down", hang_up) == [CommandRefused("HANGUP", "PBX down")]
    assert seat.model.dialling.may_cancel
    for line in (hang_up, "HANGUP ORIG"):
        seat.model.dialling.cancel()
        assert seat.hear(Unanswered(IssuedCommand(2, line))) == [CommandRefused("HANGUP", "")]
        assert seat.model.dialling.may_cancel
