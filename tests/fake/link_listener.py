"""A listener of the AMI link that writes down what it is told, for tests to wait on."""

from __future__ import annotations

import queue

from astcti_server.ami.pending import ActionOutcome
from astcti_server.ami.wire.messages import AmiEvent
from tests.fake.patience import PATIENCE


class FakeListener:
    """What happened, in order: ("up", version), ("down", reason), ("event", Event), ("gave up", reason)."""

    def __init__(self) -> None:
        self.told: queue.Queue[tuple[str, object]] = queue.Queue()
        self.booted: queue.Queue[None] = queue.Queue()
        """Something each time Asterisk was told to be fully booted; not among `told`."""
        self.chunks = self.chunks_over = 0
        self.quiet = 0.0
        """For how many seconds nothing had been read at the last loss."""
        self.fails_on = ""
        """An event's name at which handling it goes wrong, or `end of chunk`."""

    def link_up(self, banner_version: str) -> None:
        self.told.put(("up", banner_version))

    def fully_booted(self) -> None:
        self.booted.put(None)

    def link_down(self, reason: str, quiet: float) -> None:
        self.quiet = quiet
        self.told.put(("down", reason))

    def gave_up(self, reason: str) -> None:
        self.told.put(("gave up", reason))

    def chunk_begins(self) -> None:
        self.chunks += 1

    def chunk_over(self) -> None:
        self.chunks_over += 1
        if self.fails_on == "end of chunk":
            raise RuntimeError("this chunk cannot be ended")

    def event(self, event: AmiEvent) -> None:
        if event.name == self.fails_on:
            raise RuntimeError("this event cannot be handled")
        self.told.put(("event", event))

    def next(self, kind: str) -> str:
        """Wait for the next thing told, which has to be of this kind; its text."""
        found, text = self.told.get(timeout=PATIENCE)
        assert found == kind, (found, text)
        return str(text)

    def next_event(self) -> AmiEvent:
        """Wait for the next thing told, which has to be an event."""
        found, event = self.told.get(timeout=PATIENCE)
        assert isinstance(event, AmiEvent), (found, event)
        return event


class Answers:
    """Takes the outcomes of actions; give it to `submit` as what is to be done."""

    def __init__(self) -> None:
        self._outcomes: queue.Queue[ActionOutcome] = queue.Queue()

    def __call__(self, outcome: ActionOutcome) -> None:
        self._outcomes.put(outcome)

    def next(self) -> ActionOutcome:
        """Wait for the next outcome."""
        return self._outcomes.get(timeout=PATIENCE)

    @property
    def more(self) -> bool:
        """Whether there is another outcome already."""
        return not self._outcomes.empty()
