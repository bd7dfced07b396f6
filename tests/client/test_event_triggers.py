"""What a server that resumes is told of an event: that it is on the screen, or why a trigger was not done."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from astcti_client.resume_position import ResumePosition
from astcti_client.triggers.event_triggers import MOST_BEHIND, EventTriggers
from astcti_client.triggers.memory_file import NoFile
from astcti_client.triggers.runner import DueTrigger, TriggerOutcome, TriggerRunner
from astcti_client.triggers.trigger_memory import TriggerMemory
from schemas.events import Action, Call, CallEvent, ConnectedParty
from schemas.protocol import TriggerFailure
from tests.client.conftest import Clock
from tests.fake.patience import until

EPOCH = "0123456789abcdef"
KEY = "00000000000000aa"
URL = "https://crm.example/"


def event(seq: int, *actions: Action, **changes: object) -> CallEvent:
    call = Call(f"7.{seq}", "PJSIP/201-1", "333", connected=ConnectedParty("7.0", "PJSIP/9"))
    return CallEvent("Link", call, "Demo", actions, seq=seq)._replace(**changes)  # type: ignore[arg-type]


def page(key: str = KEY) -> Action:
    return Action("internal-browser", url=URL + key, key=key)


def program(name: str, key: str = KEY) -> Action:
    return Action("application", application=name, key=key)


class Seat:
    """The events of one seat, and what the server is told of them."""

    def __init__(self, clock: Clock, place: Path, allowed: tuple[str, ...] | None = None) -> None:
        self.clock = clock
        self.said: list[str] = []
        self.opened: list[str] = []
        self.memory = TriggerMemory(NoFile())
        self.memory.enter("cti.example 5000 mario")
        self.runner = TriggerRunner(
            system="linux",
            allowed=allowed,
            environ={"PATH": str(place), "BROWSER": f"{place}/no-browser %s"},
            show_page=lambda url, _service: self.opened.append(url),
            memory=self.memory,
        )
        self.events = EventTriggers(self.runner, self.memory, self._say, clock)

    def _say(self, epoch: str, line: str) -> None:
        assert epoch == EPOCH
        self.said.append(line)

    def hear(self, told: CallEvent, *, trusted: bool = True, epoch: str = EPOCH) -> list[DueTrigger]:
        return self.events.hear(told, trusted=trusted, epoch=epoch, arrived=self.clock())

    def carry_out(self, told: CallEvent, *, trusted: bool = True) -> list[TriggerOutcome]:
        outcomes = [self.events.do(due) for due in self.hear(told, trusted=trusted)]
        self.show()
        return outcomes

    def show(self, first: int = 0) -> None:
        self.events.shows(first)
        self.events.drawn()

    def position(self) -> ResumePosition | None:
        return self.memory.position()


@pytest.fixture
def seat(clock: Clock, tmp_path: Path) -> Iterator[Seat]:
    made = Seat(clock, tmp_path)
    yield made
    made.runner.close()


def test_shown_is_said_once_the_event_is_drawn_with_the_time_since_its_line_came(seat: Seat) -> None:
    for due in seat.hear(event(1, page())):
        seat.events.do(due)
    seat.events.shows()
    seat.clock.now += 0.0424
    assert seat.said == []
    assert seat.position() is None
    seat.events.drawn()
    assert seat.said == ["SHOWN 1 42"]
    assert seat.position() == ResumePosition(EPOCH, 1, 1)


def test_only_triggers_and_new_conversations_are_told_of(seat: Seat) -> None:
    seat.carry_out(event(1, id="Newstate"))
    seat.carry_out(event(2, repeat=True))
    assert seat.said == []
    seat.carry_out(event(3))
    seat.carry_out(event(4, page(), id="Callerid"))
    assert seat.said == ["SHOWN 3 0", "SHOWN 4 0"]
    assert seat.position() == ResumePosition(EPOCH, 4, 4)


def test_a_server_that_does_not_resume_is_told_nothing(seat: Seat) -> None:
    bare = event(0, page()._replace(key=""))
    assert [seat.events.do(due).done for due in seat.hear(bare, epoch="")] == [True]
    assert seat.hear(bare, epoch="") == []
    seat.show()
    assert (seat.said, seat.position()) == ([], None)


def test_an_event_told_again_in_another_epoch_opens_nothing_and_is_said_to_be_shown(seat: Seat) -> None:
    seat.carry_out(event(7, page()))
    again = event(1, page(), call=event(7).call)
    assert seat.carry_out(again) == []
    assert seat.opened == [URL + KEY]
    assert seat.said == ["SHOWN 7 0", "SHOWN 1 0"]


@pytest.mark.parametrize(
    ("action", "trusted", "allowed", "reason"),
    [
        (program("crm"), True, None, "not-found"),
        (program("./crm"), True, None, "not-found"),
        (program("crm"), False, None, "not-allowed"),
        (program("tool"), True, ("crm",), "not-allowed"),
        (program("tool.bat"), True, None, "not-allowed"),
        (program(""), True, None, "failed"),
        (program("broken"), True, None, "failed"),
        (Action("browser", url="file:///etc/passwd", key=KEY), True, None, "failed"),
    ],
)
def test_a_trigger_that_fails_is_told_with_its_reason(
    clock: Clock, tmp_path: Path, action: Action, trusted: bool, allowed: tuple[str, ...] | None, reason: str
) -> None:
    for name, content in (("tool", f"#!{sys.executable}\n"), ("broken", "#!/no/such/interpreter\n")):
        (tmp_path / name).write_text(content)
        (tmp_path / name).chmod(0o755)
    seat = Seat(clock, tmp_path, allowed)
    seat.carry_out(event(1, action), trusted=trusted)
    again = seat.carry_out(event(1, action), trusted=trusted)
    seat.runner.close()
    assert (seat.said[0], again) == (f"SHOWN 1 KO {KEY} {reason}", [])


def test_a_page_that_no_browser_takes_is_told_when_that_is_known(seat: Seat) -> None:
    seat.carry_out(event(1, Action("browser", url=URL, key=KEY)))
    assert seat.said == ["SHOWN 1 0"]
    until(lambda: bool(seat.events.finished()), "the browser does not fail")
    assert seat.said == ["SHOWN 1 0", f"SHOWN 1 KO {KEY} no-browser"]


def test_of_several_triggers_each_failure_is_told_and_what_was_shown_too(seat: Seat) -> None:
    seat.carry_out(event(1, program("crm", "0" * 16), page("1" * 16), program("erp", "2" * 16)))
    assert seat.said == [f"SHOWN 1 KO {'0' * 16} not-found", f"SHOWN 1 KO {'2' * 16} not-found", "SHOWN 1 0"]


def test_triggers_for_other_systems_alone_are_told_each_and_nothing_is_said_to_be_shown(seat: Seat) -> None:
    others = (page("b")._replace(os="windows"), program("crm", "c")._replace(os="macos"))
    assert seat.carry_out(event(1, *others)) == []
    assert seat.said == ["SHOWN 1 KO b other-system", "SHOWN 1 KO c other-system"]
    seat.carry_out(event(2, *others, page("d")._replace(os="linux")))
    seat.hear(event(3, *others, repeat=True))
    assert seat.said[2:] == ["SHOWN 2 0"]
    assert seat.hear(event(0, *others), epoch="") == []
    assert len(seat.said) == 3


def test_what_the_user_is_asked_about_is_told_when_he_answers_without_a_time(seat: Seat) -> None:
    (yes,) = seat.hear(event(1, page("1" * 16)))
    (no,) = seat.hear(event(2, page("2" * 16)))
    for due in (yes, no):
        seat.events.asks(due)
    seat.show()
    assert seat.said == []
    assert seat.position() == ResumePosition(EPOCH, 0, 2)  # a killed client has to hear of both again
    seat.events.do(yes)
    seat.events.refuse(no, TriggerFailure.NOT_CONFIRMED)
    assert seat.said == ["SHOWN 1", f"SHOWN 2 KO {'2' * 16} not-confirmed"]
    assert seat.hear(event(2, page("2" * 16))) == []  # a no is an answer, too
    seat.show()
    assert seat.position() == ResumePosition(EPOCH, 2, 2)


def test_late_events_open_nothing_but_what_belongs_to_the_end(seat: Seat) -> None:
    assert seat.carry_out(event(1, page("1" * 16), id="Callerid", late=True)) == []
    assert seat.carry_out(event(2, page("2" * 16), late=True)) == []
    assert len(seat.carry_out(event(3, page("3" * 16), id="Hangup", late=True))) == 1
    assert seat.opened == [URL + "3" * 16]
    assert seat.said == ["SHOWN 1", "SHOWN 2", "SHOWN 3"]


def test_what_was_interrupted_is_done_when_the_user_wants_it(seat: Seat) -> None:
    seat.memory.begin(seat.memory.mark(event(1, page()), page()))
    (due,) = seat.hear(event(1, page()))
    outcome = seat.events.do(due)
    seat.show()
    assert (outcome.done, seat.opened) == (False, [])
    assert seat.said == [f"SHOWN 1 KO {KEY} interrupted"]
    assert seat.runner.do_again(due).done
    assert seat.opened == [URL + KEY]
    assert seat.hear(event(1, page())) == []


def test_calls_that_go_on_are_told_again_to_the_next_process_unless_they_are_too_far_back(seat: Seat) -> None:
    seat.hear(event(10))
    seat.show(first=4)
    assert seat.position() == ResumePosition(EPOCH, 3, 10)
    seat.hear(event(3 + MOST_BEHIND))
    seat.show(first=4)
    assert seat.position() == ResumePosition(EPOCH, 3, 3 + MOST_BEHIND)
    seat.hear(event(4 + MOST_BEHIND))
    seat.show(first=4)
    assert seat.position() == ResumePosition(EPOCH, 4 + MOST_BEHIND, 4 + MOST_BEHIND)


def test_what_came_while_something_was_drawn_waits_for_its_own_drawing(seat: Seat) -> None:
    seat.hear(event(1))
    seat.events.shows()
    seat.hear(event(2))
    seat.events.shows()
    seat.events.drawn()
    assert seat.said == ["SHOWN 1 0"]
    assert seat.position() == ResumePosition(EPOCH, 1, 1)
    seat.events.drawn()
    assert seat.said == ["SHOWN 1 0", "SHOWN 2 0"]


def test_what_is_left_of_another_users_session_does_not_count_as_his_successors(seat: Seat) -> None:
    seat.hear(event(1))
    seat.events.shows()
    seat.memory.enter("cti.example 5000 anna")
    seat.events.drawn()
    seat.show()
    assert seat.position() is None
