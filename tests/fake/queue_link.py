"""An AMI link that records actions and lets the test answer each of them, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.fake.timers import TimerWheel, WheelTimer


@dataclass(frozen=True)
class ListEntry:
    """An event of a list, as far as the readers of lists look at it."""

    name: str
    fields: dict[str, str]

    def get(self, key: str, default: str = "") -> str:
        return self.fields.get(key.lower(), default)


@dataclass(frozen=True)
class Answer:
    """What the link's `done` is called with."""

    ok: bool
    message: str = ""
    events: tuple[ListEntry, ...] = ()
    failure: str = ""
    response: None = None


def list_entry(queue, interface, *, penalty=0, paused=False, reason="", membership="dynamic"):
    fields = {
        "queue": queue,
        "name": interface,
        "location": interface,
        "membership": membership,
        "penalty": str(penalty),
        "paused": "1" if paused else "0",
        "pausedreason": reason,
        "status": "1",
    }
    return ListEntry("QueueMember", fields)


@dataclass
class Sent:
    """An action that was submitted, and how to answer it."""

    name: str
    headers: dict[str, str]
    done: Callable[[Answer], None]


class FakeLink:
    """`open` holds what waits for an answer, oldest first; `sent` everything ever submitted."""

    def __init__(self, wheel: TimerWheel) -> None:
        self._wheel = wheel
        self.sent: list[Sent] = []
        self.open: list[Sent] = []
        self.up = True

    def submit(self, action, done, *, timeout: float = 5.0) -> str:
        if not self.up:
            done(Answer(False, failure="down"))
            return "none"
        sent = Sent(action.name, dict(action.headers), done)
        self.sent.append(sent)
        self.open.append(sent)
        return str(len(self.sent))

    def later(self, seconds: float, work: Callable[[], None]) -> WheelTimer:
        return self._wheel.later(seconds, work)

    def post(self, work: Callable[[], None]) -> None:
        work()

    def answer(self, ok: bool = True, message: str = "", events=(), failure: str = "") -> Sent:
        """Answer the oldest open action."""
        sent = self.open.pop(0)
        sent.done(Answer(ok, message, tuple(events), failure))
        return sent

    def go_down(self) -> None:
        """Every open action fails, as the real link does it before it says that it is down."""
        self.up = False
        lost, self.open = self.open, []
        for sent in lost:
            sent.done(Answer(False, failure="down"))

    @property
    def names(self) -> list[str]:
        """The names of the open actions."""
        return [sent.name for sent in self.open]
