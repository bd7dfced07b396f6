"""What an event script is: the events of one queue call as one version of Asterisk sends them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """One caller in a queue, answered at one seat; further seats may ring in vain."""

    serial: int
    number: str
    name: str
    calldata: str
    seat: str
    ringing: tuple[str, ...]
    queue: str
    context: str
    begun: int = 1795438228

    @property
    def seats(self) -> tuple[str, ...]:
        """Every phone that rings."""
        return (self.seat, *self.ringing)


class EventScript(ABC):
    """How one version of Asterisk reports a queue call. `fields` and `size` are the means of its events."""

    name: str
    banner: bytes
    technology: str
    fields: float
    size: int

    @abstractmethod
    def blocks(self, call: PlannedCall) -> list[bytes]:
        """The call's events in order, each with its final blank line."""

    @abstractmethod
    def connecting(self, call: PlannedCall) -> int:
        """The index of the event at which the seat's phone has answered the caller."""


def block(event: str, privilege: str, *fields: tuple[str, object]) -> str:
    """An event as text."""
    lines = [f"Event: {event}", f"Privilege: {privilege},all", *(f"{key}: {value}" for key, value in fields)]
    return "\r\n".join(lines) + "\r\n\r\n"
