"""An AMI link that records actions and lets the test answer each of them, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from astcti_server.ami.actions import AmiAction
from astcti_server.ami.pending import ActionFailure, ActionOutcome
from astcti_server.ami.wire.messages import AmiEvent, MessageKind
from tests.fake.clock import TimerWheel, WheelTimer


def list_entry(
    queue: str,
    interface: str,
    *,
    penalty: object = 0,
    paused: bool = False,
    reason: str = "",
    membership: str = "dynamic",
    state_interface: str = "",
) -> AmiEvent:
    """A `QueueMember` as QueueStatus lists it."""
    fields = {
        "Event": "QueueMember",
        "Queue": queue,
        "Name": interface,
        "Location": interface,
        "Membership": membership,
        "Penalty": penalty,
        "Paused": "1" if paused else "0",
        "PausedReason": reason,
        "Status": "1",
    } | ({"StateInterface": state_interface} if state_interface else {})
    return event_of_list(fields)


def event_of_list(fields: dict[str, object]) -> AmiEvent:
    """An event with these fields; the first names it."""
    text = "\r\n".join(f"{key}: {value}" for key, value in fields.items())
    return AmiEvent(text.encode(), MessageKind(str(fields["Event"]), "utf-8"))


@dataclass
class Sent:
    """An action that was submitted, and how to answer it."""

    name: str
    headers: dict[str, str]
    done: Callable[[ActionOutcome], None]


class FakeLink:
    """`open` holds what waits for an answer, oldest first; `sent` everything ever submitted."""

    def __init__(self, wheel: TimerWheel) -> None:
        self._wheel = wheel
        self.sent: list[Sent] = []
        self.open: list[Sent] = []
        self.up = True

    def submit(self, action: AmiAction, done: Callable[[ActionOutcome], None]) -> str:
        if not self.up:
            done(ActionOutcome(False, "", failure="down"))
            return "none"
        sent = Sent(action.name, dict(action.headers), done)
        self.sent.append(sent)
        self.open.append(sent)
        return str(len(self.sent))

    def later(self, seconds: float, work: Callable[[], None]) -> WheelTimer:
        return self._wheel.later(seconds, work)

    def now(self) -> float:
        return self._wheel.now

    def post(self, work: Callable[[], None]) -> None:
        work()

    def answer(
        self, ok: bool = True, message: str = "", events: Iterable[AmiEvent] = (), failure: ActionFailure = ""
    ) -> Sent:
        """Answer the oldest open action."""
        sent = self.open.pop(0)
        sent.done(ActionOutcome(ok, message, events=tuple(events), failure=failure))
        return sent

    def go_down(self) -> None:
        """Every open action fails, as the real link does it before it says that it is down."""
        self.up = False
        lost, self.open = self.open, []
        for sent in lost:
            sent.done(ActionOutcome(False, "", failure="down"))

    @property
    def names(self) -> list[str]:
        """The names of the open actions."""
        return [sent.name for sent in self.open]
