"""The demo PBX's dialplan: which number does what in which context."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

DIAL_RING_TIME = 20  # seconds that Dial lets a phone ring
TRUNK_TIME = 30  # seconds that it lets an outside line ring


@dataclass(frozen=True, slots=True)
class Extension:
    """A number: it leads to a queue, or it dials a phone."""

    queue: str = ""
    device: str = ""
    ring_time: int = DIAL_RING_TIME
    variables: Mapping[str, str] = field(default_factory=dict)
    """Set before the caller gets there."""

    @property
    def application(self) -> tuple[str, str]:
        """Application and its arguments, as Newexten shows them."""
        if self.queue:
            return "Queue", f"{self.queue},htw,,,60"
        return "Dial", f"{self.device},{self.ring_time},tT"


class Dialplan:
    """Extensions by context and number; `ANY` is a number that fits all others of its context."""

    ANY = "_X."

    def __init__(self) -> None:
        self._extensions: dict[tuple[str, str], Extension] = {}

    def add(self, context: str, exten: str, extension: Extension) -> None:
        self._extensions[context, exten] = extension

    def has(self, context: str) -> bool:
        return any(known == context for known, _exten in self._extensions)

    def find(self, context: str, exten: str) -> Extension | None:
        return self._extensions.get((context, exten)) or self._extensions.get((context, self.ANY))
