"""The demo PBX for tests: the engine alone with time that stands still, or the whole thing on a port."""

from __future__ import annotations

from astcti_server.demo.blocks import Event
from astcti_server.demo.engine import Engine
from tests.fake.timers import TimerWheel

START = 1795430724.0


class StillEngine(Engine):
    """An engine whose time moves by `wheel.advance` only, and which keeps every event."""

    def __init__(self, seed: int = 1) -> None:
        self.wheel = TimerWheel(START)
        super().__init__(self.wheel, seed)
        self.events: list[Event] = []
        self.listeners.append(self.events.append)

    def log_in(self, *devices: str, queue: str = "astcti", penalty: int = 1) -> None:
        """Make phones members of a queue, named as the phones are numbered."""
        for device in devices:
            self.queues.add(queue, device, name=f"Agent {self.phones[device].number}", penalty=penalty)

    def take(self) -> list[Event]:
        """The events since the last time."""
        taken, self.events[:] = list(self.events), []
        return taken

    def names(self) -> list[str]:
        """The names of the events since the last time."""
        return [event.name for event in self.take()]
